"""Reads settings from the environment: typed, checked, and a wrong value stops the start by name."""

import base64
import contextlib
import ipaddress
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import dj_database_url
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, ValidationError, validate
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from py_vapid import Vapid, VapidException

from agents.rules import PEOPLE_ROLES
from observability.merkle import KeyInvalid, PublicKey, SigningKey, public_key, signing_key
from observability.rules import NotReachable, target_of

BASE = Path(__file__).resolve().parent.parent
_env = Env()
SECRET_LENGTH = 50
CURRENCY_CODE = validate.Regexp("[A-Z]{3}$", error="it must be three capital letters, as in EUR")
UP_TO_AN_HOUR = validate.Range(0.01, 3600)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PREPARED_AFTER = 3  # times that a connection has seen the same statement


def read(kind: str, name: str, default: Any = None, **options: Any) -> Any:
    """The value of variable `name` as `kind` (str, bool, int, list ...), or `default` when it is not set."""
    try:
        return getattr(_env, kind)(name, default, **options)
    except (EnvError, ValueError) as wrong:
        raise ImproperlyConfigured(f"{name} is not a valid {kind}: {wrong}") from wrong


def zone(name: str) -> None:
    """Refuse a time zone that is not known here."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as wrong:
        raise ValidationError("it must be the name of a time zone, as in Europe/Berlin") from wrong


def weights(shares: list[str]) -> dict[str, int]:
    """The share of each unit in the queue of work, as in finance=3; all others have 1."""
    found = {}
    for share in shares:
        unit, equals, number = share.partition("=")
        if not (unit and equals and number.isascii() and number.isdigit() and 1 <= int(number) <= 1000):
            wrong = f"UNIT_WEIGHTS: “{share}” is not the code of a unit and a number from 1 to 1000, as in finance=3"
            raise ImproperlyConfigured(wrong)
        found[unit.strip()] = int(number)
    return found


def origins(urls: list[str]) -> None:
    """Refuse origins without a scheme."""
    for url in urls:
        if not url.startswith(("https://", "http://")):
            raise ValidationError(f"{url} must begin with https://, as in https://os.example")


def production_hosts(names: list[str]) -> None:
    """Refuse a name that stands for every host: pages of others could then speak for this one."""
    if "*" in names:
        raise ValidationError("it must name the hosts, * is none")


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
    size = read("int", "DATABASE_POOL_SIZE", 12, validate=validate.Range(1, 1000))
    parsed["CONN_MAX_AGE"] = 0
    options: dict[str, Any] = {"pool": {"min_size": 1, "max_size": size, "timeout": 20}}
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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise ImproperlyConfigured(f"DATA_FOLDER cannot be made: {wrong}") from wrong
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"DATA_FOLDER cannot be written to: {folder}")
    return folder


def secret_key(*, production: bool) -> str:
    """SECRET_KEY, mandatory in production; elsewhere generated once and kept in the data folder."""
    given = str(read("str", "SECRET_KEY", ""))
    if production and len(given) < SECRET_LENGTH:
        raise ImproperlyConfigured(
            f"SECRET_KEY must be set in production (a random text of {SECRET_LENGTH} or more characters)."
        )
    return given or _kept_secret(data_folder() / "secret_key")


def signing_keys() -> list[dict[str, Any]]:
    """The server's private keys for tokens and cards (JWK, P-256), the one that signs first; the others only prove
    what was signed before. From TOKEN_SIGNING_KEY, a key or a key set; without it made once, in the data folder."""
    given = str(read("str", "TOKEN_SIGNING_KEY", ""))
    try:
        read_in = json.loads(given or _kept_secret(data_folder() / "token_signing_key", _new_signing_key))
        keys = [ECKey.import_key(each) for each in read_in.get("keys", [read_in])]
        usable = keys and all(key.is_private and key.curve_name == "P-256" for key in keys)
    except (ValueError, KeyError, TypeError, AttributeError, JoseError) as wrong:
        raise ImproperlyConfigured("TOKEN_SIGNING_KEY must be a private key or key set in JSON (JWK).") from wrong
    if not usable:
        raise ImproperlyConfigured("TOKEN_SIGNING_KEY must hold private keys of the curve P-256.")
    return [{**key.as_dict(private=True), "kid": key.kid or key.thumbprint()} for key in keys]


def _new_signing_key() -> str:
    return json.dumps(ECKey.generate_key("P-256").as_dict(private=True))


def audit_key() -> SigningKey:
    """The key that signs the audit trail's checkpoints, from AUDIT_SIGNING_KEY; without it made once, in the data
    folder."""
    given = str(read("str", "AUDIT_SIGNING_KEY", ""))
    try:
        return signing_key(given or _kept_secret(data_folder() / "audit_signing_key", _new_audit_key))
    except KeyInvalid as wrong:
        raise ImproperlyConfigured(f"AUDIT_SIGNING_KEY must be a signing key of a signed note: {wrong}.") from wrong


def _new_audit_key() -> str:
    return SigningKey(f"autonomy-os/{secrets.token_hex(6)}", secrets.token_bytes(32)).secret()


def audit_known_keys() -> tuple[PublicKey, ...]:
    """The public keys that signed checkpoints before the one that does now, from AUDIT_KNOWN_KEYS."""
    try:
        return tuple(public_key(str(each)) for each in read("list", "AUDIT_KNOWN_KEYS", []))
    except KeyInvalid as wrong:
        raise ImproperlyConfigured(f"AUDIT_KNOWN_KEYS must hold public keys of checkpoints: {wrong}.") from wrong


def networks(names: list[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks of TRUSTED_PROXIES."""
    try:
        return [ipaddress.ip_network(name) for name in names]
    except ValueError as wrong:
        raise ImproperlyConfigured(f"TRUSTED_PROXIES must hold addresses or networks: {wrong}") from wrong


def public_url(url: str) -> None:
    """Refuse an address that is no plain origin: it is the name by which tokens know this server."""
    parts = urlsplit(url)
    if url and (
        parts.scheme not in ("https", "http") or not parts.hostname or url != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ValidationError("it must be scheme and host and nothing else, as in https://os.example")


def outgoing_hosts(names: list[str]) -> None:
    """Refuse what is no host, with or without a port: it would let through what nobody meant."""
    for name in names:
        try:
            target = target_of(f"https://{name}/")
        except NotReachable as wrong:
            raise ValidationError(f"{name} is no host such as hooks.example or 10.0.0.7:8080") from wrong
        if name not in (target.host, f"[{target.host}]", f"{target.host}:{target.port}", target.authority):
            raise ValidationError(f"{name} is no host such as hooks.example or 10.0.0.7:8080")


def vapid() -> dict[str, str]:
    """The key to push with, with its public half and whom push services may write to; nothing where there is none."""
    private = str(read("str", "VAPID_PRIVATE_KEY", ""))
    if not private:
        return {}
    contact = str(read("str", "VAPID_CONTACT", ""))
    if not contact.startswith(("mailto:", "https://")):
        raise ImproperlyConfigured("VAPID_CONTACT must be mailto:… or https://… when VAPID_PRIVATE_KEY is set.")
    try:
        key = Vapid.from_string(private)
        point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    except (ValueError, TypeError, VapidException) as wrong:
        raise ImproperlyConfigured("VAPID_PRIVATE_KEY must be a private key of the curve P-256.") from wrong
    public = base64.urlsafe_b64encode(point).decode().rstrip("=")
    return {"private": private, "public": public, "contact": contact}


def _new_secret() -> str:
    return secrets.token_urlsafe(64)


def _kept_secret(path: Path, make: Callable[[], str] = _new_secret) -> str:
    if not path.exists():
        # Whole or not at all: another process that starts right now reads the same secret, and never half of it. The
        # file is born readable by its owner alone.
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
            draft.write(make())
            draft.flush()
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text().strip()


def redis_url() -> str:
    """REDIS_URL, empty for the embedded mode; any other scheme is refused."""
    url = str(read("str", "REDIS_URL", ""))
    if url and urlsplit(url).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(
            "REDIS_URL must start with redis:// or rediss:// (leave it out for the embedded mode)."
        )
    return url


def cache() -> dict[str, Any]:
    """Where attempts are counted and used codes are remembered: in Redis for many processes, in memory for one."""
    if url := redis_url():
        return {
            "BACKEND": "autonomy_site.caching.SharedCache", "LOCATION": url, "KEY_PREFIX": "autonomy-os",
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }  # fmt: skip
    return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}


@dataclass(frozen=True)
class Oidc:
    """The company's own sign-in service: who it is, what we are called there, and what its groups mean here."""

    issuer: str
    client_id: str
    name: str = "single sign-on"
    client_secret: str = field(default="", repr=False)
    groups_claim: str = "groups"
    group_map: Mapping[str, str] = field(default_factory=dict)
    unit_claim: str = ""
    unit: str = ""
    links_by_email: bool = False
    trusts_mfa: bool = False


def oidc() -> Oidc | None:
    """The sign-in service that OIDC_ISSUER names, None without one; a part that is missing or wrong stops the start."""
    issuer = str(read("str", "OIDC_ISSUER", "")).rstrip("/")
    if not issuer:
        return None
    _check_issuer(issuer)
    service = Oidc(
        issuer=issuer,
        client_id=_needed("OIDC_CLIENT_ID", read("str", "OIDC_CLIENT_ID", "")),
        client_secret=_needed("OIDC_CLIENT_SECRET", read("str", "OIDC_CLIENT_SECRET", "")),
        name=read("str", "OIDC_NAME", "single sign-on"),
        groups_claim=read("str", "OIDC_GROUPS_CLAIM", "groups"),
        group_map=_group_map(read("json", "OIDC_GROUP_MAP", {})),
        unit_claim=read("str", "OIDC_UNIT_CLAIM", ""),
        unit=read("str", "OIDC_UNIT", ""),
        links_by_email=read("bool", "OIDC_LINK_BY_EMAIL", False),
        trusts_mfa=read("bool", "OIDC_TRUSTS_MFA", False),
    )
    if not (service.unit_claim or service.unit):
        raise ImproperlyConfigured("OIDC_UNIT must name the code of the unit that new people belong to.")
    return service


def _needed(name: str, value: str) -> str:
    if not value:
        raise ImproperlyConfigured(f"{name} must be set when OIDC_ISSUER is.")
    return value


def _check_issuer(issuer: str) -> None:
    try:
        parts = urlsplit(issuer)
        host = parts.hostname
    except ValueError as wrong:
        raise ImproperlyConfigured(f"OIDC_ISSUER is not an address: {wrong}") from wrong
    if parts.query or parts.fragment or not host:
        raise ImproperlyConfigured(
            "OIDC_ISSUER must be an address without ? and #, as in https://id.example/realms/os."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ImproperlyConfigured("OIDC_ISSUER must begin with https://; http:// is for a service on this machine.")


def _group_map(given: Any) -> Mapping[str, str]:
    roles = {role.name for role in PEOPLE_ROLES}
    if not isinstance(given, dict) or not given:
        raise ImproperlyConfigured('OIDC_GROUP_MAP must name a role for each group, as in {"os-council": "council"}.')
    if unknown := sorted({str(role) for role in given.values()} - roles):
        raise ImproperlyConfigured(f"OIDC_GROUP_MAP names no role of this kind: {', '.join(unknown)}.")
    return {str(group): str(role) for group, role in given.items()}


def email() -> dict[str, Any]:
    """Django's settings for the mail server that EMAIL_URL names; without it no mail is sent."""
    return dict(read("dj_email_url", "EMAIL_URL", "dummy:"))
