"""The rows of the test database at one moment, kept as copies beside it and put back in some milliseconds."""

from collections.abc import Iterable, Iterator

from django.db import connection, transaction

LEDGER = tuple(f"observability_{name}" for name in ("event", "treenode", "checkpoint", "verification"))


class Kept:
    """All rows as they are now; `name` tells this copy from others."""

    def __init__(self, name: str) -> None:
        self.copies: dict[str, str] = {}
        with connection.cursor() as cursor:
            for table in all_tables():
                cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")
                if cursor.fetchone():
                    self.copies[table] = f"kept_{name}_{table}"
                    cursor.execute(f"DROP TABLE IF EXISTS {self.copies[table]}")
                    cursor.execute(f"CREATE TABLE {self.copies[table]} AS SELECT * FROM {table}")

    def put_back(self) -> None:
        """Let the database hold exactly these rows again; new rows get ids that none had before."""
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in self.statements():
                cursor.execute(statement)

    def statements(self) -> list[str]:
        """The SQL that puts the rows back."""
        filling = [f"INSERT INTO {table} SELECT * FROM {copy}" for table, copy in self.copies.items()]
        return list(past_the_ledgers_triggers([f"DELETE FROM {table}" for table in all_tables()] + filling))


def all_tables() -> list[str]:
    """The tables of all models."""
    return sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))


def past_the_ledgers_triggers(statements: Iterable[str]) -> Iterator[str]:
    """These statements without the triggers that refuse to change the ledger. PostgreSQL deletes where Django would
    truncate: a server that still reads must not meet locks on whole tables."""
    if connection.vendor == "postgresql":
        yield from (f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in LEDGER)
        yield from statements
        yield "SET CONSTRAINTS ALL IMMEDIATE"
        yield from (f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in LEDGER)
        yield "SET CONSTRAINTS ALL DEFERRED"
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = dict(cursor.fetchall())
    yield from (f"DROP TRIGGER {name}" for name in triggers)
    yield from statements
    yield from triggers.values()
