"""A replay is cancelled while it runs, and two workers want the same one: one comes first, nothing is doubled."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from autonomy_site.demo.company import FOLDER
from governance import operations, tasks
from governance.models import Decision, PolicyVersion, Replay, ReplayFlip
from governance.rules.texts import read_text
from observability import ledger
from observability.models import Event

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
ROUNDS = 10
DECISIONS = 1_500  # three looks at whether it goes on
TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()


@pytest.fixture
def version(halden: Any, robot: Any, question: Any, now: Any) -> PolicyVersion:
    """A stricter version of the payment policy, and many decisions that it would have made differently."""
    robot("AP-04").call("post", "actions", question(amount="1210.50"))
    one = Decision.objects.get()
    names = [field.attname for field in Decision._meta.concrete_fields if field.name not in ("id", "uid")]
    columns = {name: getattr(one, name) for name in names}
    copies = [Decision(**{**columns, "request_key": f"copy-{number}"}) for number in range(DECISIONS)]
    Decision.objects.bulk_create(copies)
    document = read_text(TEXT.replace("context.amount > 5000 &&", "context.amount > 1000 &&"))
    home = {"unit": halden.units["finance"], "owner": halden.people["maria"]}
    return operations.add_policy(document, **home, by=ledger.SYSTEM, at=now)


def asked(version: PolicyVersion, halden: Any) -> int:
    at = ledger.database_now()
    since = at - timedelta(days=7)
    return operations.ask_replay(version, since=since, until=at, by=halden.people["daniel"], at=at).pk


def test_cancelled_while_it_runs_it_is_either_done_or_cancelled(
    version: PolicyVersion, halden: Any, together: Any
) -> None:
    daniel = halden.people["daniel"]
    for _ in range(ROUNDS):
        pk = asked(version, halden)
        taken = Replay.objects.select_related("version__policy").get(pk=pk)
        assert operations.begin_replay(taken, at=ledger.database_now())

        def act(number: int, pk: int = pk, taken: Replay = taken) -> Any:
            if number == 0:
                return operations.work_off(taken, clock=ledger.database_now)
            replay = Replay.objects.select_related("version__policy").get(pk=pk)
            return operations.cancel_replay(replay, by=daniel, at=ledger.database_now())

        worked, cancelled = together(2, act)

        replay = Replay.objects.get(pk=pk)
        ends = Event.objects.filter(subject_id=str(replay.uid), verb__in=("replay.finished", "replay.cancelled"))
        if isinstance(cancelled, ledger.Refused):
            assert (replay.status, worked) == ("done", True)
            assert replay.flips.count() == DECISIONS + 1
        else:
            assert (replay.status, worked, cancelled) == ("cancelled", False, None)
            assert (replay.result, replay.flips.count()) == ({}, 0)
        assert ends.count() == 1


def test_of_many_workers_one_works_and_the_others_leave_it(version: PolicyVersion, halden: Any, together: Any) -> None:
    for _ in range(ROUNDS // 2):
        pk = asked(version, halden)

        results = together(4, lambda _: tasks.run_replays())

        assert sorted(results) == [0, 0, 0, 1], results
        assert Replay.objects.get(pk=pk).status == "done"
        assert ReplayFlip.objects.filter(replay=pk).count() == DECISIONS + 1
        assert Event.objects.filter(subject_id=str(Replay.objects.get(pk=pk).uid)).count() == 3


def test_of_two_who_ask_for_a_replay_at_once_one_gets_it(version: PolicyVersion, halden: Any, together: Any) -> None:
    results = together(4, lambda _: asked(version, halden))

    assert sum(isinstance(result, operations.UnderWay) for result in results) == 3, results
    assert Replay.objects.under_way().count() == 1
