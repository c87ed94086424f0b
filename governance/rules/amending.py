"""What a rule lets the person who decides change or makes them confirm: read strictly, checked on plain values."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from governance.language.values import Kind
from governance.rules.reading import Reading
from governance.rules.shapes import Amendable, Confirm

FIELDS_AT_MOST, LINES_AT_MOST, LINE_AT_MOST = 10, 10, 200
_NUMBERS = (Kind.INT, Kind.DECIMAL)
_AMENDED = (*_NUMBERS, Kind.STRING)
_CONTEXT = "context."


# --- reading --------------------------------------------------------------------------------------------------
def read_amend(reading: Reading, path: str, value: object) -> tuple[Amendable, ...]:
    """The fields of `amend: {amount: {at_most: 5000}}`; notes each problem."""
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not 1 <= len(value) <= FIELDS_AT_MOST:
        reading.wrong(path, f"Must name 1 to {FIELDS_AT_MOST} fields of the context, each with its bounds.")
        return ()
    return tuple(_amendable(reading, f"{path}.{name}", str(name), bounds) for name, bounds in value.items())


def _amendable(reading: Reading, path: str, name: str, value: object) -> Amendable:
    field = reading.schema.get(f"{_CONTEXT}{name}")
    if field is None or field.kind not in _AMENDED:
        wrong = f"`context.{name}` is not a known field that holds a number or a text."
        reading.wrong(path, wrong, reading.schema.suggest(f"{_CONTEXT}{name}"))
        return Amendable(name)
    wanted = ("at_least", "at_most") if field.kind in _NUMBERS else ("one_of",)
    bounds = reading.mapping(path, value, (), wanted)
    if not bounds and isinstance(value, Mapping):
        reading.wrong(path, f"Say within which bounds: {', '.join(wanted)}.")
    listed = tuple(reading.texts(f"{path}.one_of", bounds["one_of"])) if "one_of" in bounds else None
    edges = {
        edge: (_edge(reading, f"{path}.{edge}", bounds[edge]),) for edge in ("at_least", "at_most") if edge in bounds
    }
    return Amendable(name, one_of=listed, **edges)


def _edge(reading: Reading, path: str, value: object) -> str:
    """A number as text, or the path of a field that holds one."""
    if isinstance(value, str) and value.startswith(("context.", "resource.")):
        field = reading.schema.get(value)
        if field is None or field.kind not in _NUMBERS:
            reading.wrong(path, f"`{value}` is not a known field that holds a number.", reading.schema.suggest(value))
        return value
    return str(reading.number(path, value))


def read_confirm(reading: Reading, path: str, value: object) -> Confirm:
    """What `confirm: {type: context.amount, checklist: [...]}` wants; notes each problem."""
    if value is None:
        return Confirm()
    parts = reading.mapping(path, value, (), ("type", "checklist"))
    if not parts and isinstance(value, Mapping):
        reading.wrong(path, "Say what is confirmed: `type` a field, or tick a `checklist`.")
    typed = parts.get("type", "")
    field = reading.schema.get(typed) if isinstance(typed, str) else None
    if typed != "" and (field is None or field.kind not in _AMENDED or not typed.startswith(("context.", "resource."))):
        reading.wrong(f"{path}.type", f"`{typed}` is not a known field of the request that holds a number or a text.")
    lines = reading.texts(f"{path}.checklist", parts["checklist"]) if "checklist" in parts else []
    if len(lines) > LINES_AT_MOST or any(not 1 <= len(line) <= LINE_AT_MOST for line in lines):
        reading.wrong(f"{path}.checklist", f"Has {LINES_AT_MOST} lines of {LINE_AT_MOST} characters at most.")
    return Confirm(typed if isinstance(typed, str) else "", tuple(lines))


# --- several rules at once ------------------------------------------------------------------------------------
def joint_amend(terms: Sequence[Sequence[Amendable]]) -> tuple[Amendable, ...]:
    """What may be changed when several rules ask: only what each of them lets change, within the bounds of all."""
    first, *others = terms or [()]
    found = [[each, *(_named(other, each.field) for other in others)] for each in first]
    return tuple(_joined([each for each in same if each]) for same in found if all(same))


def _named(terms: Iterable[Amendable], field: str) -> Amendable | None:
    return next((each for each in terms if each.field == field), None)


def _joined(same: Sequence[Amendable]) -> Amendable:
    listed = [each.one_of for each in same if each.one_of is not None]
    kept = tuple(word for word in listed[0] if all(word in each for each in listed)) if listed else None
    least = dict.fromkeys(edge for each in same for edge in each.at_least)
    return Amendable(same[0].field, tuple(least), tuple(dict.fromkeys(e for each in same for e in each.at_most)), kept)


def joint_confirm(terms: Iterable[Confirm]) -> Confirm:
    """What is confirmed when several rules ask: the field of the first that names one, the lines of all."""
    found = list(terms)
    lines = dict.fromkeys(line for each in found for line in each.checklist)
    return Confirm(next((each.type for each in found if each.type), ""), tuple(lines))


# --- checking -------------------------------------------------------------------------------------------------
def value_at(request: Mapping[str, Any], path: str) -> Any:
    """The value of a field such as context.amount in a canonical request; None when it is not given."""
    group, _, name = path.partition(".")
    held = request.get(group, {})
    held = held.get("properties", held) if group == "resource" and name not in ("type", "id") else held
    return held.get(name) if isinstance(held, Mapping) else None


def bounds_of(amendable: Sequence[Amendable], request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields that may be changed in this request, with their bounds as numbers; a field that the request does not
    give, or whose bound is not known, cannot be changed."""
    return [found for each in amendable if (found := _bounds(each, request)) is not None]


def _bounds(each: Amendable, request: Mapping[str, Any]) -> dict[str, Any] | None:
    if value_at(request, f"{_CONTEXT}{each.field}") is None:
        return None
    least, most = ([_number(edge, request) for edge in edges] for edges in (each.at_least, each.at_most))
    if None in (*least, *most):
        return None
    told: dict[str, Any] = {"field": each.field}
    numbers = {"at_least": max((n for n in least if n is not None), default=None),
               "at_most": min((n for n in most if n is not None), default=None)}  # fmt: skip
    told |= {name: str(number) for name, number in numbers.items() if number is not None}
    return told | ({"one_of": list(each.one_of)} if each.one_of is not None else {})


def _number(edge: str, request: Mapping[str, Any]) -> Decimal | None:
    value = value_at(request, edge) if edge.startswith(("context.", "resource.")) else edge
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def wrong_amendments(values: Mapping[str, str], bounds: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong with new values of fields, by field; nothing when each lies within its bounds."""
    known = {each["field"]: each for each in bounds}
    wrong = {name: "This cannot be changed here." for name in values if name not in known}
    for name, value in values.items():
        if name in known and (problem := _wrong_value(value, known[name])):
            wrong[name] = problem
    return wrong


def _wrong_value(value: str, bounds: Mapping[str, Any]) -> str:
    if "one_of" in bounds:
        return "" if value in bounds["one_of"] else f"Choose one of {', '.join(bounds['one_of'])}."
    number = _number(value, {}) if isinstance(value, str) and not value.startswith(("context.", "resource.")) else None
    if number is None:
        return "Give a number, as in 4500.00."
    if "at_least" in bounds and number < Decimal(bounds["at_least"]):
        return f"At least {bounds['at_least']}."
    if "at_most" in bounds and number > Decimal(bounds["at_most"]):
        return f"At most {bounds['at_most']}."
    return ""


def wrong_confirmation(
    confirm: Mapping[str, Any], request: Mapping[str, Any], typed: str, ticked: Iterable[str]
) -> dict[str, str]:
    """What is missing of the confirmation that an approval of this request needs, by field: the value typed as it
    stands in the request (separators and trailing zeros of a number aside), every line ticked."""
    wrong = {}
    if confirm.get("type"):
        wanted = value_at(request, confirm["type"])
        if not _same(typed, "" if wanted is None else str(wanted)):
            wrong["typed"] = "This is not what stands in the request."
    missing = [line for line in confirm.get("checklist", ()) if line not in set(ticked)]
    if missing:
        wrong["ticked"] = f"Not ticked: {'; '.join(missing)}"
    return wrong


def _same(typed: str, wanted: str) -> bool:
    if not wanted or not typed.strip():
        return False
    if typed.strip() == wanted.strip():
        return True
    plain, number = _number(typed.replace(",", "").replace(" ", "").strip(), {}), _number(wanted, {})
    return plain is not None and plain == number
