"""People look at runs: the list and its filters, one run with its time line and reasons, stopping it."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from governance.models import SavedView
from observability import kpis, ledger
from observability.ledger import database_now
from observability.models import Event
from workflows import operations
from workflows.models import Run, Step

READ = {"readable": True, "number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "currency": "EUR"}


def start(robot: Any, key: str) -> dict[str, Any]:
    """Run `key` has started and AP-01 holds its first step."""
    reader = robot("AP-01")
    body = {"workflow": "invoice-to-payment", "key": key, "input": {"document": f"{key}.xml"}}
    assert reader.call("post", "runs", body).status_code == 201
    return reader.claim()


def work_until_payment(robot: Any, key: str, *, total: str, findings: int = 0) -> Any:
    """Run `key` stands at the payment (or, with findings, at the exception); the clerk's work or None."""
    robot("AP-01").finish(start(robot, key), **READ, total=total)
    scout, matcher, clerk = robot("RK-01"), robot("AP-02"), robot("AP-04")
    scout.finish(scout.claim(), findings=findings, kinds="price" if findings else "")
    matcher.finish(matcher.claim(), matched=True, status="matched")
    return clerk.claim()


def ask_to_pay(robot: Any, work: Any, amount: str) -> Any:
    """AP-04 asks whether it may pay; the decision."""
    properties = {"seller": READ["seller"], "order_matched": True, "findings": 0, "bank_changed_days": 412}
    question = {
        "step": work["step"], "lease_token": work["lease_token"], "action": "invoice.pay",
        "resource": {"type": "invoice", "id": "2026-1187", "properties": properties},
        "context": {"amount": amount, "currency": "EUR"}, "title": f"Pay EUR {amount}",
    }  # fmt: skip
    return robot("AP-04").call("post", "actions", question).json()


def pay(robot: Any, key: str) -> None:
    """A small invoice goes through without a person."""
    work = work_until_payment(robot, key, total="310.00")
    assert ask_to_pay(robot, work, "310.00")["effect"] == "allow"
    robot("AP-04").finish(work, paid=True, message_id="M-1", file="x.xml")


def keys(answer: Any) -> list[str]:
    return [row["run"].key for row in answer.context["rows"]]


def test_the_list_shows_each_state_and_filters_by_it(robot: Any, sign_in: Any) -> None:
    pay(robot, "paid")
    ask_to_pay(robot, work_until_payment(robot, "asked", total="9000.00"), "9000.00")
    start(robot, "begun")
    priya = sign_in("priya")

    answer = priya.get("/runs")
    assert keys(answer) == ["begun", "asked", "paid"]
    for state, wanted in {
        "under_way": ["begun", "asked"], "running": ["begun"], "waiting": ["asked"], "done": ["paid"], "failed": [],
    }.items():  # fmt: skip
        assert keys(priya.get(f"/runs?state={state}")) == wanted, state
    assert keys(priya.get("/runs?q=ASK")) == ["asked"]
    assert keys(priya.get("/runs?agent=AP-04")) == ["asked", "paid"]
    assert keys(priya.get("/runs?outcome=Paid&workflow=invoice-to-payment")) == ["paid"]
    assert keys(priya.get("/runs?touchless=1")) == ["paid"]
    assert keys(priya.get("/runs?unit=999999")) == []


def test_failed_work_counts_as_waiting_for_a_person(robot: Any, sign_in: Any) -> None:
    work = start(robot, "broken")
    body = {"lease_token": work["lease_token"], "reason": "The file is not XML.", "retryable": False}
    robot("AP-01").call("post", f"steps/{work['step']}/fail", body)

    priya = sign_in("priya")

    assert keys(priya.get("/runs?state=waiting")) == ["broken"]
    page = priya.get(f"/runs/{Run.objects.get().uid}").content.decode()
    assert "Waits for a person" in page
    assert "“The file is not XML.”" in page


def test_the_list_opens_exactly_the_runs_that_a_figure_counts(robot: Any, sign_in: Any, halden: Any) -> None:
    for key in ("one", "two"):
        pay(robot, key)
    yesterday = database_now() - timedelta(days=1)
    Run.objects.filter(key="two").update(started_at=yesterday)
    priya, today = sign_in("priya"), database_now().date().isoformat()

    figures = kpis.figures(halden.people["priya"], since=database_now() - timedelta(hours=1), until=database_now())
    by_end = keys(priya.get(f"/runs?state=done&from={today}&to={today}"))

    assert figures.runs == len(by_end) == 2
    assert keys(priya.get(f"/runs?from={today}&to={today}")) == ["one"], "without a state the start counts"


ODD = ("from=soon", "to=2026-99-01", "state=odd", "touchless=maybe", "from=9999-12-31&to=9999-12-31")


@pytest.mark.parametrize("query", ODD)
def test_an_address_that_cannot_be_read_says_so_and_still_shows_the_list(query: str, sign_in: Any) -> None:
    answer = sign_in("priya").get(f"/runs?{query}")

    assert answer.status_code == 200
    assert "was left out" in answer.content.decode()


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999", "after=-1", "unit=٣", "agent=%F0"])
def test_odd_values_do_no_harm(query: str, sign_in: Any) -> None:
    assert sign_in("priya").get(f"/runs?{query}").status_code == 200


def test_pages_go_on_by_key_and_lose_no_run(halden: Any, sign_in: Any) -> None:
    version, at = halden.workflow.versions.get(), database_now()
    common = {"workflow": halden.workflow, "version": version, "unit": halden.workflow.unit, "started_at": at}
    Run.objects.bulk_create(Run(key=f"r{n:03}", **common) for n in range(120))
    priya = sign_in("priya")

    first = priya.get("/runs?state=running")
    second = priya.get(f"/runs{first.context['page'].older}")
    Run.objects.create(key="late", **common)
    third = priya.get(f"/runs{second.context['page'].older}")
    back = priya.get(f"/runs{third.context['page'].newer}")

    assert keys(first) + keys(second) + keys(third) == [f"r{n:03}" for n in reversed(range(120))]
    assert keys(back) == keys(second)
    assert third.context["page"].older == ""
    assert "state=running" in third.context["page"].newer


def test_another_units_run_is_not_found(robot: Any, sign_in: Any) -> None:
    start(robot, "finance-only")
    uid = Run.objects.get().uid
    lukas = sign_in("lukas")

    assert keys(lukas.get("/runs")) == []
    assert lukas.get(f"/runs/{uid}").status_code == 404
    assert lukas.get(f"/runs/{uid}/diagram.json").status_code == 404
    assert lukas.post(f"/runs/{uid}/cancel", {"why": "x"}).status_code == 404


def test_the_run_page_tells_what_was_done_and_why(robot: Any, sign_in: Any) -> None:
    decision = ask_to_pay(robot, work_until_payment(robot, "2026-1187", total="9000.00"), "9000.00")
    run = Run.objects.get()

    answer = sign_in("priya").get(f"/runs/{run.uid}")
    page = answer.content.decode()

    assert "is above the limit of 5,000" in page
    assert "/policies/finance.invoice-payment?version=1#ip-limit" in page
    assert "“Done.”" in page
    assert "Stated by the agent." in page
    assert f"/escalations/{decision['escalation']['id']}" in page
    assert [row.step.element for row in answer.context["rows"]] == ["read", "match", "anomalies", "pay"]
    assert [part.kind for part in answer.context["rows"][3].stretches] == ["agent", "person"]


def test_the_time_line_adds_up(robot: Any, sign_in: Any) -> None:
    pay(robot, "sum")
    run = Run.objects.get()

    rows = sign_in("priya").get(f"/runs/{run.uid}").context["rows"]

    told = {str(row.step.uid): row.took.total_seconds() for row in rows}
    for event in Event.objects.filter(verb="step.finished"):
        assert told[event.subject_id] == pytest.approx(float(event.seconds or 0), abs=0.002)
    for row in rows:
        assert all(part.left >= 0 and part.left + part.width <= 100.01 for part in row.stretches)


def test_the_drawing_shows_states_and_who_works(robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, work_until_payment(robot, "drawn", total="9000.00"), "9000.00")
    priya = sign_in("priya")

    elements = priya.get(f"/runs/{Run.objects.get().uid}/diagram.json").json()["elements"]

    assert elements["read"]["state"] == "done"
    assert elements["read"]["sub"] == "AP-01 Invoice reader"
    assert elements["pay"]["state"] == "waiting"
    assert elements["pay"]["url"].startswith("/escalations/")
    assert elements["exception"] == {"sub": "Invoice exceptions"}


def test_maria_cancels_a_run_with_a_reason(robot: Any, sign_in: Any) -> None:
    ask_to_pay(robot, work_until_payment(robot, "stop", total="9000.00"), "9000.00")
    run, maria = Run.objects.get(), sign_in("maria")

    assert "1 question withdrawn" in maria.get(f"/runs/{run.uid}?ask=cancel").content.decode()
    refused = maria.post(f"/runs/{run.uid}/cancel", {"why": "  "})
    assert refused.status_code == 400
    assert "A reason is needed." in refused.content.decode()
    assert maria.post(f"/runs/{run.uid}/cancel", {"why": "Paid by hand."}).status_code == 302

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert not Step.objects.open().exists()
    assert maria.post(f"/runs/{run.uid}/cancel", {"why": "Again."}).status_code == 409


def test_priya_may_look_but_not_cancel(robot: Any, sign_in: Any) -> None:
    start(robot, "hers")
    run, priya = Run.objects.get(), sign_in("priya")

    assert "Cancel run" not in priya.get(f"/runs/{run.uid}?ask=cancel").content.decode()
    assert priya.post(f"/runs/{run.uid}/cancel", {"why": "No."}).status_code == 403
    run.refresh_from_db()
    assert run.status == "running"


def test_text_of_an_agent_stays_text(robot: Any, sign_in: Any) -> None:
    work = start(robot, "evil")
    nasty = "<script>alert(1)</script>\u202eevil"
    robot("AP-01").finish(work, **{**READ, "seller": nasty}, total="1.00")

    page = sign_in("priya").get(f"/runs/{Run.objects.get().uid}").content.decode()

    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "&lt;U+202E&gt;" in page


def test_the_number_of_queries_does_not_grow_with_the_list(
    halden: Any, sign_in: Any, django_assert_max_num_queries: Any
) -> None:
    version, at = halden.workflow.versions.get(), database_now()
    for n in range(30):
        operations.start(halden.workflow, key=f"q{n}", variables={"document": "x"}, by=ledger.SYSTEM, at=at)
    assert version.runs.count() == 30
    edith = sign_in("edith")

    with django_assert_max_num_queries(24):
        edith.get("/runs")


def test_the_time_of_a_step_is_right_however_much_happened_since(robot: Any, sign_in: Any) -> None:
    robot("AP-01").finish(start(robot, "long"), **READ, total="310.00")
    run = Run.objects.get()
    Event.objects.bulk_create(
        Event(
            verb="decision.made", at=run.started_at, actor_kind="agent", actor_id="AP-04", actor_name="AP-04",
            subject_kind="decision", subject_id=str(n), subject_name="Ask", run=str(run.uid), unit=str(run.unit_id),
        )
        for n in range(600)
    )  # fmt: skip

    rows = sign_in("priya").get(f"/runs/{run.uid}").context["rows"]

    assert [stretch.kind for stretch in rows[0].stretches] == ["agent"]


def test_a_period_before_all_time_is_left_out_and_said(sign_in: Any) -> None:
    answer = sign_in("priya").get("/runs?from=0001-01-01T00:00:00%2B14:00")

    assert answer.status_code == 200
    assert "is not a day such as" in answer.content.decode()


def test_a_reason_that_cannot_be_kept_cancels_nothing(robot: Any, sign_in: Any) -> None:
    start(robot, "1")
    run = Run.objects.get()

    for why in ("Sent\0twice", "x" * 2001):
        assert sign_in("maria").post(f"/runs/{run.uid}/cancel", {"why": why}).status_code == 400

    run.refresh_from_db()
    assert run.status == "running"


# --- sorted, and as saved views ----------------------------------------------------------------------------------
@pytest.fixture
def some_runs(halden: Any) -> dict[str, Run]:
    """Three runs that differ in everything that the list can be sorted by."""
    version, at = halden.workflow.versions.get(), database_now()
    common = {"workflow": halden.workflow, "version": version, "unit": halden.workflow.unit}
    made = (
        ("b", "running", "", at - timedelta(hours=3), None, "0.10", 2),
        ("a", "done", "Paid", at - timedelta(hours=2), at - timedelta(hours=1), "0.30", 0),
        ("c", "failed", "Not paid", at - timedelta(minutes=5), at, "0.20", 1),
    )
    for key, status, outcome, begun, ended, cost, asked in made:
        Run.objects.create(
            key=key, status=status, outcome=outcome, started_at=begun, ended_at=ended, cost=cost, people_asked=asked,
            **common,
        )  # fmt: skip
    return {run.key: run for run in Run.objects.all()}


SORTED = {
    "": "cab", "oldest": "bac", "key": "abc", "-key": "cba", "state": "bca", "-state": "acb", "outcome": "bca",
    "-outcome": "acb", "-elapsed": "bac", "elapsed": "cab", "-cost": "acb", "cost": "bca", "-people": "bca",
    "people": "acb",
}  # fmt: skip


@pytest.mark.parametrize("sort", SORTED)
def test_the_list_is_sorted_by_each_column_both_ways(sort: str, some_runs: Any, sign_in: Any) -> None:
    answer = sign_in("priya").get(f"/runs?sort={sort}")

    assert "".join(keys(answer)) == SORTED[sort]
    said = [head.sorted for head in answer.context["heads"] if head.sorted]
    assert len(said) == 1
    assert f'aria-sort="{said[0]}"' in answer.content.decode()


def test_the_head_of_a_column_sorts_by_it_and_then_the_other_way(some_runs: Any, sign_in: Any) -> None:
    priya = sign_in("priya")

    def leads(address: str) -> str:
        heads = {head.words: head for head in priya.get(address).context["heads"]}
        return heads["Cost"].url

    assert leads("/runs?workflow=invoice-to-payment&before=3") == "?workflow=invoice-to-payment&sort=-cost"
    assert leads("/runs?sort=-cost") == "?sort=cost"
    assert leads("/runs?sort=cost") == "?sort=-cost"
    assert "was left out" in priya.get("/runs?sort=colour").content.decode()


def test_pages_of_a_sorted_list_lose_no_run(halden: Any, sign_in: Any) -> None:
    version, at = halden.workflow.versions.get(), database_now()
    common = {"workflow": halden.workflow, "version": version, "unit": halden.workflow.unit, "started_at": at}
    Run.objects.bulk_create(Run(key=f"r{n:03}", cost=n % 7, **common) for n in range(120))
    priya = sign_in("priya")

    first = priya.get("/runs?sort=-cost")
    second = priya.get(f"/runs{first.context['page'].older}")
    third = priya.get(f"/runs{second.context['page'].older}")
    back = priya.get(f"/runs{third.context['page'].newer}")

    shown = [run["run"] for answer in (first, second, third) for run in answer.context["rows"]]
    assert len({run.pk for run in shown}) == 120
    assert [run.cost for run in shown] == sorted((run.cost for run in shown), reverse=True)
    assert keys(back) == keys(second)
    assert (first.context["page"].newer, third.context["page"].older) == ("", "")


def test_too_many_runs_are_sorted_by_their_start_alone(halden: Any, sign_in: Any) -> None:
    version, at = halden.workflow.versions.get(), database_now()
    common = {"workflow": halden.workflow, "version": version, "unit": halden.workflow.unit, "started_at": at}
    Run.objects.bulk_create((Run(key=f"r{n:05}", cost=n, **common) for n in range(10_001)), batch_size=1_000)

    answer = sign_in("priya").get("/runs?sort=cost")

    assert "narrow the filter to see the cheapest first" in answer.content.decode()
    assert keys(answer)[0] == "r10000", "the newest first"


def test_priya_saves_a_view_renames_it_and_takes_it_away(some_runs: Any, sign_in: Any) -> None:
    priya, asked = sign_in("priya"), "state=failed&q=c&sort=-cost&from=2020-01-01"
    form = priya.get(f"/runs/views?{asked}&before=7")
    assert "It shows: Key with “c”, Failed, 2020-01-01 to today, most expensive first." in form.content.decode()

    saved = priya.post("/runs/views", {"name": "Failed ones", "query": form.context["form"]["query"].value()})

    view = SavedView.objects.get(name="Failed ones")
    assert (view.table, view.owner.username) == ("runs", "priya")
    assert view.query == {"q": "c", "state": "failed", "from": "2020-01-01", "sort": "-cost"}
    shown = priya.get(saved["Location"])
    assert keys(shown) == ["c"]
    assert shown.context["menu"]["view"] == view and "<h1>Failed ones</h1>" in shown.content.decode()
    assert "Failed ones" not in sign_in("maria").get("/runs").content.decode(), "it is hers alone"
    renamed = {"name": "Broken", "edition": "1"}
    assert priya.post(f"/runs/views/{view.uid}", renamed).status_code == 302
    assert priya.post(f"/runs/views/{view.uid}", renamed).status_code == 412, "somebody changed it meanwhile"
    assert "Broken" in priya.get("/runs").content.decode()
    assert priya.post(f"/runs/views/{view.uid}/drop").status_code == 302
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_a_view_is_shared_with_a_unit_by_who_may(sign_in: Any, halden: Any) -> None:
    maria, finance = sign_in("maria"), halden.units["finance"]
    assert "Shared with Finance" in maria.get("/runs/views").content.decode()
    maria.post("/runs/views", {"name": "Stuck", "query": "state=stuck", "unit": finance.pk})

    view = SavedView.objects.get(name="Stuck")
    assert [view.is_shared, view.unit] == [True, finance]
    priya, lukas = sign_in("priya"), sign_in("lukas")
    assert view in [each for each, _ in priya.get("/runs").context["menu"]["views"]]
    assert view not in [each for each, _ in lukas.get("/runs").context["menu"]["views"]]
    assert lukas.get(f"/runs/views/{view.uid}").status_code == 404
    assert priya.post(f"/runs/views/{view.uid}/drop").status_code == 403
    refused = lukas.post("/runs/views", {"name": "Mine", "query": "", "unit": finance.pk})
    assert refused.status_code == 400 and not SavedView.objects.filter(name="Mine").exists()


def test_views_of_runs_by_api_are_apart_from_those_of_the_queue(sign_in: Any) -> None:
    priya = sign_in("priya")
    made = priya.call("post", "run-views", {"name": "Old", "query": {"age": "7d"}})

    assert (made.status_code, made.json()["query"]) == (201, {"age": "7d"})
    path = f"run-views/{made.json()['id']}"
    assert priya.call("get", f"escalation-views/{made.json()['id']}").status_code == 404
    names = [row["name"] for row in priya.call("get", "run-views").json()["results"]]
    assert names == ["Waits for a person", "Has failed work", "Under way for over a day", "Old"]
    wrong = priya.call("post", "run-views", {"name": "Odd", "query": {"tab": "me"}})
    assert wrong.status_code == 400 and "cannot be narrowed by tab" in wrong.content.decode()
    twice = priya.call("post", "run-views", {"name": "Old", "query": {}})
    assert twice.status_code == 400 and "You have a view of this name." in twice.content.decode()
    tag = priya.call("get", path)["ETag"]
    changed = priya.call("patch", path, {"name": "Older", "query": {"age": "30d"}}, match=tag)
    assert (changed.status_code, changed.json()["name"]) == (200, "Older")
    assert priya.call("post", f"{path}/drop", {}, match=changed["ETag"]).status_code == 200
    assert priya.call("get", path).status_code == 404


def test_every_view_that_comes_with_the_system_shows_what_it_says(sign_in: Any) -> None:
    priya = sign_in("priya")
    for view in SavedView.objects.filter(table="runs", owner=None):
        kept = priya.get(f"/runs?{urlencode(view.query)}").context["menu"]
        assert kept["view"] == view, view
