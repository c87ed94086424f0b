"""Sealing: committed events get their gapless position and become leaves of the tree, in one transaction."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from observability.merkle import Frontier, Node, digest_of, leaf_of, payload_of
from observability.merkle.leaves import PAYLOAD, TEXTS
from observability.models import Event, Tree, TreeNode

SEALER_LOCK = 7_203_114_005  # the advisory lock that makes the sealer one at a time, in every process
SEAL_AT_MOST = 5_000
SALT_BYTES = 16
TOLD = ("uid", "at", *TEXTS, *PAYLOAD, "cost", "seconds", "on_behalf_of")
"""The columns of an event that its leaf tells."""


def seal(*, at_most: int = SEAL_AT_MOST) -> int:
    """Give committed events their gapless position, oldest first, and add their leaves to the tree; the last position,
    or 0 when there was nothing to do or somebody else is sealing right now. Events that have a position but no leaf,
    from before there was a tree, become leaves first; others get their position meanwhile and their leaf later."""
    with transaction.atomic():
        if not is_sole_sealer():
            return 0
        tree = Tree.current()
        late = list(_asked().filter(position__gt=tree.size).order_by("position")[:at_most])
        if late:
            last = Event.objects.aggregate(last=Max("position"))["last"]
            _extend(tree, late)
            return int(last) + _number(last, at_most)
        fresh = list(_asked().filter(position=None).order_by("id")[:at_most])
        if not fresh:
            return 0
        _extend(tree, fresh)
        return tree.size


def is_sole_sealer() -> bool:
    """Whether this transaction alone may seal and sign until it ends."""
    # SQLite has one writer at a time anyway; PostgreSQL is asked for the lock that ends with the transaction.
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALER_LOCK])
        return bool(cursor.fetchone()[0])


def _asked() -> Any:
    return Event.objects.values_list("pk", *TOLD)


def _extend(tree: Tree, rows: Sequence[tuple[Any, ...]]) -> None:
    frontier = Frontier.of(tree.size, bytes(tree.hashes))
    salts, positions = _salts(len(rows)), range(tree.size + 1, tree.size + len(rows) + 1)
    leaves = [_leaf(row, position, salt) for row, position, salt in zip(rows, positions, salts, strict=True)]
    _store([row[0] for row in rows], list(positions), leaves, salts)
    keep_nodes(frontier.append(leaves))
    tree.size, tree.hashes = frontier.size, frontier.as_bytes()
    tree.save()


def _salts(many: int) -> list[bytes]:
    drawn = os.urandom(SALT_BYTES * many)
    return [drawn[start : start + SALT_BYTES] for start in range(0, len(drawn), SALT_BYTES)]


def _leaf(row: tuple[Any, ...], position: int, salt: bytes) -> bytes:
    entry = dict(zip(TOLD, row[1:], strict=True))
    return leaf_of(entry, position=position, digest=digest_of(salt, payload_of(entry))).hash


def keep_nodes(nodes: Iterable[Node]) -> None:
    """Keep the roots of subtrees that became full."""
    TreeNode.objects.bulk_create(TreeNode(level=each.level, number=each.number, hash=each.hash) for each in nodes)


def _store(keys: list[int], positions: list[int], leaves: list[bytes], salts: list[bytes]) -> None:
    table = Event._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} SET position = told.position, leaf = told.leaf, salt = told.salt"  # noqa: S608 (ours)
                " FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[]) AS told(id, position, leaf, salt)"
                f" WHERE {table}.id = told.id",
                [keys, positions, leaves, salts],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET position = %s, leaf = %s, salt = %s WHERE id = %s",  # noqa: S608 (ours)
                list(zip(positions, leaves, salts, keys, strict=True)),
            )


def _number(last: int, at_most: int) -> int:
    table = Event._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET position = ranked.place FROM ("  # noqa: S608 (the table's own name)
            f" SELECT id AS event, %s + row_number() OVER (ORDER BY id) AS place FROM {table}"
            " WHERE position IS NULL ORDER BY id LIMIT %s"
            f") AS ranked WHERE {table}.id = ranked.event",
            [last, at_most],
        )
        return int(cursor.rowcount)
