"""A company with a past: thousands of ended runs, copied by the database from two that were really worked off."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from measuring.work import OUTPUTS, question, start, work_off

if TYPE_CHECKING:
    from django.db.models import Model

    from autonomy_site.demo.company import Halden

FIRST_ID = 1_000_000
MINUTES_APART = 8
ASKED_EVERY = 7
FAILED_EVERY = 33
RUN_UID = "md5('run' || n)::uuid"
BEGUN = f"(now() - n * interval '{MINUTES_APART} minutes')"
SECONDS = "(300 + (n * 7919) % 9000)"
FAILED = f"n % {FAILED_EVERY} = 0"


def grow(halden: "Halden", runs: int) -> None:
    """Add that many ended runs with their steps, decisions, answered questions and events, the newest just ended."""
    from django.db import connection

    from observability import ledger

    easy, asked = _worked_off(halden, "easy", "1210.50"), _worked_off(halden, "asked", "9000.00")
    for template, numbers in ((easy, f"n % {ASKED_EVERY} <> 0"), (asked, f"n % {ASKED_EVERY} = 0")):
        _copy(template, f"generate_series(1, {runs}) n WHERE {numbers}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    while ledger.seal():
        pass


def copied(run: Any, first: int, last: int, *, verbs: Sequence[str]) -> None:
    """Copy one run that was worked off, with its steps and those of its events: ended runs of the same minute, their
    numbers from `first` to `last`."""
    from observability.models import Event
    from workflows.models import Run, Step

    numbers, uid = f"generate_series({first}, {last}) n WHERE true", str(run.uid)
    run_uid, told = f"{RUN_UID}::text", ", ".join(f"'{verb}'" for verb in verbs)
    _insert(Run, f"t.id = {run.pk}", numbers, id=f"{FIRST_ID} + n", uid=RUN_UID, key="t.key || '-' || n")
    _insert(
        Step, f"t.run_id = {run.pk}", numbers, id=f"{FIRST_ID} * t.id * 10 + n", uid=_uid("step"),
        run_id=f"{FIRST_ID} + n",
    )  # fmt: skip
    _insert(
        Event, f"t.run = '{uid}' AND t.verb IN ({told})", numbers, uid="gen_random_uuid()", run=run_uid,
        position="NULL", subject_id=run_uid, subject_name="t.subject_name || '-' || n",
    )  # fmt: skip


def _worked_off(halden: "Halden", key: str, amount: str) -> Any:
    """A run that was worked off to its payment, with Priya's approval when the amount needs it."""
    from governance.operations import Question
    from observability.ledger import database_now
    from workflows import operations
    from workflows.models import Run

    start(halden, key)
    for code in ("AP-01", "AP-02", "RK-01"):
        work_off(halden, code)
    clerk, given = halden.agents["AP-04"], question(key, amount)
    while step := operations.claim(clerk, at=database_now()):
        wanted = Question(request_key=f"{key}-{step.lease_token}", **{**given, "confidence": Decimal("0.98")})
        decision = operations.request_action(
            wanted, agent=clerk, at=database_now(), step=step, lease_token=step.lease_token
        )
        if decision.effect == "escalate":
            _approve(halden, decision.escalation, database_now())
            continue
        operations.finish(step, agent=clerk, lease_token=step.lease_token, output=OUTPUTS["pay"], at=database_now())
    return Run.objects.get(key=key)


def _approve(halden: "Halden", escalation: Any, at: datetime) -> None:
    from workflows import operations

    digest = escalation.request_sha256
    operations.settle(
        escalation.uid, "approved", reviewer=halden.people["priya"], at=at, request_sha256=digest, reason="Checked."
    )


def _copy(run: Any, numbers: str) -> None:
    """Copy one run with everything that belongs to it, once for each n."""
    from governance.models import Decision, Escalation
    from observability.models import Event
    from workflows.models import Run, Step

    uid, last = str(run.uid), f"{BEGUN} + {SECONDS} * interval '1 second'"
    ended = {"started_at": BEGUN, "ended_at": last}
    key, run_id, run_uid = "'INV-' || n", f"{FIRST_ID} + n", f"{RUN_UID}::text"
    moment = f"{BEGUN} + (t.at - '{run.started_at.isoformat()}'::timestamptz)"
    _insert(Run, f"t.id = {run.pk}", numbers, id=run_id, uid=RUN_UID, key=key, **ended, **_outcome("status", "failed"))
    _insert(
        Decision, f"t.run = '{uid}'", numbers, id=f"{FIRST_ID} * t.id + n", uid=_uid("decision"), run=run_uid,
        at=moment, request_key="t.request_key || n", resource_id=key,
    )  # fmt: skip
    _insert(
        Escalation, f"t.run = '{uid}'", numbers, id=run_id, uid=_uid("escalation"), run=run_uid, run_key=key,
        decision_id=f"{FIRST_ID} * t.decision_id + n", opened_at=BEGUN, due_at=last, settled_at=last,
    )  # fmt: skip
    _insert(
        Step, f"t.run_id = {run.pk}", numbers, id=f"{FIRST_ID} * t.id + n", uid=_uid("step"), run_id=run_id,
        opened_at=BEGUN, available_at=BEGUN,
        escalation_id=f"CASE WHEN t.escalation_id IS NULL THEN NULL ELSE {FIRST_ID} + n END", **ended,
    )  # fmt: skip
    _insert(
        Event, f"t.run = '{uid}'", numbers, uid="gen_random_uuid()", run=run_uid, position="NULL",
        at=f"CASE WHEN t.verb = 'run.finished' THEN {last} ELSE {moment} END",
        seconds=f"CASE WHEN t.verb = 'run.finished' THEN {SECONDS} ELSE t.seconds END",
        subject_id=f"CASE WHEN t.subject_kind = 'run' THEN {RUN_UID}::text ELSE t.subject_id END",
        subject_name=f"CASE WHEN t.subject_kind = 'run' THEN {key} ELSE t.subject_name END",
        verb=f"CASE WHEN t.verb = 'run.finished' AND {FAILED} THEN 'run.failed' ELSE t.verb END",
    )  # fmt: skip


def _uid(kind: str) -> str:
    return f"md5('{kind}' || t.id || '-' || n)::uuid"


def _outcome(column: str, word: str) -> dict[str, str]:
    return {column: f"CASE WHEN {FAILED} THEN '{word}' ELSE t.{column} END"}


def _insert(model: type["Model"], which: str, numbers: str, **instead: str) -> None:
    """INSERT ... SELECT of the rows `which`, for each n of `numbers`, with expressions instead of some columns."""
    from django.db import connection

    columns = [field.column for field in model._meta.concrete_fields if field.column != "id" or "id" in instead]
    values = ", ".join(instead.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} t, {numbers} AND {which}")
