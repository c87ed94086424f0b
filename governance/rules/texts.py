"""Rules of governance, texts: reads the text of a policy, YAML or JSON, into a document; strict and exact."""

import re
from decimal import Decimal
from typing import Any

import yaml

MAX_CHARACTERS = 400_000
MAX_DEPTH = 20
LARGEST_WHOLE = 2**53
_NAMED_PLACE = re.compile(r"line (\d+), column (\d+): ")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)


class TextInvalid(ValueError):
    """The text is no document; the message names line and column."""

    @property
    def place(self) -> tuple[int, int]:
        """Line and column, from 1."""
        found = _NAMED_PLACE.match(str(self))
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def message(self) -> str:
        """What is wrong, without the place."""
        return _NAMED_PLACE.sub("", str(self))


class _Loader(yaml.CSafeLoader):
    """YAML with the plain values of JSON: no dates, no octal or base 60 numbers, yes and no are words."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


def _construct_once(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or key.tag != "tag:yaml.org,2002:str":
            raise TextInvalid(f"{_place(key.start_mark)}a name must be plain text; put a number in quotes.")
        if name in seen:
            raise TextInvalid(f"{_place(key.start_mark)}`{name}` is given twice.")
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


def _exact(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_once)
_Loader.add_constructor("tag:yaml.org,2002:float", _exact)
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~\0"),
    ("int", _WHOLE.pattern, "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", "-0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), ["" if each == "\0" else each for each in _first]
    )


def read_text(text: str) -> dict[str, Any]:
    """Give the document; numbers with a dot or an exponent stay text, so that no digit is lost. Raise TextInvalid for a
    name given twice or no text, a whole number beyond 2^53, an alias, a tag, deep nesting, or text that is neither YAML
    nor JSON."""
    if len(text) > MAX_CHARACTERS:
        raise TextInvalid(f"The text has more than {MAX_CHARACTERS:,} characters.")
    try:
        _refuse_tricks(text)
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader, made stricter)
    except yaml.YAMLError as error:
        raise TextInvalid(_said(error)) from error
    if not isinstance(document, dict):
        raise TextInvalid("The text must be one document with named parts.")
    return document


def _refuse_tricks(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise TextInvalid(f"{_place(event.start_mark)}references are not allowed; write the value out.")
        if isinstance(event, yaml.ScalarEvent):
            _refuse_unfit(event)
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) not in (None, "!"):
            raise TextInvalid(f"{_place(event.start_mark)}tags are not allowed.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise TextInvalid(f"{_place(event.start_mark)}nested more than {MAX_DEPTH} levels deep.")


def _refuse_unfit(event: yaml.ScalarEvent) -> None:
    """Refuse what cannot be kept exactly: text with a zero character, a whole number beyond 2^53."""
    if "\0" in event.value:
        raise TextInvalid(f"{_place(event.start_mark)}the text holds a zero character.")
    if event.implicit[0] and _WHOLE.fullmatch(event.value) and abs(Decimal(event.value)) >= LARGEST_WHOLE:
        raise TextInvalid(f"{_place(event.start_mark)}a whole number of this size is not exact; write it in quotes.")


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""


def _said(error: yaml.YAMLError) -> str:
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    return f"{_place(mark)}{problem or 'this is neither YAML nor JSON'}."


def write_text(document: dict[str, Any]) -> str:
    """Give the document as YAML, its parts in their order."""
    return yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=110)
