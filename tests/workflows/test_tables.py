"""People publish decision tables, try them, and read what they decide."""

from typing import Any

import pytest
from django.core.files.base import ContentFile

from observability.models import Event
from tests.workflows.test_dmn import TWICE, table
from workflows.models import DecisionTable

WHY = "The limits of next year."


def file(dmn: bytes) -> dict[str, Any]:
    return {"file": ContentFile(dmn, "limits.dmn"), "why": WHY}


def test_ingrid_publishes_a_table_and_sees_what_it_decides(halden: Any, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")

    answer = ingrid.post("/workflows/invoice-to-payment/tables", file(table(TWICE, policy="FIRST")), follow=True)

    made = DecisionTable.objects.get()
    assert (made.code, made.number, made.author, made.reason) == ("approver", 1, halden.people["ingrid"], WHY)
    assert Event.objects.get(verb="table.published").why == WHY
    assert "Approver, edition 1 is published." in answer.content.decode()
    tried = ingrid.get(f"/workflows/invoice-to-payment/tables/{made.uid}?try=1&value-0=2000&value-1=paper")
    assert tried.context["decided"].values == {"who": "cfo"}
    assert "matches" in tried.content.decode()
    nothing = ingrid.get(f"/workflows/invoice-to-payment/tables/{made.uid}?try=1&value-0=500&value-1=paper")
    assert "No rule matches: Amount = 500" in nothing.content.decode()
    assert ingrid.get(f"/workflows/invoice-to-payment/tables/{made.uid}?try=1&value-0=much").status_code == 400


def test_the_same_file_is_the_edition_it_already_is_and_another_the_next(halden: Any, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    one, two = table(TWICE, policy="FIRST"), table(TWICE, policy="RULE ORDER")

    for dmn in (one, one, two):
        ingrid.post("/workflows/invoice-to-payment/tables", file(dmn))

    assert list(DecisionTable.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    page = ingrid.get("/workflows/invoice-to-payment/tables").content.decode()
    assert page.count("approver") == 1
    first = DecisionTable.objects.get(number=1)
    drawn = ingrid.get(f"/workflows/invoice-to-payment/tables/{first.uid}.dmn")
    assert drawn.content == one
    assert drawn["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "dmn, words",
    [
        (b"\xff\xfe", "Save the file as UTF-8."),
        (b"<a/>", "not DMN"),
        (table('< | - | "x"'), "ends too early"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
        (b" " * 900_001, "at most 900 kB"),
    ],
)
def test_a_file_that_decides_nothing_is_refused_and_nothing_is_kept(
    halden: Any, sign_in: Any, dmn: bytes, words: str
) -> None:
    answer = sign_in("ingrid").post("/workflows/invoice-to-payment/tables", file(dmn))

    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not DecisionTable.objects.exists()


def test_who_may_not_publish_is_refused_and_other_units_see_nothing(halden: Any, sign_in: Any) -> None:
    edith, lukas = sign_in("edith"), sign_in("lukas")

    refused = edith.post("/workflows/invoice-to-payment/tables", file(table(TWICE, policy="FIRST")))

    assert refused.status_code == 403
    assert "Publish a table" not in edith.get("/workflows/invoice-to-payment/tables").content.decode()
    assert lukas.get("/workflows/invoice-to-payment/tables").status_code == 404
    assert not DecisionTable.objects.exists()


def test_a_program_publishes_lists_and_tries_a_table(halden: Any, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    made = ingrid.call("post", "workflows/invoice-to-payment/tables", {"dmn": table(TWICE, policy="FIRST").decode()})

    assert made.status_code == 201, made.content
    listed = ingrid.call("get", "workflows/invoice-to-payment/tables").json()["results"]
    assert [each["id"] for each in listed] == [made.json()["id"]]
    facts = {"facts": {"amount": "20.00", "kind": "paper"}}
    tried = ingrid.call("post", f"tables/{made.json()['id']}/try", facts)
    assert tried.json() == {"values": {"who": "clerk"}, "matched": {"approver": [1]}}
    wrong = ingrid.call("post", f"tables/{made.json()['id']}/try", {"facts": {"amount": "much"}})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "nothing_decided")
