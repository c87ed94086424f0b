"""The profile of a digital employee: each figure opens its rows, each answer says where it comes from."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import operations as agents
from agents.models import Agent
from autonomy_site.demo.company import FOLDER, set_budgets
from governance import operations
from governance.charts import EvidenceTable, Figure
from governance.models import Decision, Escalation
from governance.operations import demote
from governance.rules.texts import read_text
from observability import ledger
from tests.invoices import ask_to_pay, bring, question
from workflows.models import Fact, Run, Space

TABS = ("", "autonomy", "work", "decisions", "access", "memory", "keys", "audit")


def pay(robot: Any, number: str, amount: str) -> dict[str, Any]:
    """An invoice that the clerk asks about; its work in hand."""
    bring(robot, number, amount=amount)
    work: dict[str, Any] = robot("AP-04").claim()
    assert robot("AP-04").call("post", "actions", question(work, amount)).status_code == 200
    return work


@pytest.fixture
def busy(robot: Any, sign_in: Any) -> None:
    """A clerk that paid one alone, failed with one, was approved, rejected, and approved and undone; one waits."""
    clerk, priya = robot("AP-04"), sign_in("priya")
    clerk.finish(pay(robot, "2026-1", "100.00"), paid=True, message_id="M", file="f.xml")
    failing = pay(robot, "2026-2", "200.00")
    body = {"lease_token": failing["lease_token"], "reason": "The bank is closed.", "retryable": False}
    assert clerk.call("post", f"steps/{failing['step']}/fail", body).status_code == 200
    for number, answer in (("2026-3", "approve"), ("2026-4", "reject"), ("2026-5", "approve")):
        asked = ask_to_pay(robot, number)
        said = {"request_sha256": asked.request_sha256}
        said |= {"reason": "Paid by card.", "reason_code": "duplicate"} if answer == "reject" else {}
        assert priya.call("post", f"escalations/{asked.uid}/{answer}", said).status_code == 200
        if number == "2026-5":
            assert sign_in("maria").post(f"/runs/{asked.run}/cancel", {"why": "The wrong account."}).status_code == 302
            continue
        work = clerk.claim()
        if answer == "approve":
            assert clerk.call("post", "actions", question(work, "9000.00")).json()["effect"] == "allow"
        assert clerk.finish(work, paid=answer == "approve", message_id="M", file="f.xml").status_code == 200
    ask_to_pay(robot, "2026-6")
    while ledger.seal():
        pass


def listed(page: Any) -> int:
    """How many rows a list shows, whichever list it is."""
    rows = page.context["rows"]
    assert page.context.get("narrowed_count") in (None, len(rows))
    return len(rows)


def figures(table: EvidenceTable) -> Iterator[Figure]:
    """All figures that open rows."""
    for row in table.rows:
        yield from (figure for figure in row.figures if figure.url)
    yield from (figure for _, figure in table.steps if figure.url)


@pytest.mark.parametrize("name", ["maria", "ingrid", "edith"])
def test_each_figure_of_the_evidence_opens_exactly_its_rows(name: str, busy: None, sign_in: Any) -> None:
    visitor = sign_in(name)
    table = visitor.get("/agents/AP-04?tab=autonomy").context["evidence"]

    opened = {}
    for figure in figures(table):
        split = urlsplit(figure.url)
        count = int(figure.text.partition(" ")[0])
        assert listed(visitor.get(f"{split.path}?{split.query}")) == count, figure
        opened[figure.url.partition("&from")[0]] = count

    assert table.rows[0].label == "Pay an invoice"
    assert sorted(opened.values()) == [1, 1, 2, 2, 2, 3, 3], opened


def test_the_evidence_is_what_a_second_count_of_all_rows_gives(busy: None, sign_in: Any) -> None:
    total = sign_in("maria").call("get", "agents/AP-04/evidence").json()["total"]

    mine = [each for each in Escalation.objects.all() if each.agent and each.agent.code == "AP-04"]
    decided = [each for each in mine if each.kind == "action" and each.status in ("approved", "rejected")]
    bad = {run.uid.hex for run in Run.objects.all() if run.status in ("failed", "cancelled")}
    undone = [each for each in decided if each.status == "approved" and each.run.replace("-", "") in bad]
    alone = [each for each in Decision.objects.all() if each.effect == "allow" and "approval" not in each.facts]
    assert (total["decided"], total["rejected"], total["undone"], total["alone"]) == (
        len(decided), len([each for each in decided if each.status == "rejected"]), len(undone), len(alone),
    )  # fmt: skip
    assert (total["decided"], total["overruled"], total["alone"], total["failed"], total["acted"]) == (3, 2, 2, 1, 3)


def test_after_a_demotion_the_figures_open_what_came_later(busy: None, robot: Any, sign_in: Any, halden: Any) -> None:
    maria = sign_in("maria")
    demote(Agent.objects.get(code="AP-04"), by=halden.people["maria"], at=ledger.database_now(), why="Too fast.")

    page = maria.get("/agents/AP-04?tab=autonomy")

    assert "after it lost a level" in page.content.decode()
    assert page.context["evidence"].warning.startswith("People decided no question")
    steps = dict(page.context["evidence"].steps)
    split = urlsplit(steps["Steps finished"].url)
    assert (steps["Steps finished"].text, listed(maria.get(f"{split.path}?{split.query}"))) == ("0", 0)
    assert 'type="datetime-local"' in maria.get(f"{split.path}?{split.query}").content.decode()


def test_the_tiles_open_the_runs_it_worked_in(busy: None, sign_in: Any) -> None:
    maria = sign_in("maria")
    tiles = {tile.label: tile for tile in maria.get("/agents/AP-04").context["results"]}

    assert tiles["Throughput"].parts == (("3", "runs"),)
    assert maria.get(tiles["Throughput"].url).context["count"] == 3
    assert "vs manual 7 h 45 m" in tiles["Median cycle time"].versus, "the baseline of its only workflow"
    assert (tiles["Overruled"].parts, tiles["Overruled"].versus) == ((("66.7", "%"),), "2 of 3 that people decided")
    assert listed(maria.get(tiles["Overruled"].url)) == 2


def test_limits_today_come_from_policies_and_decisions(robot: Any, sign_in: Any) -> None:
    maria = sign_in("maria")
    (before,) = maria.get("/agents/AP-04").context["limits"]
    pay(robot, "2026-1", "3900.00")
    (calm,) = maria.get("/agents/AP-04").context["limits"]
    pay(robot, "2026-2", "4100.50")
    page = maria.get("/agents/AP-04")
    (near,) = page.context["limits"]

    assert (before.largest, before.count, before.sums) == (None, 0, ())
    assert (str(calm.limit.most), calm.bound.rule.id, calm.percent, calm.is_near) == ("5000", "ip-limit", 78, False)
    assert (near.count, near.percent, near.is_near) == (2, 82, True)
    assert [(currency, str(total)) for currency, total in near.sums] == [("EUR", "8000.50")]
    text = page.content.decode()
    assert "Near the limit." in text
    assert "EUR 8,000.50 in all" in text
    assert listed(maria.get("/agents/AP-04?tab=decisions&answer=alone&action=invoice.pay")) == 2


def test_an_agent_without_limits_is_told_so(sign_in: Any) -> None:
    assert "No policy in force limits a number" in sign_in("maria").get("/agents/AP-01").content.decode()


def test_the_profile_says_how_far_each_budget_of_the_agent_is_used(
    halden: Any, robot: Any, question: Any, sign_in: Any, now: Any
) -> None:
    set_budgets(halden, now)
    assert robot("AP-04").call("post", "actions", question(amount="1210.50")).json()["effect"] == "allow"

    page = sign_in("maria").get("/agents/AP-04")

    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))
    assert "Payments of AP-04 in a day EUR 1,210.50 of EUR 2,000,000.00" in text
    assert "Calls of each run at most 200 calls Each run has its own." in text
    assert "Payments of AP-04" not in sign_in("maria").get("/agents/AP-01").content.decode()


def test_each_answer_of_the_matrix_says_where_it_comes_from(sign_in: Any) -> None:
    text = re.sub(r"<[^>]+>", " ", sign_in("maria").get("/agents/AP-04?tab=access").content.decode())
    text = re.sub(r"\s+", " ", text)

    assert re.search(r"Allowed given by Autonomy OS, \d+ \w+ \d{4}", text)
    assert "rules ip-bank-changed , ip-large , ip-limit right by Autonomy OS" in text
    assert "Denied no right was given" in text
    text = sign_in("maria").get("/agents/AP-01?tab=access").content.decode()
    assert "no rule allows it" in text


def test_rules_of_policies_of_another_unit_are_told_without_content(
    halden: Any, robot: Any, sign_in: Any, now: Any
) -> None:
    document = read_text((FOLDER / "policies" / "invoice_payment.yaml").read_text())
    terms = {"effect": "escalate", "reason": "Covert.", "escalate": {"path": "treasury", "sla": "3h"}}
    rules = [{"id": f"covert-{most}", "when": f"context.amount > {most}", **terms} for most in (3600, 3700)]
    document |= {"key": "covert.policy", "title": "Covert", "tests": [], "rules": rules}
    version = operations.add_policy(
        document, unit=halden.units["procurement"], owner=halden.people["maria"], by=ledger.SYSTEM, at=now
    )
    operations.activate(version, by=ledger.SYSTEM, at=now)
    priya, daniel, clerk = sign_in("priya"), sign_in("daniel"), robot("AP-04")

    profile, table = priya.get("/agents/AP-04"), priya.get("/agents/AP-04?tab=access").content.decode()
    told = priya.call("get", "agents/AP-04/boundaries")

    for text in (profile.content.decode(), table, told.content.decode()):
        assert "covert" not in text.lower() and "3,600" not in text and "3,700" not in text
    assert [str(each.limit.most) for each in profile.context["limits"]] == ["5000"]
    assert profile.content.decode().count("A rule of another unit says so") == 1, "one line for both"
    assert "a rule of another unit" in re.sub(r"<[^>]+>", " ", table)
    line = {"what": "Pay an invoice", "conditions": [], "rule": None}
    line |= {"note": "A rule of another unit says so, on its own terms."}
    for answer in (told, clerk.call("get", "agents/AP-04/boundaries")):
        assert answer.json()["must_ask"].count(line) == 1
        cells = {cell["action"]: (cell["effect"], cell["origin"]) for cell in answer.json()["matrix"][0]["cells"]}
        assert cells["pay"] == ("escalate", "policy"), "the answer is the same for everybody"
    assert "covert-3600" in daniel.get("/agents/AP-04?tab=access").content.decode()
    assert "3600" in [str(each.limit.most) for each in daniel.get("/agents/AP-04").context["limits"]]


def test_the_memory_tab_tells_what_reuse_saved(robot: Any, sign_in: Any) -> None:
    matcher, scout = robot("AP-02"), robot("RK-01")
    fact = {"space": "orders", "key": "PO-1", "value": {"total": "9.00"}, "cost": "0.5", "seconds": "60"}
    assert matcher.call("post", "memory/facts", fact).status_code == 201
    assert scout.call("get", "memory/facts", {"space": "orders", "key": "PO-1"}).status_code == 200

    page = sign_in("maria").get("/agents/AP-02?tab=memory")
    used = sign_in("maria").get("/agents/RK-01?tab=memory")

    assert (page.context["totals"]["count"], page.context["totals"]["uses"]) == (1, 1)
    assert "1 m 00 s and €0.50" in page.content.decode()
    assert used.context["used"] == listed(sign_in("maria").get("/audit?who=RK-01&did=fact.reused")) == 1


def test_the_audit_tab_is_the_filtered_trail(busy: None, sign_in: Any) -> None:
    sign_in("maria").post("/agents/AP-04/pause", {"why": "Odd payments."})
    sign_in("jonas").post("/agents/AP-04/keys")
    maria = sign_in("maria")

    tab = [event.pk for event in maria.get("/agents/AP-04?tab=audit").context["page"].rows]
    trail = [row["event"] for row in maria.get("/audit?agent=AP-04").context["rows"]]

    assert tab == [event.pk for event in trail]
    verbs = {event.verb for event in trail}
    assert {"agent.paused", "key.issued", "step.finished", "decision.made"} <= verbs
    assert not any(event.actor_id in ("AP-01", "AP-02") for event in trail)


def test_filters_of_decisions_stand_in_the_address(busy: None, sign_in: Any) -> None:
    maria = sign_in("maria")
    wanted = {
        "": 7, "answer=deny": 0, "answer=escalate": 4, "answer=allow": 3, "action=mail.send": 0, "from=2199-01-01": 0,
        "answer=odd": 7, "from=yesterday": 7, "from=2026-99-99": 7, "to=2020-01-01": 0,
    }  # fmt: skip

    for query, count in wanted.items():
        assert maria.get(f"/agents/AP-04?tab=decisions&{query}").context["count"] == count, query


def test_nobody_sees_an_agent_of_another_unit_in_a_list(busy: None, sign_in: Any) -> None:
    lukas = sign_in("lukas")

    assert listed(lukas.get("/escalations?tab=done&agent=AP-04&answer=decided")) == 0
    assert listed(lukas.get("/audit?agent=AP-04")) == 0
    for tab in TABS:
        assert lukas.get(f"/agents/AP-04?tab={tab}").status_code == 404


def test_a_profile_costs_the_same_however_much_the_agent_did(
    busy: None, robot: Any, sign_in: Any, halden: Any, now: Any
) -> None:
    maria = sign_in("maria")
    pages = [f"/agents/AP-04?tab={tab}" for tab in TABS] + ["/agents/AP-04/promotion", "/autonomy"]
    maria.call("post", "agents/AP-04/promotions", {"reason": "It earned it."})
    grow(1, halden, robot, now)
    before = [queries(maria, page) for page in pages]

    for number in range(2, 5):
        grow(number, halden, robot, now)

    assert [queries(maria, page) for page in pages] == before
    assert max(before) <= 40, before


def grow(number: int, halden: Any, robot: Any, at: Any) -> None:
    """One more of everything that a profile shows."""
    clerk, finance = halden.agents["AP-04"], halden.units["finance"]
    pay(robot, f"2027-{number}", "50.00")
    ask_to_pay(robot, f"2028-{number}")
    space = Space.objects.create(code=f"s-{number}", name=f"Space {number}", unit=finance)
    Fact.objects.create(space=space, key="k", value={}, value_sha256="0" * 64, author=clerk, at=at)
    agents.grant("workflows.write_space", clerk.principal, space, by=ledger.SYSTEM, at=at)
    actions = [{"name": f"mail{number}.send", "label": f"Send {number}", "risk": 1}]
    system = agents.add_system(
        f"mail-{number}", f"Mail {number}", unit=finance, resource="mail", actions=actions, fields=[],
        by=ledger.SYSTEM, at=at,
    )  # fmt: skip
    agents.grant("agents.send_in_system", clerk.principal, system, by=ledger.SYSTEM, at=at)
    if number < 4:
        demote(Agent.objects.get(code="RK-01"), by=halden.people["daniel"], at=at, why="Odd.")


def queries(visitor: Any, address: str) -> int:
    """How many queries a page costs once it is warm."""
    visitor.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert visitor.get(address).status_code == 200
    return len(seen)
