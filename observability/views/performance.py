"""The people's door to results: the performance page and the figures that it draws."""

from dataclasses import dataclass
from typing import cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from observability import kpis
from observability.charts import CHARTS, RunLinks, draw, tiles
from observability.forms import PerformanceForm, Period
from observability.ledger import NotFound, database_now
from observability.models import Baseline, UnitReader
from observability.rules import ACCURACY


@dataclass(frozen=True)
class Asked:
    """What a request for the performance page asks for, and what answers it."""

    form: PerformanceForm
    period: Period
    links: RunLinks
    report: kpis.Report


def asked(request: HttpRequest) -> Asked:
    """The report for the workflow, unit and period in the address."""
    reader = cast(UnitReader, request.user)
    names = kpis.workflow_names(reader)
    form = PerformanceForm(request.GET, at=database_now(), workflows=names, units=reader.unit_choices())
    period, workflow, unit = form.period_of(), form.value("workflow") or "", form.value("unit") or ""
    report = kpis.report(
        reader, since=period.since, until=period.until, names=names, choice=kpis.Choice(workflow, unit)
    )
    return Asked(form, period, RunLinks(period.first, period.last, workflow, unit), report)


class Performance(LoginRequiredMixin, View):
    """Five tiles and six figures about the runs that ended in a period; every number opens its runs."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = asked(request)
        any_ended = found.report.figures.runs + found.report.figures.failed
        shown = {
            "form": found.form,
            "period": found.period,
            "tiles": tiles(found.report, found.links),
            "charts": {name.replace("-", "_"): make(found.report, found.links) for name, make in CHARTS.items()}
            if any_ended
            else {},
            "source": _source(found.report.baseline),
            "is_exact": found.report.is_exact,
            "is_behind": found.report.is_behind,
            "accuracy": f"{ACCURACY:.0%}",
            "query": request.GET.urlencode(),
        }
        return render(request, "observability/performance.html", shown)


def _source(baseline: Baseline | None) -> str:
    return f"{baseline.source[:1].lower()}{baseline.source[1:]}" if baseline else ""


class PerformanceChart(LoginRequiredMixin, View):
    """One figure of the performance page as Plotly's JSON, for the same query."""

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        if name not in CHARTS:
            raise NotFound
        found = asked(request)
        figures = found.report.figures
        if not figures.runs + figures.failed:
            return HttpResponse('{"data": [], "layout": {}}', content_type="application/json")
        return HttpResponse(draw(CHARTS[name](found.report, found.links)), content_type="application/json")
