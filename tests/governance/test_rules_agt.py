"""The cases of the agent-governance-toolkit beside the repository, answered by documents of our own: same verdicts.

How its concepts became ours is told in docs/policies-mapping.md; the cases themselves are no part of the repository.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from governance.language import Field, Kind, RequestInvalid, Schema
from governance.rules import STANDARD_FIELDS, RuleSet, Ruling, parse_policy, run_tests
from governance.rules.coverage import not_hit
from governance.rules.documents import with_standard_fields
from governance.rules.expectations import by_type
from governance.rules.texts import read_text

DOCUMENTS = Path(__file__).parent / "agt"
BESIDE = [above / "shared" / "data" / "policy" for above in Path(__file__).parents[2].parents]
CASES = next((folder for folder in BESIDE if folder.is_dir()), BESIDE[0])
NAMES = ("approval", "budgets", "conflicts", "drift", "egress", "general")
FIELDS = (
    *(Field(f"resource.{name}", Kind.INT) for name in ("max_tool_calls", "max_tokens", "drift_threshold")),
    *(Field(f"resource.{name}", Kind.LIST, item=Kind.STRING) for name in ("security_labels", "approvers")),
    *(Field(f"context.{name}", Kind.STRING) for name in ("host", "domain", "input", "output", "statement")),
    *(Field(f"context.{name}", Kind.STRING) for name in ("endpoint", "namespace", "resource", "operation")),
    Field("counted.tool_calls", Kind.INT, source="fact"),
    Field("counted.tokens", Kind.INT, source="fact"),
    Field("noted.drift_score", Kind.INT, source="fact"),
    Field("noted.destination", Kind.STRING, source="fact"),
    Field("noted.approval_required", Kind.BOOL, source="fact"),
)  # fmt: skip
SCHEMA = with_standard_fields(Schema([*FIELDS, *STANDARD_FIELDS]))

needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases of the toolkit are not beside the repository")


def document(name: str) -> dict[str, Any]:
    read: dict[str, Any] = read_text((DOCUMENTS / f"{name}.yaml").read_text())
    return read


def ruling(name: str, facts: Mapping[str, Any], *, changed: Mapping[str, Any] | None = None) -> Ruling:
    """What our document says about these facts; an agent of the cases is one that is active."""
    given = {**facts, "subject": {"type": "agent", "status": "active", **facts.get("subject", {})}}
    return RuleSet([parse_policy(changed or document(name), SCHEMA)]).decide(SCHEMA.coerce(given))


@pytest.mark.parametrize("name", NAMES)
def test_each_document_passes_its_own_tests_and_each_rule_applies(name: str) -> None:
    read = document(name)
    results = run_tests(read, SCHEMA)

    assert [result for result in results if not result.passed] == []
    assert not_hit(parse_policy(read, SCHEMA), results) == ()


# --- Cedar libraries ------------------------------------------------------------------------------------------
def cedar_cases() -> Iterator[Any]:
    for path in sorted((CASES / "agt_cedar").glob("*_test.json")):
        name = path.stem.removesuffix("_test")
        yield from (pytest.param(name, case, id=f"{name}: {case['name']}") for case in json.loads(path.read_text()))


def facts_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """A request of Cedar with its entities, as our facts: what the host measured or noted is never the agent's word."""
    request, context = case["request"], case["request"]["context"]
    kind, number = _entity(request["resource"])
    own = {each["uid"]["id"]: each["attrs"] for each in case["entities"]}
    counted, noted = context.get("envelope", {}).get("budgets", {}), context.get("annotations", {})
    arguments = context.get("tool_call", {}).get("args", {})
    facts = {
        "subject": {"id": _entity(request["principal"])[1]},
        "action": {"name": _entity(request["action"])[1]},
        "resource": {"type": kind, "id": number, **own.get(number, {})},
        "context": {name: arguments[name] for name in ("host", "domain") if name in arguments},
        "counted": {"tool_calls": counted.get("tool_call_count"), "tokens": counted.get("token_count")},
        "noted": {
            "drift_score": noted.get("drift_score"), "destination": noted.get("egress", {}).get("destination"),
            "approval_required": noted.get("approval", {}).get("required"),
        },
    }  # fmt: skip
    granted = noted.get("approval", {}).get("granted")
    return facts | ({"approval": {"id": "a-1", "paths": ["approvers"]}} if granted else {})


def _entity(said: str) -> tuple[str, str]:
    kind, _, quoted = said.partition("::")
    return kind, quoted.strip('"')


def expected_of(case: Mapping[str, Any]) -> tuple[str, str | None]:
    """The verdict and the rule that a case wants: a permit with the advice `escalate` is our escalation."""
    rule = next((name.removeprefix("agt.").replace(".", "-").replace("_", "-") for name in case["reason"]), None)
    asks = rule is not None and rule.startswith("approval-")
    return ("escalate" if asks else case["decision"]), rule


@needs_cases
@pytest.mark.parametrize(("name", "case"), list(cedar_cases()))
def test_a_case_of_the_cedar_libraries_gets_its_verdict_from_its_rule(name: str, case: Mapping[str, Any]) -> None:
    said = ruling(name, facts_of(case))

    assert (said.verdict.value, said.rule) == expected_of(case), said
    if said.rule == "drift-warn":
        assert by_type(said.obligations)["log"] == "evidence", "the advice `warn` is a duty"


@needs_cases
def test_all_22_cases_of_the_cedar_libraries_are_asked() -> None:
    assert len(list(cedar_cases())) == 22


def test_without_skipping_a_counter_that_is_missing_denies_by_its_rule() -> None:
    careful = document("budgets")
    for rule in careful["rules"]:
        del rule["on_missing"]
    facts = {"action": {"name": "pre_tool_call"}, "resource": {"max_tool_calls": 10, "max_tokens": 10}}

    assert ruling("budgets", facts).rule is None, "as in Cedar: nothing forbids it"
    said = ruling("budgets", facts, changed=careful)
    assert said.rule is not None
    assert set(said.missing) == {"counted.tool_calls", "counted.tokens"}


def test_the_agent_cannot_say_what_the_host_measures() -> None:
    facts = {"action": {"name": "output"}, "resource": {"drift_threshold": 50}, "noted": {"drift_score": 1}}

    with pytest.raises(RequestInvalid, match="set by the system"):
        SCHEMA.coerce(facts, only="request")


# --- templates ------------------------------------------------------------------------------------------------
def template_cases() -> Iterator[Any]:
    for path in sorted((CASES / "agt_templates").glob("*.json")):
        told = json.loads(path.read_text())
        name = "general" if isinstance(told, list) else "conflicts"
        yield from (pytest.param(name, case, id=case["id"]) for case in (told if isinstance(told, list) else [told]))


def template_facts(given: Mapping[str, Any]) -> dict[str, Any]:
    """The input of a template as our facts; what names no action is the agent's answer."""
    words = {name: given[name] for name in ("input", "output") if name in given}
    return {
        "subject": {"id": given.get("agent_did", "A-1")},
        "action": {"name": given.get("action", "respond")},
        "resource": {"type": "thing", "id": "1"},
        "context": {**given.get("context", {}), **words},
        "counted": {"tokens": given.get("token_count"), "tool_calls": given.get("tool_call_count")},
    }


@needs_cases
@pytest.mark.parametrize(("name", "case"), list(template_cases()))
def test_a_case_of_the_templates_gets_its_verdict(name: str, case: Mapping[str, Any]) -> None:
    said = ruling(name, template_facts(case["input"]))

    assert said.verdict.value == case["expected_verdict"], said
    if "expected_rule" in case:
        assert said.rule == case["expected_rule"]


@needs_cases
def test_all_20_cases_of_the_templates_are_asked_and_one_alone_is_denied_by_default() -> None:
    cases = [case.values for case in template_cases()]

    assert len(cases) == 20
    said = [ruling(name, template_facts(case["input"])) for name, case in cases]
    assert sum(each.rule is None for each in said) == 1, "a clean answer: nothing allows it, nothing forbids it"
