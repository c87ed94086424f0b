"""Reads settings from the environment: typed, checked, and a wrong value stops the start by name."""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, ValidationError

BASE = Path(__file__).resolve().parent.parent
_env = Env()
PREPARED_AFTER = 3  # times that a connection has seen the same statement


def read(kind: str, name: str, default: Any = None, **options: Any) -> Any:
    """The value of variable `name` as `kind` (str, bool, int, list ...), or `default` when it is not set."""
    try:
        return getattr(_env, kind)(name, default, **options)
    except (EnvError, ValueError) as wrong:
        raise ImproperlyConfigured(f"{name} is not a valid {kind}: {wrong}") from wrong


def up_to_an_hour(seconds: float) -> None:
    """Refuse a length of time outside 0.01 to 3,600 seconds."""
    if not 0.01 <= seconds <= 3600:
        raise ValidationError("it must lie between 0.01 and 3600 seconds")


def database() -> dict[str, Any]:
    """Django's settings of the one database: SQLite in `data_folder()` unless DATABASE_URL names PostgreSQL."""
    url = read("str", "DATABASE_URL", "")
    return postgresql(url) if url else sqlite(data_folder() / "autonomy.sqlite3")


def postgresql(url: str) -> dict[str, Any]:
    """Settings for a pooled PostgreSQL connection; any other scheme is refused."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured("DATABASE_URL must start with postgresql:// (leave it out for SQLite).")
    try:
        parsed: dict[str, Any] = {**dj_database_url.parse(url)}
    except ValueError as wrong:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {wrong}") from wrong
    size = read("int", "DATABASE_POOL_SIZE", 12)
    parsed["CONN_MAX_AGE"] = 0
    options = {"pool": {"min_size": 1, "max_size": size, "timeout": 20}}
    if read("bool", "DATABASE_PREPARED", True):
        # The server plans a statement once for each connection instead of every time: half of an approval's wait.
        options |= {"server_side_binding": True, "prepare_threshold": PREPARED_AFTER}
    parsed["OPTIONS"] = {**(parsed.get("OPTIONS") or {}), **options}
    return parsed


def sqlite(path: Path) -> dict[str, Any]:
    """Settings for SQLite with a write-ahead log, where every transaction takes the write lock at its start."""
    start = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": start},
    }


def data_folder() -> Path:
    """The folder for everything this installation writes: database, generated secrets, demo documents."""
    folder = Path(read("str", "DATA_FOLDER", str(BASE / "var")))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def secret_key(*, production: bool) -> str:
    """SECRET_KEY, mandatory in production; elsewhere generated once and kept in the data folder."""
    given = str(read("str", "SECRET_KEY", ""))
    if given:
        return given
    if production:
        raise ImproperlyConfigured("SECRET_KEY must be set in production (a random text of 50 or more characters).")
    return _kept_secret(data_folder() / "secret_key")


def _kept_secret(path: Path) -> str:
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text().strip()


def redis_url() -> str:
    """REDIS_URL, empty for the embedded mode; any other scheme is refused."""
    url = str(read("str", "REDIS_URL", ""))
    if url and urlsplit(url).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(
            "REDIS_URL must start with redis:// or rediss:// (leave it out for the embedded mode)."
        )
    return url
