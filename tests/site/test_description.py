"""The description of the API has every route and nothing else, with exact shapes; it changes only on purpose."""

import difflib
import json
import re
from typing import Any

import pytest
from django.urls import reverse
from jsonschema import Draft202012Validator, FormatChecker

from autonomy_site.management.commands.api_schema import PROBLEMS, SNAPSHOT, description, with_table
from tests.site.routes import BOUND, CALLERS, CHANGE, CHECK, DOORS, KINDS, LIST, ONE, STANDARD, methods, routes
from tests.site.test_doors import doors
from tests.site.test_matrix import table
from tests.site.world import World

FREE = {
    "variables",
    "item",
    "payload",
    "schema",
    "before",
    "values",
    "input",
    "output",
    "context",
    "properties",
    "value",
    "request",
    "obligations",
    "evidence",
    "amended",
    "amendable",
    "confirm",
    "changes",
    "hours",
    "card",
    "jwk",
    "data",
    "document",
}
RFC_3339_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(description())
    return found


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """(route name, method) to what is said about it."""
    names = {"/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path): name for name, path, _ in routes()}
    return {(names[path], method): op for path, ops in document["paths"].items() for method, op in ops.items()}


def test_every_route_is_described_and_nothing_else(operations: dict[tuple[str, str], Any]) -> None:
    served = {
        (name, method)
        for name, path, pattern in routes()
        if path.startswith(("api/v1/", "access/v1/"))
        for method in methods(pattern)
    }
    assert set(operations) == served


def test_it_is_openapi_3_1_with_both_ways_to_show_who_one_is(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["components"]["securitySchemes"]) >= {"agentKey", "personSession"}
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


# a form of a policy, the tree of a condition and facts have the names that policies and systems give
OF_POLICIES = ("form", "tree", "facts", "reads", "obligations", "example")


def test_every_answer_has_an_exact_shape(document: dict[str, Any], operations: dict[tuple[str, str], Any]) -> None:
    for door, operation in operations.items():
        good = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
        assert good, door
        assert operation["summary"], door
        for status, answer in good.items():
            if status == "204":
                continue
            if "application/octet-stream" in answer["content"]:
                continue  # a file as it is
            shape = answer["content"]["application/json"]["schema"]
            assert "$ref" in shape, f"{door}: name a serializer in responses="
    for name, shape in document["components"]["schemas"].items():
        for field, inner in shape.get("properties", {}).items():
            values = inner.get("properties") or inner.get("additionalProperties")
            loose = (inner.get("type") == "object" and not values) or not set(inner) - {"readOnly", "description"}
            assert not loose or field in FREE | {"conditions", *OF_POLICIES}, (
                f"{name}.{field} says nothing about its shape"
            )


def test_every_error_is_a_problem(document: dict[str, Any], operations: dict[tuple[str, str], Any]) -> None:
    for (name, method), operation in operations.items():
        errors = {status for status in operation["responses"] if status[0] in "45"}
        assert errors >= {"400", "401", "403", "404", "405", "406", "413", "429", "500", "503"}, name
        if method != "get" and DOORS[name, method].kind not in (CHECK, STANDARD):
            assert errors >= {"409", "412", "428"}, name
            assert ("422" in errors) == (method == "post"), f"{name}: only a POST carries an Idempotency-Key"
        for status in errors:
            assert operation["responses"][status]["$ref"] == f"#/components/responses/Problem{status}"
    assert all("application/problem+json" in each["content"] for each in document["components"]["responses"].values())


def test_headers_are_described(operations: dict[tuple[str, str], Any]) -> None:
    for (name, method), operation in operations.items():
        kind, sent = DOORS[name, method].kind, {each["name"]: each for each in operation.get("parameters", [])}
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                told = set(answer["headers"])
                assert told >= {"X-Request-ID", "traceparent", "RateLimit", "RateLimit-Policy"}, name
                assert ("ETag" in told) == (kind == ONE), name
                assert ("Link" in told) == (kind == LIST), name
        assert ("Idempotency-Key" in sent) == (method == "post" and kind != CHECK) or kind == STANDARD, name
        assert ("If-Match" in sent) == (kind in (CHANGE, BOUND)), name
        assert ("If-None-Match" in sent) == (kind == ONE), name
        assert {"cursor", "limit"} <= set(sent) or kind != LIST, name


def validator(document: dict[str, Any], shape: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**shape, "components": document["components"]}, format_checker=FormatChecker())


def test_every_request_has_an_example_that_fits(
    document: dict[str, Any], operations: dict[tuple[str, str], Any]
) -> None:
    for door, operation in operations.items():
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            assert content.get("example"), f"{door}: give its input serializer an `example`"
            validator(document, content["schema"]).validate(content["example"])


def test_what_is_answered_fits_what_is_described(
    world: World, document: dict[str, Any], operations: dict[tuple[str, str], Any]
) -> None:
    for asking in doors(world, *KINDS):
        answer = asking.ask(If_Match="*")
        answers = operations[asking.name, asking.method]["responses"]
        assert str(answer.status_code) in answers, (asking.name, answer.content)
        if answer.status_code == 204 or (asking.door.kind == STANDARD and answer.status_code >= 400):
            continue
        assert "content" in answers[str(answer.status_code)], (asking.name, answer.status_code, answer.content)
        if "application/octet-stream" in answers[str(answer.status_code)]["content"]:
            continue  # a file as it is
        validator(document, answers[str(answer.status_code)]["content"]["application/json"]["schema"]).validate(
            answer.json()
        )
        for text in re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', answer.content.decode()):
            assert RFC_3339_UTC.fullmatch(text), (asking.name, text)


def test_times_are_in_utc_whatever_zone_the_pages_are_in(world: World, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"

    started = world.ask("owner", "get", reverse("api-run", args=[world.own.run.uid])).json()["started_at"]

    assert started.endswith("Z")


def test_the_table_of_rights_has_a_row_for_every_door() -> None:
    told = {row[:2] for row in table()}
    assert set(DOORS) <= told
    assert len(CALLERS) == 13


def test_the_description_changes_only_on_purpose() -> None:
    kept, now = SNAPSHOT.read_text(), description()

    lines = difflib.unified_diff(kept.splitlines(), now.splitlines(), "as announced", "as it is", lineterm="", n=2)
    changed = "\n".join(lines)
    assert not changed, (
        "The API is not what tests/site/openapi_snapshot.json announces. Within v1 it may only grow (docs/api.md). If"
        f" this change is meant, run `manage.py api_schema --write` and tell it in CHANGELOG.md:\n{changed}"
    )


def test_every_problem_stands_in_the_documents() -> None:
    page = PROBLEMS.read_text()

    assert with_table(page) == page, "run `manage.py api_schema --write`"
