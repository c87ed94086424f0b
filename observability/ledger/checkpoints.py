"""Signing: at most one checkpoint a second says, signed, what the whole tree is."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from observability.ledger.sealing import is_sole_sealer
from observability.merkle import Frontier, PublicKey, SigningKey
from observability.models import Checkpoint, Tree

SIGN_EVERY = timedelta(seconds=1)


def known_keys() -> tuple[PublicKey, ...]:
    """The keys whose checkpoints hold here: of the one that signs now, and of those before it."""
    signing: SigningKey = settings.AUDIT_SIGNING_KEY
    return (signing.public, *settings.AUDIT_KNOWN_KEYS)


def sign_checkpoint(*, at: datetime) -> bool:
    """Sign the tree as it is, at most once a second; whether the newest checkpoint holds the whole tree now."""
    with transaction.atomic():
        if not is_sole_sealer():
            return False
        tree, last = Tree.current(), Checkpoint.objects.newest()
        if tree.size == (last.size if last else 0):
            return True
        if last and timedelta(0) <= at - last.at < SIGN_EVERY:
            return False
        root, key = Frontier.of(tree.size, bytes(tree.hashes)).root(), settings.AUDIT_SIGNING_KEY
        note = key.sign(size=tree.size, root=root)
        Checkpoint.objects.create(size=tree.size, root=root, at=at, key=str(key.public), note=note)
        return True
