"""The pages about workflows: which there are, and how one of them is drawn."""

from collections import deque
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from agents.models import Principal, Role
from agents.views import person
from governance.models import EscalationPath
from observability import kpis, ledger
from observability.ledger import database_now
from workflows.charts import doers, workflow_states
from workflows.models import Run, Step, Workflow, WorkflowDraft, WorkflowVersion
from workflows.operations import may_draft
from workflows.operations.definitions import graph_of
from workflows.plan import EventKind, Graph, Node, NodeKind
from workflows.plan.laying import drawn
from workflows.views.control import stops_of

DAYS = 30
SHOWN_KINDS = {
    NodeKind.START: ("play", "Start"),
    NodeKind.END: ("flag", "End"),
    NodeKind.TERMINATE: ("octagon-x", "End of everything"),
    NodeKind.SERVICE_TASK: ("bot", "An agent works"),
    NodeKind.USER_TASK: ("user", "A person decides"),
    NodeKind.RULE_TASK: ("list-checks", "A table decides"),
    NodeKind.SCRIPT_TASK: ("terminal", "A value is worked out"),
    NodeKind.SEND_TASK: ("send", "A message is sent"),
    NodeKind.RECEIVE_TASK: ("inbox", "A message is waited for"),
    NodeKind.CALL: ("workflow", "Another workflow runs"),
    NodeKind.SUB_PROCESS: ("box", "A part of its own"),
    NodeKind.EVENT_SUB_PROCESS: ("box", "When something happens"),
    NodeKind.AD_HOC: ("box", "In any order"),
    NodeKind.EXCLUSIVE: ("split", "One way is taken"),
    NodeKind.PARALLEL: ("git-fork", "Side by side"),
    NodeKind.INCLUSIVE: ("git-fork", "Every way that fits"),
    NodeKind.EVENT_BASED: ("split", "What happens first"),
    NodeKind.CATCH: ("circle-dot", "Something is waited for"),
    NodeKind.THROW: ("send", "Something is told"),
    NodeKind.BOUNDARY: ("clock", "Time runs out"),
}
SHOWN_EVENTS = {
    EventKind.MESSAGE: ("mail", "A message"),
    EventKind.SIGNAL: ("radio", "A signal"),
    EventKind.ERROR: ("zap", "Something goes wrong"),
    EventKind.ESCALATION: ("triangle-alert", "Something is reported"),
    EventKind.CONDITIONAL: ("list-checks", "A condition holds"),
    EventKind.LINK: ("arrow-right", "Goes on elsewhere"),
    EventKind.COMPENSATION: ("undo-2", "What was done is undone"),
    EventKind.CANCEL: ("circle-x", "The transaction is cancelled"),
    EventKind.TIMER: ("clock", "Time runs out"),
}
SHOWN_AS_EVENTS = (NodeKind.CATCH, NodeKind.THROW, NodeKind.BOUNDARY)


class WorkflowsPage(LoginRequiredMixin, View):
    """The workflows that a person may see, with what they did lately."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        under_way = Count("runs", filter=Q(runs__status__in=Run.UNDER_WAY))
        found = Workflow.objects.visible_to(user).select_related("unit", "owner")
        found = found.annotate(under_way=under_way)
        newest = dict(Workflow.objects.values_list("pk").annotate(Max("versions__number")))
        since = _first_day()
        figures = kpis.by_workflow(user, since=kpis.midnight(since), until=at)
        drafts = {draft.workflow_id: draft for draft in WorkflowDraft.objects.open().visible_to(user).defer("bpmn")}
        rows = [
            {
                "workflow": each, "version": newest.get(each.pk), "figures": figures.get(each.code),
                "draft": drafts.get(each.pk),
            }
            for each in found
        ]  # fmt: skip
        shown = {
            "rows": rows, "days": DAYS, "since": since, "may_draw": user.may("workflows.draft_workflow"),
            "waiting": WorkflowDraft.objects.for_person(user).with_people().defer("bpmn").order_by("asked_at"),
        }  # fmt: skip
        return render(request, "workflows/workflows.html", shown)


class WorkflowPage(LoginRequiredMixin, View):
    """One workflow: its drawing, the same as a numbered list, its versions and what it did lately."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        user, at = person(request), database_now()
        workflow = visible_workflow(user, code)
        versions = list(workflow.versions.select_related("author", "approved_by").defer("bpmn", "graph"))
        version = _chosen(versions, request.GET.get("version", ""))
        since = _first_day()
        figures = kpis.figures(user, since=kpis.midnight(since), until=at, workflow=workflow.code)
        shown = {
            "workflow": workflow, "versions": versions, "version": version, "figures": figures, "days": DAYS,
            "outline": outline(graph_of(version.pk), role_names(), path_names()) if version else [],
            "under_way": workflow.runs.under_way().count(), "newest": versions[0] if versions else None,
            "since": since, "may_start": user.may("workflows.start_workflow", workflow),
            "may_move": user.may("workflows.intervene_workflow", workflow),
            "draft": workflow.drafts.open().with_people().defer("bpmn").first(),
            "may_draft": may_draft(user, workflow), "may_publish": user.may("workflows.publish_workflow", workflow),
            **stops_of(workflow, user),
        }  # fmt: skip
        return render(request, "workflows/workflow.html", shown)


class WorkflowDrawing(LoginRequiredMixin, View):
    """The BPMN of one version; it never changes, so a browser may keep it. `?as=drawing` has a drawing also where the
    file came without one."""

    def get(self, request: HttpRequest, code: str, number: int) -> HttpResponse:
        version = visible_workflow(person(request), code).versions.filter(number=number).first()
        if version is None:
            raise ledger.NotFound
        text = asked_text(request, version.bpmn)
        answer = HttpResponse(text, content_type="application/xml; charset=utf-8")
        is_kept = text == version.bpmn  # how others are laid out may become better
        answer["Cache-Control"] = "private, max-age=31536000, immutable" if is_kept else "private, max-age=3600"
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Disposition"] = f'attachment; filename="{code}-{number}.bpmn"'
        return answer


def asked_text(request: HttpRequest, bpmn: str) -> str:
    """The file as it is kept, or for a page that shows it, with a drawing."""
    return drawn(bpmn) if request.GET.get("as") == "drawing" else bpmn


class WorkflowStates(LoginRequiredMixin, View):
    """How many runs stand at each element of one version now, as JSON."""

    def get(self, request: HttpRequest, code: str, number: int) -> JsonResponse:
        workflow = visible_workflow(person(request), code)
        version = workflow.versions.filter(number=number).only("pk").first()
        if version is None:
            raise ledger.NotFound
        who = doers(graph_of(version.pk), role_names(), path_names())
        return JsonResponse({"elements": workflow_states(open_steps(version.pk), who, database_now())})


def open_steps(version: int) -> QuerySet[Step, tuple[str, str, int, datetime]]:
    """(element, status, count, since when the oldest) of what is under way in runs of a version."""
    steps = Step.objects.filter(run__version=version, run__status__in=Run.UNDER_WAY)
    open_now = steps.filter(status__in=("ready", "working", "waiting", "failed")).order_by()
    return open_now.values_list("element", "status").annotate(Count("pk"), Min("opened_at"))


def _first_day() -> date:
    # Whole days, so that the figures and the lists that they open count the same runs.
    return timezone.localdate() - timedelta(days=DAYS - 1)


def visible_workflow(user: Principal, code: str) -> Workflow:
    """The workflow, if this person may see it; not found otherwise."""
    found = Workflow.objects.visible_to(user).select_related("unit", "owner", "incident_path").filter(code=code).first()
    if found is None:
        raise ledger.NotFound
    return found


def _chosen(versions: list[WorkflowVersion], wanted: str) -> WorkflowVersion | None:
    if not wanted:
        return next(iter(versions), None)
    chosen = next((version for version in versions if str(version.number) == wanted), None)
    if chosen is None:
        raise ledger.NotFound
    return chosen


def role_names() -> dict[str, str]:
    """The names of all roles by code."""
    return dict(Role.objects.values_list("code", "name"))


def path_names() -> dict[str, str]:
    """The names of all escalation paths by key."""
    return dict(EscalationPath.objects.values_list("key", "name"))


def outline(graph: Graph, roles: dict[str, str], paths: dict[str, str]) -> list[dict[str, Any]]:
    """The drawing as a list in the order of the flow, each element with its number and where it leads."""
    order = _in_order(graph)
    numbers = {name: place for place, name in enumerate(order, 1)}
    return [_line(graph, graph.nodes[name], numbers, roles, paths) for name in order]


def _in_order(graph: Graph) -> list[str]:
    order = {start.id: None for start in graph.starts}
    waiting = deque(order)
    while waiting:
        node = graph.nodes[waiting.popleft()]
        fresh = [each.id for each in graph.inside(node.id) if not each.incoming and not each.attached_to]
        fresh += [graph.flows[flow].target for flow in node.outgoing] + [*node.boundaries, node.undone_by]
        waiting.extend(name for name in dict.fromkeys(fresh) if name and name not in order)
        order.update(dict.fromkeys(name for name in fresh if name))
    return list(order | dict.fromkeys(graph.nodes))


def _line(
    graph: Graph, node: Node, numbers: dict[str, int], roles: dict[str, str], paths: dict[str, str]
) -> dict[str, Any]:
    icon, word = shown_kind(node)
    edges = [graph.nodes[name] for name in node.boundaries]
    timers = [each for each in edges if each.event is EventKind.TIMER and each.duration_seconds]
    return {
        "node": node, "icon": icon, "word": word, "name": node.name or word, "number": numbers[node.id],
        "role": roles.get(node.role, node.role), "path": paths.get(node.path, node.path),
        "to": list(_ways(graph, node, numbers)), "timers": timers,
    }  # fmt: skip


def shown_kind(node: Node) -> tuple[str, str]:
    """The icon and the words for what a node is; of an event, for what triggers it."""
    if node.event is EventKind.NONE or node.kind not in SHOWN_AS_EVENTS:
        return SHOWN_KINDS[node.kind]
    return SHOWN_EVENTS[node.event]


def _ways(graph: Graph, node: Node, numbers: dict[str, int]) -> Iterable[dict[str, Any]]:
    for name in node.outgoing:
        flow = graph.flows[name]
        target = graph.nodes[flow.target]
        yield {
            "id": target.id, "number": numbers[target.id], "name": target.name or shown_kind(target)[1],
            "label": flow.name, "condition": flow.condition, "otherwise": node.default_flow == flow.id,
        }  # fmt: skip
