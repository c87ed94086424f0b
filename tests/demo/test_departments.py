"""The other units of the demo: their policies pass their own tests, and decide what their agents ask."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.operations import issue_key
from autonomy_site.demo import departments
from autonomy_site.demo.company import FOLDER
from autonomy_site.demo.desks import crew
from governance import operations as governance
from governance.models import Decision, Escalation, PolicyVersion
from governance.operations import policies
from governance.rules import parse_policy
from governance.rules.analysis import WRONG
from governance.rules.coverage import not_hit
from governance.rules.texts import read_text
from observability import ledger

FILES = sorted((FOLDER / "policies").glob("*.yaml"))
ANSWERS = {
    "V-2041": ("allow", "vo-activate"), "V-2042": ("escalate", "vo-risk"), "V-2043": ("deny", "vo-sanctions"),
    "V-2044": ("deny", "vo-papers"), "V-2007": ("escalate", "vo-bank"),
    "R-311": ("allow", "rf-allow"), "R-312": ("allow", "rf-allow"), "R-313": ("escalate", "rf-large"),
    "R-314": ("escalate", "rf-often"), "R-315": ("deny", ""), "R-316": ("allow", "rf-allow"),
    "S-88012": ("allow", "sr-allow"), "S-88013": ("escalate", "sr-cost"), "S-88014": ("deny", "sr-hazardous"),
    "S-88015": ("deny", ""),
}  # fmt: skip


@pytest.fixture
def wide(halden: Any, now: Any) -> Any:
    """The Halden Group as the demo shows it; the agents of the other units have keys too."""
    departments.build(now)
    crew.build(now)
    for code in departments.CREW:
        agent = departments.Agent.objects.get(code=code)
        halden.keys[code] = issue_key(agent, by=ledger.SYSTEM, at=now)
    return halden


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_each_policy_passes_its_tests_and_each_rule_applies_in_one(file: Path) -> None:
    document = read_text(file.read_text())
    results = policies.tests_of(document)

    assert [result for result in results if not result.passed] == []
    assert not_hit(parse_policy(document, policies.decision_schema()), results) == ()


@pytest.mark.usefixtures("wide")
def test_nothing_is_wrong_in_the_rules_of_all_units_together() -> None:
    in_force = PolicyVersion.objects.filter(status="active").values_list("policy__key", flat=True)
    assert set(in_force) == {
        "finance.invoice-payment", "procurement.vendor-onboarding", "service.refund", "logistics.shipment-rebooking",
        "service.ticket-reply", "finance.report-send",
    }  # fmt: skip
    assert [finding for finding in governance.analyse_all() if finding.sort in WRONG] == []


@pytest.mark.usefixtures("wide")
def test_the_first_questions_get_every_kind_of_answer(robot: Any) -> None:
    for asked in departments.QUESTIONS:
        answer = robot(asked[0]).call("post", "actions", departments.question(asked))
        assert answer.status_code == 200, answer.content

    said = {row.request["resource"]["id"]: row for row in Decision.objects.order_by("pk")}
    assert {number: (row.effect, row.rule or "") for number, row in said.items()} == ANSWERS
    assert Counter(row.path.key for row in Escalation.objects.select_related("path")) == {
        "risk-officer": 1, "vendor-call-back": 1, "service-lead": 2, "logistics-duty": 1,
    }  # fmt: skip


@pytest.mark.usefixtures("wide")
def test_the_refunds_of_a_day_end_with_its_budget(robot: Any) -> None:
    clerk = robot("CS-05")
    effects = []
    for number in range(8):
        asked = departments.question(departments.QUESTIONS[11])
        asked["resource"]["id"] = f"R-{400 + number}"
        effects.append(clerk.call("post", "actions", asked).json()["effect"])

    assert effects[0] == "allow"
    assert "allow" not in effects[3:], "more than half of what is left asks, and what is above the budget is denied"


@pytest.mark.usefixtures("wide")
def test_a_list_of_the_company_is_read_by_its_rules(sign_in: Any, robot: Any) -> None:
    asked = departments.question(departments.QUESTIONS[12])
    asked["resource"]["properties"]["goods"]["hazardous"] = True
    assert robot("SC-07").call("post", "actions", asked).json()["effect"] == "allow"

    body = {"items": ["DHL"], "reason": "The contract with DSV ended."}
    assert sign_in("ingrid").call("patch", "value-lists/core_carriers", body, match="*").status_code == 200

    asked["resource"]["id"] = "S-88099"
    assert robot("SC-07").call("post", "actions", asked).json()["rule"] == "sr-hazardous"
