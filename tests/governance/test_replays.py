"""Daniel sees what a draft would have changed before it decides: he replays the past, or lets it run in shadow."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from autonomy_site.demo.company import FOLDER
from governance import operations, tasks
from governance.models import Decision, Escalation, PolicyVersion, Replay, ReplayFlip, RuleBook, ShadowRuling
from governance.operations import policies
from governance.operations.replays import KEPT_FLIPS, STANDS_STILL
from governance.rules.texts import read_text
from observability import ledger
from observability.models import Event

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()
KEY = "finance.invoice-payment"
LOWER = TEXT.replace("context.amount > 5000 &&", "context.amount > 1000 &&").replace(
    "{name: small matched invoice, expect: {effect: allow, rule: ip-allow}}",
    "{name: small matched invoice, expect: {effect: escalate}}",
)
REPLAYS = f"policies/{KEY}/versions/2/replays"
PAGE = f"/policies/{KEY}/versions/2/replay"
SHADOW = f"/policies/{KEY}/versions/2/in-shadow"


@pytest.fixture
def daniel(sign_in: Any) -> Any:
    """Daniel, who wrote version 2 with a limit of 1,000."""
    someone = sign_in("daniel")
    kept = someone.call("post", "policies", {"text": LOWER})
    assert kept.status_code == 201, kept.content
    return someone


@pytest.fixture
def asked(robot: Any, question: Any) -> Any:
    """`asked("1210.50", "9000.00")` lets the payments clerk ask about these amounts."""

    def ask(*amounts: str) -> list[Any]:
        clerk = robot("AP-04")
        return [clerk.call("post", "actions", question(amount=amount)).json() for amount in amounts]

    return ask


def replayed(daniel: Any, days: int = 7) -> Any:
    """The replay that Daniel asked for, worked off."""
    return daniel.call("get", worked_off(daniel, days)).json()


def worked_off(daniel: Any, days: int = 7) -> str:
    """The address of the replay that Daniel asked for; it is done and nobody has read it."""
    asked_for = daniel.call("post", REPLAYS, {"days": days})
    assert asked_for.status_code == 201, asked_for.content
    assert (asked_for.json()["status"], asked_for.json()["result"]) == ("queued", None)
    assert tasks.run_replays() == 1
    return f"{REPLAYS}/{asked_for.json()['id']}"


def pairs(result: Any) -> dict[tuple[str, str], int]:
    """The places of the matrix where something is."""
    return {(cell["before"], cell["after"]): cell["decisions"] for cell in result["matrix"] if cell["decisions"]}


def test_daniel_sees_what_a_lower_limit_would_have_changed(daniel: Any, asked: Any) -> None:
    asked("500.00", "1210.50", "4999.99", "9000.00", "-1")

    done = replayed(daniel)

    result = done["result"]
    flips = daniel.call("get", f"{REPLAYS}/{done['id']}/decisions").json()["results"]
    assert [(each["agent"], each["before"], each["after"]) for each in flips] == [("AP-04", "allow", "escalate")] * 2
    assert flips[0]["at"] > flips[1]["at"] and flips[0]["rule_after"] == f"{KEY}@2#ip-limit"
    assert (done["status"], done["done"], done["not_ruled"], done["failure"]) == ("done", 5, 0, "")
    assert pairs(result) == {
        ("allow", "allow"): 1, ("allow", "escalate"): 2, ("escalate", "escalate"): 1, ("deny", "deny"): 1,
    }  # fmt: skip
    assert (result["decisions"], result["differ"], result["hidden"]) == (5, 2, 0)
    assert result["agents"] == [{"name": "AP-04", "decisions": 5, "differ": 2}]
    assert {line["name"]: line["differ"] for line in result["amounts"]} == {"b0": 0, "b1": 0, "b2": 2}
    assert [line["name"] for line in result["rules"]] == [f"{KEY}@1#ip-allow", f"{KEY}@2#ip-limit"]
    assert (result["reviewers"]["more"], result["reviewers"]["without_median"]) == (2, 2), "nobody decided anything yet"
    assert Escalation.objects.count() == 1, "a replay asks nobody"
    assert [event.verb for event in Event.objects.filter(subject_kind="replay").order_by("pk")] == [
        "replay.asked", "replay.started", "replay.finished", "replay.looked_at",
    ]  # fmt: skip


def test_the_version_in_force_gives_the_recorded_answers_again(sign_in: Any, asked: Any) -> None:
    asked("500.00", "5000.01", "25000.01", "0.00")
    daniel = sign_in("daniel")
    at = f"policies/{KEY}/versions/1/replays"

    uid = daniel.call("post", at, {"days": 7}).json()["id"]
    tasks.run_replays()

    assert daniel.call("get", f"{at}/{uid}").json()["result"]["differ"] == 0
    replay = Replay.objects.get()
    assert replay.result["changed_since"] == replay.result["moved"] == 0
    assert replay.rules_before == replay.rules_after == Decision.objects.all()[0].rule_set


def test_an_approval_of_then_counts_for_the_same_rule_of_the_draft(
    daniel: Any, bring: Any, robot: Any, question: Any, sign_in: Any
) -> None:
    bring()
    clerk = robot("AP-04")
    work = clerk.claim()
    clerk.call("post", "actions", question(work))
    waiting = Escalation.objects.open().get()
    body = {"request_sha256": waiting.request_sha256, "reason": "Checked."}
    assert sign_in("priya").call("post", f"escalations/{waiting.uid}/approve", body).status_code == 200
    assert clerk.call("post", "actions", question(clerk.claim())).json()["effect"] == "allow"

    result = replayed(daniel)["result"]

    assert pairs(result) == {("escalate", "escalate"): 1, ("allow", "allow"): 1}


def test_more_questions_cost_reviewers_the_median_time_of_their_path(
    daniel: Any, asked: Any, sign_in: Any, now: Any
) -> None:
    asked("9000.00", "9001.00", "2000.00", "3000.00")
    for minutes, waiting in zip((10, 20), Escalation.objects.open().order_by("pk"), strict=True):
        body = {"request_sha256": waiting.request_sha256, "reason": "Checked."}
        assert sign_in("priya").call("post", f"escalations/{waiting.uid}/approve", body).status_code == 200
        waiting.refresh_from_db()
        opened = waiting.settled_at - timedelta(minutes=minutes)
        Escalation.objects.filter(pk=waiting.pk).update(opened_at=opened)

    result = replayed(daniel)["result"]

    assert result["reviewers"] == {"more": 2, "fewer": 0, "minutes": "30.0", "without_median": 0}
    page = daniel.get(PAGE).content.decode()
    assert "Of 4 decisions 2 that were allowed would ask a person: about 30 minutes more of reviewers’ time." in page


def test_what_never_reached_the_rules_is_counted_apart(daniel: Any, asked: Any) -> None:
    asked("1210.50")
    assert daniel.post("/control", {"state": "paused", "why": "A drill."}).status_code in (200, 302)
    asked("1300.00")

    done = replayed(daniel)

    assert (done["done"], done["not_ruled"], done["result"]["decisions"]) == (2, 1, 1)


def test_the_page_leads_from_a_figure_to_its_decisions_and_to_both_reasons(daniel: Any, asked: Any) -> None:
    asked("500.00", "1210.50")
    assert daniel.post(PAGE, {"days": "7"}).status_code == 302
    assert "It begins as soon as a worker is free." in daniel.get(PAGE).content.decode()
    tasks.run_replays()

    whole = daniel.get(PAGE).content.decode()
    behind = daniel.get(PAGE, {"before": "allow", "after": "escalate"}).content.decode()
    nothing = daniel.get(PAGE, {"before": "deny", "after": "allow"}).content.decode()

    assert "Of 2 decisions 1 that was allowed would ask a person." in whole
    flip = ReplayFlip.objects.get()
    assert f"{PAGE}/{flip.decision.uid}" in behind and f"{PAGE}/{flip.decision.uid}" not in nothing
    both = daniel.get(f"{PAGE}/{flip.decision.uid}").content.decode()
    assert "A matched invoice in EUR, paid by the payments clerk." in both
    assert "1,210.5" in both and "above the limit of 5,000" in both
    assert both.count("ip-limit") >= 2, "the rule that now decides is explained on both sides"


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"rule": f"{KEY}@2#ip-limit"}, True), ({"rule": "none"}, False), ({"agent": "AP-04"}, True),
        ({"agent": "AP-01"}, False), ({"unit": "finance"}, True), ({"amount": "b2"}, True), ({"amount": "b0"}, False),
        ({"older": "0"}, True), ({"older": "x"}, True), ({"before": "nonsense"}, False),
    ],
)  # fmt: skip
def test_the_decisions_are_filtered_as_the_tables_say(daniel: Any, asked: Any, chosen: Any, found: bool) -> None:
    asked("1210.50")
    replayed(daniel)

    page = daniel.get(PAGE, chosen)

    assert page.status_code == 200
    assert (f"{PAGE}/{ReplayFlip.objects.get().decision.uid}" in page.content.decode()) is found


def test_that_somebody_looked_at_the_result_is_kept(daniel: Any, asked: Any, sign_in: Any) -> None:
    asked("1210.50")
    version = PolicyVersion.objects.get(policy__key=KEY, number=2)
    worked_off(daniel)
    assert not Replay.objects.looked_at(version)

    daniel.get(PAGE)
    sign_in("priya").get(PAGE)

    assert Replay.objects.looked_at(version)
    assert Replay.objects.get().looked_by.username == "daniel", "the first one counts"
    assert Event.objects.filter(verb="replay.looked_at").count() == 1


def test_whoever_reads_the_finished_result_by_a_program_looked_at_it(daniel: Any, asked: Any, sign_in: Any) -> None:
    asked("1210.50")
    version = PolicyVersion.objects.get(policy__key=KEY, number=2)
    waiting = f"{REPLAYS}/{daniel.call('post', REPLAYS, {'days': 7}).json()['id']}"
    assert daniel.call("get", waiting).json()["looked_at"] is None, "there is nothing to look at yet"
    daniel.call("get", REPLAYS)
    assert tasks.run_replays() == 1
    assert not Replay.objects.looked_at(version)

    told = daniel.call("get", waiting).json()
    sign_in("priya").call("get", waiting)

    assert Replay.objects.looked_at(version)
    assert told["looked_by"] == Replay.objects.get().looked_by.name
    assert Replay.objects.get().looked_by.username == "daniel", "the first one counts"
    assert Event.objects.filter(verb="replay.looked_at").count() == 1


def test_one_replay_of_a_version_at_a_time_and_cancelled_it_keeps_nothing(daniel: Any, asked: Any) -> None:
    asked("1210.50")
    first = daniel.call("post", REPLAYS, {"days": 7}).json()["id"]
    second = daniel.call("post", REPLAYS, {"days": 30})
    assert (second.status_code, second.json()["code"]) == (409, "replay_under_way")

    assert daniel.call("post", f"{REPLAYS}/{first}/cancel").json()["status"] == "cancelled"

    assert tasks.run_replays() == 0
    assert not ReplayFlip.objects.exists()
    assert daniel.call("post", f"{REPLAYS}/{first}/cancel").status_code == 409
    assert "was cancelled" in daniel.get(PAGE).content.decode()
    assert replayed(daniel, 30)["status"] == "done"


def test_cancelled_in_the_middle_it_stops_at_its_next_look(daniel: Any, asked: Any, halden: Any, now: Any) -> None:
    asked("1210.50")
    daniel.call("post", REPLAYS, {"days": 7})
    replay = Replay.objects.select_related("version__policy").get()
    assert operations.begin_replay(replay, at=now)
    operations.cancel_replay(Replay.objects.get(), by=halden.people["daniel"], at=now)

    assert operations.work_off(replay, clock=ledger.database_now) is False

    assert (Replay.objects.get().status, Replay.objects.get().result) == ("cancelled", {})
    assert not ReplayFlip.objects.exists()


def test_a_replay_whose_worker_is_gone_fails_and_a_second_worker_takes_none_twice(
    daniel: Any, asked: Any, now: Any
) -> None:
    asked("1210.50")
    daniel.call("post", REPLAYS, {"days": 7})
    replay = Replay.objects.select_related("version__policy").get()
    assert operations.begin_replay(replay, at=now)

    assert not operations.begin_replay(Replay.objects.get(), at=now)
    assert tasks.run_replays() == 0
    Replay.objects.update(seen_at=now - STANDS_STILL - timedelta(seconds=1))
    tasks.run_replays()

    assert (Replay.objects.get().status, "worker was lost" in Replay.objects.get().failure) == ("failed", True)
    assert "worker was lost" in daniel.get(PAGE).content.decode()


def test_what_cannot_be_replayed_is_refused_and_named(daniel: Any, sign_in: Any) -> None:
    for days in (0, 367, "x"):
        answer = daniel.call("post", REPLAYS, {"days": days})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "days")
    assert daniel.post(PAGE, {"days": "8"}).status_code == 400
    version = PolicyVersion.objects.get(policy__key=KEY, number=2)
    broken = {**version.document, "rules": [{**version.document["rules"][0], "when": "resource.gone > 1"}]}
    PolicyVersion.objects.filter(pk=version.pk).update(document=broken)

    answer = daniel.call("post", REPLAYS, {"days": 7})

    assert (answer.status_code, answer.json()["code"]) == (400, "policy_invalid")
    assert not Replay.objects.exists()


def test_who_may_not_write_the_policy_reads_and_starts_nothing(daniel: Any, asked: Any, sign_in: Any) -> None:
    asked("1210.50")
    replayed(daniel)
    priya, lukas = sign_in("priya"), sign_in("lukas")

    assert priya.call("post", REPLAYS, {"days": 7}).status_code == 403
    assert priya.get(PAGE).status_code == 200
    assert "Start a replay" not in priya.get(PAGE).content.decode()
    assert lukas.get(PAGE).status_code == lukas.call("get", REPLAYS).status_code == 404


def test_decisions_of_units_that_one_may_not_see_are_in_no_figure(
    daniel: Any, asked: Any, sign_in: Any, halden: Any
) -> None:
    asked("1210.50", "1211.50")
    replayed(daniel)
    clerk = halden.agents["AP-04"]
    type(clerk).objects.filter(pk=clerk.pk).update(unit=halden.units["procurement"])

    priya = sign_in("priya")
    page = priya.get(PAGE).content.decode()

    assert "2 more decisions of units that you may not see" in page
    assert "that were allowed" not in page and "AP-04" not in page
    assert priya.get(f"{PAGE}/{ReplayFlip.objects.all()[0].decision.uid}").status_code == 404
    uid = Replay.objects.get().uid
    assert priya.call("get", f"{REPLAYS}/{uid}").json()["result"]["hidden"] == 2


def test_of_very_many_that_differ_the_newest_are_kept_and_the_page_says_so(daniel: Any, asked: Any) -> None:
    asked("1210.50")
    replayed(daniel)
    replay = Replay.objects.get()
    Replay.objects.update(result={**replay.result, "flips": KEPT_FLIPS + 7, "flips_kept": KEPT_FLIPS})

    assert f"The newest 10000 of {KEPT_FLIPS + 7} decisions" in daniel.get(PAGE).content.decode().replace(",", "")


# --- budgets, worked out again --------------------------------------------------------------------------------
def of_a_day(at: Any) -> None:
    """A budget of EUR 6,000 a day for the payments clerk."""
    terms = operations.BudgetTerms(
        name="Payments of AP-04", scope="agent", about="AP-04", metric="money", period="day",
        hard_limit=Decimal(6_000), why="A drill.",
    )  # fmt: skip
    operations.open_budget(terms, by=ledger.SYSTEM, at=at)


def recounted(daniel: Any) -> Any:
    """The replay that works budgets out again, worked off."""
    uid = daniel.call("post", REPLAYS, {"days": 7, "recounts": True}).json()["id"]
    assert tasks.run_replays() == 1
    return daniel.call("get", f"{REPLAYS}/{uid}").json()


def test_what_the_draft_would_not_have_allowed_leaves_its_budget_to_others(daniel: Any, asked: Any, now: Any) -> None:
    of_a_day(now)
    answers = asked("4000.00", "1500.00", "900.00", "800.00")
    assert [answer["effect"] for answer in answers] == ["allow", "allow", "deny", "deny"], "500 of 6,000 are left"

    as_recorded, again = replayed(daniel)["result"], recounted(daniel)

    assert pairs(as_recorded) == {("allow", "escalate"): 2, ("deny", "deny"): 2}
    assert again["recounts"] is True
    assert pairs(again["result"]) == {("allow", "escalate"): 2, ("deny", "allow"): 2}, "nothing was used before them"
    page = daniel.get(PAGE).content.decode()
    assert "Budgets are worked out again in the order of the past" in page
    flip = ReplayFlip.objects.filter(replay__recounts=True, after="allow").latest("pk")
    assert f"{PAGE}/{flip.decision.uid}?run={flip.replay.uid}" in page
    both = daniel.get(f"{PAGE}/{flip.decision.uid}", {"run": str(flip.replay.uid)}).content.decode()
    assert "500.00 of EUR 6,000.00 are left" in both and "A matched invoice in EUR" in both


def test_what_the_draft_would_allow_beside_uses_the_budget(sign_in: Any, asked: Any, now: Any) -> None:
    daniel = sign_in("daniel")
    higher = TEXT.replace("context.amount > 5000 &&", "context.amount > 5500 &&")
    assert higher != TEXT
    assert daniel.call("post", "policies", {"text": higher}).status_code == 201
    of_a_day(now)
    assert [each["effect"] for each in asked("5200.00", "1000.00")] == ["escalate", "allow"]

    again = recounted(daniel)["result"]

    assert pairs(again) == {("escalate", "allow"): 1, ("allow", "deny"): 1}


def test_the_version_in_force_finds_every_budget_as_it_was(sign_in: Any, asked: Any, now: Any) -> None:
    of_a_day(now)
    asked("4000.00", "1500.00", "900.00", "5200.00", "400.00")
    daniel = sign_in("daniel")
    at = f"policies/{KEY}/versions/1/replays"

    uid = daniel.call("post", at, {"days": 7, "recounts": True}).json()["id"]
    tasks.run_replays()

    assert daniel.call("get", f"{at}/{uid}").json()["result"]["differ"] == 0
    assert Replay.objects.get().result["changed_since"] == 0


# --- shadow -----------------------------------------------------------------------------------------------------
def into_shadow(version: PolicyVersion, at: Any) -> None:
    """On the way that every version goes: asked for review, approved, put in shadow."""
    for step in (policies.ask_review, policies.approve, policies.shadow):
        step(version, by=ledger.SYSTEM, at=at)


@pytest.fixture
def in_shadow(daniel: Any, now: Any) -> PolicyVersion:
    """Version 2, evaluated beside what decides."""
    version = PolicyVersion.objects.get(policy__key=KEY, number=2)
    into_shadow(version, now)
    RuleBook.objects.update(edition=99)
    return version


def test_a_version_in_shadow_is_asked_and_the_agent_notices_nothing(
    daniel: Any, in_shadow: PolicyVersion, asked: Any
) -> None:
    answers = asked("500.00", "1210.50", "9000.00")

    assert [answer["effect"] for answer in answers] == ["allow", "allow", "escalate"]
    assert "shadow" not in str(answers) and "would" not in str(answers)
    told = daniel.call("get", f"policies/{KEY}/versions/2/in-shadow").json()
    assert (told["failed"], told["result"]["differ"], told["result"]["decisions"]) == (0, 1, 3)
    [flip] = daniel.call("get", f"policies/{KEY}/versions/2/in-shadow/decisions").json()["results"]
    assert (flip["before"], flip["after"], flip["moved"]) == ("allow", "escalate", False)
    said = [(each.before, each.after) for each in ShadowRuling.objects.order_by("pk")]
    assert said == [("allow", "allow"), ("allow", "escalate"), ("escalate", "escalate")]
    assert Escalation.objects.count() == 1, "what only the shadow would ask is asked of nobody"
    page = daniel.get(SHADOW).content.decode()
    assert "Of 3 decisions 1 that was allowed would ask a person" in page
    flip = ShadowRuling.objects.get(before="allow", after="escalate")
    assert f"{SHADOW}/{flip.decision.uid}" in page
    assert "ip-limit" in daniel.get(f"{SHADOW}/{flip.decision.uid}").content.decode()


def test_shadow_and_replay_of_the_same_questions_agree(daniel: Any, in_shadow: PolicyVersion, asked: Any) -> None:
    asked("500.00", "1210.50", "9000.00", "-1", "26000")

    replayed(daniel)

    assert ShadowRuling.objects.all().counts() == Replay.objects.get().counts


def test_a_version_in_shadow_that_cannot_be_read_changes_no_answer(
    daniel: Any, in_shadow: PolicyVersion, asked: Any
) -> None:
    broken = {**in_shadow.document, "rules": [{**in_shadow.document["rules"][0], "when": "resource.gone > 1"}]}
    PolicyVersion.objects.filter(pk=in_shadow.pk).update(document=broken)

    assert asked("1210.50")[0]["effect"] == "allow"

    assert "cannot be read" in ShadowRuling.objects.get().failure
    assert "1 question it could not answer" in daniel.get(SHADOW).content.decode()


def test_facts_that_only_the_shadow_reads_are_gathered_for_it(sign_in: Any, asked: Any, now: Any) -> None:
    daniel = sign_in("daniel")
    lines = [line for line in TEXT.splitlines() if "no right to pay" not in line]
    without = "\n".join(lines).replace("&& perm.pay ", "")
    assert daniel.call("post", "policies", {"text": without}).status_code == 201
    operations.activate(PolicyVersion.objects.get(policy__key=KEY, number=2), by=ledger.SYSTEM, at=now)
    assert daniel.call("post", "policies", {"text": TEXT}).status_code == 201
    third = PolicyVersion.objects.get(policy__key=KEY, number=3)
    asked("500.00")
    assert "perm" not in Decision.objects.get().facts

    into_shadow(third, now)
    asked("501.00")

    assert Decision.objects.all()[0].facts["perm"]["pay"] is True
    assert (ShadowRuling.objects.get().before, ShadowRuling.objects.get().after) == ("allow", "allow")


def test_a_version_that_nobody_asked_in_shadow_says_so(daniel: Any) -> None:
    assert "It was asked nothing yet." in daniel.get(SHADOW).content.decode()


# --- policies that the reader may not see -----------------------------------------------------------------------
COVERT = [
    {"id": "covert-deny", "effect": "deny", "when": "context.amount > 3400 && context.amount < 3600",
     "reason": "A covert sentence.", "priority": 900},
    {"id": "covert-ask", "effect": "escalate", "when": "context.amount >= 3600", "reason": "A covert question.",
     "priority": 900, "escalate": {"path": "treasury", "sla": "3h", "grants": True}},
]  # fmt: skip
CAP = {"id": "ip-cap", "effect": "deny", "when": "context.amount > 3800", "reason": "Too much."}


def add(halden: Any, at: Any, unit: str, **changed: Any) -> PolicyVersion:
    """A version of the policy about invoices, or of another one like it."""
    document = {**read_text(TEXT), "tests": [], **changed}
    owner = halden.people["maria"]
    return operations.add_policy(document, unit=halden.units[unit], owner=owner, by=ledger.SYSTEM, at=at)


@pytest.fixture
def covert(halden: Any, now: Any, sign_in: Any, robot: Any, question: Any) -> Any:
    """Three questions under a policy of another unit; version 2, in shadow, denies what that one asks about, and lets
    pass what version 1 denied."""
    operations.activate(
        add(halden, now, "procurement", key="covert.policy", title="Covert", rules=COVERT), by=ledger.SYSTEM, at=now
    )
    kept = [rule for rule in read_text(TEXT)["rules"] if rule["id"] != "ip-exception"]
    into_shadow(add(halden, now, "finance", version=2, rules=[*kept, CAP]), now)
    RuleBook.objects.update(edition=99)
    clerk = robot("AP-04")
    for amount, properties in (("3500.00", {}), ("4000.00", {}), ("3700.00", {"findings": 1})):
        answer = clerk.call("post", "actions", question(amount=amount, properties=properties))
        assert answer.status_code == 200, answer.content
    replayed(sign_in("daniel"))
    return sign_in("priya")


def tells_nothing(answer: Any) -> str:
    """What is shown: nothing of the policy that is not the reader's."""
    assert answer.status_code == 200, answer.content
    text: str = answer.content.decode()
    for word in ("covert", "3,400", "3,600", "treasury"):
        assert word not in text.lower(), word
    return text


@pytest.mark.parametrize("place", [PAGE, SHADOW])
def test_a_replayed_decision_tells_nothing_of_a_policy_of_another_unit(place: str, covert: Any, sign_in: Any) -> None:
    denied, asks, open_findings = Decision.objects.order_by("pk")
    assert covert.get("/policies/covert.policy").status_code == 404

    page = tells_nothing(covert.get(f"{place}/{denied.uid}"))

    assert page.count("A rule of another unit decides.") == 3, "the answer of then, and both of now"
    assert page.count("A rule of another unit that you may not see") == 2
    assert "ip-allow" in page, "rules that she may see are told"
    assert "Too much." in tells_nothing(covert.get(f"{place}/{asks.uid}"))
    assert "nobody approved the exception" in tells_nothing(covert.get(f"{place}/{open_findings.uid}"))
    whole = sign_in("daniel").get(f"{place}/{denied.uid}").content.decode()
    assert "A covert sentence." in whole and "covert-deny" in whole


@pytest.mark.parametrize("place", [PAGE, SHADOW])
def test_the_figures_name_rules_of_another_unit_together(place: str, covert: Any, sign_in: Any) -> None:
    page = tells_nothing(covert.get(place))
    behind = tells_nothing(covert.get(place, {"rule": "other"}))
    guessed = covert.get(place, {"rule": "covert.policy@1#covert-ask"}).content.decode()
    whole = sign_in("daniel").get(place).content.decode()

    assert "Of 3 decisions 1 that was put to a person would be denied, 1 that was denied would ask a person" in page
    assert page.count('<td class="free">A rule of another unit') == 1, "one line for them together"
    assert "rule=other#decisions" in page
    assert "2 of 2 decisions" in behind
    assert "There is none to show." in guessed, "no guess is confirmed"
    assert "covert-ask" in whole and "A rule of another unit" not in whole


def test_programs_are_told_no_rule_of_another_unit(covert: Any, sign_in: Any) -> None:
    other, uid = "a rule of another unit", Replay.objects.get().uid
    shadow = f"policies/{KEY}/versions/2/in-shadow"
    for one, listed in ((f"{REPLAYS}/{uid}", f"{REPLAYS}/{uid}/decisions"), (shadow, f"{shadow}/decisions")):
        result, decisions = covert.call("get", one), covert.call("get", listed)
        tells_nothing(result), tells_nothing(decisions)

        lines = {line["name"]: (line["decisions"], line["differ"]) for line in result.json()["result"]["rules"]}
        assert lines == {other: (3, 2), f"{KEY}@1#ip-exception": (1, 1), f"{KEY}@2#ip-cap": (1, 1)}
        rows = {(each["rule_before"], each["rule_after"]): each["path"] for each in decisions.json()["results"]}
        assert rows == {(other, f"{KEY}@2#ip-cap"): "", (f"{KEY}@1#ip-exception", other): ""}
        whole = sign_in("daniel").call("get", listed).json()["results"]
        assert {each["path"] for each in whole} == {"", "treasury"}
