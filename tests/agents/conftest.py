"""What tests of signing in can ask for: an authenticator app on somebody's phone."""

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from agents.models import Principal


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
