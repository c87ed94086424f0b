"""Hiring agents and admitting people: what is refused, and that roles hold exactly the rights they are given."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from agents import operations
from agents.models import Agent, Blueprint, Principal
from agents.rules import PEOPLE_ROLES
from observability import ledger
from observability.models import Event


@pytest.fixture
def job(halden: Any) -> operations.Hired:
    """A good job for an agent in finance."""
    return operations.Hired(
        code="AP-09", name="Reminder", purpose="Reminds late payers.", unit=halden.units["finance"],
        blueprint=Blueprint.objects.get(code="invoice-reader"), accountable=halden.people["maria"],
    )  # fmt: skip


def refused(job: operations.Hired, now: Any, **changes: Any) -> dict[str, str]:
    """What is said about each wrong field when the changed job is hired."""
    count = Agent.objects.count()
    with pytest.raises(ledger.Invalid) as wrong:
        operations.hire(replace(job, **changes), by=ledger.SYSTEM, at=now)
    assert Agent.objects.count() == count
    return wrong.value.fields


def test_an_agent_cannot_answer_for_an_agent(job: Any, halden: Any, now: Any) -> None:
    account = halden.agents["AP-01"].principal

    assert set(refused(job, now, accountable=account)) == {"accountable"}
    assert set(refused(job, now, stand_in=account)) == {"stand_in"}


def test_somebody_who_left_cannot_answer_for_an_agent(job: Any, halden: Any, now: Any) -> None:
    halden.people["maria"].is_active = False

    assert set(refused(job, now)) == {"accountable"}


@pytest.mark.parametrize("level", [9, 5, -1])
def test_an_autonomy_level_lies_between_0_and_4(job: Any, now: Any, level: int) -> None:
    assert set(refused(job, now, autonomy_level=level)) == {"autonomy_level"}


@pytest.mark.parametrize("days", [-1, 0])
def test_an_agent_is_not_hired_for_the_past(job: Any, now: Any, days: int) -> None:
    assert set(refused(job, now, ends_on=(now + timedelta(days=days)).date())) == {"ends_on"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""), ("code", "AP/09"), ("code", "A" * 21), ("code", "-9"), ("code", "AP-04"), ("name", " "),
        ("code", "new"), ("purpose", ""), ("environment", "moon"), ("icon", "no-such-icon"), ("icon", "../bot"),
    ],
)  # fmt: skip
def test_what_the_pages_could_not_show_is_not_hired(job: Any, now: Any, field: str, value: Any) -> None:
    assert set(refused(job, now, **{field: value})) == {field}


def test_every_wrong_field_is_named_at_once(job: Any, halden: Any, now: Any) -> None:
    account = halden.agents["AP-01"].principal

    wrong = refused(job, now, accountable=account, autonomy_level=9, ends_on=now.date())

    assert set(wrong) == {"accountable", "autonomy_level", "ends_on"}


def test_a_person_is_not_admitted_with_a_weak_password_an_unknown_role_or_a_name_that_is_taken(
    halden: Any, now: Any
) -> None:
    person = {"unit": halden.units["finance"], "by": ledger.SYSTEM, "at": now}
    count = Principal.objects.count()

    with pytest.raises(ledger.Invalid) as wrong:
        operations.admit_person("priya", "Priya Nair", roles=["reviewer", "boss"], password="priya12", **person)
    for roles, password, field in ((["boss"], "a long enough one", "roles"), ([], "password1234", "password")):
        with pytest.raises(ledger.Invalid) as one:
            operations.admit_person("nina", "Nina Ott", roles=roles, password=password, **person)
        assert set(one.value.fields) == {field}

    assert set(wrong.value.fields) == {"username", "roles", "password"}
    assert Principal.objects.count() == count


def test_only_those_with_the_right_hire(job: Any, halden: Any, now: Any) -> None:
    for name in ("priya", "sofia", "edith", "daniel", "ingrid", "maria"):
        with pytest.raises(ledger.NotAllowed):
            operations.hire(job, by=halden.people[name], at=now)

    agent = operations.hire(job, by=halden.people["jonas"], at=now)

    assert agent.status == Agent.Status.DRAFT
    assert Event.objects.get(verb="agent.hired", subject_id="AP-09").actor_id == "jonas"


def test_the_database_refuses_what_the_form_forgot(halden: Any) -> None:
    agent = halden.agents["AP-04"]
    for wrong in ({"autonomy_level": 9}, {"accountable": agent.principal}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Agent.objects.filter(pk=agent.pk).update(**wrong)


def test_a_pause_needs_a_reason_and_the_right(halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    with pytest.raises(ledger.Invalid):
        operations.pause(agent, by=halden.people["maria"], at=now, why="  ")
    for name in ("priya", "sofia", "edith", "tomasz"):
        with pytest.raises(ledger.NotAllowed):
            operations.pause(agent, by=halden.people[name], at=now, why="I want to")

    with pytest.raises(ledger.Invalid) as wrong:
        operations.pause(agent, by=halden.people["maria"], at=now, why="x" * 2001)
    assert set(wrong.value.fields) == {"why"}

    operations.pause(agent, by=halden.people["maria"], at=now, why="Two odd payments")

    assert Event.objects.get(verb="agent.paused").why == "Two odd payments"


def test_a_retired_agent_never_comes_back(halden: Any, now: Any) -> None:
    agent = halden.agents["AP-04"]
    operations.retire(agent, by=halden.people["jonas"], at=now, why="Replaced")

    for again in (operations.activate, operations.resume):
        with pytest.raises(ledger.WrongStatus):
            again(agent, by=ledger.SYSTEM, at=now)
    with pytest.raises(ledger.WrongStatus):
        operations.issue_key(agent, by=halden.people["jonas"], at=now)
    assert not agent.keys.filter(status="active").exists()


def test_each_role_holds_exactly_the_rights_in_the_rules(halden: Any) -> None:
    for role in PEOPLE_ROLES:
        held = Group.objects.get(name=role.name).permissions.values_list("content_type__app_label", "codename")
        assert {f"{app}.{codename}" for app, codename in held} == set(role.permissions), role.name


def test_defining_the_roles_again_takes_back_what_was_added_by_hand(halden: Any) -> None:
    member, reviewer = Group.objects.get(name="member"), Group.objects.get(name="reviewer")
    member.permissions.set(reviewer.permissions.all())

    operations.define_people_roles()

    assert not member.permissions.exists()


def test_the_auditor_reads_everything_and_writes_nothing(halden: Any) -> None:
    edith = halden.people["edith"]

    assert edith.sees_all_units
    assert all(right.split(".")[1].startswith(("view_", "read_")) for right in edith.get_all_permissions())
