"""Saved views of lists: keep one, change it, share it with a unit, begin the queue with it, take it away."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError, transaction

from agents.models import Principal, Unit
from governance.models import DefaultView, SavedView
from governance.rules.queueing import kept_view
from observability import ledger

RIGHT = "governance.settle_escalation"
VIEWS_AT_MOST = 100


class SystemViewStays(ledger.Refused):
    """This view comes with the system and cannot be changed. Save one of your own."""

    code = "system_view"


class ViewChanged(ledger.Refused):
    """Somebody changed this view since you opened it. Nothing was changed; read it again."""

    status = 412
    code = "view_changed"


@dataclass(frozen=True)
class ViewTerms:
    """What a view is to be: its name, what narrows the list, the unit that shares it (None for oneself alone), of the
    queue whether that unit's people begin with it, and of which list it is."""

    name: str
    query: Mapping[str, object]
    unit: Unit | None = None
    is_team_default: bool = False
    table: str = SavedView.Table.ESCALATIONS


@transaction.atomic
def save_view(terms: ViewTerms, *, by: Principal, at: datetime) -> SavedView:
    """A new view of this person. Raises Invalid that names each wrong field."""
    columns = _checked(terms, by)
    if SavedView.objects.of(terms.table).filter(owner=by).count() >= VIEWS_AT_MOST:
        raise ledger.Invalid(f"A person has {VIEWS_AT_MOST} views of a list at most.")
    view = SavedView(owner=by, at=at, table=terms.table, **columns)
    _keep(view)
    ledger.record("view.saved", view, by=by, at=at)
    return view


@transaction.atomic
def change_view(view: SavedView, terms: ViewTerms, *, edition: int, by: Principal, at: datetime) -> SavedView:
    """The view as it is to be from now on; `edition` is the one that was read. Raises SystemViewStays, ViewChanged."""
    _require_own(view, by)
    columns = _checked(replace(terms, table=view.table), by)
    locked = SavedView.objects.select_for_update(of=("self",)).get(pk=view.pk)
    if locked.edition != edition:
        raise ViewChanged
    for name, value in columns.items():
        setattr(locked, name, value)
    locked.edition += 1
    _keep(locked)
    ledger.record("view.changed", locked, by=by, at=at)
    return locked


@transaction.atomic
def drop_view(view: SavedView, *, by: Principal, at: datetime) -> None:
    """Take a view of one's own away. Raises SystemViewStays or NotAllowed."""
    _require_own(view, by)
    ledger.record("view.dropped", view, by=by, at=at)
    view.delete()


def begin_with(view: SavedView | None, *, by: Principal) -> None:
    """Let this person's queue begin with a view, or as for everybody; a setting of one's own, not a thing of record."""
    if view is None:
        DefaultView.objects.filter(person=by).delete()
    else:
        DefaultView.objects.update_or_create(person=by, defaults={"view": view})


def first_view(person: Principal, *, remembered: str = "") -> SavedView | None:
    """With which view the queue begins where the address says nothing: the one this session remembers, one's own
    default, that of one's unit; None for the system's."""
    visible = SavedView.objects.visible_to(person).of(SavedView.Table.ESCALATIONS)
    if remembered and (kept := visible.filter(uid=remembered).first()) is not None:
        return kept
    own = visible.filter(pk__in=DefaultView.objects.filter(person=person).values("view")).first()
    return own or visible.filter(is_team_default=True, unit=person.unit_id).first()


def may_share(person: Principal, unit: Unit) -> bool:
    """Whether this person may share views with the people of the unit."""
    return person.may(RIGHT, unit) and unit.pk in [pk for pk, _ in person.unit_choices()]


def _require_own(view: SavedView, by: Principal) -> None:
    if view.is_system:
        raise SystemViewStays
    if view.owner_id != by.pk:
        raise ledger.NotAllowed("Only the person who saved this view changes it.")


def _checked(terms: ViewTerms, by: Principal) -> dict[str, object]:
    wrong, query = {}, dict[str, str]()
    name = terms.name.strip()
    if not 0 < len(name) <= 80:
        wrong["name"] = "Give the view a name of 80 characters at most."
    try:
        query = kept_view(terms.query, terms.table)
    except ValueError as unfit:
        wrong["query"] = str(unfit)
    if terms.is_team_default and terms.unit is None:
        wrong["is_team_default"] = "Only a view that is shared with a unit can be the one its people begin with."
    if terms.is_team_default and terms.table != SavedView.Table.ESCALATIONS:
        wrong["is_team_default"] = "Only the queue of questions begins with a view."
    if wrong:
        raise ledger.Invalid("Nothing was saved.", fields=wrong)
    if terms.unit is not None and not may_share(by, terms.unit):
        raise ledger.NotAllowed(f"You may not share views with {terms.unit}.")
    return {
        "name": name, "query": query, "unit": terms.unit, "is_shared": terms.unit is not None,
        "is_team_default": terms.is_team_default,
    }  # fmt: skip


def _keep(view: SavedView) -> None:
    try:
        with transaction.atomic():
            if view.is_team_default:  # the newest one counts
                others = SavedView.objects.filter(unit=view.unit, is_team_default=True).exclude(pk=view.pk)
                others.update(is_team_default=False)
            view.save()
    except IntegrityError as twice:
        raise ledger.Invalid("Nothing was saved.", fields={"name": "You have a view of this name."}) from twice
