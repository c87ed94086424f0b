"""The pages of a policy's life: write it as text with a live check, ask, approve, compare, comment, take it out."""

from typing import Any

import pytest
from django.core.files.base import ContentFile

from autonomy_site.demo.company import FOLDER
from governance.models import PolicyComment, PolicyVersion
from governance.operations import policies
from governance.rules.texts import read_text
from tests.policies import KEY, act, approved, keep, put_in_force

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()
LIMIT = "context.amount > 5000 && context.amount <= 25000"


def version(number: int) -> PolicyVersion:
    """A version of the payments policy."""
    return PolicyVersion.objects.get(policy__key=KEY, number=number)


def step(person: Any, number: int, what: str, **form: str) -> Any:
    """One step by the page's form."""
    return person.post(f"/policies/{KEY}/versions/{number}/{what}", form)


def test_daniel_writes_on_the_page_ingrid_approves_and_it_decides(sign_in: Any) -> None:
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    form = daniel.get(f"/policies/{KEY}/edit").context["form"]
    text = TEXT.replace("title: Invoice payment", "title: Payment of invoices")

    saved = daniel.post(f"/policies/{KEY}/edit", {"text": text, "seen": form["seen"].value(), "base": "1"})
    assert saved["Location"] == f"/policies/{KEY}?version=2"
    assert step(daniel, 2, "ask-review", reason="A clearer title.").status_code == 302
    waiting = ingrid.get("/policies").content.decode()
    assert "Waits for your approval" in waiting
    assert "Waits for your approval" not in daniel.get("/policies").content.decode()
    assert "1 version of a policy waits for a second person." in ingrid.get("/").content.decode()
    assert step(daniel, 2, "approve").status_code == 403
    assert step(ingrid, 2, "approve", seen=version(2).sha256).status_code == 302
    assert step(ingrid, 2, "activate", reason="Agreed.").status_code == 302

    assert version(2).status == "active"
    page = ingrid.get(f"/policies/{KEY}?tab=comments").content.decode()
    assert "A clearer title." in page
    assert "Agreed." in page


def test_the_gate_is_refused_on_the_page_with_its_sentences(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    keep(daniel, TEXT.replace('amount: "5000.00"', 'amount: "5000.02"'))
    page = daniel.get(f"/policies/{KEY}?version=2&tab=gate").content.decode()

    refused = step(daniel, 2, "activate")

    assert refused.status_code == 409
    for check in policies.gate_of(version(2), at=version(2).created_at):
        assert check.label in page
        if not check.is_met:
            assert check.words.split("“")[0] in page
            assert check.words.split("“")[0] in refused.content.decode()


def test_a_draft_is_not_overwritten_by_an_older_window(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    keep(daniel, TEXT)
    opened = {"seen": version(2).sha256, "base": "2"}
    first = {**opened, "text": TEXT.replace("title: Invoice payment", "title: First")}
    second = {**opened, "text": TEXT.replace("title: Invoice payment", "title: Second")}

    assert daniel.post(f"/policies/{KEY}/edit", first).status_code == 302
    late = daniel.post(f"/policies/{KEY}/edit", second)

    assert late.status_code == 412
    assert "title: Second" in late.content.decode(), "what was written is not lost"
    assert "The draft was changed since you opened it." in late.content.decode()
    assert version(2).document["title"] == "First"


def test_who_did_not_write_the_draft_makes_a_version_of_their_own(sign_in: Any) -> None:
    keep(sign_in("daniel"), TEXT)

    saved = sign_in("ingrid").post(f"/policies/{KEY}/edit", {"text": TEXT, "seen": version(2).sha256, "base": "2"})

    assert saved["Location"] == f"/policies/{KEY}?version=3"
    assert (version(2).author.username, version(3).author.username) == ("daniel", "ingrid")


def test_what_is_wrong_stands_under_its_line_and_nothing_is_saved(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    text = TEXT.replace("when: resource.bank_changed_days < 30", "when: resource.bank_changed_dais < 30")
    number = next(n for n, line in enumerate(text.splitlines(), 1) if "changed_dais" in line)

    checked = daniel.post("/policies/check", {"text": text}).content.decode()
    refused = daniel.post(f"/policies/{KEY}/edit", {"text": text, "base": "1"})

    for page in (checked, refused.content.decode()):
        assert f"Line {number}: " in page
        assert "Did you mean `resource.bank_changed_days`?" in page
        assert " " * len("    when: ") + "^" * len("resource.bank_changed_dais") in page
    assert refused.status_code == 400
    assert PolicyVersion.objects.count() == 1
    assert "It can be read." in daniel.post("/policies/check", {"text": TEXT}).content.decode()


def test_a_new_policy_starts_from_a_template_that_says_what_is_lacking(sign_in: Any) -> None:
    ingrid = sign_in("ingrid")

    page = ingrid.get("/policies/new?template=no-mail-after-payroll")
    text = ingrid.get("/policies/new?template=fresh-bank-data").context["form"]["text"].value()
    saved = ingrid.post("/policies/new", {"text": text})

    assert "history.run.actions" in page.content.decode()
    assert saved.status_code == 302, saved.content.decode()
    draft = PolicyVersion.objects.exclude(policy__key=KEY).get()
    missing = [check.name for check in policies.gate_of(draft, at=draft.created_at) if not check.is_met]
    assert missing == ["second_person"], "a template has tests that pass and hit every rule"
    assert ingrid.get("/policies/new?template=no-such").status_code == 404


def test_a_file_is_taken_in_place_of_the_text(sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    file = ContentFile(TEXT.replace(f"key: {KEY}", "key: finance.other").encode(), name="other.yaml")

    saved = ingrid.post("/policies/new", {"file": file, "text": ""})
    binary = ingrid.post("/policies/new", {"file": ContentFile(b"\xff\xfe", name="x.yaml")})
    nothing = ingrid.post("/policies/new", {"text": " "})

    assert saved["Location"] == "/policies/finance.other?version=1"
    assert "The file is no text in UTF-8." in binary.content.decode()
    assert (binary.status_code, nothing.status_code) == (400, 400)


def test_two_versions_stand_side_by_side_in_words_and_lines(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    keep(daniel, TEXT.replace(LIMIT, "context.amount > 4000 && context.amount <= 25000"))

    page = daniel.get(f"/policies/{KEY}/diff").content.decode()

    assert "Version 1 and version 2" in page
    assert "Amount above 4,000" in page
    assert "+   when: context.amount &gt; 4000 &amp;&amp; context.amount &lt;= 25000" in page
    assert daniel.get(f"/policies/{KEY}/diff?before=1&after=9").status_code == 404
    assert "Both versions say the same." in daniel.get(f"/policies/{KEY}/diff?before=1&after=1").content.decode()


def test_a_document_is_downloaded_as_yaml_and_as_canonical_json(sign_in: Any) -> None:
    priya = sign_in("priya")

    yaml, json = (priya.get(f"/policies/{KEY}/versions/1/document.{kind}") for kind in ("yaml", "json"))

    assert read_text(yaml.content.decode()) == version(1).document
    assert policies.document_digest(json.json()) == version(1).sha256
    assert f"{KEY}.v1.yaml" in yaml["Content-Disposition"]


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ("{from: 2999-01-01, until: null}", "The time of this version has not come"),
        ("{from: null, until: 2020-01-01}", "The time of this version is over"),
        ("{from: 2020-01-01, until: 2999-01-01}", "Its rules apply from 1 January 2020"),
    ],
)
def test_a_version_says_what_its_dates_mean_now(sign_in: Any, dates: str, words: str) -> None:
    daniel = sign_in("daniel")
    keep(daniel, TEXT.replace("priority: 100\n", f"priority: 100\neffective: {dates}\n"))

    assert words in daniel.get(f"/policies/{KEY}?version=2").content.decode()


def test_everybody_who_sees_it_comments_and_only_they(sign_in: Any) -> None:
    assert step(sign_in("priya"), 1, "comment", text="Why 5,000?").status_code == 302
    assert step(sign_in("tomasz"), 1, "comment", text="Hello.").status_code == 404
    assert step(sign_in("priya"), 1, "comment", text=" ").status_code == 400
    assert PolicyComment.objects.count() == 1


def test_an_approval_is_of_the_document_that_was_read(sign_in: Any) -> None:
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    keep(daniel, TEXT)
    act(daniel, 2, "ask-review")
    seen = version(2).sha256
    act(daniel, 2, "withdraw")
    daniel.call(
        "patch", f"policies/{KEY}/versions/2", {"text": TEXT.replace("priority: 100", "priority: 1")}, match="*"
    )
    act(daniel, 2, "ask-review")

    assert step(ingrid, 2, "approve", seen=seen).status_code == 412
    assert version(2).status == "in_review"


def test_people_without_the_right_neither_write_nor_act(sign_in: Any) -> None:
    approved(sign_in, TEXT)
    priya = sign_in("priya")

    for path in ("/policies/new", f"/policies/{KEY}/edit"):
        assert priya.get(path).status_code == 403
        assert priya.post(path, {"text": TEXT, "base": "1"}).status_code == 403
    assert priya.post("/policies/check", {"text": TEXT}).status_code == 403
    for what in ("activate", "shadow", "retire", "approve", "send-back", "withdraw", "restore"):
        assert step(priya, 2, what, reason="A drill.").status_code == 403, what
    assert version(2).status == "approved"


def test_taking_out_needs_a_reason(sign_in: Any) -> None:
    ingrid = sign_in("ingrid")

    assert step(ingrid, 1, "retire").status_code == 400
    assert step(ingrid, 1, "retire", reason="We pay by hand.").status_code == 302
    assert step(ingrid, 1, "restore")["Location"] == f"/policies/{KEY}?version=2"
    assert (version(1).status, version(2).status) == ("retired", "draft")


def test_the_list_shows_what_is_under_way(sign_in: Any) -> None:
    approved(sign_in, TEXT)
    act(sign_in("daniel"), 2, "shadow")

    page = sign_in("priya").get("/policies").content.decode()

    assert "In force" in page
    assert "in shadow" in page
    assert put_in_force(sign_in("ingrid"), 2).status_code == 200


def test_a_reviewer_reads_which_item_of_a_list_decided(sign_in: Any, robot: Any, question: Any) -> None:
    limit = '["KES", "AC"].exists(start, resource.seller.startsWith("Kessler") && resource.iban.startsWith(start))'
    test = """  - {name: by the bank, request: {resource: {properties: {iban: AC1}}},
     expect: {effect: escalate, rule: ip-bank}}
"""
    rule = f"""  - id: ip-bank
    effect: escalate
    when: '{limit}'
    on_missing: skip
    reason: A bank that is looked at.
    escalate: {{path: treasury, sla: 2h, on_timeout: deny}}
"""
    head, _, rest = TEXT.partition("base_request:")
    assert (
        put_in_force(sign_in("daniel"), approved(sign_in, f"{head}{rule}base_request:{rest}{test}")).status_code == 200
    )
    asked = question(amount="1", properties={"iban": "AC99"})
    told = robot("AP-04").call("post", "actions", asked).json()
    assert told["rule"] == "ip-bank"

    page = sign_in("maria").get(f"/escalations/{told['escalation']['id']}").content.decode()
    bench = sign_in("maria").get(f"/policies/bench?decision={told['decision']}").content.decode()

    for each in (page, bench):
        inside = each.split('<tr class="inside">')
        assert len(inside) == 3, "the seller and the account, of the item that decided"
        assert "Kessler" in inside[1]
        assert "AC99" in inside[2]


def test_the_tests_of_a_version_run_once_for_the_same_text_fields_and_lists(sign_in: Any) -> None:
    first = policies.tests_of(version(1).document)

    assert policies.tests_of(version(1).document) is first
    named = {"name": "embargo", "title": "Embargo", "items": ["A"], "reason": "Ordered.", "unit": "finance"}
    assert sign_in("daniel").call("post", "value-lists", named).status_code == 201
    assert policies.tests_of(version(1).document) is not first


def test_what_decides_already_needs_nothing_more(sign_in: Any, robot: Any, question: Any) -> None:
    robot("AP-04").call("post", "actions", question(amount="1"))

    tabs = {name: count for name, _, count in sign_in("ingrid").get(f"/policies/{KEY}").context["tabs"]}

    assert tabs["gate"] == 0
