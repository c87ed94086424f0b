"""Proofs: that an entry is in a signed tree, and that one signed tree is the beginning of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from observability.ledger.sealing import TOLD
from observability.ledger.writing import Invalid, Refused
from observability.merkle import (
    NODE_LEVELS,
    consistency_proof,
    digest_of,
    envelope_of,
    inclusion_proof,
    payload_of,
    proof_text,
    root_of,
)
from observability.models import Checkpoint, Event, TreeNode

TILE = 1 << NODE_LEVELS
TILES_AT_HAND = 64  # of 256 hashes: 0.5 MB


class NotYetProved(Refused):
    """No checkpoint holds this entry yet. Ask again in two seconds."""

    code = "not_yet_proved"


class SizeUnknown(Invalid):
    """There is no checkpoint of this size. The list of checkpoints has all of them."""

    code = "size_unknown"


class Prover:
    """Makes proofs; what several of them need is read once."""

    def __init__(self) -> None:
        self._tile = lru_cache(TILES_AT_HAND)(_tile)

    def subtree(self, level: int, number: int) -> bytes:
        """The root of the full subtree of 2**level leaves with this number from the left."""
        base, above = divmod(level, NODE_LEVELS)
        first = number << above
        tile, place = divmod(first, TILE)
        hashes = self._tile(base, tile)[place : place + (1 << above)]
        if len(hashes) != 1 << above:
            raise NotYetProved("The tree is not complete here; verify_audit says where it is broken.")
        return root_of(hashes)

    def inclusion(self, position: int, size: int) -> list[bytes]:
        """The proof that the entry at `position` is in the tree of `size` entries."""
        return inclusion_proof(position - 1, size, self.subtree)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `old` entries is the beginning of that of `new`."""
        return consistency_proof(old, new, self.subtree)


def _tile(base: int, tile: int) -> Sequence[bytes]:
    if base:
        kept = TreeNode.objects.filter(level=base * NODE_LEVELS, number__gte=tile * TILE, number__lt=(tile + 1) * TILE)
        return [bytes(each) for each in kept.order_by("number").values_list("hash", flat=True)]
    held = Event.objects.filter(position__gt=tile * TILE, position__lte=(tile + 1) * TILE, leaf__isnull=False)
    return [bytes(each) for each in held.order_by("position").values_list("leaf", flat=True) if each is not None]


@dataclass(frozen=True)
class Proof:
    """That the entry at `position` (from 1), with this leaf hash, is in the tree of the checkpoint."""

    position: int
    leaf: bytes
    hashes: Sequence[bytes]
    checkpoint: Checkpoint

    def text(self) -> str:
        """The proof as C2SP tlog-proof writes it."""
        return proof_text(index=self.position - 1, proof=self.hashes, note=self.checkpoint.note)


def newest_checkpoint() -> Checkpoint | None:
    """The newest checkpoint, None before the first."""
    return Checkpoint.objects.newest()


def proof_of(event: Event) -> Proof:
    """The proof that the newest checkpoint holds the event. Raises NotYetProved."""
    checkpoint = newest_checkpoint()
    if checkpoint is None or event.leaf is None or not event.position or event.position > checkpoint.size:
        raise NotYetProved
    hashes = Prover().inclusion(event.position, checkpoint.size)
    return Proof(event.position, bytes(event.leaf), hashes, checkpoint)


def consistency_between(old: int, new: int) -> tuple[Checkpoint, Checkpoint, list[bytes]]:
    """The checkpoints of these sizes, and the proof that the first is the beginning of the second. Raises
    SizeUnknown."""
    found = {each.size: each for each in Checkpoint.objects.filter(size__in=(old, new))}
    wrong = {name: SizeUnknown.__doc__ or "" for name, size in (("old", old), ("new", new)) if size not in found}
    if wrong:
        raise SizeUnknown(fields=wrong)
    if old > new:
        raise Invalid(fields={"old": "The older checkpoint is the smaller one."})
    return found[old], found[new], Prover().consistency(old, new)


def entry_of(event: Event, *, whole: bool) -> dict[str, Any]:
    """The event as its leaf tells it: `envelope`, whose canonical bytes are hashed, `payload` with the `salt` in hex
    that its digest needs. Where `whole` is false the payload leaves out where the actor came from, and so the salt."""
    told = {name: getattr(event, name) for name in TOLD}
    payload = payload_of(told)
    salt = bytes(event.salt) if event.salt is not None else b""
    digest = bytes(event.digest) if event.digest is not None else digest_of(salt, payload)
    shows_all = whole or not event.address
    return {
        "envelope": envelope_of(told, position=event.position or 0, digest=digest),
        "payload": payload if shows_all else {**payload, "address": None},
        "salt": salt.hex() if shows_all and salt else None,
        "erased": event.digest is not None,
    }
