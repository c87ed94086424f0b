"""What somebody who looks after a run can do on its page now, each act with its form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse

from agents.models import Agent, Grant, Principal, Role
from governance.models import Escalation
from observability import ledger
from workflows import operations
from workflows.forms.intervening import (
    AssignForm,
    ChooseForm,
    MoveForm,
    ReassignForm,
    RestartForm,
    SkipForm,
    VariableForm,
    WhyForm,
    text_of,
)
from workflows.models import Run, Step, Workflow
from workflows.operations.definitions import graph_of
from workflows.operations.intervening.steps import is_stuck, waits_for_next_try
from workflows.plan import INPUT, Marking, Output, Task

AGENTS_AT_MOST = 200


@dataclass
class Hand:
    """One act on the page: what it is called, what follows from it, its form."""

    url: str
    act: str
    title: str
    button: str
    icon: str
    told: str
    form: forms.Form
    hidden: dict[str, str] = field(default_factory=dict)
    is_open: bool = False


@dataclass
class Hands:
    """The card with the acts that were asked for; `problem` tells what is wrong with the thing they are about."""

    title: str
    acts: list[Hand]
    problem: str = ""


RUN_ACTS: Mapping[str, tuple[str, str, str, str]] = {
    "pause": ("Pause run {key}?", "Pause the run", "pause", "Nothing of it is handed out and its clocks stand still. "
              "Agents give back what they hold, without blame."),
    "resume": ("Let run {key} go on?", "Let it go on", "play", "It goes on where it stood. Its clocks and deadlines "
               "are later by the time of the pause."),
    "restart": ("Begin {key} again?", "Begin again", "rotate-ccw", "A new run of the newest version starts with the "
                "same inputs. This one stays as it ended."),
}  # fmt: skip


ALSO = {
    "pause": " The same holds for {} that it called.",
    "resume": " So does what it paused with it: {} that it called.",
}


def url_of(run: Run, act: str) -> str:
    """The door of an act on the run's page."""
    return reverse(f"run-{act}", args=[run.uid])


def run_acts(run: Run, user: Principal) -> list[str]:
    """What can be done with the run as a whole now."""
    if not operations.may_intervene(user, run):
        return []
    if run.is_under_way:
        return ["resume"] if run.is_paused else ["pause"]
    return ["restart"] if user.may("workflows.start_workflow", run.workflow) else []


def asked_for(run: Run, request: HttpRequest, user: Principal, at: datetime) -> Hands | None:
    """The card that the address asks for, None for none or for what cannot be done (any more)."""
    query = request.GET
    if not operations.may_intervene(user, run):
        return None
    if query.get("ask") in run_acts(run, user):
        return of_run(run, query["ask"])
    if not run.is_under_way:
        return None
    if query.get("ask") == "step":
        step = step_in(run, query.get("step", ""))
        return of_step(run, step, at, query.get("act", "")) if step is not None else None
    if query.get("ask") == "token":
        return of_token(run, query.get("token", ""))
    return of_variable(run, query.get("name", "")) if query.get("ask") == "variable" else None


def of_run(run: Run, act: str, data: Any = None) -> Hands:
    """The card of an act on the whole run."""
    title, button, icon, told = RUN_ACTS[act]
    told += _also(run, act)
    form = (RestartForm if act == "restart" else WhyForm)(data, auto_id=f"{act}-%s")
    hand = Hand(url_of(run, act), act, "", button, icon, told, form, is_open=True)
    return Hands(title.format(key=run.key), [hand])


def _also(run: Run, act: str) -> str:
    called = operations.called_with(run) if act in ALSO else 0
    return ALSO[act].format("1 run" if called == 1 else f"{called:,} runs") if called else ""


def step_in(run: Run, uid: str) -> Step | None:
    """The open or failed step that is named, None when there is no such step."""
    steps = run.steps.unsettled().select_related("agent", "assigned_to", "escalation", "run__workflow")
    return next((step for step in steps if str(step.uid) == uid), None)


def step_acts(run: Run, step: Step, at: datetime) -> list[str]:
    """What can be done with a step of the run now."""
    status, by_agent = Step.Status(step.status), step.kind == Step.Kind.AGENT
    acts = ["retry"] if is_stuck(step) or waits_for_next_try(step, at) else []
    if by_agent:
        acts.append("skip")
    if by_agent and status in (Step.Status.READY, Step.Status.FAILED):
        acts.append("reassign")
    if by_agent and status == Step.Status.READY:
        acts.append("assign")
    if operations.tasks_around(step):
        acts.append("choose")
    return [*acts, "move"] if operations.places_for(run, step.element) else acts


def of_step(run: Run, step: Step, at: datetime, act: str = "", data: Any = None) -> Hands:
    """The card of a step: each act that fits it, the one that was sent with what was sent."""
    fits = step_acts(run, step, at)
    acts = [_step_hand(run, step, each, at, data if each == act else None) for each in fits]
    first = act if act in fits else fits[0] if fits else ""
    for hand in acts:
        hand.is_open = hand.act == first
    return Hands(f"Put “{step.name}” right", acts, step.error if is_stuck(step) else "")


def of_token(run: Run, token: str, data: Any = None) -> Hands | None:
    """The card of a place at which the run waits without a step: for time, or for a message."""
    tokens = Marking.from_json(run.marking).tokens
    stands = next((each for each in tokens if str(each.id) == token), None)
    if stands is None:
        return None
    node = graph_of(run.version_id).nodes[stands.node]
    return Hands(
        f"The run waits at “{node.name or node.id}”", [_move_hand(run, node.id, token, {}, data, is_open=True)]
    )


def _move_hand(
    run: Run, element: str, token: str, hidden: Mapping[str, str], data: Any, *, is_open: bool = False
) -> Hand:
    places = [(node.id, node.name or node.id) for node in operations.places_for(run, element)]
    told = "What is open here is taken back. Policies still decide every action that follows."
    form = MoveForm(data, places=places, auto_id="move-%s")
    words, button, url = "Let the run go on elsewhere", "Move the run", url_of(run, "move")
    return Hand(url, "move", words, button, "corner-up-right", told, form, {**hidden, "token": token}, is_open)


def _step_hand(run: Run, step: Step, act: str, at: datetime, data: Any) -> Hand:
    ids, hidden, url = f"{act}-%s", {"step": str(step.uid)}, url_of(run, act)
    match act:
        case "retry":
            told = "All its attempts begin anew. The question about it is withdrawn."
            return Hand(
                url, act, "Try it again now", "Try again now", "rotate-cw", told, WhyForm(data, auto_id=ids), hidden
            )
        case "skip":
            told = "The run goes on as if it had left these values. Whoever holds it loses it."
            outputs = graph_of(run.version_id).nodes[step.element].outputs
            skipping = SkipForm(data, outputs=outputs, auto_id=ids)
            return Hand(url, act, "Skip it", "Skip the step", "skip-forward", told, skipping, hidden)
        case "reassign":
            told = "It waits for the agents of another role, or for one agent alone."
            giving = ReassignForm(data, receivers=receivers(run.workflow), auto_id=ids)
            return Hand(url, act, "Give it to somebody else", "Give it away", "user-round-cog", told, giving, hidden)
        case "assign":
            told = "Nobody else gets it meanwhile. If the agent does not take it in time, it is anybody's again."
            able = [(each.code, f"{each}, {load} in hand") for each, load in operations.able_to_take(step, at)]
            keeping = AssignForm(data, able=able, auto_id=ids)
            return Hand(
                url, act, "Keep it for one agent for a time", "Keep it", "user-round-check", told, keeping, hidden
            )
        case "choose":
            told = "Of these steps, done in any order, one is done now, or once more. What is open beside it stays."
            beside = [(each.node_id, _said(each)) for each in operations.tasks_around(step)]
            choosing = ChooseForm(data, tasks=beside, auto_id=ids)
            return Hand(url, act, "Have a step beside it done", "Have it done", "list-plus", told, choosing, hidden)
        case _:
            return _move_hand(run, step.element, str(step.token), hidden, data)


def _said(task: Task) -> str:
    if task.open:
        return f"{task.name}, open now" if task.open == 1 else f"{task.name}, {task.open} open now"
    return f"{task.name}, comes later" if task.waits else task.name


def receivers(workflow: Workflow) -> list[Any]:
    """Roles and agents that can do work of this workflow, as a choice in two groups."""
    able = Grant.objects.in_force(Now()).on(workflow).filter(permission__codename="work_in_workflow").values("user")
    agents = Agent.objects.at_work().select_related("role").filter(principal__in=able)
    working = list(agents.order_by("code")[:AGENTS_AT_MOST])
    names = dict(Role.objects.filter(pk__in={agent.role_id for agent in working}).values_list("code", "name"))
    roles = [(f"role:{code}", name) for code, name in sorted(names.items(), key=lambda each: each[1])]
    return [("Any agent of a role", roles), ("One agent", [(f"agent:{each.code}", str(each)) for each in working])]


def declared(run: Run, name: str) -> Output | None:
    """How the drawing declares a value of the run (`element.name`); None for what cannot be changed."""
    element, _, wanted = name.partition(".")
    graph = graph_of(run.version_id)
    node = graph.start if element == INPUT else graph.nodes.get(element)
    known = run.variables.get(element)
    if node is None or not isinstance(known, dict) or wanted not in known:
        return None
    return next((output for output in node.outputs if output.name == wanted), None)


def of_variable(run: Run, name: str, data: Any = None) -> Hands | None:
    """The card of a value that the run knows."""
    output = declared(run, name)
    if output is None:
        return None
    element, _, wanted = name.partition(".")
    text = text_of(run.variables[element][wanted])
    form = VariableForm(data, output=output, initial={"value": text, "before": text}, auto_id="variable-%s")
    told = "Whoever is asked about this run is asked anew, by what it knows then."
    hand = Hand(
        url_of(run, "variable"), "variable", "", "Change the value", "pencil", told, form, {"name": name}, is_open=True
    )
    return Hands(f"Change “{output.label or output.name.replace('_', ' ')}”", [hand])


def asked_about(step: Step, user: Principal) -> Escalation | None:
    """The question about a step that waits for people, if this person may see it."""
    asked = step.escalation
    return asked if asked is not None and asked.is_pending and asked.is_visible_to(user) else None


def problems_of(form: forms.Form, wrong: ledger.Invalid) -> None:
    """Show what an operation refused beside the fields that it names."""
    if isinstance(form, SkipForm):
        form.blame(wrong.fields or {"": wrong.detail})
        return
    for name, problem in (wrong.fields or {"": wrong.detail}).items():
        known = "to" if name in ("agent", "role") else name
        form.add_error(known if known in form.fields else None, problem)
