"""The description of the API held against the server: requests that fit it and requests that do not, made at random,
are never answered by an error of the server, and always by an answer that the description has."""

import re
from collections.abc import Iterator
from typing import Any

import hypothesis
import hypothesis.errors
import pytest
import schemathesis
from django.conf import settings
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.site.routes import DOORS, routes
from tests.site.world import World

CSRF = "b" * 32
NAMES = {"/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path): name for name, path, _ in routes()}
CHECKS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance, checks.negative_data_rejection,
]  # fmt: skip
EXAMPLES = {GenerationMode.POSITIVE: 5, GenerationMode.NEGATIVE: 5}
CONFIG = {
    "generation": {"with-security-parameters": False},
    "checks": {
        "negative_data_rejection": {
            "expected-statuses": [400, 401, 403, 404, 405, 406, 409, 412, 413, 422, 428, 429, 503]
        }
    },
}


@pytest.fixture(scope="module")
def description() -> Iterator[Any]:
    load_all_checks()
    config = schemathesis.Config.from_dict(CONFIG)
    found = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True), config=config)
    found.app = get_wsgi_application()
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)  # the test's own transaction has to stay open
    yield found
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


def shown_by(world: World, caller: str) -> dict[str, dict[str, str]]:
    """How this caller shows who it is."""
    plain = {"Accept-Encoding": "identity"}
    if caller in world.keys:
        return {"headers": {**plain, "Authorization": f"Bearer {world.keys[caller]}"}}
    cookies = {settings.SESSION_COOKIE_NAME: world.sessions[caller], settings.CSRF_COOKIE_NAME: CSRF}
    return {"headers": {**plain, "X-CSRFToken": CSRF}, "cookies": cookies}


def named(world: World, operation: Any) -> dict[str, Any] | None:
    """Ids of things that are there, for an address that names one."""
    door = DOORS[NAMES[operation.path], operation.method]
    names = [str(name) for name in door.names(world.own)]
    return dict(zip(re.findall(r"{(\w+)}", operation.path), names, strict=True)) or None


@pytest.mark.parametrize("mode", list(EXAMPLES))
@pytest.mark.parametrize("caller", ["agent", "council"])
def test_whatever_is_asked_the_answer_is_as_described(
    world: World, description: Any, caller: str, mode: GenerationMode
) -> None:
    asked, wrong = 0, []
    for result in description.get_all_operations():
        operation = result.ok()
        for ids in filter(None, (named(world, operation), {})) if named(world, operation) else (None,):

            @hypothesis.settings(
                max_examples=EXAMPLES[mode], database=None, deadline=None, derandomize=True,
                suppress_health_check=list(HealthCheck),
                phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            )  # fmt: skip
            @hypothesis.given(operation.as_strategy(mode, path_parameters=ids))
            def answered(case: Any) -> None:
                with transaction.atomic():
                    case.call_and_validate(**shown_by(world, caller), checks=CHECKS)
                    transaction.set_rollback(True)

            asked += 1
            try:
                answered()
            except hypothesis.errors.Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, "a request that names nothing cannot be wrong"
            except FailureGroup as found:
                wrong += [f"{operation.label}: {each}" for each in found.exceptions]
    assert not wrong, "\n\n".join(wrong)
    assert asked >= len(DOORS)
