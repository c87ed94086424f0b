"""People look at agents: who works here, what one may do, pausing it, its keys."""

import re
from typing import Any

import pytest

from agents.models import Agent, Key
from observability.models import Event


def words(lines: Any) -> list[str]:
    return [f"{line.words}: {', '.join(line.conditions) or line.note}".removesuffix(": ") for line in lines]


def test_a_person_sees_the_agents_of_their_units(sign_in: Any) -> None:
    seen = {name: sign_in(name).get("/agents").context["rows"] for name in ("maria", "edith")}

    assert [row.agent.code for row in seen["maria"]] == ["AP-01", "AP-02", "AP-04", "RK-01"]
    assert len(seen["edith"]) == 8


def test_filters_stand_in_the_address(sign_in: Any, halden: Any) -> None:
    edith = sign_in("edith")

    unit = f"unit={halden.units['finance'].pk}"
    for query, count in {"q=clerk": 1, "q=AP-0": 3, "state=draft": 4, "state=idle": 4, unit: 4, "unit=x": 0}.items():
        assert len(edith.get(f"/agents?{query}").context["rows"]) == count, query


def test_an_agent_with_a_step_in_hand_is_working(robot: Any, sign_in: Any) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    reader.claim()

    rows = {row.agent.code: row for row in sign_in("maria").get("/agents").context["rows"]}

    assert (rows["AP-01"].state, rows["AP-01"].load) == ("working", 1)
    assert rows["AP-02"].state == "idle"


def test_the_profile_says_what_the_payments_clerk_may_do(sign_in: Any) -> None:
    access = sign_in("maria").get("/agents/AP-04").context["access"]

    assert words(access.alone) == [
        "Pay an invoice: Currency is EUR, Amount above 0",
        "Take steps of Invoice to payment",
        "Read in Accounts payable",
    ]
    assert "Pay an invoice: Amount above 25,000" in words(access.asks)
    assert "Pay an invoice: Amount above 5,000, Amount at most 25,000" in words(access.asks)
    assert words(access.never)[0].startswith("Pay an invoice: (Findings above 0 or Order matches: no)")
    cells = {cell.word: cell for cell in access.table[0].cells}
    assert {word: (cell.effect, cell.origin) for word, cell in cells.items()} == {
        "read": ("allow", "grant"), "create": ("deny", "none"), "change": ("deny", "none"),
        "pay": ("escalate", "policy"), "send": ("deny", "none"),
    }  # fmt: skip
    assert [bound.rule.id for bound in cells["pay"].rules] == ["ip-bank-changed", "ip-large", "ip-limit"]
    assert cells["pay"].grant.event.actor_name == "Autonomy OS"


def test_an_agent_whose_role_no_rule_allows_never_pays(sign_in: Any) -> None:
    access = sign_in("maria").get("/agents/AP-01").context["access"]

    assert words(access.never) == [
        "Pay an invoice: No rule allows it to this agent.",
        "Create, change or send in Accounts payable: No right was given.",
    ]
    assert words(access.asks) == []
    assert {cell.word: cell.effect for cell in access.table[0].cells}["pay"] == "deny"


def test_boundaries_follow_a_new_version_of_the_policy(sign_in: Any, halden: Any) -> None:
    Agent.objects.filter(code="AP-04").update(autonomy_level=1)

    access = sign_in("maria").get("/agents/AP-04").context["access"]

    assert words(access.never)[0] == "Pay an invoice: No rule allows it to this agent.", "level 2 is asked for"


def test_maria_pauses_an_agent_with_a_reason_and_lets_it_work_again(sign_in: Any, robot: Any) -> None:
    maria = sign_in("maria")

    assert "A reason is needed." in maria.post("/agents/AP-04/pause", {"why": " "}).content.decode()
    assert maria.post("/agents/AP-04/pause", {"why": "Odd payments."}).status_code == 302
    assert robot("AP-04").call("post", "work/claim", {}).status_code == 403
    assert "Let it work again" in maria.get("/agents/AP-04").content.decode()
    assert maria.post("/agents/AP-04/resume", {"why": "Looked at."}).status_code == 302

    assert Agent.objects.get(code="AP-04").status == "active"
    assert Event.objects.get(verb="agent.paused").why == "Odd payments."
    assert "Odd payments." in maria.get("/agents/AP-04?tab=audit").content.decode()


def test_who_may_not_pause_sees_no_button_and_is_refused(sign_in: Any) -> None:
    sofia = sign_in("sofia")

    assert "?ask=pause" not in sofia.get("/agents/AP-04").content.decode()
    assert sofia.post("/agents/AP-04/pause", {"why": "No."}).status_code == 403
    assert Agent.objects.get(code="AP-04").status == "active"


def test_a_new_key_is_shown_once_and_works(sign_in: Any, robot: Any) -> None:
    jonas = sign_in("jonas")

    answer = jonas.post("/agents/AP-04/keys")
    found = re.search(r"aos_live_[0-9a-f]{12}_[\w-]{32,}", answer.content.decode())

    assert found
    assert answer["Cache-Control"] == "no-store"
    clerk = robot("AP-04")
    clerk.key = found[0]
    assert clerk.call("get", "me").status_code == 200
    for tab in ("", "?tab=keys", "?tab=audit"):
        page = jonas.get(f"/agents/AP-04{tab}").content.decode()
        assert found[0] not in page
        assert not re.search(r"aos_live_[0-9a-f]{12}_", page)


def test_a_revoked_key_opens_nothing(sign_in: Any, robot: Any, halden: Any) -> None:
    jonas, key = sign_in("jonas"), Key.objects.get(agent__code="AP-04")

    assert f"ask={key.prefix}" in jonas.get("/agents/AP-04?tab=keys").content.decode()
    assert jonas.post(f"/agents/AP-04/keys/{key.prefix}/revoke", {"why": "Lost."}).status_code == 302

    assert robot("AP-04").call("get", "me").status_code == 401
    assert jonas.post(f"/agents/AP-04/keys/{key.prefix}/revoke").status_code == 409
    other = Key.objects.get(agent__code="AP-01")
    assert jonas.post(f"/agents/AP-04/keys/{other.prefix}/revoke").status_code == 404


@pytest.mark.parametrize("path", ["keys", "keys/abc/revoke"])
def test_maria_may_not_touch_keys(path: str, sign_in: Any) -> None:
    before = Key.objects.count()

    assert sign_in("maria").post(f"/agents/AP-04/{path}").status_code in (403, 404)
    assert Key.objects.count() == before


def test_agents_of_another_unit_are_not_found(sign_in: Any) -> None:
    lukas = sign_in("lukas")

    for path in ("", "?tab=work", "?tab=keys"):
        assert lukas.get(f"/agents/AP-04{path}").status_code == 404
    assert lukas.post("/agents/AP-04/pause", {"why": "x"}).status_code == 404
    assert sign_in("maria").get("/agents/AP-04?tab=odd").status_code == 404


def test_the_work_tab_shows_the_agents_own_words_as_such(robot: Any, sign_in: Any) -> None:
    reader = robot("AP-01")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "2026-1", "input": {"document": "1.xml"}})
    reader.finish(reader.claim(), readable=False)

    page = sign_in("maria").get("/agents/AP-01?tab=work").content.decode()

    assert "“Done.”" in page
    assert "Stated by the agent." in page
