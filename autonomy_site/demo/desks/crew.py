"""Builds the four desks: paths, systems, policies, agents, workflows from their templates, and yardsticks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import yaml
from django.db import transaction

from agents import operations as agents
from agents.models import Agent, Principal, Role, System, Unit
from autonomy_site.demo.company import FOLDER, RUNTIME
from autonomy_site.demo.desks.plan import (
    DESKS,
    DRAFTED,
    NEWCOMERS,
    PATHS,
    SPACE,
    SYSTEMS,
    WORKFLOWS,
    DeskPlan,
    Newcomer,
    SystemPlan,
)
from governance import operations as governance
from governance.models import EscalationPath
from observability import ledger
from observability.models import Baseline, Target
from workflows import operations as workflows
from workflows.models import Space, Workflow
from workflows.operations.gallery import FOLDER as TEMPLATES

FIGURES = ("cycle_seconds", "cost", "error_share", "touchless_share")


def are_built() -> bool:
    """Whether the four workflows are there already."""
    return Workflow.objects.filter(code__in=WORKFLOWS).count() == len(WORKFLOWS)


@dataclass(frozen=True)
class Around:
    """The rows of the company by their short names, and the moment of the building."""

    units: Mapping[str, Unit]
    people: Mapping[str, Principal]
    at: datetime


@transaction.atomic
def build(at: datetime) -> None:
    """Let four more workflows run in the Halden Group. Needs the departments; raises Refused or KeyError where the
    company was changed too much, and then nothing has changed."""
    around = Around(
        {unit.code: unit for unit in Unit.objects.all()},
        {person.username: person for person in Principal.objects.people()},
        at,
    )
    for key, name, unit, asked in PATHS:
        levels = [governance.Level(seconds, tuple(around.people[who] for who in whom)) for whom, seconds in asked]
        governance.add_path(key, name, unit=around.units[unit], levels=levels, by=ledger.SYSTEM, at=at)
    for each in SYSTEMS:
        _system(each, around)
    for newcomer in NEWCOMERS:
        _newcomer(newcomer, around)
    for code, assessed in DRAFTED.items():
        _begin(Agent.objects.get(code=code), assessed, around)
    for desk in DESKS:
        _desk(desk, around)
    code, name, purpose = SPACE
    space = Space.objects.create(code=code, name=name, purpose=purpose, unit=around.units["procurement"])
    agents.grant("workflows.write_space", _account("VO-01"), space, by=ledger.SYSTEM, at=at)


def _system(plan: SystemPlan, around: Around) -> None:
    unit, by, at = around.units[plan.unit], ledger.SYSTEM, around.at
    fields = [{"path": path, "kind": kind, "label": label} for path, kind, label in plan.fields]
    agents.add_system(
        plan.code, plan.name, unit=unit, resource=plan.resource, actions=[plan.action], fields=fields, by=by, at=at
    )
    document = yaml.safe_load((FOLDER / "policies" / plan.policy).read_text())
    version = governance.add_policy(document, unit=unit, owner=around.people[plan.head], by=by, at=at)
    governance.activate(version, by=by, at=at)


def _newcomer(plan: Newcomer, around: Around) -> None:
    unit, head, by, at = around.units[plan.unit], around.people[plan.head], ledger.SYSTEM, around.at
    risk = Agent.Risk.LOW if plan.assessed is None else Agent.Risk.MEDIUM
    actions = [{"system": plan.system, "action": plan.action, "scope": {}}] if plan.action else []
    job = agents.JobDescription(
        name=plan.name, purpose=plan.purpose, unit=unit, owner=head, actions=actions, autonomy_ceiling=plan.level + 1,
        role=Role.objects.create(code=plan.role, name=plan.name, purpose=plan.purpose), risk_class=risk,
        runtime=RUNTIME, model="None: rules in Python", rates={"run": "0.0004", "hour": "0.02"},
    )  # fmt: skip
    blueprint = agents.draft_blueprint(plan.role, job, by=by, at=at)
    agents.activate_blueprint(blueprint, by=by, at=at)
    hired = agents.Hired(
        code=plan.code, name=plan.name, purpose=plan.purpose, unit=unit, blueprint=blueprint, accountable=head,
        stand_in=around.people["daniel"], autonomy_level=plan.level, icon=plan.icon,
        ends_on=(at + timedelta(days=365)).date(),
    )  # fmt: skip
    agent = agents.hire(hired, by=by, at=at)
    if plan.system:
        system = System.objects.get(code=plan.system)
        for verb in ("read", "send"):
            agents.grant(f"agents.{verb}_in_system", agent.principal, system, by=by, at=at)
    _begin(agent, plan.assessed, around)


def _begin(agent: Agent, assessed: agents.Assessed | None, around: Around) -> None:
    if assessed is not None:
        agents.assess(agent, assessed, by=around.people["daniel"], at=around.at)
    if agent.status != Agent.Status.ACTIVE:  # somebody may have let it begin before
        agents.activate(agent, by=ledger.SYSTEM, at=around.at)


def _desk(plan: DeskPlan, around: Around) -> None:
    by, at = ledger.SYSTEM, around.at
    version = workflows.publish(
        plan.template, (TEMPLATES / f"{plan.template}.bpmn").read_bytes(), by=by, at=at, unit=around.units[plan.unit],
        owner=around.people[plan.head], incident_path=EscalationPath.objects.get(key=plan.incidents),
    )  # fmt: skip
    for code in plan.crew:
        agents.grant("workflows.work_in_workflow", _account(code), version.workflow, by=by, at=at)
    agents.grant("workflows.start_workflow", _account(plan.crew[0]), version.workflow, by=by, at=at)
    seconds, cost, errors, runs, source = plan.by_hand
    Baseline.objects.create(
        workflow=plan.template, cycle_seconds=Decimal(seconds), cost=Decimal(cost), error_share=Decimal(errors),
        runs_per_day=Decimal(runs), source=source,
    )  # fmt: skip
    for figure, value in zip(FIGURES, plan.wanted, strict=True):
        Target.objects.create(workflow=plan.template, figure=figure, value=Decimal(value))


def _account(code: str) -> Principal:
    return Agent.objects.select_related("principal").get(code=code).principal
