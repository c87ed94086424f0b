"""Shape of observability: the ledger's events in plain words, and agents' own text made harmless to read."""

import unicodedata
from decimal import Decimal
from typing import Any

from django import template

from observability.charts import amount
from observability.models import Event

register = template.Library()

DEEDS = {
    "agent.activated": "let {name} begin to work",
    "agent.assessed": "assessed the risk of {name}",
    "agent.changed": "changed {name} to version {version}",
    "agent.flooded": "saw {name} ask more than people can answer",
    "agent.handed_over": "closed what {name} leaves behind",
    "agent.hired": "hired {name}",
    "agent.paused": "paused {name}",
    "agent.promoted": "promoted {name} to {after}",
    "agent.demoted": "took a level of autonomy from {name}: now {after}",
    "agent.resumed": "let {name} work again",
    "agent.retired": "retired {name}",
    "agent.sent_back": "sent {name} back from review",
    "agent.sponsor_missing": "misses the accountable person of {name}",
    "agent.submitted": "submitted {name} for review",
    "blueprint.activated": "put the blueprint {name} in force",
    "blueprint.changed": "changed the blueprint {name} to version {version}",
    "blueprint.disabled": "disabled the blueprint {name}",
    "blueprint.drafted": "wrote the blueprint {name}",
    "agent.refused": "tried what the credential of {name} does not open",
    "agent.unknown": "refused a token of an agent that there is not: {name}",
    "agent.card_published": "published the card of {name}",
    "agent.card_hidden": "took back the card of {name}",
    "audit.exported": "exported {name} of the audit trail",
    "budget.opened": "set the budget {name}: {limit}",
    "budget.changed": "changed the budget {name}",
    "budget.closed": "closed the budget {name}",
    "budget.near_limit": "saw that the budget {name} is nearly used up: {used} of {limit}",
    "budget.used_up": "saw that the budget {name} is used up: {used} of {limit}",
    "budget.overspent": "saw that the budget {name} is overspent: {used} of {limit}",
    "budget.not_counted": "could not count {amount} in the budget {name}, which counts {counts}",
    "callback.delivered": "told an agent what became of: {name}",
    "callback.given_up": "could not tell an agent what became of: {name}",
    "callback.not_wanted": "told no agent what became of: {name}",
    "card.pinned": "pinned {name}",
    "card.drifted": "saw that {name} is not as it was pinned",
    "card.restored": "saw that {name} is again as it was pinned",
    "card.accepted": "accepted the changed {name}",
    "card.withdrawn": "withdrew {name}",
    "client_key.registered": "registered the public key {name}",
    "client_key.revoked": "revoked the public key {name}",
    "circuit.opened": "stopped all calls to {name}: it fails too often",
    "circuit.tried": "let a few calls to {name} through on trial",
    "circuit.closed": "let calls to {name} through again",
    "consent.given": "let an agent act: {name}",
    "consent.used": "took up a consent: {name}",
    "consent.withdrawn": "withdrew a consent: {name}",
    "control.changed:normal": "returned all work to normal operation",
    "control.changed:restricted": "restricted work to low-risk actions",
    "control.changed:paused": "paused all work",
    "control.set:normal": "ended the stop of {name}",
    "control.set:restricted": "restricted {name} to low-risk actions",
    "control.set:paused": "paused {name}",
    "control.extended": "changed until when {name} is stopped",
    "control.lapsed": "saw the stop of {name} end: its time ran out",
    "control.drill_started": "began a drill of stopping {name}",
    "control.drill_ended": "ended a drill of stopping {name}",
    "decision.made:allow": "asked for {name}: allowed",
    "decision.made:deny": "asked for {name}: denied",
    "decision.made:escalate": "asked for {name}: a person is asked",
    "decision.reported": "reported what became of {name}: {after}",
    "demotion.set": "said when agents lose autonomy: {name}",
    "demotion.dropped": "dropped the rule when agents lose autonomy: {name}",
    "endpoint.set": "set where work is announced to {name}",
    "endpoint.enabled": "let work be announced again to {name}",
    "endpoint.disabled": "stopped announcing work to {name}",
    "endpoint.failed": "could not announce work to {name}; it is tried again",
    "endpoint.gone": "stopped announcing work to {name}: the address is gone",
    "escalation.opened": "asks a person: {name}",
    "escalation.seconded": "approved as the first of several: {name}",
    "escalation.answered": "answered, and can undo it: {name}",
    "escalation.undone": "took the answer back: {name}",
    "escalation.returned": "asks people again: {name}",
    "escalation.approved": "approved: {name}",
    "escalation.rejected": "rejected: {name}",
    "escalation.expired": "closed a question that nobody decided: {name}",
    "escalation.withdrawn": "withdrew a question: {name}",
    "escalation.refused": "tried to decide without being asked: {name}",
    "escalation.claimed": "looks at {name}",
    "escalation.assigned": "asked {to} to look at {name}",
    "escalation.released": "no longer looks at {name}",
    "escalation.watched": "watches {name}",
    "escalation.unwatched": "no longer watches {name}",
    "escalation.snoozed": "put aside for a while: {name}",
    "escalation.woken": "took up again: {name}",
    "escalation.passed_on": "asked the next people: {name}",
    "escalation.prolonged": "gave more time for {name}",
    "escalation.reminded": "reminded of a question whose time is nearly over: {name}",
    "escalation.questioned": "asked the agent about: {name}",
    "escalation.replied": "answered a question about: {name}",
    "escalation.amended": "changed the request: {name}",
    "escalation.handed_over": "handed over to {to}: {name}",
    "path.changed": "changed the escalation path {name}",
    "calendar.added": "added the business calendar {name}",
    "calendar.changed": "changed the business calendar {name}",
    "training.recorded": "recorded until when a training holds: {name}",
    "eventlog.uploaded": "uploaded the event log {name}",
    "eventlog.mapped": "said which column is what in the event log {name}",
    "eventlog.begun": "began to read the event log {name}",
    "eventlog.requeued": "lets the event log {name} be read again",
    "eventlog.read": "read the event log {name}: {events} events of {cases} cases",
    "eventlog.failed": "could not read the event log {name}",
    "eventlog.removed": "removed the event log {name}",
    "baseline.kept": "kept a manual baseline of {name}",
    "fact.reused": "reused {name} from shared memory",
    "fact.stored": "stored {name} in shared memory",
    "fact.confirmed": "confirmed {name} in shared memory",
    "fact.invalidated": "found wrong in shared memory: {name}",
    "fact.purged": "purged from shared memory: {name}",
    "agent.memory_purged": "purged what {name} had put into shared memory",
    "space.added": "added the space {name} to shared memory",
    "space.claimed": "began to find out “{key}” for all who ask in {name}",
    "space.claim_ended": "gave up finding out “{key}” in {name}",
    "step.shared": "waits for the same work elsewhere: {name}",
    "step.taken_over": "works on what nobody finished elsewhere: {name}",
    "step.reused": "took the result of {name} from shared memory",
    "step.not_kept": "did not keep the result of {name} in shared memory",
    "delegation.created": "let {to} decide for {name}",
    "delegation.ended": "ended that {to} decides for {name}",
    "grant.expired": "ended {name}’s right to {right} {on}: its time ran out",
    "grant.given": "gave {name} the right to {right} {on}",
    "grant.prolonged": "prolonged {name}’s right to {right} {on}",
    "grant.revoked": "took from {name} the right to {right} {on}",
    "incident.opened": "opened an incident: {name}",
    "incident.resolved": "resolved an incident: {name}",
    "incident.refused": "tried to resolve an incident without the right: {name}",
    "notice.sent": "told {to} of: {name}",
    "notice.given_up": "could not tell {to} of: {name}",
    "notice.dropped": "told nobody any more of: {name}",
    "key.issued": "issued the key {name}",
    "key.rotated": "replaced a key by {name}",
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
    "person.notices_changed": "changed what they are told of",
    "person.notice_place_added": "is told at a new place: {place}",
    "person.notice_place_removed": "is told no longer at: {place}",
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
    "safeguard.set": "said when safeguards stop agents: {name}",
    "safeguard.dropped": "dropped the safeguards of {name}",
    "circuit.set": "said when calls to {name} are stopped",
    "session.ended": "ended sessions elsewhere",
    "view.saved": "saved the view {name}",
    "view.changed": "changed the view {name}",
    "view.dropped": "took the view {name} away",
    "learnt.drafted": "drafted a rule from {answers} answers: {name}",
    "learnt.revoked": "revoked the learnt rule {name}: people are asked again",
    "price.set": "set the price of models: {name}, {per_million} {currency} for a million tokens",
    "price.ended": "ended the price of models: {name}",
    "planted.added": "planted a case with a known answer",
    "planted.withdrawn": "took back a planted case",
    "planted.over": "says that this was a planted case, which no agent asked: {name}",
    "reviewer.alerted": "saw something unusual in how {name} decides",
    "sample.right": "looked again at {name}: it was right",
    "sample.wrong": "looked again at {name}: it was wrong",
    "suggestion.turned_down": "wants no rule made of the answers to {name}",
    "list.added": "added the list {name}",
    "list.changed": "changed the list {name}",
    "list.dropped": "took the list {name} away",
    "policy.activated": "put {name} in force",
    "policy.approved": "approved {name}",
    "policy.asked": "asked for the review of {name}",
    "policy.commented": "commented on {name}",
    "policy.drafted": "drafted {name}",
    "policy.refused": "tried to approve their own policy: {name}",
    "policy.rewritten": "rewrote the draft {name}",
    "policy.sent_back": "sent {name} back to its author",
    "policy.shadowed": "put {name} in shadow",
    "policy.withdrawn": "took {name} back from review",
    "policy.retired": "retired {name}",
    "promotion.asked": "asked the council to promote {name}",
    "promotion.approved": "approved the promotion of {name}",
    "promotion.rejected": "rejected the promotion of {name}",
    "promotion.withdrawn": "withdrew the request to promote {name}",
    "promotion.refused": "tried to decide their own request: {name}",
    "replay.asked": "asked for a replay of {name} over {days} days",
    "replay.started": "began the replay of {name}",
    "replay.finished": "finished the replay of {name}: {flips} of {decisions} answers differ",
    "replay.failed": "gave up the replay of {name}",
    "replay.cancelled": "cancelled the replay of {name}",
    "replay.looked_at": "looked at the replay of {name}",
    "reservation.settled": "spent {amount} that was reserved: {name}",
    "reservation.released": "released what was reserved: {name}",
    "reservation.expired": "released what nobody reported on: {name}",
    "review.started": "started the access review {name}",
    "review.reminded": "reminded {reviewer} of the access review {name}",
    "review.certified": "said in the access review {name} that {holder} still needs the right to {right} {on}",
    "review.revoked": "said in the access review {name} that {holder} no longer needs the right to {right} {on}",
    "review.lapsed": "heard nothing in the access review {name} about {holder}’s right to {right} {on}",
    "review.gone": "noted in the access review {name} that {holder}’s right to {right} {on} had ended",
    "review.closed": "closed the access review {name}",
    "review.exported": "exported the evidence of the access review {name}",
    "run.started": "started run {name}",
    "run.stood_still": "let run {name} stand still at a limit ({limit})",
    "run.task_chosen": "asked for “{at}” in run {name}",
    "run.escalated": "told of “{code}” at “{at}” of run {name}",
    "run.heard_too_late": "heard in run {name} of what no longer mattered",
    "message.sent": "sent “{name}” {key}",
    "message.posted": "has to tell a run: {name}",
    "message.taken": "brought “{name}” to the run",
    "message.dropped": "dropped “{name}”",
    "message.not_heard": "could not make a run hear “{name}”",
    "subscription.opened": "waits for “{name}” {key}",
    "subscription.caught": "heard “{name}”",
    "subscription.closed": "waits for “{name}” no longer",
    "schedule.added": "added the schedule {name}",
    "schedule.paused": "paused the schedule {name}",
    "schedule.resumed": "resumed the schedule {name}",
    "schedule.ended": "ended the schedule {name}",
    "schedule.began": "began {runs} runs by the schedule {name}",
    "schedule.stopped": "stopped the schedule {name}, which could begin no run",
    "hook.added": "opened an address for another system: {name}",
    "hook.revoked": "closed the address for another system: {name}",
    "hook.refused": "turned away a call at {name}",
    "follow.added": "had runs begin: {name}",
    "follow.silent": "did not begin what follows: {name}",
    "follow.dropped": "has runs begin no more: {name}",
    "step.ended_with_error": "ended “{name}” with the error “{code}”",
    "step.over_limit": "took “{name}” back, which took too long; a person is asked",
    "run.finished": "finished run {name}: {outcome}",
    "run.failed": "ended run {name} as failed",
    "run.cancelled": "cancelled run {name}",
    "run.paused": "paused run {name}",
    "run.resumed": "let run {name} go on",
    "run.restarted": "started {key} again from run {name}",
    "run.moved": "let run {name} go on at “{to}” instead of “{from}”",
    "run.migrated": "moved run {name} from version {from} to version {to}",
    "run.variable_changed": "changed {variable} of run {name} from {before} to {after}",
    "step.opened": "opened “{name}”",
    "step.claimed": "began “{name}”",
    "step.finished": "finished “{name}”",
    "step.failed:ready": "did not succeed with “{name}”; it is tried again",
    "step.failed:failed": "did not succeed with “{name}”; a person is asked",
    "step.reclaimed:ready": "took “{name}” back from an agent that fell silent; it is tried again",
    "step.reclaimed:failed": "took “{name}” back from an agent that fell silent; a person is asked",
    "step.returned": "put “{name}” back into the queue",
    "step.extended": "asked for more time for “{name}”",
    "step.assigned": "kept “{name}” for {agent}",
    "step.overdue": "saw that “{name}” is overdue",
    "step.escalated": "told of “{code}” while working on “{name}”",
    "step.handed_off": "handed “{name}” off to {to_role}",
    "step.handed_round": "handed “{name}” off once too often; a person is asked",
    "step.hand_off_altered": "saw that what came with “{name}” was changed; a person is asked",
    "step.waits": "waits for a person at “{name}”",
    "step.answered": "answered the question at “{name}”",
    "step.decided": "decided “{name}”",
    "step.hurried": "let “{name}” be tried at once",
    "step.reassigned": "gave “{name}” to {to}",
    "step.skipped": "skipped “{name}”",
    "step.retried": "let “{name}” be tried again",
    "step.resolved": "settled the problem at “{name}”",
    "step.cancelled": "took back “{name}”",
    "system.added": "registered the system {name}",
    "timer.fired": "saw the time run out at “{name}”",
    "timer.prolonged": "set the clock at “{name}” back by the time of the pause",
    "timer.stopped": "stopped the clock at “{name}”",
    "token.issued": "got a token for {name}",
    "token.exchanged": "got a token to act for a person: {name}",
    "token.refused": "refused a token for {name}",
    "unit.added": "added the unit {name}",
    "workflow.approved": "approved the draft of {name}: it is version {version}",
    "workflow.asked": "asked to publish the draft of {name}",
    "workflow.begun": "began the workflow {name}",
    "workflow.compared": "compared the draft of {name} with version {version}",
    "workflow.discarded": "discarded the draft of {name}",
    "workflow.removed": "removed the workflow {name}, of which nothing was ever live",
    "workflow.drafted": "began a draft of {name}",
    "table.published": "published the decision table {name}",
    "workflow.published": "published {name}",
    "workflow.redrawn": "changed the draft of {name}",
    "workflow.refused": "tried to publish their own draft of {name}",
    "workflow.restored": "went back: version {version} of {name} says what version {restores} said",
    "workflow.sent_back": "sent the draft of {name} back",
    "workflow.withdrawn": "took the draft of {name} back from review",
}
VERBS_OF_RIGHTS = {
    "view": "see", "key": "issue keys for", "manage": "manage the work of", "start": "start runs of",
    "cancel": "cancel runs of", "intervene": "intervene in runs of", "draft": "draw drafts of",
    "publish": "publish versions of", "write": "put facts into", "curate": "confirm and invalidate facts of",
}  # fmt: skip
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
    told = phrase.format_map(
        _Known({**event.data, "name": event.subject_name, "after": event.after, "right": right_of(event)})
    )
    instead = f", for {event.data['for']}" if event.data.get("for") else ""
    return inert(told.removesuffix(": ") + instead)


def right_of(event: Event) -> str:
    """What the right that an event is about allows."""
    return right_words(str(event.data.get("permission", "")))


@register.filter
def right_words(permission: str) -> str:
    """What a right allows, without the kind of thing: "work in" for workflows.work_in_workflow."""
    code = permission.rpartition(".")[2]
    verb = code.rpartition("_")[0].replace("_", " ")
    return VERBS_OF_RIGHTS.get(verb, verb)


@register.filter
def sentence(event: Event) -> str:
    """The whole event in plain words: AP-02 Three-way match finished “Match with the order”."""
    return f"{inert(event.actor_name)} {deed(event)}"


@register.filter
def cost(value: Decimal | str | None) -> str:
    """What agents' work cost, as exactly as small amounts need: €1.84, €0.042; nothing for no amount."""
    return "" if value is None or value == "" else amount(Decimal(value))


@register.filter
def plain(value: Decimal | None) -> str:
    """An exact number with separators and without needless zeros: 5,000, 4,812.50, 0.98; nothing for None."""
    whole, _, rest = ("" if value is None else f"{value:,f}").partition(".")
    rest = rest.rstrip("0")
    return f"{whole}.{rest:0<2}" if rest else whole


@register.filter
def inert(text: object) -> str:
    """Text of an agent with characters that hide or reorder it made visible, as in <U+202E>; escape it as always."""
    return "".join(_seen(character) for character in str("" if text is None else text))


def _seen(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Cs") and character not in SPACES_KEPT
    return f"<U+{ord(character):04X}>" if hidden else character
