"""Policies: a wrong one is never saved and says where, a failing test stops it, an active one decides at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from governance import operations
from governance.models import Policy, PolicyVersion
from observability import ledger
from observability.models import Event
from tests.policies import approved, keep, put_in_force

TEXT = (Path(settings.BASE) / "autonomy_site/demo/policies/invoice_payment.yaml").read_text()
LIMIT = "context.amount > 5000 && context.amount <= 25000"


def test_a_new_version_decides_from_the_next_question_on(sign_in: Any, robot: Any, question: Any) -> None:
    daniel, clerk = sign_in("daniel"), robot("AP-04")
    assert clerk.call("post", "actions", question(amount="900")).json()["effect"] == "allow"
    text = TEXT.replace(LIMIT, "context.amount > 500 && context.amount <= 25000")
    text = text.replace(
        "small matched invoice, expect", "small matched invoice, request: {context: {amount: 1}}, expect"
    )
    text = text.replace('amount: "5000.00"', 'amount: "500.00"').replace('amount: "1210.50"', 'amount: "210.50"')

    assert approved(sign_in, text) == 2
    assert clerk.call("post", "actions", question(amount="900")).json()["policy_version"] == 1, (
        "what is approved decides nothing yet"
    )
    assert put_in_force(daniel, 2).status_code == 200

    answer = clerk.call("post", "actions", question(amount="900")).json()
    assert (answer["effect"], answer["policy_version"]) == ("escalate", 2)
    assert list(PolicyVersion.objects.values_list("number", "status")) == [(2, "active"), (1, "retired")]
    assert Event.objects.filter(verb="policy.activated", actor_id="daniel").count() == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (LIMIT, "context.amout > 5000", ["line 1, column 1", "context.amount"]),
        (LIMIT, "context.amount > 'many'", ["line 1", "column"]),
        (LIMIT, "context.amount >", ["line 1"]),
        ("effect: deny", "effect: maybe", ["rules"]),
        ("path: treasury", "path: tresury", ["No escalation path is called `tresury`", "Did you mean `treasury`?"]),
        ("id: ip-large", "id: ip-limit", ["ip-limit"]),
        ("title: Invoice payment", "titel: Invoice payment", ["title"]),
        ("key: finance.invoice-payment", "key: finance.invoice-payment\nkey: b", ["line 5", "given twice"]),
        ("title: Invoice payment", "title: [", ["line", "column"]),
        ("title: Invoice payment", "title: &a x\nowner2: *a", ["references are not allowed"]),
        ("title: Invoice payment", "title: !!python/object:os.system x", ["tags are not allowed"]),
    ],
)
def test_a_policy_with_an_error_is_not_saved_and_says_where(sign_in: Any, old: str, new: str, said: list[str]) -> None:
    assert old in TEXT
    daniel = sign_in("daniel")
    text = TEXT.replace(old, new)

    for answer in (keep(daniel, text), daniel.call("post", "policies/check", {"text": text})):
        assert answer.status_code == 400, answer.content
        told = str([f"{error['field']}: {error['message']}" for error in answer.json()["errors"]])
        assert all(word in told for word in said), told
        assert "Did you mean Did" not in told
    assert PolicyVersion.objects.count() == 1


def test_a_failing_test_inside_the_policy_stops_its_activation(sign_in: Any, robot: Any, question: Any) -> None:
    approved(sign_in, TEXT.replace(LIMIT, "context.amount > 4000 && context.amount <= 25000"))

    answer = put_in_force(sign_in("daniel"), 2)

    assert (answer.status_code, answer.json()["code"]) == (409, "gate_closed")
    assert [error["field"] for error in answer.json()["errors"]] == ["tests"]
    assert "exactly at the limit" in str(answer.json()["errors"])
    assert robot("AP-04").call("post", "actions", question(amount="4500")).json()["policy_version"] == 1


@pytest.mark.parametrize("who", ["priya", "sofia", "edith", "jonas", "maria"])
def test_only_those_with_the_right_write_policies(sign_in: Any, who: str) -> None:
    person = sign_in(who)

    assert keep(person, TEXT).status_code == 403
    assert put_in_force(person, 1).status_code in (403, 404)
    assert PolicyVersion.objects.count() == 1


def test_a_policy_of_another_unit_is_not_found(sign_in: Any) -> None:
    assert put_in_force(sign_in("tomasz"), 1).status_code == 404
    assert put_in_force(sign_in("daniel"), 7).status_code == 404
    assert put_in_force(sign_in("daniel"), 1, key="no-such").status_code == 404


def test_a_retired_version_does_not_come_back(sign_in: Any) -> None:
    daniel = sign_in("daniel")
    approved(sign_in, TEXT)
    assert put_in_force(daniel, 2).status_code == 200

    answer = put_in_force(daniel, 1)

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
    assert PolicyVersion.objects.active().get().number == 2


def test_versions_are_kept_and_never_change(halden: Any, now: Any) -> None:
    document = yaml.safe_load(TEXT)
    first, second = (
        operations.add_policy(
            document, unit=halden.units["finance"], owner=halden.people["maria"], by=halden.people["daniel"], at=now
        )
        for _ in range(2)
    )

    assert (first.number, second.number) == (2, 3)
    assert first.sha256 == operations.policies.document_digest(first.document)
    assert Policy.objects.count() == 1


def test_a_broken_document_is_refused_by_the_operation_too(halden: Any, now: Any) -> None:
    with pytest.raises(ledger.Invalid):
        operations.add_policy(
            {"rules": []}, unit=halden.units["finance"], owner=halden.people["maria"], by=ledger.SYSTEM, at=now
        )
