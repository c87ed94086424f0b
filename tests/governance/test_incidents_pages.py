"""The pages about incidents and safeguards: what each person sees, and what the forms do or refuse."""

from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from agents.models import Agent, System
from governance import operations
from governance.models import Incident, SafeguardRule, SystemGuard
from governance.operations import CircuitChange, Question, SafeguardChange
from governance.operations.incidents import open_incident
from governance.rules.breaking import DEFAULTS, Fuse


@pytest.fixture
def stopped(robot: Any, halden: Any, now: Any) -> Incident:
    """The payments clerk asked twice for what nobody may, and is in quarantine."""
    change = SafeguardChange("payments-clerk", replace(DEFAULTS, denials=2))
    operations.set_safeguards(change, by=halden.people["ingrid"], at=now, why="Agreed in the council.")
    for number in range(2):
        asked = {"action": f"unknown.{number}", "resource": {"type": "x", "id": "1"}, "context": {}}
        assert robot("AP-04").call("post", "actions", asked).json()["effect"] == "deny"
    return Incident.objects.get()


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content
    return str(answer.content.decode())


def tag_of(page: str) -> str:
    """The state in which the page was read."""
    return unescape(page.partition('name="tag" value="')[2].partition('"')[0])


def test_daniel_is_told_reads_what_happened_and_lets_the_clerk_work_again(stopped: Incident, sign_in: Any) -> None:
    daniel = sign_in("daniel")
    assert "1 incident waits for a person." in text(daniel.get("/"))
    assert f"/incidents/{stopped.uid}" in text(daniel.get("/agents/AP-04"))
    listed = text(daniel.get("/incidents"))
    assert "Agent in quarantine: AP-04" in listed
    assert "Denied 2 times within 10 minutes" in listed

    page = text(daniel.get(f"/incidents/{stopped.uid}"))
    for words in ("unknown.1", "opened an incident", "paused AP-04", "Let AP-04 work again", "leave AP-04 paused"):
        assert words in page, words
    told = {"tag": tag_of(page), "why": "A wrong list."}
    assert "Say why." in text(daniel.post(f"/incidents/{stopped.uid}/release", {**told, "why": ""}), 400)
    assert daniel.post(f"/incidents/{stopped.uid}/release", told).status_code == 302

    after = text(daniel.get(f"/incidents/{stopped.uid}"))
    assert "works again as before" in after
    assert "“A wrong list.”" in after
    assert "incident waits" not in text(daniel.get("/"))
    assert Agent.objects.get(code="AP-04").status == "active"


def test_who_read_it_before_somebody_else_resolved_it_changes_nothing(stopped: Incident, sign_in: Any) -> None:
    daniel, maria = sign_in("daniel"), sign_in("maria")
    told = {"tag": tag_of(text(daniel.get(f"/incidents/{stopped.uid}"))), "why": "Late."}
    assert maria.post(f"/incidents/{stopped.uid}/keep", {**told, "why": "Hijacked."}).status_code == 302

    assert "Somebody resolved this incident meanwhile" in text(
        daniel.post(f"/incidents/{stopped.uid}/release", told), 409
    )
    assert Agent.objects.get(code="AP-04").status == "paused"
    assert Incident.objects.get().outcome == "kept"


def test_each_person_sees_what_is_theirs(stopped: Incident, sign_in: Any) -> None:
    address = f"/incidents/{stopped.uid}"
    for name in ("jonas", "ingrid", "maria"):
        person = sign_in(name)
        assert "Let AP-04 work again" in text(person.get(address)), name
        assert "1 incident waits for a person." in text(person.get("/")), name
    for name in ("edith", "priya", "sofia"):
        person = sign_in(name)
        assert "You may read this incident, not resolve it." in text(person.get(address)), name
        assert "incident waits" not in text(person.get("/")), name
        assert person.post(f"{address}/release", {"why": "Please."}).status_code == 403, name
    assert sign_in("tomasz").get(address).status_code == 404
    assert "They have stopped nothing." in text(sign_in("tomasz").get("/incidents"))


def test_who_may_not_reads_who_may_let_work_in_circles_go_on(halden: Any, sign_in: Any, now: Any) -> None:
    clerk = Agent.objects.get(code="AP-04")
    clerk.stand_in = halden.people["sofia"]
    clerk.save(update_fields=["stand_in"])
    loop, _ = open_incident(Incident.Kind.LOOP, "agent:AP-04", why="The same question 21 times.", at=now, agent=clerk)

    told = text(sign_in("edith").get(f"/incidents/{loop.uid}"))

    who = f"So can {clerk.accountable}, who answers for it, and {clerk.stand_in}, who stands in."
    assert who in unescape(told)
    assert "Let it go on?" in text(sign_in("sofia").get(f"/incidents/{loop.uid}"))


def test_the_resume_of_the_profile_closes_the_incident(stopped: Incident, sign_in: Any) -> None:
    maria = sign_in("maria")
    assert "closed with it" in text(maria.get("/agents/AP-04?ask=resume"))
    assert maria.post("/agents/AP-04/resume", {"why": "The list was wrong."}).status_code == 302
    assert Incident.objects.get().outcome == "released"
    assert "In quarantine" not in text(maria.get("/agents/AP-04"))


def test_filters_leave_only_what_is_asked_for(stopped: Incident, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    for query, found in (
        ("status=open", True), ("status=resolved", False), ("agent=AP-04", True), ("agent=AP-01", False),
        ("unit=finance", True), ("unit=procurement", False), ("kind=loop", False), ("before=x", True),
    ):  # fmt: skip
        assert (str(stopped.uid) in text(ingrid.get(f"/incidents?{query}"))) is found, query


def test_resolved_incidents_are_read_page_by_page(stopped: Incident, sign_in: Any, halden: Any, now: Any) -> None:
    operations.release(stopped, by=halden.people["daniel"], at=now, why="A drill.")
    old = {"kind": "loop", "unit": stopped.unit, "agent": stopped.agent, "opened_at": now, "status": "resolved"}
    Incident.objects.bulk_create(Incident(about=f"run:{n}", why=f"Number {n}.", **old) for n in range(120))

    ingrid, seen, query = sign_in("ingrid"), set[str](), ""
    while True:
        page = text(ingrid.get(f"/incidents{query}"))
        seen |= {n for n in map(str, range(120)) if f"Number {n}." in page}
        following = unescape(page.partition('href="?')[2].partition('"')[0])
        if "before=" not in following:
            break
        query = f"?{following}"
    assert len(seen) == 120


# --- safeguards -----------------------------------------------------------------------------------------------------
def test_ingrid_changes_the_limits_of_a_role_and_drops_them_again(halden: Any, sign_in: Any) -> None:
    ingrid, address = sign_in("ingrid"), "/safeguards/limits/payments-clerk"
    assert address in text(ingrid.get("/safeguards"))
    page = text(ingrid.get(address))
    limits = dict.fromkeys(("no_progress", "steps", "at_once", "attempts", "run_minutes", "rate_factor"), "")
    limits |= {"repeats": "3", "denials": "9", "hijack_signs": "2", "window_minutes": "5"}
    told = {**limits, "tag": tag_of(page), "why": "Agreed in the council."}

    assert "Nothing was saved" in text(ingrid.post(address, {**told, "repeats": "0"}), 400)
    assert "Nothing was saved" in text(ingrid.post(address, {**told, "why": ""}), 400)
    assert ingrid.post(address, told).status_code == 302
    assert "changed these settings meanwhile" in text(ingrid.post(address, {**told, "repeats": "7"}), 409)

    rule = SafeguardRule.objects.get()
    assert (rule.role, rule.repeats, rule.no_progress, rule.changed_by) == (
        "payments-clerk", 3, None, halden.people["ingrid"],
    )  # fmt: skip
    assert "Agreed in the council." in text(ingrid.get("/safeguards"))
    drop = {"tag": tag_of(text(ingrid.get(address))), "why": "As usual."}
    assert ingrid.post(f"{address}/drop", {**drop, "tag": "old"}).status_code == 409
    assert ingrid.post(f"{address}/drop", drop).status_code == 302
    assert not SafeguardRule.objects.exists()


@pytest.mark.parametrize("name", ["daniel", "jonas", "maria", "edith", "sofia"])
def test_who_does_not_set_safeguards_reads_them(name: str, halden: Any, sign_in: Any) -> None:
    person = sign_in(name)
    page = text(person.get("/safeguards"))
    assert "The same question again" in page
    assert "/safeguards/limits/" not in page
    assert person.get("/safeguards/limits/everybody").status_code == 403
    assert person.post("/safeguards/limits/everybody/drop", {"why": "No."}).status_code == 403


def test_a_system_that_fails_is_shown_and_let_through_again(halden: Any, sign_in: Any, now: Any) -> None:
    change = CircuitChange(System.objects.get(code="payables"), Fuse(at_least=1), is_untrusted=False)
    operations.set_circuit(change, by=halden.people["ingrid"], at=now, why="It fails a lot.")
    known = {"seller": "Kessler", "order_matched": True, "findings": 0, "bank_changed_days": 400}
    question = Question(
        action="invoice.pay", resource={"type": "invoice", "id": "1", "properties": known},
        context={"amount": "10.00", "currency": "EUR"}, request_key="k",
    )  # fmt: skip
    operations.report(operations.decide(question, agent=halden.agents["AP-04"], at=now), failed=True, at=now)
    incident = Incident.objects.get()

    jonas, address = sign_in("jonas"), "/safeguards/circuits/payables"
    page = text(jonas.get(address))
    assert "Calls are denied." in page
    assert "Let calls through again" in page
    assert "When it is left alone" not in page, "the council says that"
    assert f"/incidents/{incident.uid}" in text(jonas.get("/safeguards"))
    assert "Let calls through again" not in text(sign_in("maria").get(address)), "she manages finance, not its systems"
    told = {"tag": tag_of(page), "why": "The bank is back."}
    assert jonas.post(f"/incidents/{incident.uid}/release", told).status_code == 302
    assert SystemGuard.objects.get().status == "closed"

    ingrid = sign_in("ingrid")
    settings = {"percent": "20", "at_least": "9", "window_minutes": "5", "cool_down_seconds": "30", "trials": "1"}
    told = {**settings, "is_untrusted": "on", "tag": tag_of(text(ingrid.get(address))), "why": "Money."}
    assert "Nothing was saved" in text(ingrid.post(address, {**told, "percent": "101"}), 400)
    assert ingrid.post(address, told).status_code == 302
    assert ingrid.post(address, {**told, "percent": "30"}).status_code == 409
    guard = SystemGuard.objects.get()
    assert (guard.percent, guard.at_least, guard.is_untrusted) == (20, 9, True)
