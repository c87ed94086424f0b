"""The Merkle tree of RFC 6962: appending, its root, and the two proofs with their verification (RFC 9162, 2.1)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
NODE_LEVELS = 8  # the root of each full subtree of 256, 65,536 … leaves is kept, so that a proof reads few rows

Subtree = Callable[[int, int], bytes]
"""The root of the full subtree of 2**level leaves with this number from the left: `subtree(level, number)`."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry, 32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Node:
    """The root of the full subtree of 2**level leaves, the number `number` from the left."""

    level: int
    number: int
    hash: bytes


@dataclass
class Frontier:
    """A tree of `size` leaves as far as appending needs it: the roots of its full subtrees, the largest first."""

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaves: Iterable[bytes]) -> list[Node]:
        """Add leaf hashes on the right; the subtrees that became full by it at every NODE_LEVELS-th level."""
        kept = []
        for leaf in leaves:
            left, level, made = self.size, 0, leaf
            while left & 1:
                made, left, level = node_hash(self.hashes.pop(), made), left >> 1, level + 1
                if level % NODE_LEVELS == 0:
                    kept.append(Node(level, left, made))
            self.hashes.append(made)
            self.size += 1
        return kept

    def root(self) -> bytes:
        """The root of the whole tree."""
        return _folded(self.hashes)

    def as_bytes(self) -> bytes:
        """The hashes in one piece."""
        return b"".join(self.hashes)

    @classmethod
    def of(cls, size: int, hashes: bytes) -> "Frontier":
        """The frontier that `as_bytes` told. Raises ValueError when the hashes are not as many as the size asks for."""
        if len(hashes) != HASH_BYTES * size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} full subtrees.")
        return cls(size, [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)])


def _folded(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    *others, folded = hashes
    for left in reversed(others):
        folded = node_hash(left, folded)
    return folded


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of a tree with these leaf hashes."""
    frontier = Frontier()
    frontier.append(leaves)
    return frontier.root()


# --- proofs ---------------------------------------------------------------------------------------------------
def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes beside the way from leaf `index` (from 0) up to the root of the first `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} in a tree of {size}.")
    begin, end, beside = 0, size, []
    while end - begin > 1:
        middle = begin + _left_half(end - begin)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((begin, middle))
            begin = middle
    return [_root_between(*each, subtree) for each in reversed(beside)]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The hashes that show the tree of the first `old` leaves to be the beginning of that of the first `new`."""
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {old} leaves is no beginning of one of {new}.")
    if old in (0, new):
        return []
    begin, end, beside, is_known = 0, new, [], True
    while old != end:
        middle = begin + _left_half(end - begin)
        if old <= middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((begin, middle))
            begin, is_known = middle, False
    if not is_known:
        beside.append((begin, end))
    return [_root_between(*each, subtree) for each in reversed(beside)]


def _left_half(leaves: int) -> int:
    return 1 << ((leaves - 1).bit_length() - 1)


def _root_between(begin: int, end: int, subtree: Subtree) -> bytes:
    return _folded([subtree(level, number) for level, number in _full_subtrees(begin, end)])


def _full_subtrees(begin: int, end: int) -> Iterator[tuple[int, int]]:
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


# --- verification ---------------------------------------------------------------------------------------------
def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf hash at `index` to the root of a tree of `size` leaves."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    place, last, made = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            made = node_hash(beside, made)
            place, last = _up_to_right_turn(place, last)
        else:
            made = node_hash(made, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and made == root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows the tree of `old` leaves with its root to be the beginning of the tree of `new`."""
    if not 0 <= old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old == new or old == 0:
        return not proof and old_root == (new_root if old == new else EMPTY_ROOT)
    if not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first, *others = path
    made_old = made_new = first
    for beside in others:
        if last == 0:
            return False
        if place & 1 or place == last:
            made_old, made_new = node_hash(beside, made_old), node_hash(beside, made_new)
            place, last = _up_to_right_turn(place, last)
        else:
            made_new = node_hash(made_new, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and made_old == old_root and made_new == new_root


def _up_to_right_turn(place: int, last: int) -> tuple[int, int]:
    while not place & 1 and place:
        place, last = place >> 1, last >> 1
    return place, last


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(each) == HASH_BYTES for each in hashes)
