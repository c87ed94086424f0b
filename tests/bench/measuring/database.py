"""A PostgreSQL database that exists for one benchmark only, with the demo company in it."""

import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))


@contextmanager
def own_database(name: str) -> Iterator[str]:
    """Create an empty database, point Django's settings to it, drop it at the end; ends the benchmark with a sentence
    when DATABASE_URL names no PostgreSQL."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith(("postgres://", "postgresql://")):
        print("Skipped: set DATABASE_URL to a PostgreSQL database; the benchmark makes one of its own beside it.")
        raise SystemExit(0)
    own = f"aos_bench_{name}_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as server, tempfile.TemporaryDirectory() as folder:
        server.execute(f"CREATE DATABASE {own}")
        os.environ["DATABASE_URL"] = urlsplit(given)._replace(path=f"/{own}").geturl()
        os.environ["DATA_FOLDER"], os.environ["SECRET_KEY"] = folder, secrets.token_urlsafe(64)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autonomy_site.settings")
        try:
            yield os.environ["DATABASE_URL"]
        finally:
            server.execute(f"DROP DATABASE {own} WITH (FORCE)")
            os.environ["DATABASE_URL"] = given


def company() -> "Halden":
    """The Halden Group in the freshly migrated database."""
    import django

    django.setup()
    from django.core.management import call_command

    from autonomy_site.demo.company import build
    from observability.ledger import database_now

    call_command("migrate", verbosity=0)
    return build(database_now(), password="correct horse battery staple")
