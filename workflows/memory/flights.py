"""Work that others wait for: whoever asks first finds out what stands under a key, all others wait for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from agents.models import Agent
from agents.operations import require_at_work
from observability import ledger
from workflows.memory.looking import canonical_key, permit, require_sight, served
from workflows.memory.spaces import require_write
from workflows.models import Fact, Flight, Run, Space, Step

CLAIM_SECONDS, CLAIM_AT_MOST_SECONDS = 300, 3600


class StaleClaim(ledger.Refused):
    """This claim is over; somebody else may be at it. Nothing was changed."""

    code = "stale_claim"


@dataclass(frozen=True)
class Begun:
    """What an agent is told that is about to find something out: the fact that is known, or the flight, which is its
    own or that of somebody else."""

    fact: Fact | None = None
    flight: Flight | None = None
    is_mine: bool = False


def held_flight(space: Space, key: str) -> Flight | None:
    """The flight for the key, locked."""
    rows = Flight.objects.select_for_update(of=("self",)).select_related("step", "agent")
    return rows.filter(space=space, key=key).first()


def take(
    space: Space, key: str, *, at: datetime, step: Step | None = None, agent: Agent | None = None,
    until: datetime | None = None,
) -> tuple[Flight, bool]:  # fmt: skip
    """The flight for the canonical key, locked, and whether it is now held by this step or agent. Somebody else keeps
    it as long as it is at it; what nobody is at any more is taken over. An agent may have longer what it holds, an hour
    in all; what it let run out goes to those who wait for it."""
    with_whom = {"step": step, "agent": agent, "leased_until": until}
    flight = held_flight(space, key)
    if flight is None:
        try:
            with transaction.atomic():
                return Flight.objects.create(space=space, key=key, at=at, **with_whom), True
        except IntegrityError:  # somebody was faster
            flight = held_flight(space, key)
            if flight is None:  # and is done already
                return take(space, key, at=at, step=step, agent=agent, until=until)
    mine = flight.agent_id is not None and agent is not None and flight.agent_id == agent.pk
    if flight.is_held(at):
        if not mine or until is None:
            return flight, False
        until = min(until, flight.at + timedelta(seconds=CLAIM_AT_MOST_SECONDS))
    elif mine and flight.waiters.exists():
        return flight, False
    else:
        flight.at = at
    flight.step, flight.agent, flight.leased_until = step, agent, until
    flight.token += 1
    flight.save(update_fields=["step", "agent", "leased_until", "token", "at"])
    return flight, True


def landed(space: Space, key: str) -> None:
    """What stands under the key was found: nobody is at it any more. Who waits is told by the sweep, or sooner."""
    flight = held_flight(space, key)
    if flight is not None:
        let_go(flight)


def let_go(flight: Flight) -> None:
    """Nobody is at it any more; the row stays only as long as somebody waits."""
    if flight.waiters.exists():
        flight.step = flight.agent = flight.leased_until = None
        flight.save(update_fields=["step", "agent", "leased_until"])
    else:
        flight.delete()


# --- by an agent of its own accord ----------------------------------------------------------------------------
def begin(
    space: Space, key: str, *, agent: Agent, at: datetime, seconds: int = CLAIM_SECONDS, run: Run | None = None
) -> Begun:
    """Ask before finding something out. The agent that gets the flight has `seconds` to `put` what it found."""
    permit("memory.read", space, key, agent=agent, at=at)
    return _begin(space, canonical_key(key), agent, at, seconds, run)


@transaction.atomic
def _begin(space: Space, key: str, agent: Agent, at: datetime, seconds: int, run: Run | None) -> Begun:
    require_at_work(agent, at=at)
    require_sight(space, agent)
    require_write(agent, space)
    fact = served(space, key, agent=agent, at=at, run=run)
    if fact is not None:
        return Begun(fact)
    flight, mine = take(space, key, at=at, agent=agent, until=at + timedelta(seconds=seconds))
    # Whoever was at it may have finished between the look and the claim.
    fact = served(space, key, agent=agent, at=at, run=run) if mine else None
    if fact is not None:
        let_go(flight)
        return Begun(fact)
    if mine:
        ledger.record("space.claimed", space, by=agent, at=at, data={"key": key, "token": flight.token})
    return Begun(None, flight, mine)


@transaction.atomic
def give_up(space: Space, key: str, *, agent: Agent, token: int, at: datetime) -> None:
    """Leave it to whoever waits. Raises StaleClaim when the claim was over before."""
    require_sight(space, agent)
    flight = held_flight(space, canonical_key(key))
    if flight is None or flight.agent_id != agent.pk or flight.token != token:
        raise StaleClaim
    let_go(flight)
    ledger.record("space.claim_ended", space, by=agent, at=at, data={"key": flight.key, "token": token})


def may_begin(space: Space, key: str, *, at: datetime) -> bool:
    """Whether asking again can help: something is known, or nobody is at it any more."""
    named = canonical_key(key)
    flight = Flight.objects.select_related("step").filter(space=space, key=named).first()
    return flight is None or not flight.is_held(at) or space.facts.valid(at).believed().filter(key=named).exists()
