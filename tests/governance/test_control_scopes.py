"""Stops of one scope: what each reaches, who may, when it ends; together they are the set of those still on."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from agents.models import System
from governance import operations as governance
from governance.models import ControlDrill, ControlState, Decision
from governance.operations import EVERYTHING, Reach, Stop
from governance.rules.stopping import KINDS, applies, strictest, strictness
from observability import ledger
from observability.ledger import database_now
from observability.models import Event
from tests.invoices import ask_to_pay
from workflows import operations, tasks
from workflows.models import Run, Step


def begin(robot: Any, key: str = "1") -> Any:
    body = {"workflow": "invoice-to-payment", "key": key, "input": {"document": "1.xml"}}
    return robot("AP-01").call("post", "runs", body)


def scope(key: str) -> Any:
    kind, _, code = key.partition(":")
    return operations.find_scope(kind, code)


def stop(key: str, by: Any, to: str = "paused", **more: Any) -> Any:
    return operations.set_control(scope(key), to, by=by, at=database_now(), why="A strange payment.", **more)


@pytest.mark.parametrize(
    ("key", "reader_gets_work"),
    [("agent:AP-01", False), ("unit:finance", False), ("unit:halden", False), ("workflow:invoice-to-payment", False),
     ("agent:AP-04", True), ("unit:procurement", True)],
)  # fmt: skip
def test_a_pause_holds_up_exactly_what_it_names(robot: Any, halden: Any, key: str, reader_gets_work: bool) -> None:
    assert begin(robot).status_code == 201
    stop(key, halden.people["ingrid"])

    answer = robot("AP-01").call("post", "work/claim", {})

    work = answer.json().get("work") if answer.status_code == 200 else None
    assert (work is not None) is reader_gets_work
    stop(key, halden.people["ingrid"], "normal")
    assert reader_gets_work or robot("AP-01").claim() is not None


def test_no_run_begins_where_work_is_paused_and_the_same_key_still_finds_its_run(robot: Any, halden: Any) -> None:
    first = begin(robot, "1").json()["id"]
    stop("workflow:invoice-to-payment", halden.people["ingrid"])

    refused = begin(robot, "2")

    assert (refused.status_code, refused.json()["code"]) == (409, "paused")
    assert begin(robot, "1").json()["id"] == first
    assert Run.objects.count() == 1


@pytest.mark.parametrize("key", ["agent:AP-04", "workflow:invoice-to-payment", "unit:finance", "everything"])
def test_a_question_is_denied_with_the_scope_who_and_why(
    bring: Any, robot: Any, question: Any, halden: Any, key: str
) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    governance.change_control(
        "paused", by=halden.people["daniel"], at=database_now(), why="A strange payment.", scope=scope(key)
    )

    answer = clerk.call("post", "actions", question(work, amount="1")).json()

    assert (answer["effect"], answer["rule"]) == ("deny", "control-state")
    assert "is paused by Daniel Okafor: A strange payment." in answer["reason"]
    assert scope(key).name.lower() in answer["reason"].lower()


def test_a_restricted_system_denies_its_actions_and_hands_out_its_steps(
    bring: Any, robot: Any, question: Any, halden: Any
) -> None:
    bring()
    code = next(system.code for system in halden_systems() if "invoice.pay" in {a["name"] for a in system.actions})
    stop(f"system:{code}", halden.people["ingrid"], "restricted")
    clerk = robot("AP-04")
    work = clerk.claim()

    assert clerk.call("post", "actions", question(work, amount="1")).json()["rule"] == "control-state"


def halden_systems() -> Any:
    return System.objects.all()


def test_who_was_allowed_to_act_before_the_pause_still_reports_and_nobody_does_it_again(
    bring: Any, robot: Any, question: Any, halden: Any
) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    assert clerk.call("post", "actions", question(work, amount="1")).json()["effect"] == "allow"
    _, void = stop("agent:AP-04", halden.people["maria"])

    second = clerk.call("post", "actions", question(work, amount="2")).json()
    assert (void, second["effect"]) == (0, "deny")
    assert Step.objects.get(uid=work["step"]).status == "working", "or somebody would pay again"
    assert clerk.finish(work, paid=True).status_code != 409


def test_a_stop_ends_by_the_clock_at_the_decision_itself_and_the_sweep_records_it(robot: Any, halden: Any) -> None:
    begin(robot)
    at = database_now()
    stop("agent:AP-01", halden.people["ingrid"], until=at + timedelta(hours=1))
    assert robot("AP-01").call("post", "work/claim", {}).status_code == 409
    ControlState.objects.update(until=database_now())

    assert robot("AP-01").claim() is not None
    assert not Event.objects.filter(verb="control.lapsed").exists()
    tasks.keep_stops()
    assert Event.objects.get(verb="control.lapsed").after == "normal"


def test_a_late_report_from_before_the_pause_is_told_so_and_silence_costs_no_attempt(robot: Any, halden: Any) -> None:
    begin(robot)
    work = robot("AP-01").claim()
    governance.change_control("paused", by=halden.people["ingrid"], at=database_now(), why="Audit")
    Step.objects.update(leased_until=database_now())

    tasks.reclaim_work()

    step = Step.objects.get(uid=work["step"])
    assert (step.status, step.attempt) == ("ready", 0)
    assert robot("AP-01").finish(work, readable=True).json()["code"] == "lease_void"


@pytest.mark.parametrize(
    ("who", "key", "may"),
    [("maria", "unit:finance", True), ("maria", "agent:AP-04", True), ("maria", "unit:procurement", False),
     ("maria", "everything", False), ("sofia", "unit:finance", False), ("edith", "agent:AP-04", False),
     ("tomasz", "unit:finance", False), ("daniel", "system:erp", True)],
)  # fmt: skip
def test_who_may_stop_what(halden: Any, who: str, key: str, may: bool) -> None:
    if key == "system:erp":
        key = f"system:{halden_systems()[0].code}"

    assert governance.may_stop(halden.people[who], scope(key)) is may


def test_what_the_council_stopped_the_unit_does_not_let_go(halden: Any) -> None:
    stop("unit:finance", halden.people["ingrid"])

    with pytest.raises(ledger.NotAllowed):
        stop("unit:finance", halden.people["maria"], "normal")
    stop("unit:finance", halden.people["daniel"], "normal")
    stop("unit:finance", halden.people["maria"])
    stop("unit:finance", halden.people["maria"], "normal")


@pytest.mark.parametrize(
    ("first", "by_maria"),
    [
        ({"to": "restricted"}, [{"to": "paused"}]),
        ({"to": "restricted"}, [{"to": "paused", "until": timedelta(seconds=1)}]),
        ({"to": "paused", "until": timedelta(hours=1)}, [{"to": "paused"}]),
        ({"to": "paused"}, [{"to": "paused", "until": timedelta(hours=1)}]),
    ],
)
def test_over_a_stop_of_the_council_the_unit_sets_nothing_that_it_could_end(
    halden: Any, sign_in: Any, first: dict[str, Any], by_maria: list[dict[str, Any]]
) -> None:
    def to(state: str, who: str, until: timedelta | None = None) -> Any:
        end = None if until is None else database_now() + until
        return stop("unit:finance", halden.people[who], state, until=end)

    row, _ = to(first["to"], "ingrid", first.get("until"))
    for change in by_maria:
        with pytest.raises(ledger.NotAllowed, match="Ingrid"):
            to(change["to"], "maria", change.get("until"))

    now = ControlState.objects.get(scope="unit:finance")
    assert (now.status, now.until, now.is_central) == (first["to"], row.until, True)
    page = sign_in("maria").get("/control?scope=unit:finance").content.decode()
    assert "IT or risk change it" in page and "Change it</h2>" not in page


def test_a_stricter_stop_that_ends_sooner_eases_what_held_before(halden: Any) -> None:
    stop("unit:finance", halden.people["maria"], "restricted")

    assert governance.loosens("paused", scope("unit:finance"), until=database_now() + timedelta(seconds=1))
    assert not governance.loosens("paused", scope("unit:finance"))


def test_the_page_shows_one_scope_stops_it_and_counts_it_in_the_bar(robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, "2026-1")
    maria = sign_in("maria")
    shown = maria.get("/control?scope=workflow:invoice-to-payment").content.decode()
    assert "Pause workflow Invoice to payment" in shown
    assert "question" in shown

    told = {"scope": "workflow:invoice-to-payment", "state": "paused", "why": "Forged."}
    assert maria.post("/control", told).status_code == 302

    page = maria.get("/workflows/invoice-to-payment").content.decode()
    assert "Paused: 1 scope" in page
    assert "Forged." in page
    assert maria.get("/control?scope=agent:PR-99").status_code == 404


def test_it_may_stop_and_resume_at_the_console(robot: Any, halden: Any) -> None:
    begin(robot)
    out = StringIO()
    call_command("control", "pause", why="The web is down.", by="Ingrid", stdout=out)
    assert "All work is paused by Ingrid, at the console as" in out.getvalue()
    assert robot("AP-01").call("post", "work/claim", {}).status_code == 409

    call_command("control", "resume", why="It is up.", stdout=out)

    assert "Nothing is stopped." in out.getvalue()
    assert robot("AP-01").claim() is not None
    with pytest.raises(CommandError):
        call_command("control", "pause", stdout=out)


def test_a_drill_stops_nothing_and_measures_who_saw_it(robot: Any, halden: Any, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    assert ingrid.post("/control/practise", {"drill-why": "Quarterly."}).status_code == 302
    begin(robot)

    assert robot("AP-01").claim() is not None

    drill = ControlDrill.objects.get()
    assert drill.sightings.count() == 1
    assert drill.slowest_ms is not None
    ControlDrill.objects.update(ends_at=database_now())
    tasks.keep_stops()
    assert Event.objects.get(verb="control.drill_ended").data["processes"] == 1
    assert "Quarterly." in ingrid.get("/control/drills.csv").content.decode()
    assert not ControlState.objects.filter(drill__isnull=False).exists()


def test_a_control_state_that_cannot_be_read_allows_nothing(robot: Any, halden: Any) -> None:
    begin(robot)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_controlstate RENAME TO gone")
    try:
        answer = robot("AP-01").call("post", "work/claim", {})
        assert (answer.status_code, answer.json()["code"]) == (503, "control_unreadable")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO governance_controlstate")
    assert not Decision.objects.exists()


NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEYS = st.sampled_from(["everything", "agent:AP-01", "agent:AP-04", "unit:1/", "unit:1/2/", "workflow:w"])
STEPS = st.lists(st.tuples(KEYS, st.sampled_from(["normal", "restricted", "paused"])), max_size=20)
REACHES = st.builds(
    Reach, agent=st.sampled_from(["AP-01", "AP-04"]), workflow=st.sampled_from(["", "w"]),
    paths=st.sampled_from([("1/",), ("1/2/",), ("3/",)]),
)  # fmt: skip


@given(STEPS, REACHES)
def test_any_sequence_of_stops_is_the_set_of_those_still_on(steps: list[tuple[str, str]], reach: Reach) -> None:
    at = NOON
    on: dict[str, str] = {}
    for key, to in steps:
        on[key] = to
    stops = [_stop(key, to) for key, to in on.items()]

    found = strictest(stops, reach, at)

    touching = [each for each in stops if each.status != "normal" and applies(each, reach)]
    assert (found is None) == (not touching)
    if found is not None:
        assert strictness(found.status) == max(strictness(each.status) for each in touching)


def _stop(key: str, to: str) -> Stop:
    kind, _, code = key.partition(":")
    assert kind in KINDS
    return Stop(kind, code, key, to, path=code if kind == "unit" else "")


def test_a_state_that_nobody_knows_forbids_everything() -> None:
    assert strictest([Stop("everything", "", "all work", "broken")], Reach(), NOON).is_paused  # type: ignore[union-attr]
    assert EVERYTHING.key == "everything"
