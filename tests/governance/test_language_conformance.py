"""The official test data of CEL: where our subset has the feature, we give the same answer, or the table says why not.

The data is what the CEL project publishes, as the npm package @bufbuild/cel-spec carries it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from governance.language import (
    EvaluationFailed,
    Field,
    Kind,
    LanguageError,
    Missing,
    Schema,
    compile_expression,
    parse_duration,
    parse_timestamp,
)

DATA = Path(__file__).parents[2] / "node_modules/@bufbuild/cel-spec/dist/esm/testdata/conformance.js"
pytestmark = pytest.mark.skipif(not DATA.is_file(), reason="npm ci has not fetched the test data of CEL")

FILES = (
    "basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic", "macros", "parse",
    "plumbing", "string", "string_ext", "timestamps",
)  # fmt: skip

_GOOGLE = "google.protobuf"

# what our language does not have: such a case is left out, and counted under its reason
LEFT_OUT = {
    "bytes": r"""(^|[^\w"'])[rR]?[bB][rR]?["']|\bbytes\(""",
    "unsigned integers": r"""(^|[^\w"'])(\d+|0[xX][0-9a-fA-F]+)[uU]\b|\buint\(""",
    "exponents and hexadecimal numbers": r"""(^|[^\w"'.])(\d*\.?\d+[eE][+-]?\d|-?0[xX][0-9a-fA-F]|\.\d)"""
    r"""|\d+\.(?!\d|\w)""",
    "protocol buffers, structs and Any": r"TestAllTypes|google\.protobuf|\bNestedEnum|GlobalEnum|Struct\{|\w\{",
    "null": r"\bnull(_type)?\b",
    "dyn, type and conversions of types": r"\b(dyn|type|int|double|string|bool)\(|\b(list|map)\(|^(bool|bytes|"
    r"double|int|list|map|string|type|uint)$|(==|:) *(bool|int|string|double|list|map|type|uint)\b",
    "texts in three quotes": r"'''" + r'|"""',
    "other escapes of texts": r"""\\([abfv?`xX]|[0-3][0-7]{2})""",
    "extension functions of text": r"\.(charAt|indexOf|lastIndexOf|replace|split|substring|trim|join|format|upperAscii"
    r"|reverse)\(|strings\.quote",
    "names in backquotes": r"`",
}

# where the feature is there and the answer is another: the reason, and the names of the cases (`*` for a whole section)
DIFFERENCES: dict[str, tuple[str, ...]] = {
    "an unknown name is a mistake when the expression is written": (
        "basic/variables/unbound_is_runtime_error",
        "basic/functions/unbound_is_runtime_error",
        "parse/receiver_function_names/*",
    ),
    "types are checked before anything is worked out, so no side of an operator escapes": (
        "comparisons/eq_literal/not_eq_list_length",
        "logic/conditional/mixed_type",
        "logic/AND/short_circuit_type_left",
        "logic/AND/short_circuit_type_right",
        "logic/OR/short_circuit_type_left",
        "logic/OR/short_circuit_type_right",
    ),
    "a list or map holds values of one simple kind": (
        "comparisons/eq_literal/not_eq_list_false_vs_types",
        "comparisons/eq_literal/not_eq_map_false_vs_types",
        "comparisons/eq_literal/eq_map_value_mixed_types",
        "comparisons/ne_literal/not_ne_list_of_list",
        "comparisons/in_list_literal/elem_in_mixed_type_list",
        "fields/map_fields/map_key_int64",
        "fields/map_fields/map_value_map",
        "fields/map_fields/map_value_mix_type",
        "macros/exists/list_elem_type_shortcircuit",
        "macros/exists/list_elem_type_exhaustive",
        "macros/exists/map_key_type_shortcircuit",
        "macros/exists/map_key_type_exhaustive",
        "macros/all/list_elem_type_shortcircuit",
        "parse/nest/list_literal",
        "parse/nest/map_literal",
        "parse/repeat/index",
        "plumbing/check_inputs/skip_check",
    ),
    "a macro over a list that is always empty is a mistake": (
        "macros/exists/list_empty",
        "macros/all/list_empty",
        "macros/exists_one/list_empty",
        "macros/filter/list_empty",
    ),
    "numbers are exact: a decimal divided by zero fails, and decimals have a remainder": (
        "comparisons/eq_literal/not_eq_double_nan",
        "comparisons/ne_literal/not_ne_double_nan",
        "comparisons/ne_literal/ne_double_nan",
        "fp_math/fp_math/mod_not_support",
        "fp_math/fp_math/divide_zero",
    ),
    "bools have no order": (
        "comparisons/lt_literal/*bool*",
        "comparisons/gt_literal/*bool*",
        "comparisons/lte_literal/*bool*",
        "comparisons/gte_literal/*bool*",
        "comparisons/bound/bool_lt_right_true",
    ),
    "parts with a dot belong to fields; a map is read with [ ]": ("fields/map_has/*", "parse/selectors/*"),
    "facts come in groups of fields, and lists of facts hold what the schema says": (
        "comparisons/bound/map_ne_right_false",
        "comparisons/bound/list_eq_right_false",
        "fields/qualified_identifier_resolution/qualified_identifier_resolution_unchecked",
        "fields/qualified_identifier_resolution/ident_with_longest_prefix_check",
        "parse/nest/list_index",
    ),
    "the character zero is not allowed in text": (
        "parse/string_literals/*_quoted_lower_u_escapes",
        "parse/string_literals/*_quoted_upper_u_escapes",
    ),
    "duration and timestamp take text in quotes": ("conversions/identity/duration", "conversions/identity/timestamp"),
    "time is exact to a microsecond": (
        "timestamps/timestamp_selectors/getMilliseconds",
        "timestamps/timestamp_arithmetic/add_time_to_duration_nanos_negative",
        "timestamps/timestamp_arithmetic/add_time_to_duration_nanos_positive",
        "timestamps/duration_converters/get_milliseconds",
    ),
    "a duration may be longer than 10,000 years": (
        "timestamps/timestamp_range/sub_time_duration_*",
        "timestamps/duration_range/*",
    ),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One official case: an expression, what stands in its variables, and the value or the error it gives."""

    name: str
    text: str
    bindings: dict[str, Any]
    value: Any


_WORD = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|//[^\n]*|[A-Za-z_$][\w$]*(?=\s*:)|,(?=\s*[}\]])""",
)


def _as_json(found: re.Match[str]) -> str:
    word = found.group()
    if word[0] == "'":
        inner = re.sub(r"\\(.)|\"", lambda one: one[1] if one[1] == "'" else one[0] if one[1] else '\\"', word[1:-1])
        return f'"{inner}"'
    if word[0] in "/,":
        return ""
    return word if word[0] == '"' else f'"{word}"'


@cache
def cases() -> tuple[Case, ...]:
    text = DATA.read_text().split("export const tests = ", 1)[1].strip().rstrip(";")
    data = json.loads(_WORD.sub(_as_json, text), strict=False)
    return tuple(_cases(data))


def _cases(data: dict[str, Any]) -> Iterator[Case]:
    for file in data["suites"]:
        for section in file.get("suites", ()) if file["name"] in FILES else ():
            for test in section["tests"]:
                told = test["original"]
                value = told.get("value", {"error": True} if "evalError" in told else {"boolValue": True})
                name = f"{file['name']}/{section['name']}/{told['name']}"
                yield Case(name, told["expr"], told.get("bindings", {}), value)


def _left_out(case: Case) -> str | None:
    told = json.dumps((case.bindings, case.value))
    names = set(re.findall(r'"@type": "type.googleapis.com/([^"]+)"', told))
    if re.search(r'"(uint64|bytes|null|type|enum)Value"', told) or names - {
        f"{_GOOGLE}.Timestamp",
        f"{_GOOGLE}.Duration",
    }:
        return "values of kinds we do not have"
    bare = re.sub(r"""r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*'""", '""', case.text)
    for reason, pattern in LEFT_OUT.items():
        searched = case.text if reason in ("texts in three quotes", "other escapes of texts", "bytes") else bare
        if re.search(pattern, searched):
            return reason
    return None


def _typed(told: dict[str, Any]) -> tuple[Kind, Any]:
    """A value of the data as our kind and our value."""
    (name, value), *_ = told.items() if "@type" not in told else (("objectValue", told),)
    match name:
        case "boolValue":
            return Kind.BOOL, value
        case "int64Value":
            return Kind.INT, int(value)
        case "doubleValue":
            return Kind.DECIMAL, Decimal(str(value)) if not isinstance(value, str) else value
        case "stringValue":
            return Kind.STRING, value
        case "listValue":
            return Kind.LIST, tuple(_typed(item)[1] for item in value.get("values", ()))
        case "mapValue":
            pairs = value.get("entries", ())
            return Kind.MAP, {_typed(pair["key"])[1]: _typed(pair["value"])[1] for pair in pairs}
    return _object(value)


def _object(value: dict[str, Any]) -> tuple[Kind, Any]:
    if value["@type"].endswith("Timestamp"):
        return Kind.TIMESTAMP, parse_timestamp(value["value"])
    if value["@type"].endswith("Duration"):
        return Kind.DURATION, parse_duration(value["value"])
    raise ValueError(value["@type"])


def _fields(path: str, kind: Kind, value: Any) -> Iterator[tuple[Field, Any]]:
    """The fields that stand for one variable: a map is a group of fields."""
    if kind is not Kind.MAP:
        yield Field(path, kind, item=Kind.STRING if kind is Kind.LIST else None), value
    for key, inner in value.items() if kind is Kind.MAP else ():
        kinds = {bool: Kind.BOOL, int: Kind.INT, str: Kind.STRING, dict: Kind.MAP, tuple: Kind.LIST}
        yield from _fields(f"{path}.{key}", kinds.get(type(inner), Kind.DECIMAL), inner)


def _answer(case: Case) -> object:
    try:
        return _evaluated(case)
    except (LanguageError, Missing, EvaluationFailed, ValueError) as error:
        return error


def _evaluated(case: Case) -> object:
    fields: list[Field] = []
    facts: dict[str, Any] = {}
    for name, bound in case.bindings.items():
        for field, value in _fields(name, *_typed(bound["value"])):
            *groups, last = field.path.split(".")
            inner = facts
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[last] = value
            fields.append(field)
    return compile_expression(case.text, Schema(fields), expects=None).evaluate(facts)


def _agrees(case: Case) -> bool:
    answer = _answer(case)
    if "error" in case.value:
        return isinstance(answer, Exception)
    try:
        kind, value = _typed(case.value)
    except (ValueError, KeyError):
        return False
    is_bool = isinstance(answer, bool) == (kind is Kind.BOOL)
    same_moment = not isinstance(answer, datetime) or answer.astimezone(UTC) == value
    return is_bool and answer == value and same_moment


def test_the_overlap_with_cel_agrees_or_the_table_says_why_not() -> None:
    overlap = [case for case in cases() if _left_out(case) is None]
    disagreeing = {case.name: (case.text, _answer(case), case.value) for case in overlap if not _agrees(case)}

    known = [pattern for patterns in DIFFERENCES.values() for pattern in patterns]
    assert {name: told for name, told in disagreeing.items() if not any(fnmatch(name, one) for one in known)} == {}
    assert [one for one in known if not any(fnmatch(name, one) for name in disagreeing)] == []
    assert (len(cases()), len(overlap), len(disagreeing)) == (1385, 527, 107)


def test_every_reason_to_leave_a_case_out_is_still_needed() -> None:
    reasons = Counter(reason for case in cases() if (reason := _left_out(case)))

    assert sorted(set(LEFT_OUT) - set(reasons)) == []
