"""Rules of governance, forms: the values of a row as text, and as parts of a tree."""

import re
from collections.abc import Callable

from governance.language import Kind, LanguageError, WrongValue, parse_duration, parse_timestamp
from governance.language.printing import print_tree
from governance.language.reading import read
from governance.language.tree import Binary, Call, Literal, Node, Path
from governance.language.values import NUMBERS

NOW = Path(("context", "time"))
MAX_DAYS = 36_500
_DAYS = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
# what a line of a form cannot hold as it is
_UNFIT = re.compile(r"[\n\r\x00]")
_MOMENTS: dict[Kind, Callable[[str], object]] = {Kind.TIMESTAMP: parse_timestamp, Kind.DURATION: parse_duration}


def literal(value: object, kind: Kind) -> Node:
    """The part of a tree for a value of a row; raise WrongValue that finishes the sentence "The value ..."."""
    if isinstance(value, int) and not isinstance(value, bool) and kind in NUMBERS:
        value = str(value)
    if not isinstance(value, str):
        raise WrongValue("must be text")
    if kind is Kind.STRING:
        return Literal(value, Kind.STRING)
    if not value.strip():
        raise WrongValue("is missing")
    if kind in _MOMENTS:
        _MOMENTS[kind](value.strip())
        return Call(str(kind), None, (Literal(value.strip(), Kind.STRING),))
    return _number(value.strip())


def _number(text: str) -> Node:
    try:
        node = read(text)
    except LanguageError as wrong:
        raise WrongValue("must be a number such as 1200.50") from wrong
    if not isinstance(node, Literal) or node.kind not in NUMBERS:
        raise WrongValue("must be a number such as 1200.50")
    return node


def value_of(node: Node, kind: Kind) -> str | None:
    """The text of a value in a row, None for a part that is no plain value of this kind."""
    match node:
        case Literal(value=str() as text):
            return text if kind is Kind.STRING and not _UNFIT.search(text) else None
        case Literal(kind=found) if found in NUMBERS and kind in NUMBERS:
            return print_tree(node)
        case Call(name=name, target=None, arguments=(Literal(value=str() as text),)) if kind in _MOMENTS:
            return text if name == kind and text == text.strip() and _is_moment(text, kind) else None
    return None


def _is_moment(text: str, kind: Kind) -> bool:
    try:
        _MOMENTS[kind](text)
    except WrongValue:
        return False
    return True


def days(value: object) -> int:
    """A number of days; raise WrongValue when it is none."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _DAYS.fullmatch(text) or int(text) > MAX_DAYS:
        raise WrongValue(f"must be a whole number of days from 1 to {MAX_DAYS:,}")
    return int(text)


def shifted(sign: str, number: int) -> Node:
    """So many days before (`-`) or after (`+`) the moment of the question."""
    return Binary(sign, NOW, Call("duration", None, (Literal(f"{number}d", Kind.STRING),)))


def days_of(node: Node, sign: str) -> str | None:
    """The days in `context.time - duration("30d")`, None for anything else."""
    match node:
        case Binary(operator=found, left=left, right=Call("duration", None, (Literal(value=str() as text),))):
            number = text.removesuffix("d")
            is_plain = text.endswith("d") and bool(_DAYS.fullmatch(number)) and int(number) <= MAX_DAYS
            return number if found == sign and left == NOW and is_plain else None
    return None
