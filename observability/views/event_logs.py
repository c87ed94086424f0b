"""The people's door to event logs: the list, bringing one, saying which column is what, the result and its tables."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from observability import ledger, operations
from observability.charts import draw, words
from observability.charts.event_logs import LOG_CHARTS
from observability.charts.tiles import Tile
from observability.eventlog.drawing import Shows, map_of
from observability.eventlog.figures import Activity, Figures
from observability.eventlog.ranking import automation, candidates
from observability.forms import ColumnsForm, UploadForm
from observability.ledger import NotFound, database_now
from observability.models import EventLog, UnitReader
from observability.views.audit import line

TOPS = (5, 8, 12, 20, 40)
SHOWN_VARIANTS, SHOWN_RESOURCES = 20, 20
Status = EventLog.Status
UNDER_WAY = (Status.QUEUED, Status.READING)


class Person(UnitReader, ledger.Acts, Protocol):
    """Who is signed in, as these pages know them."""

    def may(self, permission: str, row: Any = None) -> bool: ...


def _person(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def _units(person: Person) -> list[tuple[int, str]]:
    return [(pk, name) for pk, name in person.unit_choices() if operations.may_upload(person, pk)]


def visible_log(person: Any, uid: UUID) -> EventLog:
    """The log, if the person may see its unit. Raises NotFound."""
    found = EventLog.objects.visible_to(person).filter(uid=uid).first()
    if found is None:
        raise NotFound("There is no such event log, or you may not see it.")
    return found


class EventLogs(LoginRequiredMixin, View):
    """All event logs that the person may see, the most worth automating first, then those without a result."""

    def get(self, request: HttpRequest) -> HttpResponse:
        person = _person(request)
        units = dict(person.unit_choices())
        rows = [_listed(each, units) for each in EventLog.objects.visible_to(person).without_result()[:200]]
        rows.sort(key=lambda row: -(row["worth"].score if row["worth"] else -1.0))
        page = {"rows": rows, "may_upload": bool(_units(person))}
        return render(request, "observability/event_logs.html", page)


def _listed(row: EventLog, units: dict[int, str]) -> dict[str, Any]:
    figures = Figures.of(row.figures) if row.figures else None
    worth = automation(figures) if figures else None
    return {"log": row, "unit": units.get(row.unit_id, ""), "figures": figures, "worth": worth}


class NewEventLog(LoginRequiredMixin, View):
    """Bring a log."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._shown(request, UploadForm(units=self._allowed(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        person = _person(request)
        form = UploadForm(request.POST, request.FILES, units=self._allowed(request))
        if not form.is_valid():
            return self._shown(request, form, status=400)
        file = form.cleaned_data["file"]
        given = operations.Upload(form.cleaned_data["unit"], form.cleaned_data["name"], file.name, file)
        try:
            row = operations.upload(given, by=person, at=database_now())
        except operations.LogRefused as refused:
            _refuse(form, refused)
            return self._shown(request, form, status=400)
        messages.success(request, "The log is kept. Say which column is what, and it is read.")
        return redirect("event-log-columns", row.uid)

    def _allowed(self, request: HttpRequest) -> list[tuple[int, str]]:
        units = _units(_person(request))
        if not units:
            raise ledger.NotAllowed("Event logs of a unit are brought by whoever manages it, and by the council.")
        return units

    def _shown(self, request: HttpRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
        return render(request, "observability/event_log_new.html", {"form": form}, status=status)


def _refuse(form: Any, refused: ledger.Refused) -> None:
    for name, said in (refused.fields or {"": refused.detail}).items():
        form.add_error(name if name in form.fields else None, said)


class EventLogColumns(LoginRequiredMixin, View):
    """Say which column is what, beside the first rows."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        row = self._asked(request, uid)
        return self._shown(request, row, ColumnsForm(names=row.head["names"], initial=row.columns))

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        row = self._asked(request, uid)
        form = ColumnsForm(request.POST, names=row.head["names"])
        if form.is_valid():
            try:
                operations.choose_columns(row, form.columns, by=_person(request), at=database_now())
            except operations.LogRefused as refused:
                _refuse(form, refused)
            else:
                return redirect("event-log", row.uid)
        return self._shown(request, row, form, status=400)

    def _asked(self, request: HttpRequest, uid: UUID) -> EventLog:
        row = visible_log(request.user, uid)
        if not operations.may_upload(_person(request), row.unit_id):
            raise ledger.NotAllowed("Event logs of a unit are read for whoever manages it, and for the council.")
        return row

    def _shown(self, request: HttpRequest, row: EventLog, form: ColumnsForm, *, status: int = 200) -> HttpResponse:
        return render(request, "observability/event_log_columns.html", {"log": row, "form": form}, status=status)


class EventLogPage(LoginRequiredMixin, View):
    """One log: how far its reading is, why it could not be read, or what was found in it."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        row = visible_log(request.user, uid)
        page = {
            "log": row, "unit": dict(_person(request).unit_choices()).get(row.unit_id, ""),
            "may_change": operations.may_upload(_person(request), row.unit_id), "is_under_way": row.status in UNDER_WAY,
        }  # fmt: skip
        if request.headers.get("HX-Request") and request.GET.get("progress"):
            if not page["is_under_way"]:
                return HttpResponse(headers={"HX-Refresh": "true"})
            return render(request, "observability/_event_log_progress.html", page)
        if row.status == Status.READY:
            page |= _result(request, row)
        return render(request, "observability/event_log.html", page)


def _heads(figures: Figures) -> list[tuple[str, str]]:
    heads = [
        ("name", "Activity"),
        ("events", "Events"),
        ("cases", "Cases"),
        ("wait", "Median waiting"),
        ("waits", "Waiting in all"),
    ]
    if figures.has_start:
        heads += [("worked", "Median work"), ("effort", "Work in all")]
    return [*heads, ("again", "Done again")]


def _result(request: HttpRequest, row: EventLog) -> dict[str, Any]:
    figures = Figures.of(row.figures or {})
    shows = Shows.WAITING if request.GET.get("map") == "waiting" else Shows.FREQUENCY
    top = int(request.GET["top"]) if request.GET.get("top", "") in map(str, TOPS) else 12
    sort = request.GET["sort"] if request.GET.get("sort") in SORTS else "events"
    charts = [
        make(figures, reverse("event-log-chart", args=[row.uid, name])) for name, make in LOG_CHARTS.items()
    ]  # fmt: skip
    return {
        "figures": figures, "tiles": _tiles(figures), "map": map_of(figures, top=top, shows=shows),
        "shows": shows.value, "top": top, "tops": TOPS, "sort": sort, "heads": _heads(figures),
        "activities": sorted(figures.activities, key=SORTS[sort]),
        "variants": [_variant(each, figures) for each in figures.variants[:SHOWN_VARIANTS]],
        "resources": figures.resources[:SHOWN_RESOURCES], "charts": charts, "candidates": candidates(figures)[:10],
        "worth": automation(figures), "nobody_share": figures.nobody_events / max(figures.events, 1),
    }  # fmt: skip


SORTS: dict[str, Callable[[Activity], Any]] = {
    "events": lambda each: (-each.events, each.name), "name": lambda each: each.name.lower(),
    "cases": lambda each: (-each.cases, each.name), "wait": lambda each: (-each.wait.median, each.name),
    "waits": lambda each: (-each.wait.total, each.name), "worked": lambda each: (-each.worked.median, each.name),
    "effort": lambda each: (-each.worked.total, each.name), "again": lambda each: (-each.repeats, each.name),
}  # fmt: skip


def _variant(variant: Any, figures: Figures) -> dict[str, Any]:
    names = [figures.activities[number].name if number >= 0 else "…" for number in variant.path]
    return {"names": names[:30], "more": max(len(names) - 30, 0), "variant": variant}


def _tiles(figures: Figures) -> list[Tile]:
    spread = figures.duration
    half = f"middle half {words.length(_exact(spread.lower))} to {words.length(_exact(spread.upper))}"
    cases = f"{figures.cases_per_day:,.1f} begun a day"
    share = words.percent(_exact(figures.rework_share))
    return [
        Tile("Cases", "#variants", ((f"{figures.cases:,}", ""),), versus=cases),
        Tile("Median cycle time", "#durations-title", words.length_parts(_exact(spread.median)), versus=half),
        Tile("Mean cycle time", "#durations-title", words.length_parts(_exact(spread.mean)),
             versus=f"one in ten over {words.length(_exact(spread.p90))}"),
        Tile("Cases with rework", "#activities", ((share, ""),),
             versus=f"{figures.repeated_events:,} events done again"),
        Tile("Handovers", "#resources", ((f"{figures.handovers / max(figures.cases, 1):,.1f}", "a case"),),
             versus=f"{figures.resource_count:,} resources"),
    ]  # fmt: skip


def _exact(value: float) -> Decimal:
    return Decimal(str(value))


class EventLogChart(LoginRequiredMixin, View):
    """One figure of a log as Plotly's JSON."""

    def get(self, request: HttpRequest, uid: UUID, name: str) -> HttpResponse:
        row = visible_log(request.user, uid)
        if name not in LOG_CHARTS or not row.figures:
            raise NotFound
        return HttpResponse(draw(LOG_CHARTS[name](Figures.of(row.figures))), content_type="application/json")


class RemoveEventLog(LoginRequiredMixin, View):
    """Remove a log with all that was found in it."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        row = visible_log(request.user, uid)
        try:
            operations.remove_log(row, by=_person(request), at=database_now(), why=request.POST.get("why", ""))
        except operations.LogRefused as refused:
            messages.error(request, " ".join(refused.fields.values()))
            return redirect("event-log", row.uid)
        messages.success(request, "The event log and all that was found in it are removed.")
        return redirect("event-logs")


@dataclass(frozen=True)
class Download:
    """A table for a spreadsheet: its head and its rows."""

    head: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]


class EventLogTable(LoginRequiredMixin, View):
    """One table of the result as CSV; no cell of it can be taken for a formula."""

    def get(self, request: HttpRequest, uid: UUID, name: str) -> HttpResponse:
        row = visible_log(request.user, uid)
        if name not in TABLES or (not row.figures and name != "errors"):
            raise NotFound
        table = TABLES[name](row)
        text = "".join([line(table.head), *map(line, table.rows)])
        answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="event-log-{name}.csv"'
        return answer


def _activities(row: EventLog) -> Download:
    head = (
        "activity",
        "events",
        "cases",
        "done_again",
        "wait_median_s",
        "wait_total_s",
        "work_median_s",
        "work_total_s",
    )
    return Download(head, (
        (a.name, a.events, a.cases, a.repeats, a.wait.median, a.wait.total, a.worked.median, a.worked.total)
        for a in Figures.of(row.figures or {}).activities
    ))  # fmt: skip


def _edges(row: EventLog) -> Download:
    figures = Figures.of(row.figures or {})
    names = [each.name for each in figures.activities]
    rows = ((names[e.source], names[e.target], e.count, e.wait.median, e.wait.total) for e in figures.edges)
    return Download(("from", "to", "count", "wait_median_s", "wait_total_s"), rows)


def _variants(row: EventLog) -> Download:
    figures = Figures.of(row.figures or {})
    names = [each.name for each in figures.activities]
    rows = ((" > ".join(names[at] for at in v.path if at >= 0), v.cases, v.share, v.median) for v in figures.variants)
    return Download(("way", "cases", "share", "median_s"), rows)


def _resources(row: EventLog) -> Download:
    rows = ((r.name, r.events, r.activities, r.cases, r.worked) for r in Figures.of(row.figures or {}).resources)
    return Download(("resource", "events", "activities", "cases", "work_s"), rows)


def _candidates(row: EventLog) -> Download:
    head = ("activity", "score", "hours_a_month", "effort_share", "foretold", "steady", "reasons")
    ranked = candidates(Figures.of(row.figures or {}))
    return Download(
        head, ((c.name, c.score, c.hours, c.effort_share, c.foretold, c.steady, "; ".join(c.reasons)) for c in ranked)
    )


def _errors(row: EventLog) -> Download:
    rows = ((each["line"], each["column"], each["problem"]) for each in row.problems.get("rows", ()))
    return Download(("line", "column", "problem"), rows)


TABLES: dict[str, Callable[[EventLog], Download]] = {
    "activities": _activities, "ways": _edges, "variants": _variants, "resources": _resources,
    "candidates": _candidates, "errors": _errors,
}  # fmt: skip
