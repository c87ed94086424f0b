"""What of an entry goes into the tree, byte for byte, and the checkpoints that are signed over it."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from observability.merkle import (
    EMPTY_ROOT,
    KeyInvalid,
    NoteInvalid,
    SigningKey,
    canonical,
    digest_of,
    envelope_of,
    leaf_of,
    payload_of,
    proof_text,
    public_key,
    read_checkpoint,
    signing_key,
)

pytestmark = pytest.mark.same_everywhere

KEY = SigningKey("os.example/ledger", bytes(range(32)))
ROOT = sha256(b"root").digest()
ENTRY: dict[str, Any] = {
    "uid": "01930000-0000-7000-8000-000000000001", "at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    "verb": "decision.made", "actor_kind": "agent", "actor_id": "AP-04", "actor_name": "Payments clerk",
    "subject_kind": "decision", "subject_id": "7", "subject_name": "Pay INV-7 to Møller \N{EURO SIGN}",
    "before": "", "after": "escalate", "why": "Over the limit\nof 5,000", "run": "12",
    "workflow": "invoice", "unit": "3",
    "cost": Decimal("0.42"), "seconds": None, "data": {"rule": "PAY-003", "amount": "48200.00", "at_most": 5000},
    "credential": "key 9f3c", "address": "10.2.14.8", "on_behalf_of": [], "actor_version": "4", "trace": "ab" * 16,
}  # fmt: skip
SALT = bytes(range(16))


def test_the_leaf_of_an_entry_never_changes() -> None:
    digest = digest_of(SALT, payload_of(ENTRY))
    leaf = leaf_of(ENTRY, position=9, digest=digest)

    assert digest.hex() == "beed0ba1ed563ed40c8c1ba2979100937a38a25403b4b177fe300ef2d962903c"
    assert leaf.hash.hex() == "5074f9df10bab6797e5642741834a865fc916fe3100c9a7a0f126b8dca8bd481"
    assert leaf.envelope.decode() == (
        '{"actor_id":"AP-04","actor_kind":"agent","actor_name":"Payments clerk","actor_version":"4","after":"escalate",'
        '"at":"2026-11-22T08:30:00.000000Z","before":"","cost":"0.420000","credential":"key 9f3c",'
        '"id":"01930000-0000-7000-8000-000000000001","on_behalf_of":[],'
        f'"payload_digest":"{digest.hex()}","position":"9","run":"12","seconds":null,"subject_id":"7",'
        f'"subject_kind":"decision","trace":"{"ab" * 16}","unit":"3","verb":"decision.made","workflow":"invoice"}}'
    )
    assert leaf.hash == sha256(b"\x00" + leaf.envelope).digest()


def test_a_leaf_can_be_told_once_the_payload_is_gone() -> None:
    digest = digest_of(SALT, payload_of(ENTRY))
    erased = {**ENTRY, "subject_name": "", "why": "", "data": {}, "address": ""}

    assert leaf_of(erased, position=9, digest=digest) == leaf_of(ENTRY, position=9, digest=digest)


@pytest.mark.parametrize("name", [name for name in ENTRY if name not in ("data",)])
def test_every_field_is_in_the_leaf(name: str) -> None:
    other: dict[str, Any] = {
        "at": ENTRY["at"] + timedelta(microseconds=1), "cost": Decimal("0.420001"), "seconds": Decimal(0),
        "on_behalf_of": [{"kind": "person", "id": "maria", "name": "Maria"}],
    }  # fmt: skip
    changed = {**ENTRY, name: other.get(name, "other")}

    made = [leaf_of(each, position=9, digest=digest_of(SALT, payload_of(each))).hash for each in (ENTRY, changed)]
    assert made[0] != made[1]


def test_the_same_moment_in_another_zone_is_the_same_leaf() -> None:
    elsewhere = {**ENTRY, "at": ENTRY["at"].astimezone(timezone(timedelta(hours=5)))}

    assert leaf_of(elsewhere, position=9, digest=SALT) == leaf_of(ENTRY, position=9, digest=SALT)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.fixed_dictionaries(dict.fromkeys(("verb", "actor_name", "run", "trace"), texts)), st.booleans())
def test_an_envelope_is_told_as_rfc_8785_has_it(texts: dict[str, str], acts_for: bool) -> None:
    entry = {**ENTRY, **texts, "on_behalf_of": [{"id": "maria"}] if acts_for else []}
    leaf = leaf_of(entry, position=9, digest=SALT)

    assert leaf.envelope == rfc8785.dumps(envelope_of(entry, position=9, digest=SALT))
    assert json.loads(leaf.envelope)["actor_name"] == texts["actor_name"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"b": 1, "a": [True, None, "\N{EURO SIGN}\n"]}, '{"a":[true,null,"€\\n"],"b":1}'),
        ({"large": 2**53}, '{"large":"9007199254740992"}'),  # JSON has no exact number for it
        ({"in": [{"deep": -(2**60)}]}, '{"in":[{"deep":"-1152921504606846976"}]}'),
        (float("inf"), '"inf"'),
        (1e21, "1e+21"),
        ({"amount": Decimal("1.50")}, '{"amount":"1.50"}'),
    ],
)
def test_every_payload_can_be_told(value: Any, told: str) -> None:
    assert canonical(value).decode() == told


# --- checkpoints ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_keys_of_others_in_the_same_format_are_read(text: str) -> None:
    assert str(public_key(text)) == text


def test_a_key_is_told_and_read_again() -> None:
    assert signing_key(KEY.secret()) == KEY
    assert public_key(str(KEY.public)) == KEY.public
    assert KEY.seed.hex() not in repr(KEY)


@pytest.mark.parametrize(
    "text",
    [
        "", "secret", "PRIVATE+KEY+", "PRIVATE+KEY+os.example+00000000+AQ==",
        KEY.secret().replace("os.example", "other.example"), KEY.secret().replace("os.example", "os example"),
        KEY.secret()[:-4], str(KEY.public),
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyInvalid):
        signing_key(text)


def test_a_checkpoint_is_a_signed_note() -> None:
    note = KEY.sign(size=7, root=ROOT)

    assert note.split("\n")[:4] == ["os.example/ledger", "7", base64.b64encode(ROOT).decode(), ""]
    assert note.split("\n")[4].startswith("— os.example/ledger ")
    read = read_checkpoint(note, [KEY.public])
    assert (read.origin, read.size, read.root, read.key) == ("os.example/ledger", 7, ROOT, KEY.public)


def test_one_of_several_keys_is_enough_and_other_signatures_are_passed_over() -> None:
    other = SigningKey("os.example/ledger", bytes(32))
    note = KEY.sign(size=7, root=ROOT)
    witness = SigningKey("witness.example", bytes(32)).sign(size=7, root=ROOT).splitlines()[-1]

    assert read_checkpoint(note, [other.public, KEY.public]).key == KEY.public
    assert read_checkpoint(f"{note}{witness}\n", [KEY.public]).size == 7


@pytest.mark.parametrize(
    "note",
    [
        "", "\n\n", KEY.sign(size=7, root=ROOT).replace("\n7\n", "\n8\n"), KEY.sign(size=7, root=ROOT)[:-1],
        KEY.sign(size=7, root=b"short"), SigningKey("os.example/ledger", bytes(32)).sign(size=7, root=ROOT),
        SigningKey("other.example", KEY.seed).sign(size=7, root=ROOT),
        KEY.sign(size=7, root=ROOT).replace("os.example/ledger\n7", "other.example\n7"),
        KEY.sign(size=7, root=ROOT).replace("\n7\n", "\n07\n"), KEY.sign(size=-1, root=ROOT),
        KEY.sign(size=7, root=ROOT).replace("— ", "- "), "x\n" * 3000 + KEY.sign(size=7, root=ROOT),
        KEY.sign(size=7, root=ROOT).replace("=\n\n", "?\n\n"),
    ],
)  # fmt: skip
def test_a_forged_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(NoteInvalid):
        read_checkpoint(note, [KEY.public])


def test_a_proof_is_told_in_lines() -> None:
    note = KEY.sign(size=7, root=ROOT)
    told = proof_text(index=3, proof=[ROOT, EMPTY_ROOT], note=note, extra=b"{}")

    assert told.split("\n")[:6] == [
        "c2sp.org/tlog-proof@v1", "extra e30=", "index 3", base64.b64encode(ROOT).decode(),
        base64.b64encode(EMPTY_ROOT).decode(), "",
    ]  # fmt: skip
    assert told.endswith(note)
