"""Rules of governance, expectations: reads the tests in a policy document and compares a ruling with one of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from governance.language import WrongValue, parse_duration
from governance.rules.reading import Reading
from governance.rules.shapes import EscalationTerms, Obligation, Ruling, Verdict

_EXPECTED = ("effect", "rule", "approval", "reason", "obligations")
_EXPECTED_PARTS = ("escalation.", "obligations.")
_ESCALATION_PARTS = ("path", "sla", "approvals", "not_by", "on_timeout", "grants", "also")


def read_tests(reading: Reading, parts: Mapping[str, Any]) -> None:
    """Note what is wrong with the base request and the tests of a document."""
    if "base_request" in parts:
        _request(reading, "base_request", parts["base_request"])
    for path, item in reading.sequence("tests", parts.get("tests", ())):
        test = reading.mapping(path, item, ("name", "expect"), ("request", "without", "facts"))
        if "name" in test:
            reading.text(f"{path}.name", test["name"])
        if "request" in test:
            _request(reading, f"{path}.request", test["request"])
        if "facts" in test:
            _groups(reading, f"{path}.facts", test["facts"])
        if "without" in test:
            reading.texts(f"{path}.without", test["without"])
        if "expect" in test:
            _expect(reading, f"{path}.expect", test["expect"])


def _request(reading: Reading, path: str, value: object) -> None:
    parts = reading.mapping(path, value, (), ("subject", "action", "resource", "context", "facts"))
    _groups(reading, path, parts)
    if isinstance(parts.get("facts"), Mapping):
        _groups(reading, f"{path}.facts", parts["facts"])


def _groups(reading: Reading, path: str, value: object) -> None:
    """Facts lie in groups, such as `perm.pay`: each part must hold named parts itself."""
    if not isinstance(value, Mapping):
        reading.wrong(path, "Must be an object with named parts.")
        return
    for name, part in value.items():
        if not isinstance(part, Mapping):
            reading.wrong(f"{path}.{name}", "Must be an object with named parts.")


def _expect(reading: Reading, path: str, value: object) -> None:
    names = [name for name in value if _is_expected_part(name)] if isinstance(value, Mapping) else []
    parts = reading.mapping(path, value, ("effect",), (*_EXPECTED[1:], *names))
    if "effect" in parts:
        reading.choice(f"{path}.effect", parts["effect"], tuple(Verdict))


def _is_expected_part(name: object) -> bool:
    if not isinstance(name, str) or not name.startswith(_EXPECTED_PARTS):
        return False
    group, part = name.split(".", 1)
    return group == "obligations" or part in _ESCALATION_PARTS


def seen(ruling: Ruling, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the ruling says about each name that a test expects something of."""
    return {name: _seen(ruling, name) for name in expected}


def _seen(ruling: Ruling, name: str) -> Any:
    group, _, part = name.partition(".")
    match group:
        case "effect":
            return ruling.verdict.value
        case "escalation":
            return _escalation_part(ruling.escalation, part)
        case "obligations":
            merged = by_type(ruling.obligations)
            return merged.get(part) if part else merged
    return getattr(ruling, group)


def _escalation_part(terms: EscalationTerms | None, part: str) -> Any:
    if terms is None:
        return None
    return terms.sla_seconds if part == "sla" else getattr(terms, part)


def by_type(obligations: tuple[Obligation, ...]) -> dict[str, Any]:
    """Give obligations as one value per type, caps as `{field: max}`, the way tests write them."""
    result: dict[str, Any] = {}
    for obligation in obligations:
        kind = obligation["type"]
        values = [value for name, value in obligation.items() if name not in ("id", "type")]
        if kind == "cap":
            result.setdefault("cap", {})[obligation["field"]] = obligation["max"]
        else:
            result[kind] = values[0] if len(values) == 1 else values
    return result


def agree(expected: object, actual: object) -> bool:
    """Compare an expected value with the actual one; numbers, lengths of time and lists by what they mean."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return expected.keys() == actual.keys() and all(agree(expected[name], actual[name]) for name in expected)
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return len(expected) == len(actual) and all(map(agree, expected, actual))
    return expected == actual or _plain(expected) == _plain(actual)


def _plain(value: object) -> object:
    """The number behind a number, its text, or a length of time in seconds; other values as they are."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        return value
    try:
        return Decimal(str(parse_duration(value).total_seconds()))
    except WrongValue:
        return Decimal(value) if value.replace(".", "", 1).isdecimal() else value
