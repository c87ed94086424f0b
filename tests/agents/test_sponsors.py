"""Who answers for an agent: missed once when gone, a stand-in, a pause after the grace; orphans and sleepers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from agents import operations, tasks
from agents.models import Agent, Key, Principal
from agents.rules import Watch, watch
from observability import ledger
from observability.models import Event
from workflows.views.attention import attention

NOW = datetime(2026, 12, 10, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("there", "missing_since", "ends_on", "due"),
    [
        (True, None, None, Watch.NOTHING),
        (True, None, date(2026, 12, 10), Watch.NOTHING),
        (True, None, date(2026, 12, 9), Watch.END),
        (False, None, None, Watch.ALERT),
        (False, NOW - WEEK + timedelta(seconds=1), None, Watch.NOTHING),
        (False, NOW - WEEK, None, Watch.PAUSE),
        (True, NOW - WEEK, None, Watch.CLEAR),
        (False, NOW, date(2026, 12, 1), Watch.END),
    ],
)
def test_what_is_due(there: bool, missing_since: Any, ends_on: Any, due: Watch) -> None:
    assert watch(sponsor_is_there=there, missing_since=missing_since, ends_on=ends_on, at=NOW, grace=WEEK) is due


def leave(name: str) -> None:
    Principal.objects.filter(username=name).update(is_active=False)


def test_who_left_is_missed_once_and_the_agent_paused_after_the_grace(halden: Any, now: Any, robot: Any) -> None:
    leave("maria")

    assert tasks.watch_sponsors() == 3
    assert tasks.watch_sponsors() == 0
    missed = Event.objects.get(verb="agent.sponsor_missing", subject_id="AP-04")
    assert (missed.data["sponsor"], missed.data["acting"]) == ("maria", "priya")
    assert "Priya Nair stands in until" in missed.why
    assert robot("AP-04").call("get", "me").status_code == 200, "it works on during the grace"
    assert Agent.objects.get(code="AP-04").acting_sponsor == halden.people["priya"]

    Agent.objects.filter(code="AP-04").update(sponsor_missing_since=now - timedelta(days=7))
    assert tasks.watch_sponsors() == 1

    agent = Agent.objects.get(code="AP-04")
    assert agent.status == "paused"
    paused = Event.objects.get(verb="agent.paused")
    assert (paused.actor_kind, "Maria Lindqvist has left" in paused.why) == ("system", True)
    assert robot("AP-04").call("get", "me").status_code == 403


def test_the_grace_is_a_setting(halden: Any, settings: Any) -> None:
    settings.SPONSOR_GRACE_DAYS = 0
    leave("daniel")

    tasks.watch_sponsors()
    tasks.watch_sponsors()

    assert Agent.objects.get(code="RK-01").status == "paused"


def test_naming_another_sponsor_ends_the_grace(halden: Any, now: Any, sign_in: Any) -> None:
    leave("maria")
    tasks.watch_sponsors()
    agent, jonas = Agent.objects.get(code="AP-04"), halden.people["jonas"]

    operations.change_agent(agent, {"accountable": "daniel"}, by=jonas, at=now, why="Maria left.")

    agent.refresh_from_db()
    assert agent.sponsor_missing_since is None
    assert tasks.watch_sponsors() == 0


def test_a_sponsor_who_comes_back_is_missed_no_more(halden: Any) -> None:
    leave("maria")
    tasks.watch_sponsors()
    Principal.objects.filter(username="maria").update(is_active=True)

    assert tasks.watch_sponsors() == 0
    assert not Agent.objects.filter(sponsor_missing_since__isnull=False).exists()


def test_an_agent_without_sponsor_is_not_resumed(halden: Any, now: Any, sign_in: Any) -> None:
    agent = Agent.objects.get(code="AP-04")
    operations.pause(agent, by=halden.people["maria"], at=now, why="Odd.")
    leave("maria")

    agent = Agent.objects.get(code="AP-04")
    with pytest.raises(ledger.WrongStatus):
        operations.resume(agent, by=halden.people["jonas"], at=now)


def test_an_agent_past_its_last_day_is_paused_without_grace(halden: Any, now: Any) -> None:
    Agent.objects.filter(code="AP-04").update(ends_on=(now - timedelta(days=1)).date())

    assert tasks.watch_sponsors() == 1
    assert Event.objects.get(verb="agent.paused").why.startswith("Its last day was")


def test_only_agents_at_work_are_watched(halden: Any) -> None:
    leave("maria")
    Agent.objects.filter(code="AP-01").update(status="draft")

    assert tasks.watch_sponsors() == 2


def test_the_stand_in_who_acts_may_pause(halden: Any, now: Any) -> None:
    leave("maria")
    agent = Agent.objects.get(code="AP-04")

    operations.pause(agent, by=halden.people["priya"], at=now, why="Nobody answers for it.")

    assert Agent.objects.get(code="AP-04").status == "paused"


def test_orphans_are_agents_for_which_nobody_answers(halden: Any) -> None:
    assert not Agent.objects.orphaned()

    leave("maria")  # sponsor of three, and the only owner of finance
    assert set(Agent.objects.orphaned().values_list("code", flat=True)) == {"AP-01", "AP-02", "AP-04", "RK-01"}
    Principal.objects.filter(username="maria").update(is_active=True)
    leave("tomasz")  # sponsor of VO-01, which has no stand-in
    assert set(Agent.objects.orphaned().values_list("code", flat=True)) == {"VO-01"}


def test_sleepers_hold_access_and_did_no_work(halden: Any, now: Any, bring: Any) -> None:
    ingrid, later = halden.people["ingrid"], now + timedelta(days=31)
    assert attention(ingrid, at=now) == []

    dormant = {each.agent.code for each in attention(ingrid, at=later) if "dormant" in each.reasons}
    assert dormant == {"AP-01", "AP-02", "RK-01", "AP-04"}
    bring()
    Agent.objects.filter(code="AP-04").update(created_at=now - timedelta(days=31))
    assert [each.agent.code for each in attention(ingrid, at=now + timedelta(days=1))] == ["AP-04"]
    Key.objects.filter(agent__code="AP-04").delete()
    assert Agent.objects.filter(code="AP-04").holding_access().exists(), "it still holds rights"


def test_the_list_costs_the_same_number_of_queries_for_any_number_of_agents(
    halden: Any, now: Any, django_assert_max_num_queries: Any
) -> None:
    leave("maria")
    with django_assert_max_num_queries(14):
        assert len(attention(Principal.objects.get(username="ingrid"), at=now)) == 4
