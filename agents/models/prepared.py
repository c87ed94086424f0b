"""Queries that every request asks: their SQL is written once.

For a row with its relations Django takes longer to write the statement than the database takes to answer it. What is
done with the answer is Django's own: its converters, its instances, its relations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class _Written:
    """The statement, which value stands at which place in it, and how a row of the answer becomes instances."""

    sql: str
    order: tuple[str, ...]
    model: type[Model]
    names: tuple[str, ...]
    converters: tuple[tuple[int, tuple[Callable[[Any, Any, Any], Any], ...], Any], ...]
    related: tuple[Any, ...]

    def row(self, values: tuple[Any, ...]) -> Model:
        """The instance with its relations."""
        row = list(values)
        for place, converters, expression in self.converters:
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        instance = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[: len(self.names)])
        for each in self.related:
            each.populate(row, instance)
        return instance


class Prepared(Generic[Row]):
    """A query for at most one row. `ask` makes it of texts; it is called once, with the names in place of the texts."""

    def __init__(self, ask: Callable[..., "QuerySet[Row]"], *names: str) -> None:
        self._ask, self._names = ask, names
        self._written: _Written | None = None

    def first(self, **texts: str) -> Row | None:
        """The row that fits these texts, None without one."""
        if self._written is None:
            self._written = self._write()
        with connection.cursor() as cursor:
            cursor.execute(self._written.sql, [texts[name] for name in self._written.order])
            values = cursor.fetchone()
        return self._written.row(values) if values else None  # type: ignore[return-value]

    def _write(self) -> _Written:
        query = self._ask(**{name: name for name in self._names}).order_by()[:1].query
        compiler = query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, order = compiler.as_sql()
        columns = [expression for expression, *_ in compiler.select]
        info = compiler.klass_info
        own = [columns[place].target.attname for place in info["select_fields"]]
        converters = compiler.get_converters(columns)
        return _Written(
            sql, tuple(order), info["model"], tuple(own),
            tuple((place, tuple(made), expression) for place, (made, expression) in converters.items()),
            tuple(get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)),  # type: ignore[call-arg]
        )  # fmt: skip
