"""What agents' programs did: a trace as tree and time line, by itself, on the page of its run, and of an agent."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from observability import ledger
from observability.models import Event, Reported, Span
from observability.rules.tracing import Branch, Totals, laid_out, totals
from workflows.models import Run, Step
from workflows.views.profile import visible_agent

SPANS_AT_MOST = 500
EVENTS_AT_MOST = 50
FIGURES_AT_MOST = 50
LATEST_SPANS, LATEST_TRACES = 2000, 30
ICONS = {
    "agent": "bot", "model": "sparkles", "embedding": "sparkles", "tool": "wrench", "retrieval": "search",
    "workflow": "workflow", "guardrail": "shield-check", "evaluation": "gavel", "other": "circle-dot",
}  # fmt: skip


class TracePage(LoginRequiredMixin, View):
    """One trace, with or without a run."""

    def get(self, request: HttpRequest, trace: str) -> HttpResponse:
        user = person(request)
        spans = Span.objects.visible_to(user).filter(trace_id=trace)
        shown = drawn(spans.order_by("id")[: SPANS_AT_MOST + 1], user)
        if not shown["rows"]:
            raise ledger.NotFound
        events = Event.objects.visible_to(user).filter(trace=trace).order_by("id")
        runs = Run.objects.visible_to(user).filter(uid__in=shown["run_ids"]).only("uid", "key")
        page = {**shown, "trace": trace, "events": events[:EVENTS_AT_MOST], "runs": runs}
        return render(request, "workflows/trace.html", page)


class AgentTraces(LoginRequiredMixin, View):
    """The latest traces of an agent, and what its program reported in metrics and logs."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        told = Span.objects.visible_to(user).of_agent(code)[:LATEST_SPANS]
        figures = Reported.objects.visible_to(user).of_agent(code)[:FIGURES_AT_MOST]
        page = {"agent": agent, "traces": _traces(told), "figures": [_figure(each) for each in figures]}
        return render(request, "workflows/agent_traces.html", page)


def _traces(spans: Iterable[Span]) -> list[dict[str, Any]]:
    found: dict[str, list[Span]] = {}
    for span in spans:
        if span.trace_id in found or len(found) < LATEST_TRACES:
            found.setdefault(span.trace_id, []).append(span)
    return [_trace(trace, some) for trace, some in found.items()]


def _trace(trace: str, spans: Sequence[Span]) -> dict[str, Any]:
    branches = laid_out(spans)
    return {
        "id": trace, "name": branches[0].span.name, "at": branches[0].span.started_at, "spans": len(spans),
        "errors": sum(bool(each.error) for each in spans), "claims": any(each.claims for each in spans),
        "cost": costs_in_words(totals(branches)),
    }  # fmt: skip


def traces_of_run(run: Run, user: Principal) -> dict[str, Any]:
    """What the page of a run shows of them: spans that say that they belong to it, and those of traces in which its
    agents acted for this run alone."""
    uid = str(run.uid)
    acts = Event.objects.filter(run=uid, actor_kind="agent").exclude(trace="")
    pairs = set(acts.values_list("trace", "actor_id"))
    traces = {trace for trace, _ in pairs}
    elsewhere = Event.objects.filter(trace__in=traces, actor_kind="agent").exclude(run__in=("", uid))
    traces -= set(elsewhere.values_list("trace", flat=True))
    spans = Span.objects.visible_to(user).of_run(uid, traces).order_by("id")[: SPANS_AT_MOST + 1]
    own = [span for span in spans if span.run == uid or (span.trace_id, span.agent) in pairs]
    return drawn(own, user)


def drawn(spans: Iterable[Span], user: Principal) -> dict[str, Any]:
    """Spans as rows of a tree, with what they used together; `more` says that there are more."""
    found = list(spans)
    branches = laid_out(found[:SPANS_AT_MOST])
    steps = _steps(found, user)
    used = totals(branches)
    return {
        "rows": [_row(branch, steps) for branch in branches], "used": used, "cost": costs_in_words(used),
        "more": len(found) > SPANS_AT_MOST, "run_ids": {span.run for span in found if span.run},
        "strangers": sorted({span.claim for span in found if span.claims == Span.Claims.UNKNOWN}),
    }  # fmt: skip


def _steps(spans: Sequence[Span], user: Principal) -> dict[str, Step]:
    wanted = {span.step for span in spans if span.step}
    if not wanted:
        return {}
    runs = Run.objects.visible_to(user).filter(uid__in={span.run for span in spans if span.run})
    steps = Step.objects.filter(uid__in=wanted, run__in=runs).select_related("run").only("uid", "name", "run__uid")
    return {str(step.uid): step for step in steps}


def _row(branch: Branch[Span], steps: dict[str, Step]) -> dict[str, Any]:
    span = branch.span
    step = steps.get(span.step)
    return {
        "span": span, "branch": branch, "icon": ICONS.get(span.kind, "circle-dot"), "step": step,
        "step_url": f"{reverse('run', args=[step.run.uid])}#work-title" if step else "",
        "seconds": Decimal(span.nanoseconds) / 10**9, "cost": money(span.cost, span.currency),
        "twice": span.is_call and not branch.counts,
    }  # fmt: skip


def _figure(row: Reported) -> dict[str, Any]:
    return {"row": row, "cost": money(row.cost, row.currency)}


def money(amount: Decimal | None, currency: str) -> str:
    """An amount as exactly as small ones need, with its currency; nothing for none."""
    if amount is None:
        return ""
    text = f"{amount:.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2} {currency}"


def costs_in_words(used: Totals) -> str:
    """What the calls cost together: an amount for each currency; nothing when no call has a price."""
    return " and ".join(money(amount, currency) for currency, amount in sorted(used.costs.items()))
