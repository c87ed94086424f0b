"""Every page, in both themes, on a desk and on a phone: no accessibility fault by axe, no sideways scroll, no error."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from agents.models import Agent, ForeignCard, Principal, Review, System, Unit
from agents.operations import Scope, import_card, start_review
from autonomy_site.demo.company import FOLDER
from governance.models import Decision, Escalation, Incident, Policy, ShadowRuling
from governance.operations import (
    CircuitChange,
    SafeguardChange,
    add_policy,
    ask_replay,
    release,
    report,
    set_circuit,
    set_safeguards,
)
from governance.operations.incidents import open_incident
from governance.rules.breaking import DEFAULTS, Fuse
from governance.tasks import run_replays
from observability import ledger
from tests.answers import approve_many
from tests.browser.conftest import DESKTOP, PHONE
from tests.invoices import ask_to_pay, bring
from tests.observability import otlp
from tests.policies import act, keep
from tests.refunds import ask_refunds
from tests.workflows.test_intervening import broken
from workflows.models import Run

LISTS = (
    "escalations-views",
    "overview", "escalations", "runs", "agents", "workflows", "memory", "memory-reuse",
    "policies", "audit", "performance", "prices", "event-logs", "control",
    "runs-failed", "runs-queue", "runs-views",
    "search", "settings", "password-change", "agent-autonomy", "agent-cards", "agents-blueprints", "agents-chart",
    "people", "people-emergencies", "mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn",
    "usersessions_list", "settings-agents", "settings-notifications", "account_reauthenticate", "access",
    "access-principals",
    "access-delegations", "access-reviews", "access-review-new", "policies-analysis", "budgets", "budget-new",
    "policy-lists", "policy-list-new", "policy-paths", "policy-path-new", "policy-calendar-new",
    "incidents", "incidents-safeguards",
    "policy-new", "insights", "insights-planted", "offline",
)  # fmt: skip
BY_IT = ("agent-new", "agent-blueprint-new", "people-admit", "workflow-new")
PROFILE = ("autonomy", "work", "decisions", "access", "memory", "keys", "audit")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only what is wrong comes back: the answer about a long page is otherwise megabytes, and its two runs share one script.
ASK_AXE = "async (rules) => (await axe.run({ runOnly: rules, resultTypes: ['violations'] })).violations"
DRAWN = """() =>
  [...document.querySelectorAll("[data-chart]")].every((each) => each.querySelector(".main-svg, .os-empty")) &&
  [...document.querySelectorAll("[data-diagram]")].every(
    (each) => each.querySelector(".djs-shape") && (!each.offsetWidth || each.offsetHeight)) &&
  [...document.querySelectorAll("[data-designer]")].every(
    (each) => !each.querySelector("[data-canvas]").offsetWidth || each.dataset.ready)"""


@pytest.fixture
def work(robot: Any, sign_in: Any) -> list[str]:
    """The addresses of all pages, with work in every state to show."""
    asked = ask_to_pay(robot, "2026-1")
    body = {"request_sha256": asked.request_sha256, "reason": "Paid by card.", "reason_code": "duplicate"}
    assert sign_in("priya").call("post", f"escalations/{asked.uid}/reject", body).status_code == 200
    clerk = robot("AP-04")
    clerk.finish(clerk.claim(), paid=False, reason="Rejected.")
    ask_to_pay(robot, "2026-2", amount="48200.00")
    bring(robot, "2026-3", findings=1)
    card, review = foreign_card(), access_review()
    named_list = {"name": "embargo", "title": "Embargo", "items": ["A", "B"], "reason": "Ordered.", "unit": "finance"}
    assert sign_in("daniel").call("post", "value-lists", named_list).status_code == 201
    tried = replayed()
    while ledger.seal():
        pass
    waiting = Escalation.objects.open().order_by("id").first()
    assert waiting is not None
    details = [("escalation", each.uid) for each in (asked, waiting)]
    asking = {"reason": "Priya agreed with it."}
    assert sign_in("maria").call("post", "agents/AP-04/promotions", asking).status_code == 201
    details += [("run", run.uid) for run in Run.objects.all()[:2]]
    details += [("memory-fact", uid) for uid in facts_of_every_kind(robot, sign_in)]
    details += [("agent-promotion", code) for code in ("AP-04", "AP-02")] + [("agent-demotion", "AP-04")]
    profile = [f"{reverse('agent', args=['AP-04'])}?tab={tab}" for tab in PROFILE]
    named = (
        ("agent", "AP-04"),
        ("people-person", "priya"),
        *((f"workflow{page}", "invoice-to-payment") for page in ("", "-design", "-live", "-heat", "-try", "-compare")),
        *((f"policy{page}", "finance.invoice-payment") for page in ("", "-edit", "-diff")),
    )
    named += tuple((f"agent-{page}", "AP-04") for page in ("edit", "review", "assessment", "retire", "history"))
    named += tuple((f"agent-blueprint{page}", "payments-clerk") for page in ("", "-edit", "-history"))
    named += (("access-principal", "priya"), ("access-principal", "agent:AP-04"))
    details += [("agent-cards-one", card.uid), ("access-review", review.uid)]
    bench = reverse("policy-bench")
    profile += [bench, f"{bench}?agent=AP-04&action=invoice.pay", f"{bench}?decision={asked.decision.uid}"]
    form = reverse("policy-form", args=["finance.invoice-payment", 1])
    profile += [reverse("policy-new-form"), form, f"{form}?as=text"]
    keys = [f"{reverse('agent', args=['AP-04'])}?tab=keys{ask}" for ask in ("&ask=new-key", "&ask=client-key")]
    profile += keys
    profile += [reverse("access-object", args=[kind, key]) for kind, key in (("agent", "AP-04"), ("space", "orders"))]
    profile += [f"{reverse('people-person', args=['priya'])}?ask=roles", "/nothing-here"]
    profile += [
        reverse("policy-analysis", args=["finance.invoice-payment", 1]),
        reverse("policy-list", args=["embargo"]),
        reverse("policy-path", args=["finance-approver"]),
    ]
    profile += [calendar_page(sign_in)]
    profile += policy_pages(sign_in)
    profile += learning_pages(
        robot, sign_in, asked
    )  # before a system fails: nothing is asked about one that is left alone
    profile += incident_pages(robot)
    profile += tried
    profile += queue_pages(sign_in)
    profile += running_pages(robot)
    profile += drawing_pages(sign_in)
    profile += trace_pages(robot)
    return profile + [reverse(name) for name in LISTS] + [reverse(name, args=[key]) for name, key in (*details, *named)]


def trace_pages(robot: Any) -> list[str]:
    """A trace with calls, a tool that failed, an agent that is not registered, and a call without a price."""
    clerk, now = robot("AP-04"), time.time_ns()
    times = {"startTimeUnixNano": str(now - 9 * 10**9), "endTimeUnixNano": str(now - 10**9)}
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1", "gen_ai.usage.input_tokens": 1200}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bank", "error.type": "timeout"}
    told = otlp.spans(
        otlp.span({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "ghost"}, name="pay", **times),
        otlp.span(call, spanId="cd" * 8, parentSpanId=otlp.SPAN, **times),
        otlp.span(call | {"gen_ai.usage.cost": 0.01}, spanId="ef" * 8, parentSpanId=otlp.SPAN, **times),
        otlp.span(tool, spanId="ab" * 8, parentSpanId="cd" * 8, name="execute_tool bank", **times),
    )
    headers = {"Authorization": f"Bearer {clerk.key}"}
    answer = clerk.post("/v1/traces", otlp.written(told), content_type=otlp.JSON, headers=headers)
    assert answer.json() == {}
    return [reverse("trace", args=[otlp.TRACE]), reverse("agent-traces", args=["AP-04"])]


def facts_of_every_kind(robot: Any, sign_in: Any) -> list[str]:
    """One fact with others behind and before it, one found wrong, and one that nobody has confirmed."""
    scout, kept = robot("RK-01"), []
    for key, more in (("rate", {}), ("price", {}), ("offer", {}), ("rumour", {"read_from": ["web"]})):
        body = {"space": "orders", "key": key, "value": {"note": key}, "sources": [] if more else kept[-1:], **more}
        kept.append(scout.call("post", "memory/facts", body).json()["fact"]["id"])
    why = {"why": "An old list."}
    assert sign_in("maria").call("post", f"memory/facts/{kept[2]}/invalidate", why).status_code == 200
    return kept[1:]


def running_pages(robot: Any) -> list[str]:
    """A run with failed work and what can be done about it, the queue of one role, and runs to be changed together."""
    step = broken(robot, "2026-9")
    run = reverse("run", args=[step.run.uid])
    return [
        f"{run}?ask=step&step={step.uid}", f"{run}?ask=pause", f"{run}?ask=variable&name=input.document",
        f"{reverse('runs-queue')}?role={step.role}", f"{reverse('runs')}?state=stuck",
        f"{reverse('runs-together')}?act=retry&state=stuck",
    ]  # fmt: skip


def drawing_pages(sign_in: Any) -> list[str]:
    """The outline of a draft with a step open, and its review."""
    assert sign_in("maria").post(reverse("workflow-draft-begin", args=["invoice-to-payment"])).status_code == 302
    outline, review = (reverse(name, args=["invoice-to-payment"]) for name in ("workflow-outline", "workflow-review"))
    return [outline, f"{outline}?step=exception", review]


def queue_pages(sign_in: Any) -> list[str]:
    """The queue with a pile unfolded and somebody who looks, the page of one answer to several, and saved views."""
    finance = Unit.objects.get(code="finance")
    halden = SimpleNamespace(agents={"AP-04": Agent.objects.get(code="AP-04")}, units={"finance": finance})
    pile = ask_refunds(halden, ledger.database_now(), 4)
    assert sign_in("maria").call("post", f"escalations/{pile[0].uid}/claim", {}).status_code == 200
    view = {"name": "Low", "query": {"tab": "all", "risk": "1"}, "unit": "finance"}
    made = sign_in("maria").call("post", "escalation-views", view).json()
    stuck = {"name": "Stuck", "query": {"state": "stuck"}, "unit": "finance"}
    runs_view = sign_in("maria").call("post", "run-views", stuck).json()
    together = f"{reverse('escalations-together')}?pile={pile[0].alike}"
    return [
        f"{reverse('escalations')}?unfold={pile[0].alike}", f"{reverse('escalations')}?q=refund&risk=1",
        reverse("escalation", args=[pile[0].uid]), together, f"{together}&as=rejected",
        reverse("escalations-view", args=[made["id"]]), reverse("runs-view", args=[runs_view["id"]]),
        f"{reverse('runs')}?sort=-cost&state=waiting", f"{reverse('runs-queue')}?role=payments",
    ]  # fmt: skip


def calendar_page(sign_in: Any) -> str:
    """The page of a business calendar."""
    hours = {"days": ["mon"], "begin": "08:00", "end": "17:00", "zone": "Europe/Berlin", "holidays": "2026-12-25"}
    terms = {"key": "office", "name": "Office", "unit": "finance", **hours}
    assert sign_in("daniel").post(reverse("policy-calendar-new"), terms).status_code == 302
    return reverse("policy-calendar", args=["office"])


def policy_pages(sign_in: Any) -> list[str]:
    """The tabs of a policy whose second version waits for Ingrid, and the editor with a template in it."""
    daniel = sign_in("daniel")
    text = (FOLDER / "policies" / "invoice_payment.yaml").read_text().replace("<= 25000", "<= 20000")
    assert keep(daniel, text).status_code == 201
    assert act(daniel, 2, "ask-review", {"reason": "The new budget."}).status_code == 200
    policy = reverse("policy", args=["finance.invoice-payment"])
    tabs = [f"{policy}?version=2&tab={tab}" for tab in ("", "gate", "versions", "comments")]
    return [*tabs, f"{reverse('policy-new')}?template=no-mail-after-payroll"]


def learning_pages(robot: Any, sign_in: Any, asked: Escalation) -> list[str]:
    """The pages about what is learnt from answers, with a suggestion, a learnt rule and rows behind numbers."""
    approve_many(robot, [sign_in("priya"), sign_in("maria")])
    daniel = sign_in("daniel")
    (offer,) = daniel.get(reverse("insights")).context["offers"]
    assert daniel.post(reverse("insights-draft", args=[offer.group])).status_code == 302
    rule = "policy=finance.invoice-payment&rule=ip-"
    shows = (f"show=approved&{rule}limit", f"show=alone&{rule}allow", "show=decided&person=priya")
    pages = [f"{reverse('insights-rows')}?{query}" for query in shows]
    pages.append(f"{reverse('insights-pairs')}?one=priya&other=maria")
    return [*pages, reverse("insights-planted-new", args=[asked.uid])]


def incident_pages(robot: Any) -> list[str]:
    """The pages about an agent in quarantine, one that was let go on, a system that fails, and the limits of a role."""
    at, ingrid = ledger.database_now(), Principal.objects.get(username="ingrid")
    change = SafeguardChange("three-way-match", replace(DEFAULTS, denials=2))
    set_safeguards(change, by=ingrid, at=at, why="Agreed in the council.")
    for number in range(2):
        asked = {"action": f"unknown.{number}", "resource": {"type": "x", "id": "1"}, "context": {}}
        assert robot("AP-02").call("post", "actions", asked).json()["effect"] == "deny"
    quarantine = Incident.objects.get()
    payables = System.objects.get(code="payables")
    set_circuit(CircuitChange(payables, Fuse(at_least=1), is_untrusted=True), by=ingrid, at=at, why="It fails a lot.")
    decision = Decision.objects.filter(action="invoice.pay")[0]
    report(decision, failed=True, at=at)
    fails = Incident.objects.get(system=payables)
    done = open_incident(
        "loop", "agent:RK-01", why="The same question 21 times within 10 minutes; the limit is 20.", at=at,
        agent=decision.agent, evidence=[decision],
    )[0]  # fmt: skip
    release(done, by=ingrid, at=at, why="The list was sent twice.")
    pages = [reverse("incident", args=[each.uid]) for each in (quarantine, fails, done)]
    pages += [reverse("agent", args=["AP-02"]), reverse("incidents-circuit", args=["payables"])]
    return pages + [reverse("incidents-limits", args=[role]) for role in ("everybody", "three-way-match")]


def access_review() -> Review:
    """A review of the rights of finance, which Daniel started."""
    unit, at = Unit.objects.get(code="finance"), ledger.database_now()
    scope = Scope(name="Rights of finance", due_at=at + timedelta(days=9), units=(unit,))
    return start_review(scope, by=Principal.objects.get(username="daniel"), at=at)


def replayed() -> list[str]:
    """The pages about what a stricter version of the payment policy would have changed, in the past and in shadow."""
    policy, at = Policy.objects.get(key="finance.invoice-payment"), ledger.database_now()
    document = policy.versions.all()[0].document
    rules = [{**rule, "when": rule["when"].replace("> 25000", "> 9000")} for rule in document["rules"]]
    by, terms = Principal.objects.get(username="daniel"), {"unit": policy.unit, "owner": policy.owner}
    version = add_policy({**document, "rules": rules}, **terms, by=by, at=at)
    ask_replay(version, since=at - timedelta(days=7), until=at, by=by, at=at)
    run_replays()
    decision = Decision.objects.filter(action="invoice.pay")[0]
    ShadowRuling.objects.create(
        decision=decision, version=version, at=at, band="b3", before=decision.effect, after="deny", rule_after="x@2#y"
    )
    ask_replay(add_policy(document, **terms, by=by, at=at), since=at - timedelta(days=7), until=at, by=by, at=at)
    names = [("policy-replay", ()), ("policy-in-shadow", ()), ("policy-replayed", (decision.uid,))]
    pages = [reverse(name, args=[policy.key, version.number, *more]) for name, more in names]
    return [*pages, reverse("policy-replay", args=[policy.key, version.number + 1])]


def foreign_card() -> ForeignCard:
    """The card of an agent elsewhere that came in changed."""
    unit, at = Unit.objects.get(code="finance"), ledger.database_now()
    card = {"name": "Customs agent", "version": "1", "url": "https://broker.example/a2a", "skills": [{"id": "clear"}]}
    for version in ("1", "2"):
        file = json.dumps({**card, "version": version}).encode()
        pinned = import_card(file, unit=unit, by=ledger.SYSTEM, at=at)
    return pinned


SIZES = (
    pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone", marks=pytest.mark.same_everywhere),
)  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_accessible_and_fits(visitor: Callable[..., Page], work: list[str], size: dict[str, int]) -> None:
    page, its = visitor("ingrid", size=size), visitor("jonas", size=size)

    faults = [f"{address}: {fault}" for address in work for fault in faults_of(page, address)]
    faults += [f"{name}: {fault}" for name in BY_IT for fault in faults_of(its, reverse(name))]

    assert faults == [], "\n".join(faults)


def faults_of(page: Page, address: str) -> list[str]:
    """What is wrong with one page: all rules of axe in the light theme, the contrasts in the dark one as well."""
    answer = page.goto(address)
    if answer is None or answer.status != (404 if address == "/nothing-here" else 200):
        return [f"answered {answer and answer.status}"]
    page.wait_for_function(DRAWN)
    page.evaluate(Axe().axe_script)
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    found = page.evaluate(ASK_AXE, RULES)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += page.evaluate(ASK_AXE, {"type": "rule", "values": ["color-contrast"]})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    told = [f"{fault['id']} {fault['nodes'][0]['html'][:200]}" for fault in found]
    return told + ([f"{wider} px too wide"] if wider > 0 else [])


@pytest.mark.parametrize("address", ["/sign-in", "/signed-out"])
def test_the_pages_before_signing_in_are_accessible(site: str, page: Page, address: str) -> None:
    page.goto(f"{site}{address}", wait_until="networkidle")

    assert Axe().run(page, options={"runOnly": RULES}).response["violations"] == []
