"""Breakers and quarantine: circles stop, a failing system rests, an agent denied again and again waits for a person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agents.models import Agent, System
from governance import operations
from governance.models import Decision, Incident, SystemGuard
from governance.operations import CircuitChange, Question, SafeguardChange
from governance.rules.breaking import DEFAULTS, Fuse, Limits
from governance.tasks import watch_conduct
from observability import ledger
from observability.models import Event
from workflows.models import Run
from workflows.operations import retire_agent

SECOND = timedelta(seconds=1)


@pytest.fixture
def limit(halden: Any, now: Any) -> Any:
    """`limit(repeats=3)`: the council sets limits for payments clerks."""

    def set_to(role: str = "payments-clerk", **limits: Any) -> None:
        change = SafeguardChange(role, replace(DEFAULTS, **limits))
        operations.set_safeguards(change, by=halden.people["ingrid"], at=now, why="Agreed in the council.")

    return set_to


@pytest.fixture
def ask(payer: Agent, now: Any) -> Any:
    """`ask("1", at=...)`: the clerk asks outside of a run whether it may pay; small ones are allowed."""
    count = iter(range(10_000))

    def asked(invoice: str = "1", *, amount: str = "10.00", at: Any = None, findings: int = 0) -> Decision:
        known = {"seller": "Kessler", "order_matched": True, "findings": findings, "bank_changed_days": 400}
        question = Question(
            action="invoice.pay", resource={"type": "invoice", "id": invoice, "properties": known},
            context={"amount": amount, "currency": "EUR"}, request_key=f"k{next(count)}",
        )  # fmt: skip
        return operations.decide(question, agent=Agent.objects.get(pk=payer.pk), at=at or now)

    return asked


# --- circles --------------------------------------------------------------------------------------------------------
def test_the_same_question_again_and_again_is_stopped_until_a_person_lets_it_go_on(
    limit: Any, ask: Any, halden: Any, now: Any
) -> None:
    limit(repeats=3)
    assert [ask("1").rule == "loop-breaker" for _ in range(3)] == [False] * 3

    stopped = ask("1")
    other = ask("2")

    assert (stopped.effect, stopped.rule, stopped.because) == ("deny", "loop-breaker", ["built-in#loop-breaker"])
    assert other.rule == "loop-breaker", "everything stands still until somebody has looked"
    incident = Incident.objects.open().get()
    assert (incident.kind, incident.about, len(incident.evidence)) == ("loop", "agent:AP-04", 4)
    assert Event.objects.filter(verb="incident.opened").count() == 1

    # Maria answers for the clerk; Sofia does not.
    with pytest.raises(operations.NotYourIncident):
        operations.release(incident, by=halden.people["sofia"], at=now, why="Go on.")
    with pytest.raises(ledger.Invalid):
        operations.release(incident, by=halden.people["maria"], at=now, why=" ")
    operations.release(incident, by=halden.people["maria"], at=now + SECOND, why="The list was sent twice.")

    assert ask("1", at=now + 2 * SECOND).rule != "loop-breaker"
    with pytest.raises(ledger.TooLate):
        operations.release(incident, by=halden.people["maria"], at=now, why="Again.")


def test_other_agents_and_old_questions_do_not_count(limit: Any, ask: Any, now: Any) -> None:
    limit(repeats=2)
    for minutes in (30, 20, 11):
        ask("1", at=now - timedelta(minutes=minutes))

    assert ask("1").rule != "loop-breaker"
    assert ask("1").rule != "loop-breaker"
    assert ask("1").rule == "loop-breaker"


def test_questions_without_a_finished_step_stop_the_run(limit: Any, bring: Any, robot: Any, question: Any) -> None:
    limit(no_progress=3)
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    answers = [
        clerk.call("post", "actions", question(work, amount=f"{n}.00", properties={"findings": 3})).json()
        for n in range(1, 5)
    ]

    assert [answer["rule"] == "loop-breaker" for answer in answers] == [False, False, False, True], answers
    assert Incident.objects.open().get().run == work["run"]["id"]


def test_a_run_with_too_many_steps_stands_still_although_nobody_asks(
    limit: Any, robot: Any, halden: Any, now: Any
) -> None:
    """A hands over to B and B to A: each only finishes its step."""
    limit(role="", steps=2)
    reader, matcher = robot("AP-01"), robot("AP-02")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    reader.finish(reader.claim(), readable=True, number="1", seller="K", total="9.00", currency="EUR")

    assert matcher.claim() is None, "what comes next is not handed out"
    incident = Incident.objects.open().get()
    assert incident.run == str(Run.objects.get(key="1").uid)

    operations.release(incident, by=halden.people["daniel"], at=now + 60 * SECOND, why="So many are right here.")
    assert matcher.claim() is not None


# --- circuits -------------------------------------------------------------------------------------------------------
@pytest.fixture
def fuse(halden: Any, now: Any) -> SystemGuard:
    """Accounts payable rests for a minute after 2 of at least 2 reports failed; then one may try."""
    change = CircuitChange(System.objects.get(code="payables"), Fuse(at_least=2, trials=1), is_untrusted=False)
    return operations.set_circuit(change, by=halden.people["ingrid"], at=now, why="It fails a lot.")


def failed(decision: Decision, at: Any, *, ok: bool = False) -> None:
    operations.report(decision, failed=not ok, at=at)


def test_a_system_that_fails_rests_is_tried_and_works_again(fuse: SystemGuard, ask: Any, now: Any) -> None:
    first = ask("1")
    assert first.effect == "allow", first.reason
    failed(first, now)
    failed(ask("2"), now)

    resting = ask("3", at=now + 59 * SECOND)
    assert (resting.effect, resting.rule) == ("deny", "circuit-breaker")
    assert "Try again after" in resting.reason
    incident = Incident.objects.open().get()
    assert (incident.kind, incident.why) == (
        "circuit", "Accounts payable failed in at least 50 % of its reports within 10 minutes."
    )  # fmt: skip

    trial, second = ask("4", at=now + 61 * SECOND), ask("5", at=now + 61 * SECOND)
    assert (trial.effect, second.rule) == ("allow", "circuit-breaker"), "one trial only"
    failed(first, now + 62 * SECOND)  # a late report from before the rest says nothing about the trial
    failed(trial, now + 62 * SECOND, ok=True)

    assert ask("6", at=now + 63 * SECOND).effect == "allow"
    assert Incident.objects.get().outcome == "recovered"
    verbs = list(Event.objects.filter(verb__startswith="circuit.").order_by("id").values_list("verb", flat=True))
    assert verbs == ["circuit.set", "circuit.opened", "circuit.tried", "circuit.closed"]


def test_a_trial_that_fails_opens_again_and_one_nobody_reports_is_given_out_anew(
    fuse: SystemGuard, ask: Any, now: Any
) -> None:
    for number in "12":
        failed(ask(number), now)
    trial = ask("3", at=now + 61 * SECOND)
    failed(trial, now + 62 * SECOND)
    assert ask("4", at=now + 100 * SECOND).rule == "circuit-breaker"
    opened = Event.objects.filter(verb="circuit.opened").order_by("id")
    assert opened.last().why == "Accounts payable failed again on trial."  # type: ignore[union-attr]

    assert ask("5", at=now + 130 * SECOND).effect == "allow"
    assert ask("6", at=now + 131 * SECOND).rule == "circuit-breaker"
    assert ask("7", at=now + 195 * SECOND).effect == "allow", "nobody said what became of the trial"


def test_a_denied_question_takes_no_trial(fuse: SystemGuard, ask: Any, now: Any) -> None:
    for number in "12":
        failed(ask(number), now)

    assert ask("3", amount="-1.00", at=now + 61 * SECOND).effect != "allow"
    assert ask("4", at=now + 61 * SECOND).effect == "allow"


def test_releasing_closes_the_circuit(fuse: SystemGuard, ask: Any, halden: Any, now: Any) -> None:
    for number in "12":
        failed(ask(number), now)

    operations.release(Incident.objects.get(), by=halden.people["daniel"], at=now + SECOND, why="It was a drill.")

    assert ask("3", at=now + 2 * SECOND).effect == "allow"


def test_failed_steps_open_the_circuit(fuse: SystemGuard, bring: Any, robot: Any, question: Any) -> None:
    clerk = robot("AP-04")
    for key in ("2026-1", "2026-2"):
        bring(key)
        work = clerk.claim()
        assert clerk.call("post", "actions", question(work, amount="10.00")).json()["effect"] == "allow"
        body = {"lease_token": work["lease_token"], "reason": "The bank does not answer.", "retryable": False}
        assert clerk.call("post", f"steps/{work['step']}/fail", body).status_code == 200
    bring("2026-3")
    work = clerk.claim()

    denied = clerk.call("post", "actions", question(work, amount="10.00")).json()

    assert denied["rule"] == "circuit-breaker"
    assert clerk.claim() is None, "the step is back in the queue for a while"


# --- quarantine -----------------------------------------------------------------------------------------------------
def test_an_agent_denied_again_and_again_is_stopped_and_let_go_on_as_it_was(
    limit: Any, robot: Any, question: Any, halden: Any, now: Any
) -> None:
    limit(denials=3)
    clerk = robot("AP-04")
    for number in range(3):
        asked = {"action": f"unknown.{number}", "resource": {"type": "x", "id": "1"}, "context": {}}
        assert clerk.call("post", "actions", asked).json()["effect"] == "deny"

    refused = clerk.call("post", "actions", question())
    assert (refused.status_code, refused.json()["code"]) == (403, "agent_not_active")
    opened = Event.objects.get(verb="incident.opened")
    assert (opened.at - Decision.objects.latest("pk").at).total_seconds() <= 5, "the alert is there at once"
    incident = Incident.objects.get()
    assert (incident.kind, incident.agent_was, len(incident.evidence)) == ("quarantine", "active", 3)
    assert not operations.may_resolve(halden.people["priya"], incident), "only who may let a paused agent work again"

    operations.release(incident, by=halden.people["daniel"], at=Event.objects.latest("id").at, why="A wrong list.")

    assert Agent.objects.get(code="AP-04").status == "active"
    assert clerk.call("post", "actions", question()).status_code == 200


def test_what_a_stop_of_everything_denies_is_not_the_agents_fault(limit: Any, ask: Any, halden: Any, now: Any) -> None:
    limit(denials=2)
    operations.change_control("paused", by=halden.people["ingrid"], at=now, why="A drill.")
    for number in range(5):
        assert ask(str(number)).rule == "control-state"

    assert Agent.objects.get(code="AP-04").status == "active"


def test_an_agent_far_above_its_own_past_is_stopped_by_the_sweep(limit: Any, ask: Any, now: Any) -> None:
    limit(rate_factor=3, repeats=None)
    for hour in range(2, 16):
        ask(f"h{hour}", at=now - timedelta(hours=hour))
        ask(f"g{hour}", at=now - timedelta(hours=hour))
    assert watch_conduct() == 0
    for number in range(25):
        ask(str(number))

    assert watch_conduct() == 1
    assert Incident.objects.get().kind == "quarantine"
    assert watch_conduct() == 0


def test_retiring_the_agent_closes_its_incident(limit: Any, ask: Any, halden: Any, now: Any) -> None:
    limit(denials=1)
    ask("1", amount="-1.00")
    clerk = Agent.objects.get(code="AP-04")
    assert clerk.status == "paused"

    retire_agent(clerk, by=halden.people["ingrid"], at=now, why="It was hijacked.")

    assert Incident.objects.get().outcome == "retired"


# --- who sets what --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["daniel", "jonas", "maria", "edith"])
def test_only_the_council_sets_safeguards(name: str, halden: Any, now: Any) -> None:
    with pytest.raises(ledger.NotAllowed):
        operations.set_safeguards(SafeguardChange("", DEFAULTS), by=halden.people[name], at=now, why="I want to.")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"repeats": 0}, "repeats"), ({"window_minutes": None}, "window_minutes"), ({"rate_factor": 1}, "rate_factor")],
)
def test_limits_that_make_no_sense_are_refused(wrong: Any, field: str, halden: Any, now: Any) -> None:
    change = SafeguardChange("", Limits(**wrong))
    with pytest.raises(ledger.Invalid) as refused:
        operations.set_safeguards(change, by=halden.people["ingrid"], at=now, why="Agreed.")

    assert field in refused.value.fields
