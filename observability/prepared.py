"""Statements that almost every request needs: their SQL is written once.

For a row with its relations Django takes longer to write the statement than the database takes to answer it. What is
asked is still said as a query, and what is done with the answer is Django's own: converters, instances, relations."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from itertools import repeat
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import JSONField, Model, QuerySet
from django.db.models.functions import Now
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)
Value = str | int | UUID | datetime
ROWS_AT_MOST = 100  # written by one statement

_STAND_INS: dict[type, Callable[[int], Value]] = {
    str: lambda place: f"\N{SECTION SIGN}{place}\N{SECTION SIGN}",
    int: lambda place: 2**62 + place,
    UUID: lambda place: UUID(int=2**127 + place),
    datetime: lambda place: datetime(9000 + place, 1, 2, 3, 4, 5, tzinfo=UTC),
}
"""What stands in the query for a value of this type while its statement is written: nothing else looks like it."""


@dataclass(frozen=True)
class _Place:
    """One parameter of a statement: a value given by name, in the shape that the database wants, or always the same."""

    name: str
    given: Any

    def fill(self, values: dict[str, Value]) -> Any:
        if not self.name:
            return self.given
        value = values[self.name]
        if isinstance(value, UUID):
            return value.hex if isinstance(self.given, str) else value
        if isinstance(value, datetime):
            return connection.ops.adapt_datetimefield_value(value)
        return type(self.given)(value)


@dataclass(frozen=True)
class _Written:
    """A statement, its parameters, and how a row of the answer becomes an instance with its relations."""

    sql: str
    places: tuple[_Place, ...]
    model: type[Model]
    names: tuple[str, ...] = ()
    converters: tuple[tuple[int, tuple[Callable[[Any, Any, Any], Any], ...], Any], ...] = ()
    related: tuple[Any, ...] = ()

    def answer(self, values: dict[str, Value]) -> tuple[Any, ...] | None:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [place.fill(values) for place in self.places])
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found

    def converted(self, values: tuple[Any, ...]) -> list[Any]:
        row = list(values)
        for place, converters, expression in self.converters:
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        return row

    def instance(self, values: tuple[Any, ...]) -> Model:
        row = self.converted(values)
        instance = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[: len(self.names)])
        for each in self.related:
            each.populate(row, instance)
        return instance


class PreparedList(Generic[Row]):
    """A query for any number of rows, its values given like those of `Prepared`, and some of them as lists: for each
    length of them the statement is written once. Those values are a whole that the query asks `in`, or nothing."""

    def __init__(self, ask: Callable[..., "QuerySet[Row, Any]"], **types: type) -> None:
        self._ask, self._types = ask, types
        self._written: dict[tuple[int, ...], _Written] = {}

    def all(self, **values: Any) -> list[Row]:
        """The rows that fit these values, in the order that the query asks for."""
        written, found = self._found(values)
        return [written.instance(row) for row in found]  # type: ignore[misc]

    def tuples(self, **values: Any) -> list[tuple[Any, ...]]:
        """The same of a query for `values_list`."""
        written, found = self._found(values)
        return [tuple(written.converted(row)) for row in found]

    def _found(self, values: Mapping[str, Any]) -> tuple[_Written, list[tuple[Any, ...]]]:
        shape = tuple(len(values[name]) if isinstance(values[name], list) else -1 for name in self._types)
        if shape not in self._written:
            self._written[shape] = self._write(shape)
        written = self._written[shape]
        flat = dict(_spread(values))
        with connection.cursor() as cursor:
            cursor.execute(written.sql, [place.fill(flat) for place in written.places])
            return written, cursor.fetchall()

    def _write(self, shape: tuple[int, ...]) -> _Written:
        stand_ins: dict[str, Any] = {}
        asked: dict[str, Any] = {}
        for (name, kind), length in zip(self._types.items(), shape, strict=True):
            names = [name] if length < 0 else [f"{name}.{place}" for place in range(length)]
            made = {each: _STAND_INS[kind](len(stand_ins) + place) for place, each in enumerate(names)}
            stand_ins |= made
            asked[name] = made[name] if length < 0 else list(made.values())
        return _written(self._ask(**asked), stand_ins)


def _spread(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, list):
            yield from ((f"{name}.{place}", each) for place, each in enumerate(value))
        else:
            yield name, value


class Prepared(Generic[Row]):
    """A query for at most one row. `ask` makes it of the values, each of which is a parameter of it; it is called once,
    with something else in their place. `texts` name the values that are text, `others` say the type."""

    def __init__(
        self, ask: Callable[..., "QuerySet[Row]"], *texts: str, **others: type[str] | type[int] | type[UUID]
    ) -> None:
        self._ask = ask
        self._types: dict[str, type] = {**dict.fromkeys(texts, str), **others}
        self._rows: _Written | None = None
        self._traces: _Written | None = None

    def first(self, **values: Value) -> Row | None:
        """The row that fits these values, None without one."""
        if self._rows is None:
            self._rows = self._write()
        found = self._rows.answer(values)
        return self._rows.instance(found) if found else None  # type: ignore[return-value]

    def exists(self, **values: Value) -> bool:
        """Whether a row fits these values."""
        if self._traces is None:
            self._traces = self._write_trace()
        return self._traces.answer(values) is not None

    def _standing_in(self) -> dict[str, Value]:
        return {name: _STAND_INS[kind](place) for place, (name, kind) in enumerate(self._types.items())}

    def _write(self) -> _Written:
        stand_ins = self._standing_in()
        return _written(self._ask(**stand_ins).order_by()[:1], stand_ins)

    def _write_trace(self) -> _Written:
        stand_ins = self._standing_in()
        asked = self._ask(**stand_ins)
        sql, params = asked.query.exists().get_compiler(using=DEFAULT_DB_ALIAS).as_sql()
        return _Written(sql, _places(params, stand_ins), asked.model)


def _written(asked: "QuerySet[Any]", stand_ins: Mapping[str, Value]) -> _Written:
    compiler = asked.query.get_compiler(using=DEFAULT_DB_ALIAS)
    sql, params = compiler.as_sql()
    columns = [expression for expression, *_ in compiler.select]
    info = compiler.klass_info  # None for plain values
    own = [columns[place].target.attname for place in info["select_fields"]] if info else []
    converters = compiler.get_converters(columns)
    return _Written(
        sql, _places(params, stand_ins), asked.model, tuple(own),
        tuple((place, tuple(made), expression) for place, (made, expression) in converters.items()),
        tuple(get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)) if info else (),  # type: ignore[call-arg]
    )  # fmt: skip


def _places(params: tuple[Any, ...], stand_ins: Mapping[str, Value]) -> tuple[_Place, ...]:
    named: dict[Any, str] = {}
    for name, stand_in in stand_ins.items():
        named[stand_in] = name
        if isinstance(stand_in, UUID):
            named[stand_in.hex] = name
        if isinstance(stand_in, datetime):
            named[connection.ops.adapt_datetimefield_value(stand_in)] = name
    places = tuple(_Place(named.get(param, "") if param.__hash__ else "", param) for param in params)
    missing = stand_ins.keys() - {place.name for place in places}
    if missing:
        raise ValueError(f"The query does not ask for {', '.join(sorted(missing))}.")
    return places


class Insertion(Generic[Row]):
    """The INSERT of new rows of a model, all of whose values are known but for the moments in `now`: those columns
    get the database's time, and the row in hand does not hear of it."""

    def __init__(self, model: type[Row], *now: str) -> None:
        self._model = model
        fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        self._fields = [field for field in fields if field.name not in now]
        self._now = [str(field.column) for field in fields if field.name in now]
        self._written: dict[int, str] = {}

    def insert(self, row: Row) -> Row:
        """Write the row as `save` would, and give it its key."""
        self._insert([row])
        return row

    def insert_all(self, rows: Sequence[Row]) -> None:
        """Write the rows in their order, many by one statement, and give them their keys."""
        for start in range(0, len(rows), ROWS_AT_MOST):
            self._insert(rows[start : start + ROWS_AT_MOST])

    def insert_new(self, rows: Sequence[Row]) -> int:
        """Write those rows that break no unique constraint, and say how many; they do not hear of their keys."""
        added = 0
        for start in range(0, len(rows), ROWS_AT_MOST):
            some = rows[start : start + ROWS_AT_MOST]
            database = connections[DEFAULT_DB_ALIAS]
            sql, values = self._statement(some, database)
            with database.cursor() as cursor:
                cursor.execute(f"{sql} ON CONFLICT DO NOTHING", values)
                added += int(cursor.rowcount)
        return added

    def _insert(self, rows: Sequence[Row]) -> None:
        database = connections[DEFAULT_DB_ALIAS]  # asked once: the proxy looks for the thread's own each time
        sql, values = self._statement(rows, database)
        with database.cursor() as cursor:
            cursor.execute(f"{sql} RETURNING {self._key}", values)
            keys = sorted(key for (key,) in cursor.fetchall())  # they rise in the order of the rows
        for row, key in zip(rows, keys, strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS

    def _statement(self, rows: Sequence[Row], database: Any) -> tuple[str, list[Any]]:
        given = [[field.pre_save(row, add=True) for field in self._fields] for row in rows]
        if len(rows) > 1 and database.vendor == "postgresql":
            return self._together, [_records(self._fields, given)]
        if len(rows) not in self._written:
            self._written[len(rows)] = self._write(len(rows))
        values = [_stored(*each, database) for row in given for each in zip(self._fields, row, strict=True)]
        return self._written[len(rows)], values

    def _write(self, many: int) -> str:
        places = ", ".join(["%s"] * len(self._fields) + [self._moment] * len(self._now))
        rows = ", ".join([f"({places})"] * many)
        return f"{self._into} VALUES {rows}"

    @cached_property
    def _together(self) -> str:
        """The statement for any number of rows, which come as one document."""
        names = [f"f{place}" for place in range(len(self._fields))]
        records = f"ROWS FROM (json_to_recordset(%s::json) AS ({_typed(self._fields)})) WITH ORDINALITY"
        values = ", ".join([*names, *[self._moment] * len(self._now)])
        return f"{self._into} SELECT {values} FROM {records} AS given({', '.join(names)}, place) ORDER BY place"  # noqa: S608

    @cached_property
    def _moment(self) -> str:
        moment, _ = self._model._base_manager.all().query.get_compiler(using=DEFAULT_DB_ALIAS).compile(Now())
        return str(moment)

    @cached_property
    def _into(self) -> str:
        name = connection.ops.quote_name
        columns = ", ".join(map(name, [*(str(field.column) for field in self._fields), *self._now]))
        return f"INSERT INTO {name(self._model._meta.db_table)} ({columns})"

    @cached_property
    def _key(self) -> str:
        return connection.ops.quote_name(str(self._model._meta.pk.column))


class Swap:
    """The UPDATE of one row of a model, on condition that some of its columns still hold what is expected."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model
        self._written: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
        self._together: dict[tuple[tuple[str, ...], tuple[str, ...], int], str] = {}

    def swap(self, pk: Any, expected: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
        """Write the `changes` as a query's `update` would; False when the row is not as `expected`. None is no value
        that could be expected."""
        field = self._model._meta.get_field
        names = (tuple(expected), tuple(changes))
        if names not in self._written:
            self._written[names] = self._write(*names)
        values = [_stored(field(name), value, connection) for name, value in (*changes.items(), *expected.items())]
        with connection.cursor() as cursor:
            cursor.execute(self._written[names], [*values, pk])
            return bool(cursor.rowcount)

    def swap_all(self, swaps: Sequence[tuple[Any, Mapping[str, Any], Mapping[str, Any]]]) -> bool:
        """The same for many rows, each with its key, what is expected of it and its changes, all of the same columns;
        False when one of them is not as expected: then others may be changed already."""
        if len(swaps) == 1:
            return self.swap(*swaps[0])
        _, expected, changes = swaps[0]
        names = (tuple(expected), tuple(changes))
        if connection.vendor == "postgresql":
            return self._swap_together(names, swaps)
        if names not in self._written:
            self._written[names] = self._write(*names)
        fields = [self._model._meta.get_field(name) for name in (*changes, *expected)]
        rows = [
            [*map(_stored, fields, (*new.values(), *old.values()), repeat(connection)), pk] for pk, old, new in swaps
        ]
        with connection.cursor() as cursor:
            cursor.executemany(self._written[names], rows)
            return bool(cursor.rowcount == len(rows))

    def _swap_together(
        self, names: tuple[tuple[str, ...], tuple[str, ...]],
        swaps: Sequence[tuple[Any, Mapping[str, Any], Mapping[str, Any]]],
    ) -> bool:  # fmt: skip
        fields = [self._model._meta.pk, *(self._model._meta.get_field(name) for name in (*names[0], *names[1]))]
        shape = (*names, len(swaps))
        if shape not in self._together:
            self._together[shape] = self._write_together(fields, len(names[0]), len(swaps))
        rows = [[pk, *old.values(), *new.values()] for pk, old, new in swaps]
        with connection.cursor() as cursor:
            cursor.execute(self._together[shape], [_records(fields, rows)])
            return bool(cursor.rowcount == len(rows))

    def _write_together(self, fields: Sequence[Any], expected: int, many: int) -> str:
        # A column may be expected and changed, so what is given for it goes by a number.
        quoted = connection.ops.quote_name
        table, columns = quoted(self._model._meta.db_table), [quoted(str(field.column)) for field in fields]
        held = [f"{table}.{columns[place]} = given.f{place}" for place in range(expected + 1)]
        changing = [f"{columns[place]} = given.f{place}" for place in range(expected + 1, len(fields))]
        return (
            f"UPDATE {table} SET {', '.join(changing)} "  # noqa: S608 (names of our own)
            # The planner hears how many rows are given: it takes them for 100 and would read the whole table.
            f"FROM (SELECT * FROM json_to_recordset(%s::json) AS told({_typed(fields)}) LIMIT {many}) AS given "
            f"WHERE {' AND '.join(held)}"
        )

    def _write(self, expected: tuple[str, ...], changes: tuple[str, ...]) -> str:
        meta, quoted = self._model._meta, connection.ops.quote_name
        places = {name: f"{quoted(str(meta.get_field(name).column))} = %s" for name in (*expected, *changes)}  # type: ignore[union-attr]
        changing, holding = (places[name] for name in changes), (places[name] for name in expected)
        key = f"{quoted(str(meta.pk.column))} = %s"
        condition = " AND ".join([*holding, key])
        return f"UPDATE {quoted(meta.db_table)} SET {', '.join(changing)} WHERE {condition}"  # noqa: S608 (names)


def _stored(field: Any, value: Any, database: Any) -> Any:
    return field.get_db_prep_save(value.pk if isinstance(value, Model) else value, database)


# --- many rows as one document: PostgreSQL reads it faster than Python writes a place for each value -----------------
def _typed(fields: Sequence[Any]) -> str:
    return ", ".join(f"f{place} {field.db_type(connection)}" for place, field in enumerate(fields))


def _records(fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    names = [f"f{place}" for place in range(len(fields))]
    return json.dumps([dict(zip(names, map(_as_json, fields, row), strict=True)) for row in rows])


def _as_json(field: Any, value: Any) -> Any:
    """The value as JSON tells it, from which the database makes the one that `get_db_prep_save` would have given."""
    if value is None or type(value) is str:
        return value
    if isinstance(field, JSONField):
        return value if field.encoder is None else json.loads(json.dumps(value, cls=field.encoder))
    value = field.get_prep_value(value.pk if isinstance(value, Model) else value)
    if isinstance(value, bytes | memoryview):
        return f"\\x{bytes(value).hex()}"
    return str(value) if isinstance(value, Decimal | UUID | datetime) else value
