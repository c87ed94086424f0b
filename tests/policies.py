"""Policies on their way into force, for the tests of several pages: Daniel writes, Ingrid approves."""

from typing import Any

from governance.tasks import run_replays

KEY = "finance.invoice-payment"


def keep(person: Any, text: str) -> Any:
    """Keep the text as the next draft."""
    return person.call("post", "policies", {"text": text})


def act(person: Any, number: int, what: str, body: Any = None, *, key: str = KEY, match: str = "*") -> Any:
    """One step in the life of a version: ask-review, approve, send-back, withdraw, shadow, retire, restore."""
    return person.call("post", f"policies/{key}/versions/{number}/{what}", body or {}, match=match)


def put_in_force(person: Any, number: int, key: str = KEY) -> Any:
    """Let a version decide, after a look at its replay."""
    look_at_replay(person, number, key)
    return activate(person, number, key)


def look_at_replay(person: Any, number: int, key: str = KEY) -> None:
    """Replay the last week with a version, if one may, and open what came out."""
    address = f"/policies/{key}/versions/{number}/replay"
    if person.post(address, {"days": "7"}).status_code == 302:
        while run_replays():
            pass
        assert person.get(address).status_code == 200


def activate(person: Any, number: int, key: str = KEY) -> Any:
    """Let a version decide."""
    return person.call("post", f"policies/{key}/activate", {"version": number}, match="*")


def approved(sign_in: Any, text: str, key: str = KEY) -> int:
    """The number of a version that Daniel wrote and Ingrid approved."""
    daniel, ingrid = sign_in("daniel"), sign_in("ingrid")
    kept = keep(daniel, text)
    assert kept.status_code == 201, kept.content
    number: int = kept.json()["version"]
    for person, step in ((daniel, "ask-review"), (ingrid, "approve")):
        answer = act(person, number, step, key=key)
        assert answer.status_code == 200, answer.content
    return number
