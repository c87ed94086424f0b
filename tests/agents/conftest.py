"""Agents' programs that sign in with key pairs."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from agents import operations
from observability import ledger
from tests.agents.tokens import Program, pair


@pytest.fixture
def program(halden: Any, now: Any) -> Any:
    """`program("AP-04")` gives that agent's program, its public key registered."""

    def made(code: str, key: Any = None, algorithm: str = "ES256", **more: Any) -> Program:
        made = Program(code, key or pair(), algorithm)
        operations.register_client_key(halden.agents[code], made.jwk, by=ledger.SYSTEM, at=now, **more)
        return made

    return made


@pytest.fixture
def everything() -> Any:
    """`everything()` gives all that stands in the database, as text."""

    def dumped() -> str:
        texts = []
        for model in apps.get_models(include_auto_created=True):
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
                texts.append(repr(cursor.fetchall()))
        return "".join(texts)

    return dumped
