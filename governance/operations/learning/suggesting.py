"""Suggesting rules: answers that are all yes, as far as a person may see them; and suggestions that nobody wants."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from agents.models import Principal
from governance.language import Kind as FieldKind
from governance.language import Schema
from governance.models import WAS_UNDONE, Escalation, LearntRule, Policy, PolicyVersion, TurnedDown
from governance.operations.budgets.reading import DEFAULT_COST
from governance.operations.policies import may_write, rules_now, systems_now
from governance.rules.learning import AT_LEAST, Answer, Kind, Suggestion, exact, is_party, leaves, suggestions
from governance.rules.learnt import holds_rule
from governance.rules.replaying import without_version
from observability import ledger

LATELY = timedelta(days=90)
REST = timedelta(days=90)
READ_AT_MOST = 300  # of one kind, the newest: a rule rests on what people answer now, and a card opens quickly
WHY_AT_MOST = 2_000
WRITERS_SHOWN = 5
_UNDER_WAY = (
    PolicyVersion.Status.DRAFT, PolicyVersion.Status.IN_REVIEW, PolicyVersion.Status.APPROVED,
    PolicyVersion.Status.SHADOW,
)  # fmt: skip
_READ = (
    "status", "settled_by", "settled_at", "opened_at", "approvals_needed", "policy_version", "conditions", "request",
    "original", "agent__role__code", "decision__policy", "decision__rule", "decision__action", "decision__matched",
)  # fmt: skip
_ANSWERED = (Escalation.Status.APPROVED, Escalation.Status.REJECTED)


class NoSuggestion(ledger.NotFound):
    """These answers suggest no rule any more, or you may not see them."""

    code = "no_suggestion"


@dataclass(frozen=True)
class Offer:
    """A suggestion as one person sees it: whether they may draft the rule, else who may; the amount's field."""

    suggestion: Suggestion
    policy: Policy
    amount: str
    reviewers: tuple[str, ...]
    may_draft: bool
    writers: tuple[str, ...]

    @property
    def group(self) -> str:
        """The name of the group of answers."""
        return self.suggestion.group


def offers(user: Principal, *, at: datetime) -> list[Offer]:
    """All suggestions from answers that this person may see, the most answered first; not those that were turned down
    lately, nor those that became a rule."""
    seen = _answered(user, at).values_list("likeness").annotate(many=Count("pk")).filter(many__gte=AT_LEAST)
    return _offers(user, [likeness for likeness, _ in seen.order_by()], at)


def offer_for(user: Principal, escalation: Escalation, *, at: datetime) -> Offer | None:
    """The suggestion that would have answered this open question; None without one."""
    if escalation.kind != Escalation.Kind.ACTION or not escalation.is_open or escalation.agent is None:
        return None
    if _answered(user, at).filter(likeness=escalation.likeness).count() < AT_LEAST:
        return None
    action, _, asked_by = escalation.likeness.partition(":")
    policy, _, rule = asked_by.rpartition(":")
    path, schema = amount_path(action), rules_now()[1]
    kind, amount, parties = _read(escalation.request, (policy, rule, action, escalation.agent.role.code), path, schema)
    fit = (
        each
        for each in _offers(user, [escalation.likeness], at)
        if each.suggestion.covers(kind, amount, dict(parties), _held(escalation))
    )
    return next(fit, None)


def offer_of(user: Principal, group: str, *, at: datetime) -> Offer:
    """The suggestion of this group. Raises NoSuggestion."""
    found = next((each for each in offers(user, at=at) if each.group == group), None)
    if found is None:
        raise NoSuggestion
    return found


@transaction.atomic
def turn_down(group: str, *, by: Principal, at: datetime, why: str = "") -> TurnedDown:
    """Say that no rule is wanted: the suggestion is not made again for 90 days, whoever answers. Who may write the
    policy, or decides such questions, may say so."""
    offer = offer_of(by, group, at=at)
    if not (offer.may_draft or by.may("governance.settle_escalation")):
        raise ledger.NotAllowed("Who decides such questions, or may write the policy, turns a suggestion down.")
    if len(why) > WHY_AT_MOST:
        raise ledger.Invalid(fields={"why": f"At most {WHY_AT_MOST:,} characters."})
    said = TurnedDown.objects.create(
        group=group, policy=offer.policy, rule=offer.suggestion.kind.rule, by=by, at=at, until=at + REST,
        why=why.strip(),
    )  # fmt: skip
    ledger.record("suggestion.turned_down", said, by=by, at=at, why=said.why)
    return said


def amount_path(action: str) -> str:
    """The field that holds what an action costs; nothing where the system says that it has no cost."""
    for system in systems_now():
        for item in system.actions:
            if item["name"] == action:
                return str(item.get("cost", DEFAULT_COST))
    return DEFAULT_COST


def amount_in(request: dict[str, Any], path: str) -> Decimal | None:
    """The amount of a request under this path, None where it says none."""
    group, _, name = path.partition(".")
    given = request.get("context", {}) if group == "context" else request.get("resource", {}).get("properties", {})
    return exact(given.get(name)) if name and isinstance(given, dict) else None


# --- reading --------------------------------------------------------------------------------------------------
def _answered(user: Principal, at: datetime) -> QuerySet[Escalation]:
    rows = Escalation.objects.visible_to(user).real().filter(kind=Escalation.Kind.ACTION, status__in=_ANSWERED)
    return rows.filter(settled_at__gt=at - LATELY, settled_by__isnull=False).exclude(policy="").order_by()


def _offers(user: Principal, likenesses: list[str], at: datetime) -> list[Offer]:
    if not likenesses:
        return []
    found = suggestions(_answers(user, likenesses, at))
    resting = _resting([each.group for each in found], at)
    left = [each for each in found if each.group not in resting]
    policies = {each.key: each for each in Policy.objects.visible_to(user).select_related("owner", "unit")}
    return [_offer(user, each, policies[each.kind.policy]) for each in left if each.kind.policy in policies]


def _answers(user: Principal, likenesses: Iterable[str], at: datetime) -> list[Answer]:
    schema, found = rules_now()[1], []
    for likeness in likenesses:
        rows = _answered(user, at).filter(likeness=likeness).annotate(undone=WAS_UNDONE)
        rows = rows.select_related("decision", "agent__role").only(*_READ).order_by("-settled_at")[:READ_AT_MOST]
        wording = _Wording()
        found += [_answer(row, schema) for row in rows if row.decision is not None and wording.is_of_now(row)]
    return found


class _Wording:
    """Whether the rule that asked says today what it said then; each version is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int | None, str], Any] = {}
        self._active: dict[str, int | None] = {}

    def is_of_now(self, row: Any) -> bool:
        """Whether the rule in force is the one that asked this question."""
        policy, rule = row.decision.policy, row.decision.rule
        if policy not in self._active:
            numbers = PolicyVersion.objects.active().filter(policy__key=policy).values_list("number", flat=True)
            self._active[policy] = numbers.first()
        then, now = (self._said(policy, each, rule) for each in (row.policy_version, self._active[policy]))
        return now is not None and then == now

    def _said(self, policy: str, number: int | None, rule: str) -> Any:
        key = (policy, number, rule)
        if key not in self._known:
            version = PolicyVersion.objects.filter(policy__key=policy, number=number or 0).first()
            rules = version.document.get("rules", ()) if version is not None else ()
            self._known[key] = next(((each.get("when"), each["effect"]) for each in rules if each["id"] == rule), None)
        return self._known[key]


def _held(row: Any, *, outcome: bool = True) -> frozenset[str]:
    """The conditions of the rule that held when it asked, or those that did not."""
    return frozenset(str(each["text"]) for each in row.conditions if (each.get("outcome") == "true") is outcome)


def _answer(row: Any, schema: Schema) -> Answer:
    decision = row.decision
    names = (decision.policy, decision.rule, decision.action, row.agent.role.code)
    # What the agent asked, and not what a person made of it: who amended it did not approve that.
    asked = row.original or row.request
    kind, amount, parties = _read(asked, names, amount_path(decision.action), schema)
    seconds = Decimal(str((row.settled_at - row.opened_at).total_seconds()))
    own = [ref for ref in decision.matched if without_version(ref).startswith(f"{decision.policy}#")]
    return Answer(
        key=row.pk, kind=kind, approved=row.status == Escalation.Status.APPROVED and not (row.undone or row.original),
        reviewer=row.settled_by_id, seconds=seconds, amount=amount, parties=parties, needed=row.approvals_needed,
        allowed_by=tuple(ref.partition("#")[2] for ref in own), held=_held(row),
        held_not=_held(row, outcome=False),
    )  # fmt: skip


def _read(
    request: dict[str, Any], names: tuple[str, str, str, str], path: str, schema: Schema
) -> tuple[Kind, Decimal | None, tuple[tuple[str, str], ...]]:
    """What makes a question like others: its kind, its amount, the other sides of the deal that rules can read."""
    said, amount = leaves(request), amount_in(request, path)
    texts = {path for path in said if (known := schema.get(path)) is not None and known.kind is FieldKind.STRING}
    currency = said["context.currency"] if "context.currency" in texts else ""
    parties = tuple(sorted((path, said[path]) for path in texts if is_party(path)))
    return Kind(*names, currency=currency, has_amount=amount is not None), amount, parties


def _resting(groups: list[str], at: datetime) -> set[str]:
    """The groups of which nothing is suggested now: turned down, or a rule already."""
    down = TurnedDown.objects.filter(group__in=groups, until__gt=at).values_list("group", flat=True)
    learnt = LearntRule.objects.standing().filter(group__in=groups).select_related("version")
    return {*down, *(each.group for each in learnt if stands(each))}


def stands(learnt: LearntRule) -> bool:
    """Whether a learnt rule is on its way into force, or in it."""
    return learnt.version.status in _UNDER_WAY or in_force(learnt) is not None


def in_force(learnt: LearntRule) -> PolicyVersion | None:
    """The version in force that has the rule, None when it decides nothing now."""
    active = PolicyVersion.objects.active().filter(policy=learnt.policy_id).select_related("policy__unit").first()
    return active if active is not None and holds_rule(active.document, learnt.rule) else None


def _offer(user: Principal, suggestion: Suggestion, policy: Policy) -> Offer:
    may_draft = user.is_person and may_write(user, policy)
    people = Principal.objects.filter(pk__in=suggestion.reviewers).order_by("name")
    return Offer(
        suggestion, policy, amount_path(suggestion.kind.action), tuple(map(str, people)), may_draft,
        () if may_draft else writers_of(policy),
    )  # fmt: skip


def writers_of(policy: Policy) -> tuple[str, ...]:
    """The first few people who may write the policy."""
    rights = ("change_policy", "add_policy")
    by_role = Q(groups__permissions__codename__in=rights) | Q(pk=policy.owner_id)
    people = Principal.objects.people().filter(by_role).distinct().order_by("name")[: 4 * WRITERS_SHOWN]
    return tuple(str(person) for person in people if may_write(person, policy))[:WRITERS_SHOWN]
