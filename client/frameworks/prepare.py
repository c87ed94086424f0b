"""For `manage.py shell`: the Halden Group, a workflow of one step for its agent AP-04, and a key on the screen."""

import sys
from pathlib import Path

from agents.models import Agent, Principal, Unit
from agents.operations import grant, issue_key
from autonomy_site.demo import company
from governance.models import EscalationPath
from observability.ledger import SYSTEM, database_now
from workflows.models import Space
from workflows.operations import publish

at = database_now()
if not company.is_built():
    built = company.build(at)
    print(f"Priya signs in as priya with the password {built.passwords['priya']}", file=sys.stderr)

finance, clerk = Unit.objects.get(code="finance"), Agent.objects.get(code="AP-04")
version = publish(
    "pay-invoice",
    Path("client/frameworks/pay-invoice.bpmn").read_bytes(),
    by=SYSTEM,
    at=at,
    unit=finance,
    owner=Principal.objects.get(username="maria"),
    incident_path=EscalationPath.objects.get(key="document-desk"),
)
sellers, _ = Space.objects.get_or_create(code="sellers", defaults={"name": "Sellers", "unit": finance})
for permission, row in (
    ("workflows.start_workflow", version.workflow),
    ("workflows.work_in_workflow", version.workflow),
    ("workflows.write_space", sellers),
):
    grant(permission, clerk.principal, row, by=SYSTEM, at=at)
print(issue_key(clerk, by=SYSTEM, at=at))
