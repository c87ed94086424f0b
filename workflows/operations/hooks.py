"""Hooks: another system begins runs or sends messages at an address of its own; each call is signed and counts once."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from agents.models import Principal
from agents.operations import require
from governance.operations.sealing import Unreadable, seal, unseal
from observability import ledger
from workflows.models import Hook, HookCall, Listener, Message, Workflow
from workflows.operations.messages import deliver
from workflows.operations.runs.outbox import lasting, post
from workflows.operations.starting import START, is_answered_for
from workflows.rules.memory import texts_in

RIGHT = "workflows.publish_workflow"
SECRET_BYTES = 32
NUMBER_AT_MOST = 120
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadSignature(ledger.Refused):
    """The signature, its time or its number is missing or wrong; nothing was changed. Sign as in Standard Webhooks."""

    status = 401
    code = "bad_signature"


class NobodyAnswers(ledger.Refused):
    """Who opened this address may no longer start runs of its workflow; nothing was changed. Somebody who may opens a
    new one."""

    status = 403
    code = "nobody_answers"


class TooLarge(ledger.Refused):
    """The body is larger than this server takes; nothing was changed."""

    status = 413
    code = "too_large"


@dataclass(frozen=True)
class Way:
    """What the calls of a hook become: a run each, or the message of this name; and where the key stands in them."""

    name: str
    message: str = ""
    key_path: str = ""


def add_hook(workflow: Workflow, way: Way, *, by: Principal, at: datetime, random: bytes) -> tuple[Hook, str]:
    """A new address, and its secret, which is shown only now; `random` are 32 bytes that nobody can guess."""
    require(by, RIGHT, workflow)
    require(by, START, workflow)
    if way.message and not Listener.objects.filter(workflow=workflow, kind="message", name=way.message).exists():
        raise ledger.Invalid(fields={"message": f"{workflow} knows no message “{way.message}”."})
    secret = f"whsec_{_base64(random)}"
    with transaction.atomic():
        hook = Hook.objects.create(
            workflow=workflow, name=way.name.strip(), message=way.message, key_path=way.key_path.strip(),
            secret=seal(secret), author=by, created_at=at,
        )  # fmt: skip
        ledger.record("hook.added", hook, by=by, at=at, after=hook.status, data={"message": way.message})
    return hook, secret


def _base64(random: bytes) -> str:
    if len(random) != SECRET_BYTES:
        raise ValueError("a secret has 32 bytes")
    return base64.b64encode(random).decode()


@transaction.atomic
def revoke_hook(hook: Hook, *, by: Principal, at: datetime, why: str) -> Hook:
    """Take no call at this address any more. Needs a reason."""
    require(by, RIGHT, hook.workflow)
    if not why.strip():
        raise ledger.Invalid("Say why the address is revoked.", fields={"why": "A reason is needed."})
    ledger.move(hook, Hook.Status.REVOKED, by=by, verb="hook.revoked", at=at, why=why, secret="")
    return hook


def find_hook(uid: UUID, *, user: Principal) -> Hook:
    """The hook, if this person may see its workflow. Raises NotFound."""
    hook: Hook | None = Hook.objects.visible_to(user).select_related("workflow__unit").filter(uid=uid).first()
    if hook is None:
        raise ledger.NotFound
    return hook


def take_call(uid: UUID, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Message:
    """What another system sent becomes a message or a run, at once, or as soon as work is no longer paused. The same
    call again is the one that was taken before. Raises NotFound, BadSignature, NobodyAnswers, TooLarge,
    Invalid."""
    if len(body) > settings.HOOK_BODY_BYTES:
        raise TooLarge(f"The body has more than {settings.HOOK_BODY_BYTES:,} bytes; nothing was changed.")
    hook = Hook.objects.select_related("workflow__unit", "author").filter(uid=uid, status=Hook.Status.ACTIVE).first()
    if hook is None:
        raise ledger.NotFound
    _verify(hook, body, headers)
    if not is_answered_for(hook.author, hook.workflow):
        raise NobodyAnswers(about=hook)
    number = headers["webhook-id"]
    if len(number) > NUMBER_AT_MOST:
        raise BadSignature(f"webhook-id has at most {NUMBER_AT_MOST} characters.")
    payload = _read(body)
    key = _key(hook, payload, number)
    try:
        with transaction.atomic():
            HookCall.objects.create(hook=hook, number=number, at=at)
            message = _posted(hook, key, number, payload, at)
            Hook.objects.filter(pk=hook.pk).update(called_at=at)
            deliver(message, at=at, strict=True)
    except IntegrityError:
        before = Message.objects.filter(ref=_ref(hook, number)).first()
        if before is None:
            raise
        return before
    return message


def _ref(hook: Hook, number: str) -> str:
    return f"hook:{hook.uid.hex}:{number}"


def _verify(hook: Hook, body: bytes, headers: Mapping[str, str]) -> None:
    try:
        Webhook(unseal(hook.secret)).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, Unreadable, ValueError) as wrong:
        raise BadSignature(about=hook) from wrong


def _read(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
        json.dumps(payload, allow_nan=False)
    except (ValueError, RecursionError) as wrong:
        raise ledger.Invalid(fields={"body": "Send a JSON object; NaN and Infinity are no numbers in it."}) from wrong
    if not isinstance(payload, dict):
        raise ledger.Invalid(fields={"body": "Send a JSON object."})
    if any(UNSTORABLE.search(text) for text in texts_in(payload)):
        raise ledger.Invalid(fields={"body": "A text in it has a character that cannot be kept."})
    return payload


def _key(hook: Hook, payload: Mapping[str, Any], number: str) -> str:
    if not hook.key_path:
        return number
    found: Any = payload
    for part in hook.key_path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, str | int) or isinstance(found, bool) or not str(found).strip():
        raise ledger.Invalid(fields={"body": f"The key is missing: send text or a number at {hook.key_path}."})
    return str(found)[:200]


def _posted(hook: Hook, key: str, number: str, payload: dict[str, Any], at: datetime) -> Message:
    is_message = bool(hook.message)
    message = Message(
        kind=Message.Kind.MESSAGE if is_message else Message.Kind.START,
        name=hook.message or hook.workflow.code, key=key, ref=_ref(hook, number), payload=payload,
        unit=hook.workflow.unit, workflow=hook.workflow, principal=hook.author, sent_at=at, due_at=at,
        expires_at=lasting(at) if is_message else None,
    )  # fmt: skip
    post([message], by=ledger.Actor("system", str(hook.uid), f"Hook {hook.name}"))
    return message
