"""The agent's side of the agents' API: claim work, ask permission, report, and share what was learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

from autonomy_client.errors import AutonomyError
from autonomy_client.keeping import Keeper
from autonomy_client.shapes import Change, Decision, Evidence, Fact, Me, RunRef, Work
from autonomy_client.wire import Wire

Shape = TypeVar("Shape")


class Autonomy:
    """One agent's connection to the server at `base_url`; times are in seconds. Raises ValueError for an address or a
    key that cannot be one."""

    def __init__(
        self, base_url: str, key: str, timeout: float = 30, retries: int = 5, *, backoff_seconds: float = 0.25
    ) -> None:
        self.wire = Wire(base_url, key, timeout, retries, backoff_seconds)

    def me(self) -> Me:
        """Who the server takes this key for."""
        return _read(Me.from_wire, self.wire.get("me"))

    def claim(self, wait_seconds: int = 20) -> Work | None:
        """The next step for this agent's role, or None when none came within the wait."""
        body = self.wire.post("work/claim", {"wait_seconds": wait_seconds}, wait_seconds)
        return _work_in(body)

    def finish(
        self,
        work: Work,
        output: Mapping[str, Any],
        cost: Decimal | str = "0",
        claim_next: bool = False,
        wait_seconds: int = 0,
        note: str = "",
    ) -> Work | None:
        """Report the step's output and cost; with `claim_next` the answer carries the next step, if any."""
        body = {
            **_lease(work),
            "output": output,
            "cost": str(cost),
            "note": note,
            "claim_next": claim_next,
            "wait_seconds": wait_seconds,
        }
        return _work_in(self.wire.post(f"steps/{work.step}/finish", body, wait_seconds))

    def fail(self, work: Work, reason: str, retryable: bool = True) -> None:
        """Give the step back as failed; a retryable one is offered again later."""
        self.wire.post(f"steps/{work.step}/fail", {**_lease(work), "reason": reason, "retryable": retryable})

    def heartbeat(self, work: Work) -> float:
        """Renew the lease and return its length in seconds; raises StaleLease when it is lost."""
        return _read(_lease_seconds, self.wire.post(f"steps/{work.step}/heartbeat", _lease(work)))

    def keeping(self, work: Work) -> Keeper:
        """A context that keeps the lease alive from a second thread."""
        return Keeper(work, self._beat)

    def _beat(self, work: Work, within_seconds: float) -> float:
        return _read(_lease_seconds, self.wire.post_once(f"steps/{work.step}/heartbeat", _lease(work), within_seconds))

    def ask(
        self,
        work: Work,
        action: str,
        resource: Mapping[str, Any],
        context: Mapping[str, Any],
        *,
        title: str,
        statement: str,
        confidence: Decimal | str,
        changes: Sequence[Change] = (),
        evidence: Sequence[Evidence] = (),
        approval: str | None = None,
    ) -> Decision:
        """May I do this? After `escalate` the step waits for a person by itself and the lease is over."""
        body = {
            "step": work.step,
            "lease_token": work.lease_token,
            "action": action,
            "resource": resource,
            "context": context,
            "title": title,
            "statement": statement,
            "confidence": str(confidence),
            "changes": [asdict(change) for change in changes],
            "evidence": [_stated(item) for item in evidence],
            "approval": approval,
        }
        return _read(Decision.from_wire, self.wire.post("actions", body))

    def decision(self, id: str) -> Decision:
        """An earlier decision."""
        return _read(Decision.from_wire, self.wire.get(f"decisions/{id}"))

    def start_run(self, workflow: str, key: str, input: Mapping[str, Any]) -> RunRef:
        """Start a run; the same key again gives the same run."""
        return _read(RunRef.from_wire, self.wire.post("runs", {"workflow": workflow, "key": key, "input": input}))

    def remember(
        self,
        space: str,
        key: str,
        value: Mapping[str, Any],
        *,
        evidence: Sequence[Evidence] = (),
        expires_seconds: int | None = 86_400,
        run: str | None = None,
        cost: Decimal | str = "0",
        seconds: Decimal | str = "0",
    ) -> None:
        """Put a fact into the shared memory, with what it took to find out."""
        body = {
            "space": space,
            "key": key,
            "value": value,
            "evidence": [_stated(item) for item in evidence],
            "expires_seconds": expires_seconds,
            "run": run,
            "cost": str(cost),
            "seconds": str(seconds),
        }
        self.wire.post("memory/facts", body)

    def recall(self, space: str, key: str, *, run: str | None = None) -> Fact | None:
        """What the shared memory holds under this key, or None; the saving is put down to the run."""
        asked = {"space": space, "key": key} | ({"run": run} if run else {})
        fact = self.wire.get("memory/facts", asked).get("fact")
        return _read(Fact.from_wire, fact) if fact else None

    def hurry(self) -> None:
        """Stop waiting between retries: a call under way raises its last error instead."""
        self.wire.hurry.set()

    def close(self) -> None:
        """Close the connections."""
        self.wire.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stated(item: Evidence) -> dict[str, str]:
    return {name: value for name, value in asdict(item).items() if value}


def _lease(work: Work) -> dict[str, Any]:
    return {"lease_token": work.lease_token}


def _work_in(body: Mapping[str, Any]) -> Work | None:
    work = body.get("work")
    return _read(Work.from_wire, work) if work else None


def _lease_seconds(body: Mapping[str, Any]) -> float:
    return float(body["lease_seconds"])


def _read(shape: Callable[[Mapping[str, Any]], Shape], body: Mapping[str, Any]) -> Shape:
    try:
        return shape(body)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as odd:
        detail = f"The answer is not what this client expects ({odd!r}); do client and server belong together?"
        raise AutonomyError(200, "not_understood", detail) from odd
