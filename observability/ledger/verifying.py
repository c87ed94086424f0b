"""Verifying: every leaf, subtree and checkpoint is worked out anew from the rows, and the first wrong one is named."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from observability.ledger.checkpoints import known_keys
from observability.ledger.sealing import TOLD
from observability.merkle import (
    Frontier,
    Node,
    NoteInvalid,
    PublicKey,
    digest_of,
    leaf_of,
    payload_of,
    read_checkpoint,
)
from observability.models import Checkpoint, Event, Tree, TreeNode, Verification

PAGE = 2_000
COLUMNS = ("position", "leaf", "salt", "digest", *TOLD)
SHORTER = "is missing: {size:,} entries were signed, and the ledger ends before it"


@dataclass(frozen=True)
class Finding:
    """The first thing that does not hold: the position of the entry, and what is wrong with it."""

    position: int
    problem: str

    def __str__(self) -> str:
        return f"Entry {self.position:,} {self.problem}."


@dataclass(frozen=True)
class Verified:
    """How far the ledger was worked out anew, with the tree that it made, and the first finding, None without one."""

    begun: int
    tree: Frontier
    checkpoints: int
    finding: Finding | None

    @property
    def entries(self) -> int:
        """How many entries were looked at."""
        return self.tree.size - self.begun


class _Found(Exception):
    def __init__(self, position: int, problem: str) -> None:
        self.finding = Finding(position, problem)
        super().__init__(str(self.finding))


def verify(
    *, after: Frontier | None = None, published: Iterable[str] = (), keys: Sequence[PublicKey] | None = None
) -> Verified:
    """Work the tree out anew from the entries after those in `after`, and hold it against what is kept of it, against
    the checkpoints here and against the notes that were `published` elsewhere. It reads page by page."""
    frontier = Frontier.of(after.size, after.as_bytes()) if after else Frontier()
    run = _Run(frontier, tuple(keys if keys is not None else known_keys()))
    try:
        run.go(list(published))
    except _Found as found:
        return Verified(run.begun, frontier, run.checkpoints, found.finding)
    return Verified(run.begun, frontier, run.checkpoints, None)


class _Run:
    """One verification under way."""

    def __init__(self, frontier: Frontier, keys: tuple[PublicKey, ...]) -> None:
        self.frontier, self.keys = frontier, keys
        self.begun = self.signed = frontier.size  # how far a checkpoint was found to hold
        self.checkpoints = 0

    def go(self, published: list[str]) -> None:
        # The checkpoint first: the tree only grows, so that one read later cannot be smaller.
        newest = Checkpoint.objects.newest()
        tree = Tree.current()
        until = max(tree.size, newest.size if newest else 0)
        notes = _in_order(self._read(published), self._signed(until))
        note = next(notes, None)
        for entry in _entries(self.frontier.size, until):
            while note and note[0] <= self.frontier.size:
                self._hold(*note)
                note = next(notes, None)
            self._append(entry)
        while note and note[0] <= self.frontier.size:
            self._hold(*note)
            note = next(notes, None)
        if note:
            raise _Found(self.frontier.size + 1, SHORTER.format(size=note[0]))
        self._end(tree)

    def _signed(self, until: int) -> Iterator[tuple[int, bytes]]:
        rows = Checkpoint.objects.filter(size__gt=self.begun, size__lte=until).order_by("size")
        for row in rows.iterator(PAGE):
            size, root = self._checked(row.note, row.size)
            if size != row.size or root != bytes(row.root):
                raise _Found(row.size, "ends a checkpoint whose row says something else than what was signed")
            yield size, root

    def _read(self, published: list[str]) -> list[tuple[int, bytes]]:
        read = [self._checked(note, self.begun) for note in published]
        return sorted(each for each in read if each[0] > self.begun)

    def _checked(self, note: str, size: int) -> tuple[int, bytes]:
        try:
            checkpoint = read_checkpoint(note, self.keys)
        except NoteInvalid as wrong:
            told = str(wrong).rstrip(".")
            raise _Found(size, f"ends a checkpoint that does not hold: {told}") from wrong
        return checkpoint.size, checkpoint.root

    def _append(self, entry: dict[str, Any]) -> None:
        position = self.frontier.size + 1
        if entry["position"] != position:
            raise _Found(position, "is missing")
        leaf = leaf_of(entry, position=position, digest=_digest(entry, position)).hash
        if entry["leaf"] is None or bytes(entry["leaf"]) != leaf:
            raise _Found(position, "is not what was sealed there")
        nodes = self.frontier.append([leaf])
        if nodes:
            _hold_nodes(nodes, position)

    def _hold(self, size: int, root: bytes) -> None:
        if size < self.frontier.size or root != self.frontier.root():
            first = self.signed + 1
            told = f"to entry {size:,}: these are not the entries that were signed" if size > first else ""
            raise _Found(first, told or "is not the entry that was signed")
        self.signed = size
        self.checkpoints += 1

    def _end(self, tree: Tree) -> None:
        if self.frontier.size < tree.size:
            raise _Found(self.frontier.size + 1, "is missing: the tree that is kept has more entries")
        kept = Frontier.of(tree.size, bytes(tree.hashes))
        if self.frontier != kept:
            raise _Found(self.signed + 1, "is the first that the kept tree may hold otherwise: it has another root")


def _digest(entry: dict[str, Any], position: int) -> bytes:
    if entry["digest"] is None:
        if entry["salt"] is None:
            raise _Found(position, "has lost its salt")
        return digest_of(bytes(entry["salt"]), payload_of(entry))
    if any(payload_of(entry).values()) or entry["salt"] is not None:
        raise _Found(position, "was erased and holds something again")
    return bytes(entry["digest"])


def _hold_nodes(nodes: list[Node], position: int) -> None:
    for node in nodes:
        kept = TreeNode.objects.filter(level=node.level, number=node.number).values_list("hash", flat=True).first()
        if kept is None or bytes(kept) != node.hash:
            first = (node.number << node.level) + 1
            raise _Found(first, f"to entry {position:,}: the subtree that is kept of them is another one")


def _entries(after: int, until: int) -> Iterator[dict[str, Any]]:
    while after < until:
        rows = Event.objects.filter(position__gt=after, position__lte=until).order_by("position")
        page = list(rows.values_list(*COLUMNS)[:PAGE])
        if not page:
            return
        for row in page:
            yield dict(zip(COLUMNS, row, strict=True))
        after = page[-1][0]


def _in_order(first: list[tuple[int, bytes]], second: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    waiting, place = next(second, None), 0
    while waiting or place < len(first):
        if waiting is None or (place < len(first) and first[place][0] <= waiting[0]):
            yield first[place]
            place += 1
        else:
            yield waiting
            waiting = next(second, None)


def note_verification(found: Verified, *, at: datetime, seconds: float) -> Verification:
    """Keep what a verification found."""
    finding = found.finding
    return Verification.objects.create(
        at=at, seconds=round(seconds, 3), begun=found.begun, size=found.tree.size, hashes=found.tree.as_bytes(),
        checkpoints=found.checkpoints, position=finding.position if finding else None,
        problem=str(finding) if finding else "",
    )  # fmt: skip
