"""Checkpoints: what the tree was at a size, as a note signed with Ed25519 (C2SP tlog-checkpoint and signed-note)."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
DASH = "— "
NOTE_AT_MOST = 4_000  # characters


class NoteInvalid(ValueError):
    """This is no checkpoint that one of the known keys has signed."""


class KeyInvalid(ValueError):
    """This is no key of a signed note."""


@dataclass(frozen=True)
class PublicKey:
    """What verifies checkpoints: the name of the log, and the 32 bytes of its Ed25519 key."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        """The four bytes by which a signature names the key."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.raw).decode()}"


@dataclass(frozen=True)
class SigningKey:
    """What signs checkpoints; its text is a secret."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def secret(self) -> str:
        """The key as `signing_key` reads it."""
        return f"PRIVATE+KEY+{self.name}+{self.public.id.hex()}+{base64.b64encode(ED25519 + self.seed).decode()}"

    def sign(self, *, size: int, root: bytes) -> str:
        """The signed checkpoint of a tree of this size with this root."""
        text = f"{self.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = self.public.id + Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{text}\n{DASH}{self.name} {base64.b64encode(signature).decode()}\n"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose signature holds: which log it is of, how many entries it had, their root, and who signed."""

    origin: str
    size: int
    root: bytes
    key: PublicKey


def signing_key(text: str) -> SigningKey:
    """The key that `SigningKey.secret` told. Raises KeyInvalid."""
    if not text.startswith("PRIVATE+KEY+"):
        raise KeyInvalid("it must begin with PRIVATE+KEY+")
    name, told, seed = _parts(text.removeprefix("PRIVATE+KEY+"))
    key = SigningKey(name, seed)
    if key.public.id.hex() != told:
        raise KeyInvalid("its identifier does not belong to the key")
    return key


def public_key(text: str) -> PublicKey:
    """The key that `str(PublicKey)` told. Raises KeyInvalid."""
    name, told, raw = _parts(text)
    key = PublicKey(name, raw)
    if key.id.hex() != told:
        raise KeyInvalid("its identifier does not belong to the key")
    return key


def _parts(text: str) -> tuple[str, str, bytes]:
    name, _, rest = text.partition("+")
    told, _, encoded = rest.partition("+")
    if not name or any(each.isspace() for each in name):
        raise KeyInvalid("it has no name")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise KeyInvalid("it is not in base64") from wrong
    if len(raw) != 33 or raw[:1] != ED25519:
        raise KeyInvalid("it is no key for Ed25519")
    return name, told, raw[1:]


def read_checkpoint(note: str, keys: Iterable[PublicKey]) -> Checkpoint:
    """The checkpoint in the note, signed by one of the keys. Raises NoteInvalid with what is wrong with it."""
    text, between, signatures = note.rpartition("\n\n")
    if not between or len(note) > NOTE_AT_MOST or not note.endswith("\n"):
        raise NoteInvalid("This is no signed note.")
    lines = text.split("\n")
    if len(lines) < 3 or not (lines[1].isdecimal() and lines[1].isascii() and str(int(lines[1])) == lines[1]):
        raise NoteInvalid("This note is no checkpoint: it needs origin, size and root, each in a line.")
    key = _signer(f"{text}\n", signatures, keys)
    if key.name != lines[0]:
        raise NoteInvalid("The checkpoint was signed by the key of another log.")
    root = _decoded(lines[2])
    if len(root) != 32:
        raise NoteInvalid("The root of the checkpoint is no SHA-256.")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root, key=key)


def _signer(text: str, signatures: str, keys: Iterable[PublicKey]) -> PublicKey:
    known = {(key.name, key.id): key for key in keys}
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(DASH).partition(" ")
        signature = _decoded(encoded)
        key = known.get((name, signature[:4])) if line.startswith(DASH) else None
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(signature[4:], text.encode())
        except (InvalidSignature, ValueError) as wrong:
            raise NoteInvalid("The signature does not belong to this checkpoint.") from wrong
        return key
    raise NoteInvalid("No known key has signed this checkpoint.")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise NoteInvalid("The note is not in base64 where it must be.") from wrong


def proof_text(*, index: int, proof: Sequence[bytes], note: str, extra: bytes = b"") -> str:
    """The proof that the entry at `index` (from 0) is in the tree of the checkpoint, as C2SP tlog-proof writes it."""
    return "\n".join([
        "c2sp.org/tlog-proof@v1",
        *([f"extra {base64.b64encode(extra).decode()}"] if extra else []),
        f"index {index}",
        *(base64.b64encode(each).decode() for each in proof),
        "", note,
    ])  # fmt: skip
