"""Rules of governance, forms: what a row can ask of a field, by the field's kind."""

from dataclasses import dataclass
from enum import StrEnum

from governance.language import Field, Kind


class Wants(StrEnum):
    """What stands behind an operator."""

    NOTHING = "nothing"
    ONE = "one"
    TWO = "two"
    MANY = "many"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: its name in forms, what people read, and what it wants; `sign` is that of the language, and with
    `compares` another field may stand in place of the value."""

    name: str
    label: str
    wants: Wants
    sign: str = ""
    compares: bool = False
    of_time: str = ""

    def label_for(self, kind: Kind | None) -> str:
        """What people read beside a field of this kind."""
        return self.of_time if self.of_time and kind is Kind.TIMESTAMP else self.label


_ALL = (
    Operator("is", "is", Wants.ONE, "==", compares=True),
    Operator("is_not", "is not", Wants.ONE, "!=", compares=True),
    Operator("less", "less than", Wants.ONE, "<", compares=True, of_time="before"),
    Operator("at_most", "at most", Wants.ONE, "<=", compares=True, of_time="at or before"),
    Operator("more", "more than", Wants.ONE, ">", compares=True, of_time="after"),
    Operator("at_least", "at least", Wants.ONE, ">=", compares=True, of_time="at or after"),
    Operator("between", "between", Wants.TWO),
    Operator("one_of", "one of", Wants.MANY, compares=True),
    Operator("not_one_of", "not one of", Wants.MANY, compares=True),
    Operator("contains", "contains", Wants.ONE, "contains"),
    Operator("not_contains", "does not contain", Wants.ONE, "contains"),
    Operator("starts_with", "starts with", Wants.ONE, "startsWith"),
    Operator("ends_with", "ends with", Wants.ONE, "endsWith"),
    Operator("matches", "matches the pattern", Wants.ONE, "matches"),
    Operator("within_days", "within days of now", Wants.DAYS),
    Operator("last_days", "in the last days", Wants.DAYS),
    Operator("next_days", "in the next days", Wants.DAYS),
    Operator("yes", "is yes", Wants.NOTHING),
    Operator("no", "is no", Wants.NOTHING),
    Operator("present", "is present", Wants.NOTHING),
    Operator("missing", "is missing", Wants.NOTHING),
)
OPERATORS = {operator.name: operator for operator in _ALL}

_GIVEN = ("present", "missing")
_ORDER = ("less", "at_most", "more", "at_least", "between")
_SAME = ("is", "is_not")
_LISTED = ("one_of", "not_one_of")
_NUMBER = (*_SAME, *_ORDER, *_LISTED, *_GIVEN)
_OF_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.BOOL: ("yes", "no", *_GIVEN),
    Kind.INT: _NUMBER,
    Kind.DECIMAL: _NUMBER,
    Kind.STRING: (
        *_SAME, *_LISTED, "contains", "not_contains", "starts_with", "ends_with", "matches", *_GIVEN,
    ),
    Kind.TIMESTAMP: (*_ORDER, "within_days", "last_days", "next_days", *_SAME, *_GIVEN),
    Kind.DURATION: (*_ORDER, *_SAME, *_GIVEN),
    Kind.LIST: ("contains", "not_contains", *_GIVEN),
}  # fmt: skip


def operators_of(field: Field) -> tuple[Operator, ...]:
    """The operators that a row about this field may use, the usual one first; none for a kind without a form."""
    names = _OF_KIND.get(field.kind, ())
    if field.enum and field.kind is Kind.STRING:
        names = (*_SAME, *_LISTED, *_GIVEN)
    return tuple(OPERATORS[name] for name in names)
