"""The ledger as evidence, as plain values: the tree over all entries, the leaf of an entry, and signed checkpoints.

Nothing here knows the database, the clock or the framework; docs/audit.md says what it proves."""

from observability.merkle.leaves import Leaf, canonical, digest_of, envelope_of, leaf_of, payload_of
from observability.merkle.notes import (
    Checkpoint,
    KeyInvalid,
    NoteInvalid,
    PublicKey,
    SigningKey,
    proof_text,
    public_key,
    read_checkpoint,
    signing_key,
)
from observability.merkle.tree import (
    EMPTY_ROOT,
    NODE_LEVELS,
    Frontier,
    Node,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

__all__ = [
    "EMPTY_ROOT", "NODE_LEVELS", "Checkpoint", "Frontier", "KeyInvalid", "Leaf", "Node", "NoteInvalid", "PublicKey",
    "SigningKey", "canonical", "consistency_proof", "digest_of", "envelope_of", "inclusion_proof", "is_consistent",
    "is_included", "leaf_hash", "leaf_of", "node_hash", "payload_of", "proof_text", "public_key", "read_checkpoint",
    "root_of", "signing_key",
]  # fmt: skip
