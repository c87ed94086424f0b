"""Questions of AuthZEN as an enforcement point sends them, for the tests of the decision point."""

import json
from typing import Any

KNOWN = {"seller": "Kessler Maschinenbau GmbH", "order_matched": True, "findings": 0, "bank_changed_days": 412}


def asked(amount: Any = "9000.00", *, agent: str = "AP-04", number: str = "2026-1187", **more: Any) -> dict[str, Any]:
    """May the clerk pay this invoice? 5,000.00 is its limit. `more` replaces parts of the question."""
    return {
        "subject": {"type": "agent", "id": agent}, "action": {"name": "invoice.pay"},
        "resource": {"type": "invoice", "id": number, "properties": dict(KNOWN)},
        "context": {"amount": amount, "currency": "EUR"}, **more,
    }  # fmt: skip


def post(client: Any, path: str, body: Any, **headers: str) -> Any:
    """The answer of the decision point to an agent with its key, or to a signed-in person."""
    who = {"Authorization": f"Bearer {client.key}"} if getattr(client, "key", "") else {}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(f"/access/v1/{path}", text, content_type="application/json", headers={**who, **sent})


def get(client: Any, path: str) -> Any:
    """What an agent reads."""
    return client.get(f"/access/v1/{path}", headers={"Authorization": f"Bearer {client.key}"})


def said(client: Any, body: Any, **headers: str) -> dict[str, Any]:
    """The answer to one question, which must be one."""
    answer = post(client, "evaluation", body, **headers)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told
