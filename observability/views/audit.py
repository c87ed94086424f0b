"""The people's door to the ledger: the audit trail with its filters, one entry in full, and the export."""

import csv
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any, Protocol, cast

from asgiref.sync import sync_to_async
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from observability import kpis, ledger
from observability.charts import amount
from observability.charts.words import hour_of_week
from observability.forms import DECISIONS, NOUNS, AuditForm, begin_of, end_of
from observability.models import Event, EventQuerySet, Reader, UnitReader
from observability.templatetags.ledger import deed, inert

SIZE = 50
SEARCH_AT_MOST = 5_000
EXPORT_AT_MOST = 10_000
EXPORT_PAGE = 1_000
COUNT_AT_MOST = 10_000
ADMITTED = ("agent.hired", "person.admitted")
JUDGED = {"decision.made", "escalation.approved", "escalation.rejected", "escalation.expired", "escalation.withdrawn"}
COLUMNS = (
    "position",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "verb",
    "subject_kind",
    "subject_id",
    "subject_name",
    "before",
    "after",
    "why",
    "run",
    "workflow",
    "unit",
    "cost",
    "seconds",
    "actor_version",
    "on_behalf_of",
    "credential",
    "address",
    "trace",
)
WHENCE = "address"  # of a colleague's screen: for those who may read the whole trail


@dataclass(frozen=True)
class Found:
    """One page of entries, newest first. `older` is the key to go on from, None at the end; `searched` says that only
    the newest SEARCH_AT_MOST entries were searched."""

    events: list[Event]
    older: int | None
    searched: bool = False


@dataclass(frozen=True)
class FoundKeys:
    """The same, with the keys of the entries."""

    keys: list[int]
    older: int | None
    searched: bool = False


class AuditTrail(LoginRequiredMixin, View):
    """What happened, newest first, as far as the person may see it; `?entry=` opens one entry beside the list."""

    def get(self, request: HttpRequest) -> HttpResponse:
        reader, form = _asked(request)
        seen = Event.objects.visible_to(reader)
        found = look(narrowed(seen, form), words=form.value("q") or "", before=form.value("before"))
        filtered = any(form.value(name) for name in form.fields if name not in ("before", "entry"))
        shown = {
            "form": form,
            "rows": [_row(event, request.GET) for event in found.events],
            "found": found,
            "older": address(request.GET, before=found.older) if found.older else "",
            "newest": address(request.GET, before=None) if form.value("before") else "",
            "filtered": filtered,
            "total": (total := _total(reader, seen)),
            "many": not reader.sees_all_units and total > COUNT_AT_MOST,
            "count_at_most": COUNT_AT_MOST,
            "first": seen.order_by("id").first(),
            "entry": _entry(seen, form, request.GET),
            "reads_all": reads_all(request.user),
            "nouns": NOUNS.items(),
            "live": ",".join(NOUNS),
            "actors": _actors(seen),
            "workflows": kpis.workflow_names(reader).items(),
            "chosen": _chosen(form, request.GET, dict(reader.unit_choices())),
            "export": request.GET.urlencode(),
            "search_at_most": SEARCH_AT_MOST,
            "export_at_most": EXPORT_AT_MOST,
        }
        return render(request, "observability/audit.html", shown)


def _asked(request: HttpRequest) -> tuple[UnitReader, AuditForm]:
    return cast(UnitReader, request.user), AuditForm(request.GET, at=ledger.database_now())


def narrowed(events: EventQuerySet, form: AuditForm) -> EventQuerySet:
    """The events that fit everything chosen but the words."""
    plain = {"actor_id": form.value("who"), "workflow": form.value("workflow"), "run": form.value("run")}
    events = events.filter(**{name: value for name, value in plain.items() if value})
    if agent := form.value("agent"):
        events = events.concerning_agent(agent)
    if did := form.value("did"):
        events = events.filter(verb=did) if "." in did else events.filter(verb__startswith=f"{did}.")
    if decision := form.value("decision"):
        events = events.filter(verb=DECISIONS[decision][1], after=decision)
    if about := form.value("about"):
        kind, _, key = about.partition(":")
        events = events.filter(subject_kind=kind, subject_id=key)
    if unit := form.value("unit"):
        events = events.filter(unit=str(unit))
    if when := form.value("when"):
        weekday, _, hour = when.partition("-")
        events = events.filter(at__iso_week_day=int(weekday), at__hour=int(hour))
    if first := form.value("from"):
        events = events.filter(at__gte=begin_of(first))
    if last := form.value("to"):
        events = events.filter(at__lt=end_of(last))
    return events


def look(events: EventQuerySet, *, words: str, before: int | None, size: int = SIZE) -> Found:
    """The next page of events with a key below `before`; words are looked for in names and reasons."""
    # Keys first: a database that sorts to find the newest then sorts numbers, not whole entries.
    found = keys_of(events, words=words, before=before, size=size)
    return Found(rows_of(found.keys), found.older, found.searched)


def keys_of(events: EventQuerySet, *, words: str, before: int | None, size: int) -> FoundKeys:
    """The keys of that page, newest first."""
    if before:
        events = events.filter(pk__lt=before)
    keys, last = events.newest_first().values_list("pk", flat=True), None
    if words:
        last = keys[SEARCH_AT_MOST - 1 : SEARCH_AT_MOST].first()
        keys = keys.filter(pk__gte=last) if last is not None else keys
        named = Q(actor_name__icontains=words) | Q(subject_name__icontains=words) | Q(why__icontains=words)
        keys = keys.filter(named)
    found = list(keys[: size + 1])
    if len(found) > size:
        return FoundKeys(found[:size], found[size - 1])
    return FoundKeys(found, last, searched=last is not None)


def rows_of(keys: list[int]) -> list[Event]:
    """The entries with these keys, newest first."""
    return list(Event.objects.filter(pk__in=keys).newest_first().defer("leaf"))


def _total(reader: Reader, seen: EventQuerySet) -> int:
    # Positions have no gaps, so the last one is the count of the whole ledger; a part of it is counted up to a limit.
    return ledger.last_position() if reader.sees_all_units else seen[: COUNT_AT_MOST + 1].count()


def _actors(seen: EventQuerySet) -> list[tuple[str, str]]:
    named = seen.filter(verb__in=ADMITTED).order_by("subject_kind", "subject_name")
    return [*named.values_list("subject_id", "subject_name"), (ledger.SYSTEM.id, ledger.SYSTEM.name)]


def _row(event: Event, query: QueryDict) -> dict[str, Any]:
    return {
        "event": event,
        "url": address(query, entry=event.uid),
        "verdict": event.after if event.verb in JUDGED else "",
        "stated": is_stated(event),
    }


def reads_all(user: Any) -> bool:
    """Whether this person may read the whole audit trail, and so from which address somebody came."""
    return bool(user.has_perm("observability.read_ledger"))


def is_stated(event: Event) -> bool:
    """Whether the reason is the agent's own words and not a policy's."""
    return event.actor_kind == "agent" and event.noun == "step"


def _entry(seen: EventQuerySet, form: AuditForm, query: QueryDict) -> dict[str, Any] | None:
    uid = form.value("entry")
    if uid is None:
        return None
    event = seen.filter(uid=uid).first()
    if event is None:
        raise ledger.NotFound
    local = timezone.localtime(event.at)
    changed = event.before != event.after and (event.before or event.after)
    return {
        **_row(event, query),
        "changes": [{"field": "state", "before": event.before, "after": event.after}] if changed else [],
        "facts": list(_flat(event.data)),
        "cost": amount(event.cost),
        "time": f"{local.day} {local:%b %Y %H:%M:%S}.{local.microsecond // 1000:03d} {local:%Z}",
        "close": address(query, entry=None),
    }


def _flat(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif value not in ("", None, [], {}):
        yield inert(name.replace("_", " ")), inert("yes" if value is True else "no" if value is False else value)


def _chosen(form: AuditForm, query: QueryDict, units: Mapping[int, str]) -> list[dict[str, str]]:
    """The choices that have no field of their own, in words where there are some, with the address that drops each."""
    told = {
        "unit": lambda unit: units.get(unit, ""),
        "when": lambda when: hour_of_week(*map(int, when.split("-"))),
        "agent": lambda agent: agent,
        "run": lambda run: "",
        "about": lambda about: "",
    }
    return [
        {"name": name, "value": str(value), "told": say(value), "url": address(query, **{name: None})}
        for name, say in told.items()
        if (value := form.value(name))
    ]


def address(query: QueryDict, **change: Any) -> str:
    """The query with these fields set, or dropped for None; any change of what is listed begins at the newest."""
    changed = query.copy()
    if "entry" not in change:
        changed.pop("before", None)
    for name, value in change.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = str(value)
    return f"?{changed.urlencode()}"


# --- export ---------------------------------------------------------------------------------------------------
class AuditExport(LoginRequiredMixin, View):
    """The entries that the filters show as CSV, newest first, at most EXPORT_AT_MOST; nothing leaves unrecorded."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        reader, form = _asked(request)
        events = narrowed(Event.objects.visible_to(reader), form)
        found = keys_of(events, words=form.value("q") or "", before=form.value("before"), size=EXPORT_AT_MOST)
        at = ledger.database_now()
        record_export(form, rows=len(found.keys), by=cast(Exporter, request.user), at=at)
        columns = COLUMNS if reads_all(request.user) else tuple(name for name in COLUMNS if name != WHENCE)
        answer = StreamingHttpResponse(_exported(found.keys, columns), content_type="text/csv; charset=utf-8")
        day = timezone.localtime(at).date().isoformat()
        answer["Content-Disposition"] = f'attachment; filename="audit-trail-{day}.csv"'
        return answer


class Exporter(ledger.Acts, ledger.Recorded, Protocol):
    """Somebody who takes entries out: acts, and has a place in the company."""


def record_export(form: AuditForm, *, rows: int, by: Exporter, at: datetime) -> Event:
    """Write down who takes how many entries out of the audit trail, chosen by which filters."""
    name = f"{rows:,} entr{'y' if rows == 1 else 'ies'}"
    trail = ledger.Subject(kind="audit", id="trail", name=name, unit=by.as_subject().unit)
    chosen = {field: str(form.value(field)) for field in form.fields if field != "entry" and form.value(field)}
    return ledger.record("audit.exported", _Named(trail), by=by, at=at, data={"rows": rows, "filters": chosen})


@dataclass(frozen=True)
class _Named:
    subject: ledger.Subject

    def as_subject(self) -> ledger.Subject:
        return self.subject


async def _exported(keys: list[int], columns: tuple[str, ...]) -> AsyncIterator[str]:
    # Page by page, so that memory stays small however much is asked for.
    yield line((*columns, "told"))
    read = sync_to_async(rows_of)
    for first in range(0, len(keys), EXPORT_PAGE):
        events = await read(keys[first : first + EXPORT_PAGE])
        yield "".join(line((*(_cell(event, name) for name in columns), deed(event))) for event in events)


def _cell(event: Event, name: str) -> Any:
    return ", ".join(each["id"] for each in event.on_behalf_of) if name == "on_behalf_of" else getattr(event, name)


def line(cells: Iterable[Any]) -> str:
    """One line of CSV in which no cell can be taken for a formula by a spreadsheet."""
    out = StringIO()
    csv.writer(out).writerow(harmless(cell) for cell in cells)
    return out.getvalue()


FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠|%")
# Where numbers are written 1,5 a spreadsheet splits at semicolons: what follows one begins a cell there.
INNER_FORMULA = re.compile(r'(?<=.)([;\t\r\n]\s*"?\s*)([=+@\-＝＋－＠])', re.DOTALL)


def harmless(cell: Any) -> str:
    """The cell as text; one that begins like a formula gets an apostrophe in front."""
    text = "" if cell is None else cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
    text = INNER_FORMULA.sub(r"\1'\2", text)
    begins = text.lstrip(" \u00a0\ufeff\u200b\u200e\u200f\x00")
    return f"'{text}" if begins.startswith(FORMULA_STARTS) else text
