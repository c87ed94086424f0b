"""The ledger: the only way to record what happened and the only way to change a status; and the proof of both."""

from observability.ledger.checkpoints import known_keys, sign_checkpoint
from observability.ledger.proofs import (
    NotYetProved,
    Proof,
    Prover,
    SizeUnknown,
    consistency_between,
    entry_of,
    newest_checkpoint,
    proof_of,
)
from observability.ledger.sealing import SEAL_AT_MOST, seal
from observability.ledger.verifying import Finding, Verified, note_verification, verify
from observability.ledger.writing import (
    NO_DOOR,
    SYSTEM,
    Actor,
    Acts,
    Bell,
    Caller,
    Invalid,
    Move,
    NotAllowed,
    NotFound,
    Recorded,
    Refused,
    Subject,
    TooLate,
    WrongStatus,
    bell,
    database_now,
    event_of,
    gathered,
    last_position,
    move,
    move_all,
    record,
    record_all,
    record_refusal,
)

__all__ = [
    "NO_DOOR", "SEAL_AT_MOST", "SYSTEM", "Actor", "Acts", "Bell", "Caller", "Finding", "Invalid", "Move", "NotAllowed",
    "NotFound", "NotYetProved", "Proof", "Prover", "Recorded", "Refused", "SizeUnknown", "Subject", "TooLate",
    "Verified", "WrongStatus", "bell", "consistency_between", "database_now", "entry_of", "event_of", "gathered",
    "known_keys", "last_position", "move", "move_all", "newest_checkpoint", "note_verification", "proof_of", "record",
    "record_all", "record_refusal", "seal", "sign_checkpoint", "verify",
]  # fmt: skip
