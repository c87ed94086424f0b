"""The policy language, its schema: the typed fields that expressions may name and requests may carry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from governance.language.problems import MAX_PROBLEMS, RequestInvalid, did_you_mean
from governance.language.values import MAX_ITEMS, Kind, Type, WrongValue, read_value, reader_of

MAX_PATH = 200
LISTS = "lists."
"""How the path of a named value list begins."""

# dict stands first because asking for it costs a tenth of asking for any mapping
_MAPPINGS = (dict, Mapping)


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its dotted path, kind, the words people read, and who gives it ("request" or "fact").

    `unit` is shown behind a number: a word such as `days`, or the field that holds it, such as `{context.currency}`.
    `most` is how many items a list may have: the checker works out from it what a loop can cost.
    """

    path: str
    kind: Kind
    label: str = ""
    unit: str = ""
    enum: tuple[str, ...] = ()
    source: str = "request"
    item: Kind | None = None
    required: bool = False
    most: int = MAX_ITEMS

    @property
    def words(self) -> str:
        """What people read: the label, or the path without one."""
        return self.label or self.path

    def unit_for(self, facts: object) -> str:
        """Give the unit beside these facts; nothing when the field that holds it is not given."""
        if not self.unit.startswith("{"):
            return self.unit
        held = find(facts, self.unit.strip("{}"))
        return held if isinstance(held, str) else ""

    @property
    def type(self) -> Type:
        """The kind together with the kind of a list's items."""
        return Type(self.kind, (self.item or Kind.STRING) if self.kind is Kind.LIST else None)


class Group(dict[str, "Field | Group"]):
    """The fields and groups of fields under one name of a path."""


class Schema:
    """The fields an expression may name; the same object reads requests into typed facts."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields: dict[str, Field] = {}
        self._root = Group()
        for field in fields:
            self._add(field)
        self._readers: dict[str | None, _Readers] = {}
        self._required: dict[str | None, list[list[str]]] = {}

    def _add(self, field: Field) -> None:
        if Kind.MAP in (field.kind, field.item) or field.item is Kind.LIST:
            raise ValueError(f"{field.path} cannot be a map or a list of lists; declare each part as a field.")
        *groups, name = field.path.split(".")
        group = self._root
        for part in groups:
            group = self._inner(group, part, field)
        if name in group:
            raise ValueError(f"{field.path} stands twice in the schema.")
        group[name] = field
        self._fields[field.path] = field

    def _inner(self, group: Group, part: str, field: Field) -> Group:
        inner = group.setdefault(part, Group())
        if isinstance(inner, Group):
            return inner
        raise ValueError(f"{inner.path} is a field and cannot hold {field.path}.")

    @property
    def paths(self) -> tuple[str, ...]:
        """All dotted paths, in the order given."""
        return tuple(self._fields)

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, in the order given."""
        return tuple(self._fields.values())

    def get(self, path: str) -> Field | None:
        """Give the field of a dotted path, or None."""
        return self._fields.get(path)

    def group(self, path: str) -> tuple[str, ...]:
        """Give the paths that lie under a dotted prefix."""
        return tuple(known for known in self._fields if known.startswith(path + "."))

    def suggest(self, path: str) -> str | None:
        """Give "Did you mean ...?" for a path that is no field."""
        under = self.group(path)
        if under:
            return f"It is a group; name one of its fields, such as `{under[0]}`."
        if path.startswith(LISTS):
            return self._suggest_list(path)
        return did_you_mean(path, self._fields) or self._same_ending(path)

    def _suggest_list(self, path: str) -> str:
        lists = [known for known in self._fields if known.startswith(LISTS)]
        if not lists:
            return "There is no named list yet."
        return did_you_mean(path, lists) or f"The named lists are {', '.join(f'`{known}`' for known in lists[:10])}."

    def _same_ending(self, path: str) -> str | None:
        ending = "." + path.rsplit(".", 1)[-1]
        same = [known for known in self._fields if known.endswith(ending)]
        return f"Did you mean `{same[0]}`?" if same else None

    def coerce(self, facts: Mapping[str, object], *, only: str | None = None) -> dict[str, object]:
        """Give a typed copy of nested facts; raise RequestInvalid naming up to 20 wrong fields.

        None counts as not given. With `only="request"` a field of another source is refused.
        """
        try:
            return self._read_at_once(facts, only)
        except (_Irregular, WrongValue):
            return self._read_thoroughly(facts, only)

    def _read_at_once(self, facts: Mapping[str, object], only: str | None) -> dict[str, object]:
        """Read facts in which nothing is wrong, as most are; whatever is unusual is left to the thorough way."""
        readers = self._readers.get(only)
        if readers is None:
            self._required[only] = [field.path.split(".") for field in self.fields if _is_asked(field, only)]
            readers = self._readers[only] = _readers(self._root, only)
        result = _read_group(facts, readers)
        for parts in self._required[only]:
            if find_at(result, parts) is None:
                raise _Irregular
        return result

    def _read_thoroughly(self, facts: Mapping[str, object], only: str | None) -> dict[str, object]:
        reading = _Reading(self, only)
        result = reading.group(facts, self._root, "")
        reading.ask_for_required(result)
        if reading.errors:
            raise RequestInvalid(reading.errors)
        return result


def find(facts: object, path: str) -> object:
    """Give the value at a dotted path of nested facts, or None when it is not given."""
    return find_at(facts, path.split("."))


def find_at(facts: object, parts: Iterable[str]) -> object:
    """Give the value at the parts of a path of nested facts, or None when it is not given."""
    for part in parts:
        if not isinstance(facts, _MAPPINGS):
            return None
        facts = facts.get(part)
    return facts


class _Irregular(Exception):
    """Something is not as it mostly is."""


_Readers = dict[str, Any]
"""By its name how to read a value: the readers of a group, or the function of a field."""


def _is_asked(field: Field, only: str | None) -> bool:
    return field.required and only in (None, field.source)


def _readers(group: Group, only: str | None) -> _Readers:
    """The readers of the fields that may be sent."""
    readers: _Readers = {}
    for name, wanted in group.items():
        if isinstance(wanted, Group):
            readers[name] = _readers(wanted, only)
        elif only in (None, wanted.source):
            readers[name] = _reader(wanted)
    return readers


def _reader(field: Field) -> Callable[[object], object]:
    return partial(_read_field, field) if field.enum or field.kind is Kind.LIST else reader_of(field.kind)


def _read_group(given: Mapping[str, object], readers: _Readers) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in given.items():
        read = readers.get(name)
        if read is None:
            raise _Irregular
        if value is None:
            continue
        if type(read) is not dict:
            result[name] = read(value)
        elif type(value) is dict:
            result[name] = _read_group(value, read)
        else:
            raise _Irregular
    return result


def _read_field(wanted: Field, value: object) -> object:
    read = read_value(value, wanted.type, most=wanted.most)
    given = read if isinstance(read, tuple) else (read,)
    if wanted.enum and any(item not in wanted.enum for item in given):
        raise WrongValue(f"must be one of {', '.join(wanted.enum)}")
    return read


class _Reading:
    def __init__(self, schema: Schema, only: str | None) -> None:
        self.schema = schema
        self.only = only
        self.errors: list[tuple[str, str]] = []

    def group(self, given: Mapping[str, object], known: Group, prefix: str) -> dict[str, object]:
        result: dict[str, object] = {}
        for name, value in given.items():
            if len(self.errors) >= MAX_PROBLEMS:
                break
            path = f"{prefix}{name}"[:MAX_PATH]
            wanted = known.get(name) if isinstance(name, str) else None
            if wanted is None:
                self._unknown(path)
            elif isinstance(wanted, Field) and self.only not in (None, wanted.source):
                self.errors.append((path, "is set by the system and cannot be sent."))
            elif value is not None:
                self._put(result, name, value, wanted, path)
        return result

    def _put(self, result: dict[str, object], name: str, value: object, wanted: Field | Group, path: str) -> None:
        if isinstance(wanted, Field):
            try:
                result[name] = _read_field(wanted, value)
            except WrongValue as wrong:
                self.errors.append((path, f"{wrong}."))
        elif isinstance(value, Mapping):
            result[name] = self.group(value, wanted, f"{path}.")
        else:
            self.errors.append((path, "must be an object."))

    def _unknown(self, path: str) -> None:
        hint = self.schema.suggest(path)
        self.errors.append((path, f"is not a known field. {hint}" if hint else "is not a known field."))

    def ask_for_required(self, result: dict[str, object]) -> None:
        refused = {path for path, _ in self.errors}
        for field in self.schema.fields:
            if _is_asked(field, self.only) and field.path not in refused and find(result, field.path) is None:
                self.errors.append((field.path, "is required."))
