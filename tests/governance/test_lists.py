"""Named lists: a change decides at once and leaves its reason; the analysis says what a version would break."""

from typing import Any

from autonomy_site.demo.company import FOLDER
from governance.models import Decision, ValueList
from observability.models import Event
from tests.policies import approved, put_in_force

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()
EMBARGO = """  - id: ip-embargo
    effect: deny
    when: resource.seller in lists.embargo
    reason: "{resource.seller} is under embargo."
"""
TEST = (
    "  - {name: embargo, request: {resource: {properties: {seller: Other AG}}},\n"
    "     expect: {effect: deny, rule: ip-embargo}}\n"
)


def with_rule(rule: str, test: str = "") -> str:
    """The policy with one more rule, and a test of it."""
    head, _, rest = TEXT.partition("base_request:")
    return f"{head}{rule}base_request:{rest}{test}"


def new_list(person: Any, **more: Any) -> Any:
    asked = {"name": "embargo", "title": "Sellers under embargo", "items": ["Other AG"], "reason": "Ordered by risk."}
    return person.call("post", "value-lists", asked | more)


def test_a_list_that_a_rule_reads_decides_from_its_next_edition_on(sign_in: Any, robot: Any, question: Any) -> None:
    daniel, clerk = sign_in("daniel"), robot("AP-04")
    assert new_list(daniel, unit="finance").status_code == 201
    in_force(sign_in, with_rule(EMBARGO, TEST))
    assert clerk.call("post", "actions", question(amount="900")).json()["effect"] == "allow"
    seller = Decision.objects.first().facts["resource"]["seller"]  # type: ignore[union-attr]

    changed = daniel.call(
        "patch", "value-lists/embargo", {"items": ["Other AG", seller], "reason": "New order."}, match="*"
    )

    assert changed.status_code == 200, changed.content
    answer = clerk.call("post", "actions", question(amount="901")).json()
    assert (answer["effect"], answer["rule"]) == ("deny", "ip-embargo")
    assert Decision.objects.first().facts["lists"] == {"embargo": ["Other AG", seller]}  # type: ignore[union-attr]
    told = Event.objects.get(verb="list.changed")
    assert (told.why, told.data["added"], told.actor_id) == ("New order.", [seller], "daniel")


def test_the_page_of_a_list_leads_to_the_rules_that_read_it(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    assert new_list(daniel, unit="halden").status_code == 201
    in_force(sign_in, with_rule(EMBARGO, TEST))

    page = daniel.get("/policies/lists/embargo").content.decode()

    assert 'href="/policies/finance.invoice-payment?version=2">finance.invoice-payment, version 2<' in page


def in_force(sign_in: Any, text: str) -> None:
    """Let the text decide, after a second person approved it."""
    assert put_in_force(sign_in("daniel"), approved(sign_in, text)).status_code == 200


def test_a_wrong_list_is_refused_and_nothing_is_kept(sign_in: Any) -> None:
    daniel = sign_in("daniel")

    assert "small letters" in str(new_list(daniel, name="Em bargo", unit="finance").json())
    assert new_list(daniel, reason=" ", unit="finance").status_code == 400
    assert new_list(daniel, items=["x" * 300], unit="finance").status_code == 400
    assert not ValueList.objects.exists()


def test_two_changes_at_once_do_not_undo_each_other(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    new_list(daniel, unit="finance")
    page = daniel.get("/policies/lists/embargo")
    assert page.status_code == 200

    first = daniel.post("/policies/lists/embargo", {"items": "A\nB", "reason": "One.", "edition": 1})
    second = daniel.post("/policies/lists/embargo", {"items": "C", "reason": "Two.", "edition": 1})

    assert (first.status_code, second.status_code) == (302, 412)
    assert "Somebody changed this list" in second.content.decode()
    assert ValueList.objects.get().items == ["A", "B"]


def test_a_list_in_use_stays_and_one_that_nobody_reads_can_go(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    new_list(daniel, unit="finance")
    in_force(sign_in, with_rule(EMBARGO, TEST))

    kept = daniel.post("/policies/lists/embargo/drop", {"reason": "Not needed."})
    assert kept.status_code == 409
    assert ValueList.objects.exists()

    new_list(daniel, name="spare", unit="finance")
    daniel.post("/policies/lists/spare/drop", {"reason": "Not needed."})
    assert list(ValueList.objects.values_list("name", flat=True)) == ["embargo"]


def test_who_may_not_write_policies_reads_lists_and_changes_none(sign_in: Any) -> None:
    new_list(sign_in("daniel"), unit="finance")
    priya = sign_in("priya")

    assert "Other AG" in priya.get("/policies/lists/embargo").content.decode()
    assert priya.post("/policies/lists/embargo", {"items": "", "reason": "Gone.", "edition": 1}).status_code == 403
    assert priya.get("/policies/lists/new").status_code == 403
    assert ValueList.objects.get().items == ["Other AG"]


def test_the_analysis_of_a_draft_says_what_it_would_break(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    dead = (
        "  - {id: ip-dead, effect: allow, when: 'context.amount > 5 && context.amount < 3', reason: Never.}\n"
        "  - {id: ip-free, effect: allow, when: 'context.amount > 0 && context.currency == \"CHF\"', reason: Any.}\n"
    )
    daniel.call("post", "policies", {"text": with_rule(dead)})

    found = daniel.call("get", "policies/finance.invoice-payment/versions/2/analysis").json()["findings"]
    page = daniel.get("/policies/finance.invoice-payment/versions/2/analysis").content.decode()

    assert ("dead", "wrong", "ip-dead", True) in [(f["sort"], f["level"], f["rule"], f["is_new"]) for f in found]
    assert "1 finding keeps it from being put in force" in page
    assert "The condition can never be true" in page
    assert daniel.get("/policies/analysis").status_code == 200


def test_the_demo_company_has_no_rule_that_is_wrong(sign_in: Any) -> None:
    page = sign_in("daniel").get("/policies/analysis").content.decode()

    assert "Wrong" not in page
