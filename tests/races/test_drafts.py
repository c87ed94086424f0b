"""Several people save, begin and publish one draft at the same moment: one comes first, the others are told."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from autonomy_site.demo.company import FOLDER
from observability import ledger
from workflows import operations
from workflows.models import Workflow, WorkflowDraft, WorkflowVersion

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway"),
]
BPMN = (FOLDER / "invoice_to_payment.bpmn").read_text()
ROUNDS = 10


def draft() -> WorkflowDraft:
    return WorkflowDraft.objects.with_people().latest("pk")


def test_of_eight_saves_of_one_revision_one_is_kept(halden: Any, now: Any, together: Any) -> None:
    by = halden.people["maria"]
    operations.begin_draft(halden.workflow, by=by, at=now)
    for _ in range(ROUNDS):
        seen = draft().revision
        texts = [BPMN.replace('name="Paid"', f'name="Paid {seen} {number}"') for number in range(8)]

        results = together(
            8, lambda n, seen=seen, texts=texts: operations.save_draft(draft(), texts[n], revision=seen, by=by, at=now)
        )

        kept = [number for number, result in enumerate(results) if isinstance(result, WorkflowDraft)]
        assert len(kept) == 1, results
        assert all(isinstance(each, WorkflowDraft | operations.DraftChanged) for each in results), results
        assert (draft().bpmn, draft().revision) == (texts[kept[0]], seen + 1)


def test_a_draft_begins_once_and_is_published_once(halden: Any, now: Any, together: Any) -> None:
    halden.people["daniel"].groups.add(Group.objects.get(name="council"))
    maria, second = halden.people["maria"], [halden.people[name] for name in ("jonas", "ingrid", "daniel")]
    for number in range(ROUNDS):
        results = together(3, lambda _: operations.begin_draft(halden.workflow, by=maria, at=now))
        assert sum(isinstance(each, WorkflowDraft) for each in results) == 1, results
        text = BPMN.replace('name="Paid"', f'name="Paid {number}"')
        operations.save_draft(draft(), text, revision=1, by=maria, at=now)
        operations.ask_to_publish(draft(), by=maria, at=now)
        pk = draft().pk

        results = together(
            3,
            lambda n, pk=pk: operations.publish_draft(
                WorkflowDraft.objects.with_people().get(pk=pk), by=second[n], at=now, seen=2
            ),
        )

        assert sum(isinstance(each, WorkflowVersion) for each in results) == 1, results
        assert all(isinstance(each, WorkflowVersion | ledger.Refused) for each in results), results
        assert Workflow.objects.get().versions.count() == number + 2


def test_who_saves_while_somebody_asks_is_kept_before_or_refused(halden: Any, now: Any, together: Any) -> None:
    by = halden.people["maria"]
    operations.begin_draft(halden.workflow, by=by, at=now)
    for number in range(ROUNDS):
        seen, text = draft().revision, BPMN.replace('name="Paid"', f'name="Paid {number}"')

        def act(which: int, seen: int = seen, text: str = text) -> object:
            if which:
                return operations.save_draft(draft(), text, revision=seen, by=by, at=now)
            return operations.ask_to_publish(draft(), by=by, at=now)

        results = together(2, act)

        assert results[0] is None, results
        assert (draft().bpmn == text) == isinstance(results[1], WorkflowDraft), results
        operations.take_back(draft(), by=by, at=now)
