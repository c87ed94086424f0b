"""The life of a policy: one writes it, another approves it, the gate says what is missing, and every step is told."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from autonomy_site.demo.company import FOLDER
from governance import urls
from governance.models import PolicyComment, PolicyVersion
from governance.operations import policies
from governance.operations.policies.drafts import RESERVED
from governance.rules import RuleSet
from governance.rules.texts import read_text, write_text
from observability import ledger
from observability.models import Event
from tests.policies import KEY, act, approved, keep, put_in_force

TEXT = (FOLDER / "policies" / "invoice_payment.yaml").read_text()


def status(number: int) -> str:
    """The status of a version of the payments policy."""
    return str(PolicyVersion.objects.get(policy__key=KEY, number=number).status)


def code(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


def test_daniel_writes_ingrid_approves_and_it_decides(sign_in: Any, robot: Any, question: Any) -> None:
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    number = keep(daniel, TEXT.replace("title: Invoice payment", "title: Payment of invoices")).json()["version"]

    asked = act(daniel, number, "ask-review", {"reason": "A clearer title."})
    assert (asked.status_code, asked.json()["status"], asked.json()["asked_by"]) == (200, "in_review", "Daniel Okafor")
    assert code(act(daniel, number, "approve")) == (403, "own_version")
    assert act(ingrid, number, "approve", {"reason": "Agreed."}).json()["approved_by"] == "Ingrid Halden"
    assert put_in_force(daniel, number).status_code == 200

    assert robot("AP-04").call("post", "actions", question(amount="1")).json()["policy_version"] == number
    verbs = ["policy.drafted", "policy.asked", "policy.refused", "policy.approved", "policy.activated"]
    told = Event.objects.filter(subject_name__contains="version 2", verb__in=verbs).order_by("pk")
    assert list(told.values_list("verb", flat=True)) == verbs
    assert told.get(verb="policy.approved").why == "Agreed."
    assert status(1) == "retired"


def test_ingrid_sends_it_back_with_a_reason_and_daniel_rewrites_it(sign_in: Any) -> None:
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    keep(daniel, TEXT)
    act(daniel, 2, "ask-review")

    assert code(act(ingrid, 2, "send-back", {"reason": " "}))[0] == 400
    assert act(ingrid, 2, "send-back", {"reason": "The title says too little."}).json()["status"] == "draft"
    read = daniel.call("get", f"policies/{KEY}/versions/2")
    better = {"text": TEXT.replace("title: Invoice payment", "title: Payment of invoices")}
    rewritten = daniel.call("patch", f"policies/{KEY}/versions/2", better, match=read["ETag"])

    assert rewritten.status_code == 200, rewritten.content
    assert rewritten.json()["title"] == "Payment of invoices"
    late = daniel.call("patch", f"policies/{KEY}/versions/2", {"text": TEXT}, match=read["ETag"])
    assert code(late) == (412, "changed_since")
    comments = ingrid.call("get", f"policies/{KEY}/versions/2/comments").json()["results"]
    assert [(each["kind"], each["text"]) for each in comments] == [("sent_back", "The title says too little.")]


@pytest.mark.parametrize(
    ("status_now", "refused"),
    [
        ("draft", ("approve", "send-back", "withdraw", "shadow")),
        ("in_review", ("ask-review", "shadow", "retire")),
        ("approved", ("ask-review", "approve", "send-back", "withdraw")),
        ("shadow", ("ask-review", "approve", "send-back", "withdraw", "shadow")),
        ("active", ("ask-review", "approve", "send-back", "withdraw", "shadow")),
        ("retired", ("ask-review", "approve", "send-back", "withdraw", "shadow", "retire")),
    ],
)
def test_a_version_goes_no_other_way(sign_in: Any, halden: Any, now: Any, status_now: str, refused: Any) -> None:
    ingrid, finance, maria = sign_in("ingrid"), halden.units["finance"], halden.people["maria"]
    version = policies.add_policy(read_text(TEXT), unit=finance, owner=maria, by=ledger.SYSTEM, at=now)
    for step in {"draft": (), "in_review": ("a",), "approved": ("a", "b"), "shadow": ("a", "b", "s"),
                 "active": ("x",), "retired": ("x", "r")}[status_now]:  # fmt: skip
        steps = {"a": policies.ask_review, "b": policies.approve, "s": policies.shadow, "x": policies.activate}
        steps.get(step, policies.retire)(version, by=ledger.SYSTEM, at=now, why="A drill.")
    events = Event.objects.count()

    for step in refused:
        answer = act(ingrid, 2, step, {"reason": "A drill."})
        assert answer.status_code == 409, (step, answer.content)

    assert status(2) == status_now
    assert Event.objects.count() == events


def test_the_gate_names_everything_that_is_missing(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    untested = TEXT.replace("  - {name: two people above 25000", "  # - {name: two people above 25000")
    keep(daniel, untested.replace('amount: "5000.00"', 'amount: "5000.02"'))

    gate = daniel.call("get", f"policies/{KEY}/versions/2/gate").json()
    refused = put_in_force(daniel, 2)

    missing = {check["name"]: check["words"] for check in gate["checks"] if not check["is_met"]}
    assert not gate["is_open"]
    assert set(missing) == {"tests", "coverage", "second_person"}
    assert "exactly at the limit" in missing["tests"]
    assert "ip-large" in missing["coverage"]
    assert code(refused) == (409, "gate_closed")
    assert {error["field"]: error["message"] for error in refused.json()["errors"]} == missing


def test_the_gate_wants_somebody_who_answers(sign_in: Any, halden: Any) -> None:
    approved(sign_in, TEXT)
    for name in ("maria", "daniel"):
        halden.people[name].groups.clear()

    refused = put_in_force(sign_in("ingrid"), 2)

    assert [error["field"] for error in refused.json()["errors"]] == ["paths"]
    assert "On level 1 of Treasury call-back nobody may decide." in refused.json()["errors"][0]["message"]


def test_a_shadow_decides_nothing_and_can_be_put_in_force(sign_in: Any, robot: Any, question: Any) -> None:
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    for _ in range(2):
        approved(sign_in, TEXT)

    assert act(daniel, 2, "shadow").json()["status"] == "shadow"
    assert act(ingrid, 3, "shadow").json()["status"] == "shadow"
    assert (status(1), status(2), status(3)) == ("active", "retired", "shadow")
    assert robot("AP-04").call("post", "actions", question(amount="1")).json()["policy_version"] == 1
    assert put_in_force(ingrid, 3).status_code == 200
    assert (status(1), status(3)) == ("retired", "active")


def test_a_shadow_needs_an_approval_and_passing_tests(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    keep(daniel, TEXT.replace('amount: "5000.00"', 'amount: "5000.02"'))

    refused = act(daniel, 2, "shadow")

    assert code(refused) == (409, "gate_closed")
    assert {error["field"] for error in refused.json()["errors"]} == {"tests", "second_person"}


def test_what_is_taken_out_denies_by_default(sign_in: Any, robot: Any, question: Any) -> None:
    ingrid = sign_in("ingrid")

    assert act(ingrid, 1, "retire", {"reason": "We pay by hand this week."}).json()["status"] == "retired"

    answer = robot("AP-04").call("post", "actions", question(amount="1")).json()
    assert (answer["effect"], answer["rule"]) == ("deny", "")
    assert Event.objects.get(verb="policy.retired").why == "We pay by hand this week."


def test_going_back_makes_a_draft_that_goes_the_same_way(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    number = approved(sign_in, TEXT.replace("title: Invoice payment", "title: Payment of invoices"))
    put_in_force(daniel, number)

    restored = act(sign_in("ingrid"), 1, "restore", match="")

    assert (restored.status_code, restored.json()["version"], restored.json()["status"]) == (201, 3, "draft")
    first, third = (PolicyVersion.objects.get(policy__key=KEY, number=each) for each in (1, 3))
    assert policies.same_content(first.document, third.document)
    assert status(2) == "active"


def test_an_author_takes_it_back_from_review_and_nobody_else_does(sign_in: Any) -> None:
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    keep(daniel, TEXT)
    act(daniel, 2, "ask-review")

    assert act(ingrid, 2, "withdraw").status_code == 403
    assert act(daniel, 2, "withdraw").json()["status"] == "draft"


def test_nobody_rewrites_the_draft_of_another(sign_in: Any) -> None:
    keep(sign_in("daniel"), TEXT)

    answer = sign_in("ingrid").call("patch", f"policies/{KEY}/versions/2", {"text": TEXT}, match="*")

    assert code(answer) == (403, "not_your_draft")


def test_what_is_approved_does_not_change_any_more(sign_in: Any) -> None:
    approved(sign_in, TEXT)

    answer = sign_in("daniel").call("patch", f"policies/{KEY}/versions/2", {"text": TEXT}, match="*")

    assert code(answer) == (409, "wrong_status")


def test_the_database_refuses_an_approval_by_the_author(halden: Any, now: Any) -> None:
    daniel = halden.people["daniel"]
    version = PolicyVersion.objects.get(policy__key=KEY)
    PolicyVersion.objects.filter(pk=version.pk).update(author=daniel, approved_by=None)

    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.filter(pk=version.pk).update(approved_by=daniel)


def test_what_a_document_says_of_its_status_counts_for_nothing(sign_in: Any) -> None:
    kept = keep(sign_in("daniel"), TEXT.replace("version: 1\n", "version: 9\nstatus: active\n"))

    assert (kept.json()["version"], kept.json()["status"]) == (2, "draft")
    assert "status" not in PolicyVersion.objects.get(policy__key=KEY, number=2).document


def test_a_key_that_pages_have_is_refused(sign_in: Any) -> None:
    answer = keep(sign_in("daniel"), TEXT.replace(f"key: {KEY}", "key: new"))

    assert answer.status_code == 400
    assert "`new` is an address here. Choose another key." in answer.content.decode()


def test_every_address_beside_the_policies_is_reserved() -> None:
    routes = [str(each.pattern).split("/") for each in (*urls.urlpatterns, *urls.api_urls)]

    beside = {parts[1] for parts in routes if parts[0] == "policies" and len(parts) > 1 and "<" not in parts[1]}

    assert {"new", "schema", "lists"} <= beside <= set(RESERVED)


def test_people_who_see_the_policy_comment_on_it_and_others_do_not_find_it(sign_in: Any) -> None:
    said = act(sign_in("priya"), 1, "comments", {"text": "Why 5,000?"}, match="")

    assert said.status_code == 201, said.content
    assert act(sign_in("tomasz"), 1, "comments", {"text": "Hello."}, match="").status_code == 404
    assert PolicyComment.objects.get().text == "Why 5,000?"
    assert Event.objects.filter(verb="policy.commented", actor_id="priya").count() == 1


def test_a_diff_tells_the_change_in_words_and_in_text(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    text = TEXT.replace("context.amount > 5000 && context.amount <= 25000", "context.amount > 4000")
    text = text.replace("priority: 100", "priority: 90\neffective: {from: 2027-01-01, until: null}")
    assert keep(daniel, text.replace("id: ip-large", "id: ip-huge")).status_code == 201

    diff = daniel.call("get", f"policies/{KEY}/diff", {"before": 1, "after": 2}).json()

    assert {"field": "Priority", "before": "100", "after": "90"} in diff["about"]
    assert {"field": "In force from", "before": None, "after": "2027-01-01"} in diff["about"]
    rules = {rule["id"]: rule for rule in diff["rules"]}
    assert {name: rule["kind"] for name, rule in rules.items()} == {
        "ip-huge": "added", "ip-limit": "changed", "ip-large": "removed",
    }  # fmt: skip
    when = {"field": "When", "before": "Amount above 5,000 and Amount at most 25,000", "after": "Amount above 4,000"}
    assert rules["ip-limit"]["changes"] == [when]
    assert "-  when: context.amount > 5000 && context.amount <= 25000" in diff["text"]
    assert "+  when: context.amount > 4000" in diff["text"]


def test_a_version_is_exported_and_the_text_comes_back_the_same(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    shown = daniel.call("get", f"policies/{KEY}/versions/1").json()

    assert read_text(shown["text"]) == shown["document"]
    assert keep(daniel, shown["text"]).json()["version"] == 2
    assert policies.same_content(PolicyVersion.objects.get(policy__key=KEY, number=2).document, shown["document"])
    assert write_text(shown["document"]) == shown["text"]


@pytest.mark.parametrize("who", ["priya", "sofia", "edith", "jonas", "maria"])
def test_only_those_with_the_right_review(sign_in: Any, who: str) -> None:
    keep(sign_in("daniel"), TEXT)
    act(sign_in("daniel"), 2, "ask-review")

    for step in ("approve", "send-back", "withdraw", "shadow", "retire"):
        assert act(sign_in(who), 2, step, {"reason": "A drill."}).status_code in (403, 404)
    assert status(2) == "in_review"


def test_policies_that_did_not_change_are_not_compiled_again(
    sign_in: Any, robot: Any, question: Any, halden: Any, now: Any
) -> None:
    share_memory(halden, now)
    clerk = robot("AP-04")
    assert clerk.call("post", "actions", question(amount="900")).json()["effect"] == "allow"
    before, schema = policies.rules_now()
    text = TEXT.replace("title: Invoice payment", "title: Invoice payment, as of today")

    assert approved(sign_in, text) == 2
    assert policies.rules_now()[0] is before, "what is approved decides nothing yet"
    assert put_in_force(sign_in("daniel"), 2).status_code == 200

    after, same_schema = policies.rules_now()
    was, now = ({policy.key: policy for policy in each.policies} for each in (before, after))
    assert same_schema is schema
    assert [key for key in now if now[key] is not was[key]] == [KEY]
    assert (was[KEY].version, now[KEY].version) == (1, 2)
    untouched = [
        action for action in actions_of(after) if not any(rule.ref.startswith(KEY) for rule in after.about(action))
    ]
    assert untouched
    for action in untouched:
        assert after._table_for(action) is before._table_for(action), action
    answer = clerk.call("post", "actions", question(amount="901")).json()
    assert (answer["effect"], answer["policy_version"]) == ("allow", 2)


def test_a_retired_policy_decides_no_more_and_the_others_stay_compiled(
    sign_in: Any, robot: Any, question: Any, halden: Any, now: Any
) -> None:
    share_memory(halden, now)
    clerk = robot("AP-04")
    assert clerk.call("post", "actions", question(amount="900")).json()["effect"] == "allow"
    before, _ = policies.rules_now()

    assert act(sign_in("daniel"), 1, "retire", {"reason": "Nobody pays any more."}).status_code == 200

    after, _ = policies.rules_now()
    was = {policy.key: policy for policy in before.policies}
    assert was.keys() - {policy.key for policy in after.policies} == {KEY}
    assert all(policy is was[policy.key] for policy in after.policies)
    assert clerk.call("post", "actions", question(amount="902")).json()["effect"] == "deny"


def share_memory(halden: Any, now: Any) -> None:
    """Another policy in force, about what agents keep in common."""
    document = {
        "apiVersion": "autonomyos/v1", "kind": "Policy", "key": "finance.memory", "version": 1, "title": "Memory",
        "scope": {"actions": ["memory.write", "memory.read"]},
        "rules": [{"id": "shared", "effect": "allow", "reason": "Agents share what they know."}],
    }  # fmt: skip
    finance, maria = halden.units["finance"], halden.people["maria"]
    policies.activate(
        policies.add_policy(document, unit=finance, owner=maria, by=ledger.SYSTEM, at=now), by=ledger.SYSTEM, at=now
    )


def actions_of(rules: RuleSet) -> set[str]:
    """The actions that rules name."""
    named = {action for policy in rules.policies for rule in policy.rules for action in rule.actions}
    return {action for action in named if "*" not in action}
