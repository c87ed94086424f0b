"""Many hands at the same moment, on PostgreSQL: one winner, each step once, each join once, one effect."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from agents import operations as agents
from agents.models import GivenAnswer, Principal
from governance import operations as governance
from governance.models import Decision, Escalation, EscalationPath, PolicyVersion
from governance.operations import policies
from observability import ledger
from observability.models import Event
from tests.races.conftest import PATIENCE_SECONDS
from workflows import operations
from workflows.models import Run, Step

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
ROUNDS = 50
TWO_REVIEWERS = 200


def asked(halden: Any, now: Any, **more: Any) -> Escalation:
    """A question to priya, maria and daniel."""
    path = EscalationPath.objects.get(key="large-payments")
    what = governance.Asked(
        kind=Escalation.Kind.ACTION, title="Pay", path=path, unit=halden.units["finance"], likeness="x", request={},
        request_sha256="0" * 64, **more,
    )  # fmt: skip
    return governance.open_escalation(what, by=ledger.SYSTEM, at=now)


def test_two_reviewers_at_once_make_one_decision(halden: Any, now: Any, together: Any) -> None:
    sides = (("priya", "approved"), ("maria", "rejected"))
    for _ in range(TWO_REVIEWERS):
        row = asked(halden, now)

        def answer(number: int, pk: int = row.pk) -> str:
            name, to = sides[number]
            return operations.settle(
                Escalation.objects.get(pk=pk).uid,
                to,
                reviewer=halden.people[name],
                at=now,
                request_sha256="0" * 64,
                reason="x",
            ).status

        results = together(2, answer)

        won = [result for result in results if isinstance(result, str)]
        late = [result for result in results if isinstance(result, ledger.TooLate)]
        assert (len(won), len(late)) == (1, 1), results
        assert Escalation.objects.get(pk=row.pk).status == won[0]
        assert Event.objects.filter(subject_id=str(row.uid)).count() == 2


def test_an_answer_is_undone_or_takes_effect_never_both(halden: Any, now: Any, together: Any) -> None:
    priya, undo = halden.people["priya"], timedelta(seconds=10)
    for _ in range(ROUNDS // 2):
        row = asked(halden, now)
        operations.settle(row.uid, "approved", reviewer=priya, at=now, request_sha256="0" * 64, undo=undo)

        def act(number: int, uid: Any = row.uid) -> Any:
            if number:
                return operations.take_effect(Escalation.objects.get(uid=uid), at=now + undo)
            return operations.undo(uid, by=priya, at=now + undo / 2)

        together(2, act)

        row.refresh_from_db()
        ends = Event.objects.filter(subject_id=str(row.uid), verb__in=("escalation.approved", "escalation.undone"))
        assert [event.after for event in ends] == [row.status]


def test_two_approvals_at_once_are_counted_as_two(halden: Any, now: Any, together: Any) -> None:
    names = ("priya", "maria", "daniel")
    for _ in range(ROUNDS // 2):
        row = asked(halden, now, approvals=2)

        def approve(number: int, pk: int = row.pk) -> str:
            return operations.settle(
                Escalation.objects.get(pk=pk).uid, "approved", reviewer=halden.people[names[number]], at=now,
                request_sha256="0" * 64,
            ).status  # fmt: skip

        results = together(3, approve)

        assert sorted(str(type(result).__name__) for result in results) == ["TooLate", "str", "str"], results
        assert Escalation.objects.get(pk=row.pk).status == "approved"


def test_an_answer_and_the_deadline_at_once_make_one_end(halden: Any, now: Any, together: Any) -> None:
    for _ in range(ROUNDS // 2):
        row = asked(halden, now)

        def act(number: int, pk: int = row.pk, due: Any = row.due_at) -> Any:
            same = Escalation.objects.get(pk=pk)
            if number:
                return operations.pass_deadline(same, at=due)
            return operations.settle(
                same.uid, "approved", reviewer=halden.people["priya"], at=now, request_sha256="0" * 64
            )

        together(2, act)

        ends = Event.objects.filter(subject_id=str(row.uid)).exclude(verb="escalation.opened")
        assert ends.count() == 1, list(ends.values_list("verb", flat=True))


def start(halden: Any, now: Any, count: int) -> list[Run]:
    """This many runs."""
    reader = halden.agents["AP-01"]
    return [
        operations.start(halden.workflow, key=str(uuid.uuid4()), variables={"document": "x"}, by=reader, at=now)[0]
        for _ in range(count)
    ]


def test_sixteen_claimers_get_each_of_forty_steps_once(halden: Any, now: Any, together: Any) -> None:
    start(halden, now, 40)

    def claim_all(number: int) -> list[int]:
        agent, got, misses = type(halden.agents["AP-01"]).objects.get(code="AP-01"), [], 0
        while misses < 3:
            step = operations.claim(agent, at=now)
            if step is None:
                misses += 1
            else:
                got.append(step.pk)
        return got

    got = together(16, claim_all)

    assert all(isinstance(each, list) for each in got), got
    steps = [pk for each in got for pk in each]
    assert len(steps) == len(set(steps)) == 40
    assert set(Step.objects.values_list("status", "attempt", "lease_token")) == {("working", 1, 1)}


def test_two_branches_that_finish_at_once_open_the_join_once(halden: Any, now: Any, together: Any) -> None:
    outputs = {"AP-02": {"matched": True}, "RK-01": {"findings": 0}}
    for _ in start(halden, now, ROUNDS):
        step = operations.claim(halden.agents["AP-01"], at=now)
        operations.finish(step, agent=halden.agents["AP-01"], lease_token=1, output={"readable": True}, at=now)
        held = {code: operations.claim(halden.agents[code], at=now) for code in outputs}

        def finish(number: int, held: Any = held) -> Any:
            code = ("AP-02", "RK-01")[number]
            return operations.finish(held[code], agent=halden.agents[code], lease_token=1, output=outputs[code], at=now)

        results = together(2, finish)

        assert all(isinstance(result, Step) for result in results), results
        of_run = Run.objects.get(pk=step.run_id)
        assert of_run.steps.filter(element="pay", status="ready").count() == 1, of_run.marking
        assert of_run.variables.keys() >= {"match", "anomalies"}, "neither branch wrote over the other"
    assert Step.objects.filter(element="pay").count() == ROUNDS


def test_the_same_finish_sent_by_many_counts_once(halden: Any, now: Any, together: Any) -> None:
    start(halden, now, 1)
    agent = halden.agents["AP-01"]
    step = operations.claim(agent, at=now)

    results = together(
        12,
        lambda number: operations.finish(step, agent=agent, lease_token=1, output={"readable": True}, at=now, cost=1),
    )

    assert sum(isinstance(result, Step) for result in results) == 1
    assert sum(getattr(result, "code", "") == "stale_lease" for result in results) == 11, results
    assert Run.objects.get().cost == 1
    assert Step.objects.filter(element="match").count() == 1


def test_a_finish_and_a_cancellation_at_once_leave_nothing_open(halden: Any, now: Any, together: Any) -> None:
    agent, maria = halden.agents["AP-01"], halden.people["maria"]
    for run in start(halden, now, ROUNDS // 2):
        step = operations.claim(agent, at=now)

        def act(number: int, step: Any = step, run: Any = run) -> Any:
            if number:
                return operations.cancel(run, by=maria, at=now, why="Sent twice")
            return operations.finish(step, agent=agent, lease_token=1, output={"readable": True}, at=now)

        together(2, act)

    assert set(Run.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not Step.objects.open().exists()


def test_claims_and_cancellations_at_once_never_block_each_other_for_ever(halden: Any, now: Any, together: Any) -> None:
    runs, agent, maria = start(halden, now, 30), halden.agents["AP-01"], halden.people["maria"]

    def act(number: int) -> Any:
        if number < 4:
            mine = type(agent).objects.get(pk=agent.pk)
            return [operations.claim(mine, at=now) for _ in range(10)]
        for run in runs[number - 4 :: 4]:
            operations.cancel(run, by=maria, at=now, why="Sent twice")
        return []

    results = together(8, act)

    assert all(isinstance(result, list) for result in results), results
    assert not Step.objects.open().exists()


def test_fifty_repeats_of_one_request_have_one_effect_and_one_answer(halden: Any, robot: Any, together: Any) -> None:
    body = {"workflow": "invoice-to-payment", "key": "2026-1187", "input": {"document": "1187.xml"}}

    answers = together(50, lambda number: robot("AP-01").call("post", "runs", body, key="start-1187"))

    told = [(answer.status_code, answer.json()) for answer in answers if answer.status_code != 409]
    assert all(each == told[0] for each in told), told
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_flight"}
    assert Run.objects.count() == Event.objects.filter(verb="run.started").count() == 1
    again = robot("AP-01").call("post", "runs", body, key="start-1187")
    assert (again.status_code, again.json()) == told[0]
    assert GivenAnswer.objects.count() == 1


def test_a_repeat_of_a_wait_that_was_cut_off_gets_the_work_that_the_wait_found(
    halden: Any, now: Any, robot: Any, together: Any
) -> None:
    in_flight = threading.Event()

    def claim() -> Any:
        while (answer := robot("AP-01").call("post", "work/claim", {"wait_seconds": 20}, key="cut")).status_code == 409:
            assert answer.json()["code"] == "in_flight"
            in_flight.set()
            ledger.bell.wait(ledger.bell.rings, 0.2)
        return answer.json()

    def act(number: int) -> Any:
        if number < 2:
            return claim()
        assert in_flight.wait(timeout=PATIENCE_SECONDS)
        while not GivenAnswer.objects.filter(body__work=None).exists():
            ledger.bell.wait(ledger.bell.rings, 0.05)
        return start(halden, now, 2)

    first, again, _ = together(3, act)

    assert first["work"] and first == again
    assert Step.objects.filter(status="working").count() == 1


def test_the_same_run_asked_for_under_many_keys_is_started_once(halden: Any, robot: Any, together: Any) -> None:
    body = {"workflow": "invoice-to-payment", "key": "2026-1187", "input": {"document": "1187.xml"}}

    answers = together(16, lambda number: robot("AP-01").call("post", "runs", body))

    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Step.objects.count() == 1


def test_one_question_asked_by_many_is_decided_once(halden: Any, now: Any, together: Any, question: Any) -> None:
    body, agent = question(), halden.agents["AP-04"]
    asks = governance.Question(
        action=body["action"], resource=body["resource"], context=body["context"], request_key="k"
    )

    results = together(12, lambda number: governance.decide(asks, agent=agent, at=now))

    assert {getattr(result, "pk", result) for result in results} == {Decision.objects.get().pk}
    assert Escalation.objects.count() == 1


def test_an_approval_outside_a_step_is_good_for_one_of_many_questions_at_once(
    halden: Any, now: Any, together: Any, question: Any
) -> None:
    body, agent, later = question(), halden.agents["AP-04"], now + timedelta(seconds=1)

    def ask(key: str, at: Any) -> str:
        wanted = {name: body[name] for name in ("action", "resource", "context")}
        mine = type(agent).objects.get(pk=agent.pk)
        return governance.decide(governance.Question(**wanted, request_key=key), agent=mine, at=at).effect

    assert ask("first", now) == "escalate"
    row = Escalation.objects.get()
    yes = {"reviewer": halden.people["priya"], "at": now, "request_sha256": row.request_sha256}
    operations.settle(row.uid, "approved", **yes)

    effects = together(8, lambda number: ask(f"again-{number}", later))

    assert effects.count("allow") == 1, effects


def test_a_pause_and_claims_at_once_hand_out_nothing_afterwards(halden: Any, now: Any, together: Any) -> None:
    start(halden, now, 20)
    agent = halden.agents["AP-01"]

    def act(number: int) -> Any:
        if not number:
            return agents.pause(type(agent).objects.get(pk=agent.pk), by=halden.people["maria"], at=now, why="Odd")
        mine = type(agent).objects.get(pk=agent.pk)
        return [operations.claim(mine, at=now) for _ in range(5)]

    together(4, act)

    with pytest.raises(agents.AgentNotActive):
        operations.claim(type(agent).objects.get(pk=agent.pk), at=now)


def test_two_activations_at_once_leave_one_version_in_force(halden: Any, now: Any, together: Any) -> None:
    policy = halden.workflow.unit.policies.get()
    daniel, document = halden.people["daniel"], policy.versions.get().document
    drafts = together(
        4, lambda number: governance.add_policy(document, unit=policy.unit, owner=policy.owner, by=daniel, at=now)
    )
    assert sorted(draft.number for draft in drafts) == [2, 3, 4, 5]

    for draft in drafts:
        policies.ask_review(draft, by=daniel, at=now)
        policies.approve(draft, by=halden.people["ingrid"], at=now)

    together(4, lambda number: governance.activate(drafts[number], by=daniel, at=now))

    assert policy.versions.active().count() == 1


def test_of_two_who_review_at_once_one_is_told(halden: Any, now: Any, together: Any) -> None:
    policy, daniel = halden.workflow.unit.policies.get(), halden.people["daniel"]
    document = policy.versions.get().document
    draft = governance.add_policy(document, unit=policy.unit, owner=policy.owner, by=daniel, at=now)
    policies.ask_review(draft, by=daniel, at=now)
    acts = (policies.approve, policies.send_back)

    def review(number: int) -> str:
        mine = PolicyVersion.objects.select_related("policy").get(pk=draft.pk)
        acts[number](mine, by=halden.people["ingrid"], at=now, why="Read it.")
        return mine.status

    results = together(2, review)

    won = [result for result in results if isinstance(result, str)]
    assert len(won) == 1, results
    assert PolicyVersion.objects.get(pk=draft.pk).status == won[0]
    assert draft.comments.exclude(kind="asked").count() == 1


def test_two_who_rewrite_a_draft_at_once_lose_nothing(halden: Any, now: Any, together: Any) -> None:
    policy, daniel = halden.workflow.unit.policies.get(), halden.people["daniel"]
    document = policy.versions.get().document
    draft = governance.add_policy(document, unit=policy.unit, owner=policy.owner, by=daniel, at=now)
    seen = draft.sha256

    results = together(
        4,
        lambda number: policies.rewrite_draft(
            draft, {**document, "title": f"Title {number}"}, seen=seen, by=daniel, at=now
        ).document["title"],
    )

    won = [result for result in results if isinstance(result, str)]
    assert len(won) == 1, results
    assert PolicyVersion.objects.get(pk=draft.pk).document["title"] == won[0]


def test_two_shadows_at_once_leave_one(halden: Any, now: Any, together: Any) -> None:
    policy, daniel = halden.workflow.unit.policies.get(), halden.people["daniel"]
    document = policy.versions.get().document
    drafts = [
        governance.add_policy(document, unit=policy.unit, owner=policy.owner, by=daniel, at=now) for _ in range(3)
    ]
    for draft in drafts:
        policies.ask_review(draft, by=daniel, at=now)
        policies.approve(draft, by=halden.people["ingrid"], at=now)

    together(3, lambda number: policies.shadow(drafts[number], by=daniel, at=now))

    assert policy.versions.shadow().count() == 1


def test_the_last_two_of_it_cannot_disable_each_other(halden: Any, now: Any, together: Any) -> None:
    jonas = halden.people["jonas"]
    nina = agents.admit_person(
        "nina", "Nina Ott", unit=halden.units["halden"], roles=["it"], password=None, by=ledger.SYSTEM, at=now
    )
    for _ in range(10):
        sides = ((nina, jonas), (jonas, nina))

        results = together(2, lambda number, of=sides: agents.disable(of[number][0], by=of[number][1], at=now, why="x"))

        assert [getattr(result, "code", "done") for result in results].count("last_one") == 1, results
        assert Principal.objects.people().holding("it").count() == 1
        Principal.objects.filter(username__in=("nina", "jonas")).update(is_active=True)
