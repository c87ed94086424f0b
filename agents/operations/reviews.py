"""Access reviews: list every right, ask one person about each, take away what nobody says is needed, keep the proof."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import rfc8785
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q

from agents.models import Agent, Grant, Principal, Review, ReviewItem, RoleGrant, Unit
from agents.models.access import model_of, title_of, unit_of
from agents.operations.access import require, take_away
from agents.operations.holdings import holdings_of
from agents.operations.reasons import check_length
from agents.rules.access import KINDS, Answering, first_to_answer
from observability import ledger

REMIND_DAYS = (7, 1)
LONGEST_DAYS = 366
NAME_AT_MOST = 200
START = "agents.start_review"
NOBODY = "Nobody answered until the last day."


class NotYours(ledger.NotAllowed):
    """Another person answers for this right."""

    code = "not_yours"


class NothingToReview(ledger.Invalid):
    """No right has been given on any object that you chose. There is nothing to review."""

    code = "nothing_to_review"


class NobodyToAsk(ledger.Invalid):
    """For a right in this review there is nobody who could answer without reviewing a right of their own."""

    code = "nobody_to_ask"


@dataclass(frozen=True)
class Scope:
    """What a review covers and who answers: no kinds means all kinds, no units means all units; a unit includes those
    below it. `named` answers for everything if `answered_by` says so."""

    name: str
    due_at: datetime
    kinds: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()
    answered_by: str = Review.AnsweredBy.ACCOUNTABLE
    named: Principal | None = None


# --- start ----------------------------------------------------------------------------------------------------
@transaction.atomic
def start_review(scope: Scope, *, by: Principal, at: datetime) -> Review:
    """Begin a review: every right in its scope becomes an item with the person who answers for it, as it is now."""
    require(by, START)
    _check(scope, by, at)
    review = Review.objects.create(
        name=scope.name.strip(), kinds=list(scope.kinds or KINDS), answered_by=scope.answered_by, named=scope.named,
        started_by=by, started_at=at, due_at=scope.due_at, reminded_days=_already_past(scope.due_at, at),
    )  # fmt: skip
    review.units.set(scope.units)
    items = _snapshot(review, scope, by, at)
    if not items:
        raise NothingToReview
    ReviewItem.objects.bulk_create(items, batch_size=500)
    ledger.record("review.started", review, by=by, at=at, after=review.status, data={"rights": len(items)})
    return review


def _check(scope: Scope, by: Principal, at: datetime) -> None:
    wrong: dict[str, str] = {}
    if not 0 < len(scope.name.strip()) <= NAME_AT_MOST:
        wrong["name"] = f"Give the review a name of at most {NAME_AT_MOST} characters."
    if scope.due_at <= at:
        wrong["due"] = "The last day lies in the past; choose a later one."
    elif scope.due_at > at + timedelta(days=LONGEST_DAYS):
        wrong["due"] = "A review lasts a year at most; choose an earlier last day."
    if set(scope.kinds) - set(KINDS):
        wrong["kinds"] = f"Choose among {', '.join(KINDS)}."
    if {unit.pk for unit in scope.units} - set(by.unit_ids()):
        wrong["units"] = "Choose units that you may see."
    if scope.answered_by not in Review.AnsweredBy.values:
        wrong["answered_by"] = f"Choose one of {', '.join(Review.AnsweredBy.values)}."
    is_named = scope.answered_by == Review.AnsweredBy.NAMED
    if is_named != (scope.named is not None):
        wrong["named"] = "Name the person who answers." if is_named else "Nobody is named unless one person answers."
    if scope.named is not None and not (scope.named.is_person and scope.named.is_active):
        wrong["named"] = "Name an active person, not an agent."
    if wrong:
        raise ledger.Invalid("The review cannot be started like this.", fields=wrong)


def _already_past(due_at: datetime, at: datetime) -> int | None:
    # A review shorter than a reminder's distance begins as if that reminder had been sent.
    return min((days for days in REMIND_DAYS if due_at - timedelta(days=days) <= at), default=None)


def _snapshot(review: Review, scope: Scope, by: Principal, at: datetime) -> list[ReviewItem]:
    covered, people = _covered(scope, by), _People.known(by)
    grants: list[Grant | RoleGrant] = []
    for table, holder in ((Grant, "user__agent"), (RoleGrant, "group")):
        given = table.objects.in_force(at).filter(content_type__model__in=scope.kinds or KINDS)
        grants += given.select_related(holder).with_names().order_by("pk")
    found = [holding for holding in holdings_of(grants) if unit_of(holding.row) in covered]
    return [_item(review, holding.grant, holding.row, people) for holding in found if holding.grant is not None]


def _covered(scope: Scope, by: Principal) -> set[int]:
    seen = set(by.unit_ids())
    if not scope.units:
        return seen
    below = Q()
    for unit in scope.units:
        below |= Q(path__startswith=unit.path)
    return seen & set(Unit.objects.filter(below).values_list("pk", flat=True))


def _item(review: Review, grant: Grant | RoleGrant, row: Any, people: "_People") -> ReviewItem:
    holder, about = grant.holder, row.as_subject()
    reviewer = people.first_for(review, grant, unit_of(row))
    if reviewer is None:
        raise NobodyToAsk(
            f"Nobody could answer for {title_of(holder)}’s right on {about.name} and not review their own."
        )
    kind = "role" if isinstance(holder, Group) else holder.kind
    name = holder.name if isinstance(holder, Group) else holder.username
    return ReviewItem(
        review=review, grant=grant.uid, kind=about.kind, row_id=about.id, row_name=about.name, unit_id=unit_of(row),
        permission=f"{grant.content_type.app_label}.{grant.permission.codename}", holder_kind=kind, holder_id=name,
        holder_name=title_of(holder), reason=grant.reason,
        granted_by=str(grant.granted_by) if grant.granted_by else "", granted_at=grant.granted_at,
        expires_at=grant.expires_at, reviewer_id=reviewer,
    )  # fmt: skip


@dataclass(frozen=True)
class _People:
    """Everybody who could answer: the owners of each unit, the chain of units upward, who may start reviews."""

    owners: Mapping[int, Sequence[int]]
    above: Mapping[int, Sequence[int]]
    starters: Sequence[int]
    active: frozenset[int]
    roles: Mapping[int, frozenset[int]]

    @classmethod
    def known(cls, by: Principal) -> "_People":
        """Read them all at once."""
        owners: dict[int, list[int]] = {}
        managing = Grant.objects.filter(permission__codename="manage_unit", user__kind=Principal.Kind.PERSON)
        for unit, person in managing.order_by("pk").values_list("object_pk", "user"):
            owners.setdefault(int(unit), []).append(person)
        paths = Unit.objects.values_list("pk", "path")
        above = {pk: [int(each) for each in reversed(path.split("/")) if each] for pk, path in paths}
        start = Q(groups__permissions__codename="start_review") | Q(user_permissions__codename="start_review")
        starters = [by.pk, *Principal.objects.people().filter(start).order_by("pk").values_list("pk", flat=True)]
        active = frozenset(Principal.objects.people().values_list("pk", flat=True))
        roles: dict[int, set[int]] = {}
        for person, group in Principal.groups.through.objects.values_list("principal", "group"):
            roles.setdefault(person, set()).add(group)
        return cls(owners, above, starters, active, {person: frozenset(held) for person, held in roles.items()})

    def first_for(self, review: Review, grant: Grant | RoleGrant, unit: int) -> int | None:
        """Who answers for this right: the person the review wants, or the next one up who does not hold it."""
        order = [*self._wanted(review, grant, unit)]
        for each in self.above.get(unit, ()):
            order += self.owners.get(each, ())
        return first_to_answer(self._as_candidate(person, grant) for person in (*order, *self.starters))

    def _wanted(self, review: Review, grant: Grant | RoleGrant, unit: int) -> Iterable[int]:
        if review.named_id is not None:
            yield review.named_id
        agent = _agent_of(grant)
        if review.answered_by == Review.AnsweredBy.ACCOUNTABLE and agent is not None:
            yield agent.accountable_id
            if agent.stand_in_id is not None:
                yield agent.stand_in_id
        yield from self.owners.get(unit, ())

    def _as_candidate(self, person: int, grant: Grant | RoleGrant) -> Answering:
        if isinstance(grant, RoleGrant):
            own = grant.group_id in self.roles.get(person, frozenset())
        else:
            own = grant.user_id == person
        return Answering(person, is_active=person in self.active, is_own=own)


def _agent_of(grant: Grant | RoleGrant) -> Agent | None:
    if isinstance(grant, RoleGrant) or grant.holder.is_person:
        return None
    return getattr(grant.holder, "agent", None)


# --- answer ---------------------------------------------------------------------------------------------------
@transaction.atomic
def certify(review: Review, items: Iterable[int], *, by: Principal, at: datetime) -> int:
    """Say of each of these rights that it is still needed: all or, when one cannot be answered, none. How many."""
    answered = _locked(review, items, by, at)
    for item in answered:
        _answer(item, ReviewItem.Status.CERTIFIED, by=by, at=at, why="")
    _close_when_answered(answered[0].review, at)
    return len(answered)


@transaction.atomic
def revoke_item(review: Review, item: int, *, by: Principal, at: datetime, why: str) -> ReviewItem:
    """Say of a right that it is no longer needed, and take it away from the next request on."""
    if not why.strip():
        raise ledger.Invalid("Say why the right is taken away.", fields={"why": "A reason is needed."})
    check_length(why)
    (answered,) = _locked(review, [item], by, at)
    _answer(answered, ReviewItem.Status.REVOKED, by=by, at=at, why=why)
    _take(answered, by=by, at=at, why=why)
    _close_when_answered(answered.review, at)
    return answered


def _locked(review: Review, keys: Iterable[int], by: Principal, at: datetime) -> list[ReviewItem]:
    # The review first, as in closing it: an answer and the last day come one after the other.
    review = Review.objects.select_for_update().get(pk=review.pk)
    wanted = set(keys)
    items = list(review.items.select_related("unit").filter(pk__in=wanted).order_by("pk"))
    if not wanted or len(items) < len(wanted):
        raise ledger.NotFound
    for item in items:
        item.review = review
        if item.reviewer_id != by.pk or not by.is_active:
            raise NotYours
        if item.holder_id == by.username or (item.holder_kind == "role" and item.holder_id in by.role_names):
            raise NotYours("Nobody reviews a right of their own.")
        if not review.is_open or at >= review.due_at:
            raise ledger.TooLate("The review is over. Nothing was changed.")
        if item.status != ReviewItem.Status.WAITING:
            raise ledger.TooLate(f"{item.holder_name}’s right was answered for already. Nothing was changed.")
    return items


def _answer(item: ReviewItem, to: str, *, by: ledger.Acts, at: datetime, why: str) -> None:
    told = {"holder": item.holder_name, "permission": item.permission, "on": item.row_name}
    who = by if isinstance(by, Principal) else None
    ledger.move(
        item, to, by=by, verb=f"review.{to}", at=at, why=why, data=told, answered_by=who, answered_at=at
    )  # fmt: skip
    ReviewItem.objects.filter(pk=item.pk).update(why=why)
    item.why = why


def _take(item: ReviewItem, *, by: ledger.Acts, at: datetime, why: str) -> bool:
    table: Any = RoleGrant if item.holder_kind == "role" else Grant
    grant = table.objects.with_names().filter(uid=item.grant).first()
    return grant is not None and take_away(grant, verb="grant.revoked", by=by, at=at, why=why)


# --- close ----------------------------------------------------------------------------------------------------
def _close_when_answered(review: Review, at: datetime) -> None:
    if not review.items.filter(status=ReviewItem.Status.WAITING).exists():
        _close(review, at=at)


@transaction.atomic
def close_overdue(review: Review, *, at: datetime) -> bool:
    """The last day has passed: take away every right that nobody answered for, and close; False if it was closed."""
    review = Review.objects.select_for_update().get(pk=review.pk)
    if not review.is_open or review.due_at > at:
        return False
    for item in review.items.filter(status=ReviewItem.Status.WAITING).select_related("unit"):
        item.review = review
        held = _take(item, by=ledger.SYSTEM, at=at, why=f"{NOBODY} Access review: {review.name}.")
        to = ReviewItem.Status.LAPSED if held else ReviewItem.Status.GONE
        _answer(item, to, by=ledger.SYSTEM, at=at, why=NOBODY if held else "The right had ended before.")
    _close(review, at=at)
    return True


def _close(review: Review, *, at: datetime) -> None:
    ledger.move(
        review, Review.Status.CLOSED, by=ledger.SYSTEM, verb="review.closed", at=at, closed_at=at,
        sha256=hashlib.sha256(evidence(review, closed_at=at)).hexdigest(),
    )  # fmt: skip


def evidence(review: Review, *, closed_at: datetime | None = None) -> bytes:
    """The whole review in canonical form (RFC 8785): what its SHA-256 is taken of."""
    items = review.items.select_related("unit", "reviewer", "answered_by").order_by("pk")
    units = sorted(review.units.values_list("code", flat=True))
    closed = closed_at or review.closed_at
    return rfc8785.dumps(
        {
            "review": str(review.uid), "name": review.name, "kinds": review.kinds, "units": units,
            "started_by": review.started_by.username if review.started_by else None,
            "started_at": _moment(review.started_at), "due_at": _moment(review.due_at),
            "closed_at": _moment(closed) if closed else None,
            "items": [item.as_evidence() for item in items],
        }
    )  # fmt: skip


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


# --- remind ---------------------------------------------------------------------------------------------------
@transaction.atomic
def remind(review: Review, *, at: datetime) -> int:
    """Remind everybody whose answers are missing, once at each of the distances from the last day; how many people."""
    days = _already_past(review.due_at, at)
    if days is None or (review.reminded_days is not None and review.reminded_days <= days):
        return 0
    late = Q(reminded_days=None) | Q(reminded_days__gt=days)
    if not Review.objects.open().filter(late, pk=review.pk).update(reminded_days=days):
        return 0
    people = Principal.objects.filter(pk__in=review.items.waiting().values("reviewer")).select_related("unit")
    for person in people:
        told = {"reviewer": str(person), "days": days}
        ledger.record("review.reminded", _Reminder(review, person), by=ledger.SYSTEM, at=at, data=told)
    return len(people)


@dataclass(frozen=True)
class _Reminder:
    review: Review
    person: Principal

    def as_subject(self) -> ledger.Subject:
        unit = str(self.person.unit_id or "")
        return ledger.Subject(kind="review", id=str(self.review.uid), name=self.review.name, unit=unit)


# --- read -----------------------------------------------------------------------------------------------------
def record_export(review: Review, *, form: str, by: Principal, at: datetime) -> None:
    """Write down who took the evidence of a review out, and in which form."""
    ledger.record("review.exported", review, by=by, at=at, data={"form": form})


def row_of(item: ReviewItem) -> Any:
    """The object that the item is about, None when it is gone."""
    kind = KINDS[item.kind]
    return model_of(kind)._default_manager.filter(**{kind.key: item.row_id}).first()
