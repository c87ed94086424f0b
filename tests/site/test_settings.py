"""Settings: a wrong value stops the start with the variable's name, production refuses what is not safe."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from autonomy_site import environment

SAFE = {"PRODUCTION": "1", "SECRET_KEY": "k" * 20 + "Q9-x_" * 10, "ALLOWED_HOSTS": "os.example"}


def start(tmp_path: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start the product with these variables and nothing else from the environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "manage.py", *(command or ("check",))],
        cwd=settings.BASE, text=True,
        capture_output=True, env={**kept, "DATA_FOLDER": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", **variables},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root@127.0.0.1/x"),
        ("DATABASE_URL", "postgresql://root@127.0.0.1:notaport/x"),
        ("REDIS_URL", "http://127.0.0.1"),
        ("DEBUG", "maybe"),
        ("SEAL_EVERY_SECONDS", "soon"),
        ("SWEEP_EVERY_SECONDS", "0"),
        ("SPONSOR_GRACE_DAYS", "-1"),
        ("DORMANT_DAYS", "soon"),
        ("SIGN_IN_ATTEMPTS", "0"),
        ("TIME_ZONE", "Nowhere/At-all"),
        ("TRUSTED_ORIGINS", "https://os.example,os.example"),
        ("CURRENCY", "euro"),
        ("LOG_LEVEL", "LOUD"),
        ("DATA_FOLDER", "/dev/null/data"),
        ("TOKEN_SIGNING_KEY", "secret"),
        ("TOKEN_SIGNING_KEY", '{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}'),
        ("AUDIT_SIGNING_KEY", "secret"),
        ("AUDIT_KNOWN_KEYS", "os.example+00000000+AQ=="),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("PUBLIC_URL", "https://os.example/path"),
        ("OUTGOING_HOSTS", "http://hooks.internal"),
        ("OUTGOING_HOSTS", "hooks.internal,*"),
        ("VAPID_PRIVATE_KEY", "secret"),
    ],
)
def test_a_wrong_value_stops_the_start_by_name(tmp_path: Path, name: str, value: str) -> None:
    ended = start(tmp_path, **{name: value})

    assert ended.returncode != 0
    assert ended.stderr.strip().splitlines()[-1].startswith("django.core.exceptions.ImproperlyConfigured")
    assert name in ended.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("bool", "PRODUCTION", "perhaps"),
        ("int", "SIGN_IN_ATTEMPTS", "8.5"),
        ("int", "DATABASE_POOL_SIZE", ""),
        ("float", "X", "1,5"),
    ],
)
def test_the_reader_names_the_variable(monkeypatch: Any, kind: str, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=name):
        environment.read(kind, name, None)


@pytest.mark.parametrize("url", ["mysql://x", "x", "postgresql://a:b@[::1/x", "postgresql://h:port/x", "sqlite:///x"])
def test_no_other_database_is_taken(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        environment.postgresql(url)


@pytest.mark.parametrize("size", ["0", "-3", "1001"])
def test_a_pool_has_a_connection_at_least(monkeypatch: Any, size: str) -> None:
    monkeypatch.setenv("DATABASE_POOL_SIZE", size)

    with pytest.raises(ImproperlyConfigured, match="DATABASE_POOL_SIZE"):
        environment.postgresql("postgresql://root@127.0.0.1/x")


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_production_without_a_secret_or_hosts_refuses_to_start(tmp_path: Path, missing: str) -> None:
    ended = start(tmp_path, **{name: value for name, value in SAFE.items() if name != missing})

    assert ended.returncode != 0
    assert missing in ended.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize(("name", "value"), [("SECRET_KEY", "k" * 49), ("ALLOWED_HOSTS", "os.example,*")])
def test_production_refuses_a_short_secret_and_every_host(tmp_path: Path, name: str, value: str) -> None:
    ended = start(tmp_path, **{**SAFE, name: value})

    assert ended.returncode != 0
    assert name in ended.stderr.strip().splitlines()[-1]
    assert value not in ended.stderr


def test_production_with_debug_refuses_to_start(tmp_path: Path) -> None:
    ended = start(tmp_path, DEBUG="1", **SAFE)

    assert ended.returncode != 0
    assert "DEBUG" in ended.stderr.strip().splitlines()[-1]


def test_production_is_clean_in_djangos_own_check(tmp_path: Path) -> None:
    ended = start(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **SAFE)

    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout


def test_a_secret_made_here_is_kept_and_private(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("DATA_FOLDER", str(tmp_path))
    monkeypatch.delenv("SECRET_KEY", raising=False)

    first = environment.secret_key(production=False)

    assert environment.secret_key(production=False) == first
    assert len(first) >= 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "secret_key"]


def test_processes_that_start_at_once_share_one_secret(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("DATA_FOLDER", str(tmp_path))
    monkeypatch.delenv("SECRET_KEY", raising=False)

    with ThreadPoolExecutor(16) as together:
        made = set(together.map(lambda _: environment.secret_key(production=False), range(64)))

    assert len(made) == 1


def test_every_page_carries_the_browsers_safety(client: Any, db: None) -> None:
    for path in ("/sign-in", "/api/", "/nothing-here", "/health"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"


OIDC = {
    "OIDC_ISSUER": "https://id.example/realms/os", "OIDC_CLIENT_ID": "os", "OIDC_CLIENT_SECRET": "s",
    "OIDC_GROUP_MAP": '{"os-council": "council"}', "OIDC_UNIT": "halden",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OIDC_ISSUER", "http://id.example"),
        ("OIDC_ISSUER", "id.example"),
        ("OIDC_ISSUER", "https://id.example/?x=1"),
        ("OIDC_ISSUER", "http://[::1"),
        ("OIDC_CLIENT_ID", ""),
        ("OIDC_CLIENT_SECRET", ""),
        ("OIDC_GROUP_MAP", "{}"),
        ("OIDC_GROUP_MAP", '["council"]'),
        ("OIDC_GROUP_MAP", "council"),
        ("OIDC_GROUP_MAP", '{"os-council": "emperor"}'),
        ("OIDC_UNIT", ""),
    ],
)
def test_a_sign_in_service_that_makes_no_sense_stops_the_start(monkeypatch: Any, name: str, value: str) -> None:
    for each, given in {**OIDC, name: value}.items():
        monkeypatch.setenv(each, given)

    with pytest.raises(ImproperlyConfigured, match=name):
        environment.oidc()


def test_a_sign_in_service_is_read_whole_and_keeps_its_secret(monkeypatch: Any) -> None:
    assert environment.oidc() is None
    for name, given in {**OIDC, "OIDC_CLIENT_SECRET": "hush-hush", "OIDC_TRUSTS_MFA": "1"}.items():
        monkeypatch.setenv(name, given)

    service = environment.oidc()

    assert service is not None
    assert (service.group_map, service.trusts_mfa, service.links_by_email) == ({"os-council": "council"}, True, False)
    assert "hush-hush" not in repr(service)
    for local in ("http://127.0.0.1:9/", "http://localhost:9"):
        monkeypatch.setenv("OIDC_ISSUER", local)
        assert environment.oidc().issuer == local.rstrip("/")  # type: ignore[union-attr]


def test_production_cookies_are_bound_to_the_host(tmp_path: Path) -> None:
    shown = (
        "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_PATH,"
    )
    shown += " s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_DOMAIN, s.SESSION_COOKIE_SAMESITE)"

    ended = start(tmp_path, "shell", "-v", "0", "-c", shown, **SAFE)

    assert ended.stdout.split() == ["__Host-session", "__Host-csrf", "/", "True", "True", "None", "Lax"], ended.stderr
