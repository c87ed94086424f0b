"""The org chart: units, the people and the agents in them, and who answers for which agent, in one tree."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from agents.models import Agent, Principal, Unit
from agents.views import person


@dataclass
class Desk:
    """One person of a unit, and the agents of the same unit that this person answers for."""

    person: Principal
    agents: list[Agent] = field(default_factory=list)


@dataclass
class Branch:
    """One unit of the tree: its people with their agents, agents whose sponsor sits elsewhere, the units below."""

    unit: Unit
    desks: list[Desk] = field(default_factory=list)
    others: list[Agent] = field(default_factory=list)
    below: "list[Branch]" = field(default_factory=list)


class OrgChart(LoginRequiredMixin, View):
    """People round, agents square, of the units that a person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        shown = {"branches": branches_of(user), "here": "chart", "may_hire": user.may("agents.add_agent")}
        return render(request, "workflows/org_chart.html", shown)


def branches_of(user: Principal) -> list[Branch]:
    """The tree of the units that this person may see; three queries, however large it is."""
    units = list(Unit.objects.visible_to(user))
    people, agents = defaultdict(list), defaultdict(list)
    for each in Principal.objects.people().filter(unit__in=[unit.pk for unit in units]).order_by("name"):
        people[each.unit_id].append(each)
    for agent in Agent.objects.visible_to(user).employed().with_people():
        agents[agent.unit_id].append(agent)
    found = {unit.pk: _branch(unit, people[unit.pk], agents[unit.pk]) for unit in units}
    tops: list[Branch] = []
    for branch in found.values():
        above = found.get(branch.unit.parent_id or 0)
        (above.below if above else tops).append(branch)
    return tops


def _branch(unit: Unit, people: list[Principal], agents: list[Agent]) -> Branch:
    desks = {each.pk: Desk(each) for each in people}
    branch = Branch(unit, list(desks.values()))
    for agent in agents:
        desk = desks.get(agent.accountable_id)
        (desk.agents if desk else branch.others).append(agent)
    return branch
