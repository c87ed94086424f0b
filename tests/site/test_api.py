"""The API as a whole: every route guarded, bad input named, a repeat harmless, errors always problem+json."""

import json
import re
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, DataError, InterfaceError, OperationalError, connection
from django.test import Client
from django.urls import reverse

from agents.models import GivenAnswer
from workflows.models import Run, Step


def send(
    client: Any, path: str, body: Any, *, key: str | None = None, content_type: str = "application/json", **headers: str
) -> Any:
    """POST raw text with an agent's key."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    if key != "":
        headers["Idempotency-Key"] = key or str(uuid.uuid4())
    headers["Authorization"] = f"Bearer {client.key}"
    return client.post(f"/api/v1/{path}", text, content_type=content_type, headers=headers)


def fields(answer: Any) -> set[str]:
    """The names of the fields that the problem names."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"].startswith("urn:autonomy-os:problem:")
    return {error["field"] for error in body.get("errors", [])}


def test_an_address_that_does_not_exist_is_a_problem_too(robot: Any) -> None:
    clerk = robot("AP-04")
    for path in ("nothing", "runs/not-a-uuid", "steps/1/finish", "", "runs/"):
        answer = clerk.call("get", path)
        assert (answer.status_code, fields(answer)) == (404, set()), path


def test_a_nul_in_an_address_is_refused_before_the_database_sees_it(robot: Any) -> None:
    for path in ("agents/AP%0004", "memory/facts?space=a%00&key=b"):
        answer = robot("AP-04").call("get", path)
        assert (answer.status_code, fields(answer)) == (400, set())


BAD = [
    ("not JSON", "{", set()),
    ("text", '"abc"', set()),
    ("a list", "[1]", set()),
    ("null", "null", set()),
    ("not UTF-8", b'{"key": "\xff"}', set()),
    ("NaN", '{"workflow": "w", "key": "k", "input": {"total": NaN}}', {"input.total"}),
    ("Infinity in a list", '{"workflow": "w", "key": "k", "input": {"totals": [1, -Infinity]}}', {"input.totals[1]"}),
    ("a name twice", '{"workflow": "w", "key": "k", "key": "j"}', {"key"}),
    ("a name twice inside", '{"workflow": "w", "key": "k", "input": {"a": 1, "a": 2}}', {"a"}),
    ("an unknown field", '{"workflow": "w", "key": "k", "status": "done", "unit": 3}', {"status", "unit"}),
    ("a number for text", '{"workflow": "w", "key": 5}', {"key"}),
    ("true for text", '{"workflow": true, "key": "k"}', {"workflow"}),
    ("null for text", '{"workflow": "w", "key": null}', {"key"}),
    ("empty text", '{"workflow": "w", "key": " "}', {"key"}),
    ("too long text", json.dumps({"workflow": "w", "key": "k" * 201}), {"key"}),
    ("a list for an object", '{"workflow": "w", "key": "k", "input": []}', {"input"}),
    ("nothing", "{}", {"workflow", "key"}),
    ("a NUL", '{"workflow": "w", "key": "a\\u0000b"}', {"key"}),
    ("half a character", '{"workflow": "w", "key": "k", "input": {"document": "\\ud800"}}', {"input.document"}),
    ("half a character as a name twice", '{"\\ud800": 1, "\\ud800": 2}', {"\N{REPLACEMENT CHARACTER}"}),
    ("a number beyond measure", '{"workflow": "w", "key": "k", "input": {"n": 1e999999999}}', {"input.n"}),
    ("a number too small", '{"workflow": "w", "key": "k", "input": {"n": [1.5, 2e-101]}}', {"input.n[1]"}),
    ("nothing, very large", '{"workflow": "w", "key": "k", "input": {"n": 0e999999999}}', {"input.n"}),
    ("a NUL in a name", '{"workflow": "w", "key": "k", "input": {"a\\u0000": 1}}', {"input"}),
    ("a huge number", '{"workflow": "w", "key": "k", "input": {"n": 90071992547409930}}', {"input.n"}),
    ("5,000 digits", '{"workflow": "w", "key": ' + "9" * 5000 + "}", set()),
]


def test_a_bad_body_is_400_and_names_the_field(robot: Any) -> None:
    reader = robot("AP-01")

    for name, body, named in BAD:
        answer = send(reader, "runs", body)
        assert (answer.status_code, fields(answer)) == (400, named), name
    assert not Run.objects.exists()
    assert not GivenAnswer.objects.exists(), "the key may be used again for the corrected request"


def test_a_body_nested_40_levels_deep_is_400(robot: Any) -> None:
    answer = send(robot("AP-01"), "runs", '{"input": ' + '{"a": ' * 40 + "1" + "}" * 41)
    assert (answer.status_code, len(fields(answer))) == (400, 1)

    assert send(robot("AP-01"), "runs", "[" * 200_000).status_code == 400


def test_another_content_type_is_400(robot: Any) -> None:
    reader = robot("AP-01")
    for kind in (
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        answer = send(reader, "runs", '{"workflow": "w", "key": "k"}', content_type=kind)
        assert (answer.status_code, fields(answer)) == (400, set()), kind


def test_a_body_over_one_megabyte_is_413(robot: Any) -> None:
    reader = robot("AP-01")
    for path in ("runs", "actions", "work/claim", "nothing"):
        answer = send(reader, path, json.dumps({"workflow": "x" * (1024 * 1024)}))
        assert (answer.status_code, fields(answer)) == (413, set()), path


TYPES = [
    ("work/claim", {"wait_seconds": "1"}, {"wait_seconds"}),
    ("work/claim", {"wait_seconds": True}, {"wait_seconds"}),
    ("work/claim", {"wait_seconds": 26}, {"wait_seconds"}),
    ("work/claim", {"wait_seconds": -1}, {"wait_seconds"}),
    ("steps/{step}/finish", {"lease_token": 1.5, "output": {}}, {"lease_token"}),
    ("steps/{step}/finish", {"lease_token": 1, "output": {}, "claim_next": "yes"}, {"claim_next"}),
    ("steps/{step}/finish", {"lease_token": 1, "output": {}, "cost": "-1"}, {"cost"}),
    ("steps/{step}/finish", {"lease_token": 1, "output": {}, "cost": "NaN"}, {"cost"}),
    ("steps/{step}/finish", {"lease_token": 1, "output": {}, "cost": "0.0000001"}, {"cost"}),
    ("steps/{step}/finish", {"lease_token": 1, "output": {"readable": "yes", "colour": 1}}, {"readable", "colour"}),
    ("steps/{step}/finish", {"lease_token": 1, "output": {"readable": True, "total": "nine"}}, {"total"}),
    ("steps/{step}/finish", {"lease_token": 1, "output": {"readable": True, "number": 5}}, {"number"}),
    ("steps/{step}/fail", {"lease_token": 1, "reason": "x", "retryable": 1}, {"retryable"}),
    ("steps/{step}/fail", {"lease_token": 1}, {"reason"}),
    ("steps/{step}/heartbeat", {}, {"lease_token"}),
    ("memory/facts", {"space": "orders", "key": "k", "value": []}, {"value"}),
    ("memory/facts", {"space": "orders", "key": "k", "value": {}, "expires_seconds": 10**12}, {"expires_seconds"}),
    ("memory/facts", {"space": "orders", "key": "k", "value": {}, "evidence": [{"kind": "x"}]}, {"evidence[0].name"}),
    ("memory/facts", {"space": "orders", "key": "k", "value": {"t": "x" * 66_000}}, {"value"}),
    ("actions", {"action": "invoice.pay", "resource": {"type": "invoice"}}, {"resource.id"}),
    (
        "actions",
        {"action": "invoice.pay", "resource": {"type": "invoice", "id": "1", "owner": "me"}},
        {"resource.owner"},
    ),
    (
        "actions",
        {"action": "invoice.pay", "resource": {"type": "invoice", "id": "1"}, "confidence": "1.1"},
        {"confidence"},
    ),
    (
        "actions",
        {"action": "invoice.pay", "resource": {"type": "invoice", "id": "1"}, "changes": [{"field": 5}]},
        {"changes[0].field"},
    ),
]


def test_a_value_of_the_wrong_type_is_400_and_changes_nothing(robot: Any) -> None:
    reader, matcher = robot("AP-01"), robot("AP-02")
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    work = reader.claim()
    before = list(Step.objects.values())

    for path, body, named in TYPES:
        answer = send(matcher if "memory" in path else reader, path.format(step=work["step"]), body)
        assert (answer.status_code, fields(answer)) == (400, named), (path, body)
    assert list(Step.objects.values()) == before


def test_a_number_of_100_digits_is_still_taken_exactly(robot: Any) -> None:
    digits = "1." + "0" * 98 + "1"

    answer = send(robot("AP-02"), "memory/facts", f'{{"space": "orders", "key": "k", "value": {{"n": {digits}}}}}')

    assert answer.status_code == 201
    fact = robot("AP-02").call("get", "memory/facts", {"space": "orders", "key": "k"}).json()["fact"]
    assert fact["value"] == {"n": digits}


def test_what_django_itself_refuses_is_a_problem_for_programs_and_a_page_for_people(halden: Any) -> None:
    fields_many = "&".join(f"a{n}=1" for n in range(1100))
    for path in ("/api/v1/runs", "/api/schema/", "/api/"):
        for answer in (Client().get(path, headers={"Host": "evil.example"}), Client().get(f"{path}?{fields_many}")):
            assert (answer.status_code, fields(answer), answer.json()["code"]) == (400, set(), "unreadable"), path

    form = Client().post("/sign-in", fields_many, content_type="application/x-www-form-urlencoded")
    parts = Client().post("/sign-in", "x", content_type="multipart/form-data")
    for page in (form, parts, Client().get("/sign-in", headers={"Host": "evil.example"})):
        assert page.status_code == 400
        assert "Nothing was changed" in page.content.decode()
        assert "evil.example" not in page.content.decode()


def test_an_error_is_json_whatever_was_asked_for(client: Any, db: None) -> None:
    for path, accept in (("/api/", "text/html"), ("/api/schema/", "application/vnd.oai.openapi")):
        for method in ("post", "delete"):
            answer = getattr(client, method)(path, headers={"Accept": accept})
            assert (answer.status_code, fields(answer)) == (405, set()), (method, path)
    assert client.options("/api/").status_code == 405


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_an_acting_request_needs_an_idempotency_key(robot: Any, key: str) -> None:
    answer = send(robot("AP-01"), "work/claim", {}, key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


def test_a_repeat_gets_the_same_answer_and_has_no_second_effect(robot: Any) -> None:
    reader = robot("AP-01")
    body = {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}}

    first = send(reader, "runs", body, key="start-1")
    again = send(reader, "runs", dict(reversed(body.items())), key="start-1")

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.status_code == 201
    claimed = send(reader, "work/claim", {}, key="claim-1").json()
    assert send(reader, "work/claim", {}, key="claim-1").json() == claimed
    assert Step.objects.get().attempt == 1


def test_the_same_key_for_another_request_is_422(robot: Any) -> None:
    reader = robot("AP-01")
    send(reader, "work/claim", {"wait_seconds": 0}, key="one")

    answer = send(reader, "work/claim", {"wait_seconds": 1}, key="one")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_keys_of_two_agents_never_meet(robot: Any, halden: Any) -> None:
    body = {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}}
    send(robot("AP-01"), "runs", body, key="one")

    answer = send(robot("AP-02"), "work/claim", {}, key="one")

    assert answer.json()["work"] is None


def test_a_repeat_while_the_first_is_under_way_is_409(robot: Any, now: Any, halden: Any) -> None:
    reader = robot("AP-01")
    send(reader, "work/claim", {}, key="one")
    GivenAnswer.objects.update(status_code=None, body=None)

    answer = send(reader, "work/claim", {}, key="one")

    assert (answer.status_code, answer.json()["code"]) == (409, "in_flight")


def test_a_refused_request_leaves_its_key_free(robot: Any) -> None:
    reader = robot("AP-01")
    assert send(reader, "runs", {"workflow": "unknown", "key": "1"}, key="one").status_code == 404

    body = {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}}
    assert send(reader, "runs", body, key="one").status_code == 201


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError, 503), (InterfaceError, 503), (DataError, 400), (DatabaseError, 500)]
)
def test_an_error_of_the_database_is_a_problem_without_details(robot: Any, error: type[Exception], status: int) -> None:
    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if "workflows_run" in sql:
            raise error("server on 10.0.0.7 closed the connection")
        return execute(sql, *rest)

    with connection.execute_wrapper(broken):
        answer = robot("AP-01").call("get", "runs")

    assert (answer.status_code, fields(answer)) == (status, set())
    assert "10.0.0.7" not in answer.content.decode()
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_request_that_the_database_lost_can_be_repeated_with_its_key(robot: Any) -> None:
    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "observability_event" in sql:
            raise OperationalError("gone")
        return execute(sql, *rest)

    reader = robot("AP-01")
    body = {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}}
    with connection.execute_wrapper(broken):
        assert send(reader, "runs", body, key="one").status_code == 503
    assert not Run.objects.exists(), "nothing was half done"

    assert send(reader, "runs", body, key="one").status_code == 201


def test_a_number_beyond_every_range_in_an_address_finds_nothing(robot: Any) -> None:
    for after in ("9" * 40, "-1", "x", "1.5"):
        answer = robot("AP-04").call("get", f"events?after={after}")
        assert answer.status_code in (200, 400), after


def test_the_page_of_the_api_loads_nothing_from_elsewhere_and_obeys_the_policy(client: Any, db: None) -> None:
    page = client.get(reverse("api-browse"))
    html = page.content.decode()

    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"].split("style-src-attr")[0]
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert sources
    assert all(not source.startswith(("http", "//")) for source in sources), sources
    assert not re.findall(r"<script(?![^>]*src=)[^>]*>\s*\S", html), "a script inside the page would be blocked"
    assert "<style" not in html or not re.search(r"<style[^>]*>\s*[^<\s]", html), (
        "a style inside the page would be blocked"
    )
