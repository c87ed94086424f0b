"""What tests of signing in can ask for: an authenticator app on somebody's phone, agents' programs with key pairs."""

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.apps import apps
from django.db import connection

from agents import operations
from agents.models import Principal
from observability import ledger
from tests.agents.tokens import Program, pair


class Phone:
    """An authenticator app."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, *, steps: int = 0) -> str:
        """The code that it shows now, or so many half minutes later."""
        return format_hotp_value(hotp_value(self.secret, int(time.time()) // 30 + steps))


@pytest.fixture
def phone(halden: Any) -> Any:
    """`phone("ingrid")` gives Ingrid an authenticator app that she has set up."""

    def set_up(username: str) -> Phone:
        secret = generate_totp_secret()
        TOTP.activate(Principal.objects.get(username=username), secret)
        return Phone(secret)

    return set_up


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
