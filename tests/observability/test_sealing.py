"""The tree over the ledger: it holds every sealed event, and whatever is changed behind it is found by its position."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from observability import ledger
from observability.ledger import SYSTEM, Subject
from observability.ledger.sealing import TOLD
from observability.merkle import (
    Frontier,
    SigningKey,
    digest_of,
    is_consistent,
    is_included,
    leaf_of,
    payload_of,
    root_of,
)
from observability.models import Checkpoint, Event, Tree, TreeNode
from tests.kept import past_the_ledgers_triggers

MANY = 300  # one full subtree of 256, and more


class Thing:
    """Something that an event can be about."""

    def as_subject(self) -> Subject:
        return Subject(kind="thing", id="1", name="Thing 1")


def tell(many: int, at: datetime) -> None:
    """So many events, sealed."""
    events = [ledger.event_of("thing.seen", Thing(), by=SYSTEM, at=at, why=f"Reason {each}") for each in range(many)]
    with transaction.atomic():
        ledger.record_all(events)
    while ledger.seal():
        pass


def force(*statements: str) -> None:
    """What somebody does who may switch the triggers off."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in past_the_ledgers_triggers(statements):
            cursor.execute(statement)


@pytest.fixture
def told(empty: None, now: datetime) -> datetime:
    """A ledger of MANY events with checkpoints of 100, 200 and all of them."""
    for place, many in enumerate((100, 100, MANY - 200)):
        tell(many, now)
        assert ledger.sign_checkpoint(at=now + timedelta(seconds=2 * place))
    return now


def test_the_tree_holds_every_event_in_its_order(told: datetime) -> None:
    leaves = [bytes(each) for each in Event.objects.order_by("position").values_list("leaf", flat=True)]
    tree = Tree.current()

    assert (len(leaves), tree.size) == (MANY, MANY)
    assert Frontier.of(tree.size, bytes(tree.hashes)).root() == root_of(leaves)
    assert bytes(TreeNode.objects.get().hash) == root_of(leaves[:256])
    found = ledger.verify()
    assert (found.finding, found.entries, found.checkpoints) == (None, MANY, 3)


def test_every_event_and_every_checkpoint_can_be_proved(told: datetime) -> None:
    newest = Checkpoint.objects.get(size=MANY)
    for event in Event.objects.filter(position__in=(1, 2, 100, 256, 257, MANY)):
        proof = ledger.proof_of(event)
        assert is_included(proof.leaf, event.position - 1, MANY, proof.hashes, bytes(newest.root))
    for old in (100, 200, MANY):
        first, second, hashes = ledger.consistency_between(old, MANY)
        assert is_consistent(old, bytes(first.root), MANY, bytes(second.root), hashes)


def test_a_new_event_is_proved_once_a_checkpoint_holds_it(told: datetime) -> None:
    tell(1, told)

    with pytest.raises(ledger.NotYetProved):
        ledger.proof_of(Event.objects.get(position=MANY + 1))
    assert not ledger.sign_checkpoint(at=told + timedelta(seconds=4.5)), "at most one a second"
    assert ledger.sign_checkpoint(at=told + timedelta(seconds=5))
    assert ledger.proof_of(Event.objects.get(position=MANY + 1)).checkpoint.size == MANY + 1


def test_a_verification_goes_on_where_one_before_ended(told: datetime) -> None:
    whole = ledger.verify()
    tell(5, told)

    assert (ledger.verify(after=whole.tree).entries, ledger.verify(after=whole.tree).finding) == (5, None)


def test_events_from_before_the_tree_become_leaves_at_their_positions(empty: None, now: datetime) -> None:
    tell(20, now)
    ids = list(Event.objects.order_by("position").values_list("pk", flat=True))
    force(
        "UPDATE observability_event SET leaf = NULL, salt = NULL",
        "DELETE FROM observability_tree",
        "DELETE FROM observability_treenode",
    )
    ledger.record("thing.seen", Thing(), by=SYSTEM, at=now)

    reached = ledger.seal(at_most=8)
    while ledger.seal(at_most=8):
        pass

    assert reached == 21, "a new event does not wait for the old ones"
    assert list(Event.objects.order_by("position").values_list("pk", flat=True))[:20] == ids
    assert (ledger.verify().finding, Tree.current().size) == (None, 21)


def _recomputed(position: int) -> str:
    """SQL that gives a changed event the leaf that belongs to what it says now."""
    event = Event.objects.get(position=position)
    told = {name: getattr(event, name) for name in TOLD} | {"verb": "thing.forged"}
    leaf = leaf_of(told, position=position, digest=digest_of(bytes(event.salt), payload_of(told))).hash.hex()
    value = f"'\\x{leaf}'" if connection.vendor == "postgresql" else f"X'{leaf}'"
    return f"UPDATE observability_event SET verb = 'thing.forged', leaf = {value} WHERE position = {position}"


SWAP = [
    "UPDATE observability_event SET position = -1 WHERE position = 41",
    "UPDATE observability_event SET position = 41 WHERE position = 42",
    "UPDATE observability_event SET position = 42 WHERE position = -1",
]
MUTATIONS: list[tuple[str, Callable[[], list[str]], int, str]] = [
    (
        "a changed reason",
        lambda: ["UPDATE observability_event SET why = 'Forged' WHERE position = 41"],
        41,
        "sealed there",
    ),
    (
        "a changed actor",
        lambda: ["UPDATE observability_event SET actor_id = 'eve' WHERE position = 7"],
        7,
        "sealed there",
    ),
    ("a deleted event", lambda: ["DELETE FROM observability_event WHERE position = 150"], 150, "missing"),
    ("swapped positions", lambda: SWAP, 41, "sealed there"),
    (
        "an event set in",
        lambda: [
            f"UPDATE observability_event SET position = -position WHERE position >= 60 AND position < {MANY}",
            f"UPDATE observability_event SET position = 60 WHERE position = {MANY}",
            "UPDATE observability_event SET position = 1 - position WHERE position < 0",
        ],
        60,
        "sealed there",
    ),
    ("a cut tail", lambda: ["DELETE FROM observability_event WHERE position > 290"], 291, "missing"),
    ("a lost salt", lambda: ["UPDATE observability_event SET salt = NULL WHERE position = 9"], 9, "salt"),
    ("a change with its leaf worked out anew", lambda: [_recomputed(141)], 101, "to entry 200"),
    ("a checkpoint that says more", lambda: ["UPDATE observability_checkpoint SET size = 201 WHERE size = 200"], 201,
     "something else"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "position", "told_of"), [each[1:] for each in MUTATIONS], ids=[each[0] for each in MUTATIONS]
)
def test_what_was_changed_behind_the_ledger_is_found_by_its_position(
    told: datetime, statements: Callable[[], list[str]], position: int, told_of: str
) -> None:
    force(*statements())

    finding = ledger.verify().finding

    assert finding is not None
    assert (finding.position, told_of in str(finding)) == (position, True), str(finding)


def test_a_checkpoint_of_another_key_does_not_hold_and_old_keys_still_do(told: datetime, settings: Any) -> None:
    old = settings.AUDIT_SIGNING_KEY
    settings.AUDIT_SIGNING_KEY = SigningKey(old.name, os.urandom(32))

    wrong = ledger.verify().finding
    assert wrong is not None
    assert (wrong.position, "No known key" in str(wrong)) == (100, True)
    settings.AUDIT_KNOWN_KEYS = (old.public,)
    assert ledger.verify().finding is None


def test_a_ledger_that_is_shorter_than_what_was_published_is_found(told: datetime) -> None:
    """A backup from before was put back: all in the database agrees."""
    note = Checkpoint.objects.get(size=MANY).note
    leaves = [bytes(each) for each in Event.objects.order_by("position").values_list("leaf", flat=True)]
    before = Frontier()
    before.append(leaves[:200])
    force(
        "DELETE FROM observability_event WHERE position > 200",
        "DELETE FROM observability_checkpoint WHERE size > 200",
        "DELETE FROM observability_treenode",
    )
    Tree.objects.update(size=200, hashes=before.as_bytes())

    assert ledger.verify().finding is None, "nothing in the database tells"
    finding = ledger.verify(published=[note]).finding
    assert finding is not None
    assert (finding.position, "300 entries were signed" in str(finding)) == (201, True)


@pytest.mark.parametrize("table", ["checkpoint", "treenode", "event"])
@pytest.mark.parametrize("what", ["DELETE FROM {table}", "UPDATE {table} SET {column} = {column} + 1"])
def test_the_database_refuses_to_change_what_proves(told: datetime, table: str, what: str) -> None:
    column = {"checkpoint": "size", "treenode": "number", "event": "position"}[table]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(what.format(table=f"observability_{table}", column=column))

    assert ledger.verify().finding is None


@pytest.mark.parametrize("change", [{"salt": None}, {"salt": b"x" * 16}, {"digest": b"x" * 32}, {"leaf": b"x" * 32}])
def test_what_sealed_an_event_is_never_set_again(told: datetime, change: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.filter(position=3).update(**change)
