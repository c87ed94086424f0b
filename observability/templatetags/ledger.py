"""Shape of observability: the ledger's events in plain words, and agents' own text made harmless to read."""

import unicodedata
from decimal import Decimal
from typing import Any

from django import template

from observability.charts import amount
from observability.models import Event

register = template.Library()

DEEDS = {
    "agent.hired": "hired {name}",
    "agent.activated": "let {name} begin to work",
    "agent.paused": "paused {name}",
    "agent.resumed": "let {name} work again",
    "agent.retired": "retired {name}",
    "audit.exported": "exported {name} of the audit trail",
    "control.changed:normal": "returned all work to normal operation",
    "control.changed:restricted": "restricted work to low-risk actions",
    "control.changed:paused": "paused all work",
    "decision.made:allow": "asked for {name}: allowed",
    "decision.made:deny": "asked for {name}: denied",
    "decision.made:escalate": "asked for {name}: a person is asked",
    "escalation.opened": "asks a person: {name}",
    "escalation.seconded": "approved as the first of several: {name}",
    "escalation.approved": "approved: {name}",
    "escalation.rejected": "rejected: {name}",
    "escalation.expired": "closed a question that nobody decided: {name}",
    "escalation.withdrawn": "withdrew a question: {name}",
    "escalation.refused": "tried to decide without being asked: {name}",
    "escalation.passed_on": "asked the next people: {name}",
    "fact.reused": "reused {name} from shared memory",
    "fact.stored": "stored {name} in shared memory",
    "grant.given": "gave {name} the right to {right} {on}",
    "key.issued": "issued the key {name}",
    "key.revoked": "revoked the key {name}",
    "path.added": "added the escalation path {name}",
    "break_glass.opened": "opened {name} for {minutes} minutes",
    "break_glass.closed": "closed {name}",
    "break_glass.reviewed": "closed the review of {name}",
    "person.admitted": "gave {name} access",
    "person.confirmed": "confirmed who they are ({method})",
    "person.described": "corrected what {name} is called",
    "person.disabled": "disabled {name}",
    "person.enabled": "let {name} in again",
    "person.invited": "made a new invitation for {name}",
    "person.joined": "accepted the invitation",
    "person.linked": "joined single sign-on to the account of {name}",
    "person.locked_out": "locked {name} after too many wrong passwords",
    "person.password_changed": "changed their password",
    "person.recovery_codes_made": "made new recovery codes",
    "person.refused": "tried to change the account of {name} without the right",
    "person.roles_changed": "changed the roles of {name}",
    "person.second_factor_added": "added a second factor ({kind})",
    "person.second_factor_removed": "removed a second factor ({kind})",
    "person.second_factors_reset": "reset the second factors of {name}",
    "person.sign_in_failed": "turned {name} away ({method})",
    "person.signed_in": "signed in ({method})",
    "person.signed_out": "signed out",
    "session.ended": "ended sessions elsewhere",
    "policy.activated": "put {name} in force",
    "policy.drafted": "drafted {name}",
    "policy.retired": "took {name} out of force",
    "run.started": "started run {name}",
    "run.finished": "finished run {name}: {outcome}",
    "run.failed": "ended run {name} as failed",
    "run.cancelled": "cancelled run {name}",
    "step.opened": "opened “{name}”",
    "step.claimed": "began “{name}”",
    "step.finished": "finished “{name}”",
    "step.failed:ready": "did not succeed with “{name}”; it is tried again",
    "step.failed:failed": "did not succeed with “{name}”; a person is asked",
    "step.reclaimed:ready": "took “{name}” back from an agent that fell silent; it is tried again",
    "step.reclaimed:failed": "took “{name}” back from an agent that fell silent; a person is asked",
    "step.returned": "put “{name}” back into the queue",
    "step.waits": "waits for a person at “{name}”",
    "step.answered": "answered the question at “{name}”",
    "step.decided": "decided “{name}”",
    "step.retried": "let “{name}” be tried again",
    "step.resolved": "settled the problem at “{name}”",
    "step.cancelled": "took back “{name}”",
    "system.added": "registered the system {name}",
    "timer.fired": "saw the time run out at “{name}”",
    "timer.stopped": "stopped the clock at “{name}”",
    "unit.added": "added the unit {name}",
    "workflow.published": "published {name}",
}
SPACES_KEPT = {"\n", "\t"}


class _Known(dict[str, Any]):
    """What a phrase may name; what the event does not say stays empty."""

    def __missing__(self, name: str) -> str:
        return ""


@register.filter
def deed(event: Event) -> str:
    """What was done, without who did it: finished “Match with the order”."""
    phrase = DEEDS.get(f"{event.verb}:{event.after}") or DEEDS.get(event.verb)
    if phrase is None:
        noun, _, happened = event.verb.partition(".")
        phrase = f"{noun} {happened.replace('_', ' ')}: {{name}}"
    told = phrase.format_map(_Known({**event.data, "name": event.subject_name, "right": right_of(event)}))
    return inert(told.removesuffix(": "))


def right_of(event: Event) -> str:
    """What a right that was given allows, without the kind of thing: "work in" for workflows.work_in_workflow."""
    code = str(event.data.get("permission", "")).rpartition(".")[2]
    return code.rpartition("_")[0].replace("_", " ")


@register.filter
def sentence(event: Event) -> str:
    """The whole event in plain words: AP-02 Three-way match finished “Match with the order”."""
    return f"{inert(event.actor_name)} {deed(event)}"


@register.filter
def cost(value: Decimal | str | None) -> str:
    """What agents' work cost, as exactly as small amounts need: €1.84, €0.042; nothing for no amount."""
    return "" if value is None or value == "" else amount(Decimal(value))


@register.filter
def inert(text: object) -> str:
    """Text of an agent with characters that hide or reorder it made visible, as in <U+202E>; escape it as always."""
    return "".join(_seen(character) for character in str("" if text is None else text))


def _seen(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Cs") and character not in SPACES_KEPT
    return f"<U+{ord(character):04X}>" if hidden else character
