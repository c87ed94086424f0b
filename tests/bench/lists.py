"""Bench: how long a page of a list takes with 100,000 runs in 100 workflows, for a member with rights on 20 of them.

DATABASE_URL=postgresql://... python tests/bench/lists.py
"""

from typing import TYPE_CHECKING, Any

from measuring.database import company, own_database
from measuring.times import header, measured, show

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

RUNS, WORKFLOWS, GRANTED = 100_000, 100, 20
ROUNDS = 60
BAR_MS = 20
SEED_WORKFLOWS = """
INSERT INTO workflows_workflow (code, name, unit_id, owner_id, incident_path_id)
SELECT 'w-' || n, 'Workflow ' || n, %s, owner_id, incident_path_id FROM workflows_workflow, generate_series(1, %s) n
WHERE workflows_workflow.id = %s
"""
SEED_VERSIONS = """
INSERT INTO workflows_workflowversion (workflow_id, number, bpmn, graph, sha256, author_id, created_at)
SELECT w.id, 1, v.bpmn, v.graph, v.sha256, v.author_id, v.created_at
FROM workflows_workflow w, workflows_workflowversion v WHERE w.code LIKE 'w-%%' AND v.workflow_id = %s
"""
SEED_RUNS = """
INSERT INTO workflows_run (uid, key, workflow_id, version_id, unit_id, status, outcome, marking, variables, started_at,
    ended_at, cost, people_asked)
SELECT md5('run' || n)::uuid, 'R-' || n, w.id, v.id, w.unit_id,
    CASE WHEN n %% 10 = 0 THEN 'running' ELSE 'done' END, '', '{}',
    '{"input": {"document": "a.xml", "sha256": "00"}, "total": "9000.00"}',
    now() - (%(runs)s - n) * interval '1 minute', NULL, 0.0123, 0
FROM generate_series(1, %(runs)s) n
JOIN workflows_workflow w ON w.code = 'w-' || (1 + CASE WHEN %(old)s THEN n * %(workflows)s / (%(runs)s + 1)
    ELSE n %% %(workflows)s END)
JOIN workflows_workflowversion v ON v.workflow_id = w.id
ORDER BY n
"""
BARE = """
SELECT run.uid, run.key, workflow.code, version.number, run.status, run.outcome, run.variables, run.started_at,
    run.ended_at, run.cost
FROM workflows_run run JOIN workflows_workflow workflow ON workflow.id = run.workflow_id
JOIN workflows_workflowversion version ON version.id = run.version_id
WHERE run.workflow_id = ANY(%s) ORDER BY run.id DESC LIMIT 51
"""


def seed(halden: "Halden", *, old: bool) -> list[int]:
    """The runs, mixed or in the order of their workflows; the keys of the workflows that Sofia may see: with `old` the
    twenty whose last run is longest ago."""
    from django.db import connection
    from guardian.shortcuts import assign_perm

    from agents import operations as agents
    from observability import ledger
    from workflows.models import Workflow

    lab = agents.add_unit("lab", "Lab", parent=halden.units["halden"], by=ledger.SYSTEM, at=ledger.database_now())
    with connection.cursor() as cursor:
        cursor.execute(SEED_WORKFLOWS, [lab.pk, WORKFLOWS, halden.workflow.pk])
        cursor.execute(SEED_VERSIONS, [halden.workflow.pk])
        cursor.execute(SEED_RUNS, {"runs": RUNS, "workflows": WORKFLOWS, "old": old})
        cursor.execute("ANALYZE")
    granted = list(Workflow.objects.filter(code__in=[f"w-{n}" for n in range(1, GRANTED + 1)]))
    for workflow in granted:
        assign_perm("workflows.view_workflow", halden.people["sofia"], workflow)
    return [workflow.pk for workflow in granted]


def reading(halden: "Halden", granted: list[int], how: str) -> None:
    """Print how long the pages take, beside the bare statement."""
    from django.db import connection
    from django.test import Client

    client = Client()
    client.force_login(halden.people["sofia"], backend="agents.views.PeopleBackend")

    def page(address: str) -> Any:
        answer = client.get(address)
        if answer.status_code != 200 or len(answer.json()["results"]) != 50:
            raise SystemExit(f"unexpected {answer.status_code}: {answer.content[:300]!r}")
        return answer.json()

    def bare(_: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(BARE, [granted])
            cursor.fetchall()

    second = page("/api/v1/runs")["next"]
    header(f"A list of 50 out of {RUNS:,} runs, {GRANTED} of {WORKFLOWS} workflows, {how}, in milliseconds")
    alone = measured("the bare statement", bare, ROUNDS)
    show(alone)
    for name, address in (
        ("GET /api/v1/runs", "/api/v1/runs"),
        ("its second page", second),
        ("?status=running", "/api/v1/runs?status=running"),
        ("?workflow=w-7", "/api/v1/runs?workflow=w-7"),
    ):
        show(measured(name, lambda _, address=address: page(address), ROUNDS), beside=alone, bar=BAR_MS)


def main() -> None:
    for old, how in ((False, "all of them busy"), (True, "those whose last run is longest ago")):
        with own_database("lists"):
            halden = company()
            reading(halden, seed(halden, old=old), how)
            from django.db import connections

            connections.close_all()
            connections["default"].close_pool()


if __name__ == "__main__":
    main()
