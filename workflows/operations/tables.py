"""Decision tables: a DMN file is read, checked, and kept as the next edition of a table of a workflow."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from agents.models import Principal
from agents.operations import require
from observability import ledger
from workflows.models import DecisionTable, Workflow
from workflows.plan.dmn import Decided, DecisionFailed, DmnInvalid, Model, decide, read_dmn

DMN_AT_MOST_BYTES = 900_000


class DmnRefused(ledger.Invalid):
    """The file holds no decision that can be executed, and was not saved."""

    code = "dmn_invalid"


class NothingDecided(ledger.Invalid):
    """The table decides nothing for these values."""

    code = "nothing_decided"


@transaction.atomic
def publish_table(
    workflow: Workflow, dmn: bytes, *, by: ledger.Acts, at: datetime, decision: str = "", why: str = ""
) -> DecisionTable:
    """The next edition of the table that the file's decision is; the same file again gives the edition it already is.
    Published versions keep the edition they have; the next version takes this one. Raises DmnRefused with a reason for
    every element that cannot be executed."""
    require(by, "workflows.publish_workflow", workflow)
    model = _read(dmn, decision)
    code = model.main.id
    Workflow.objects.select_for_update().get(pk=workflow.pk)  # two files at once get two numbers
    newest = workflow.tables.filter(code=code).first()
    digest = hashlib.sha256(dmn).hexdigest()
    if newest is not None and newest.sha256 == digest:
        return newest
    number = (workflow.tables.filter(code=code).aggregate(last=Max("number"))["last"] or 0) + 1
    table = DecisionTable.objects.create(
        workflow=workflow, code=code, name=model.main.name[:200], number=number, dmn=dmn.decode(), sha256=digest,
        model=model.to_json(), author=by if isinstance(by, Principal) else None, created_at=at, reason=why,
    )  # fmt: skip
    ledger.record("table.published", table, by=by, at=at, why=why, data={"code": code, "sha256": digest})
    return table


def _read(dmn: bytes, decision: str) -> Model:
    if len(dmn) > DMN_AT_MOST_BYTES:
        raise DmnRefused(fields={"dmn": f"A file has at most {DMN_AT_MOST_BYTES // 1000} kB."})
    try:
        dmn.decode()
        model = read_dmn(dmn, decision)
    except UnicodeDecodeError as wrong:
        raise DmnRefused(fields={"dmn": "Save the file as UTF-8."}) from wrong
    except DmnInvalid as invalid:
        fields = {f"{n}. {problem.element_id}": str(problem) for n, problem in enumerate(invalid.problems, 1)}
        raise DmnRefused(fields=fields) from invalid
    if len(model.main.id) > 120:
        raise DmnRefused(fields={"dmn": "The id of the decision has more than 120 characters."})
    return model


def tables_named(workflow: Workflow, codes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """The newest edition of each of these tables as compiled JSON, by code; codes without a table are left out."""
    found = workflow.tables.newest().filter(code__in=set(codes))
    return dict(found.values_list("code", "model"))


def try_table(table: DecisionTable, facts: Mapping[str, Any]) -> Decided:
    """What the table decides for these values; nothing is kept. Raises NothingDecided with the reason."""
    try:
        return decide(Model.from_json(table.model), facts)
    except DecisionFailed as failed:
        raise NothingDecided(str(failed), fields={"facts": str(failed)}) from failed
