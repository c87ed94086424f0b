"""The Merkle tree over the ledger, its checkpoints, where they go, and what verifications found."""

from django.db import models


class Tree(models.Model):
    """The Merkle tree over all sealed events as far as appending needs it; one row, which only the sealer writes."""

    size = models.BigIntegerField(default=0)
    hashes = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return f"Tree of {self.size} entries"

    @classmethod
    def current(cls) -> "Tree":
        """The tree as it is, empty before the first event."""
        return cls.objects.first() or cls(pk=1)


class TreeNode(models.Model):
    """The root of a full subtree of 2**level leaves, so that a proof reads few rows. Append-only."""

    level = models.PositiveSmallIntegerField()
    number = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "number"], name="one_node_for_each_subtree")]

    def __str__(self) -> str:
        return f"Subtree {self.number} of level {self.level}"


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Reading phrases for checkpoints."""

    def newest(self) -> "Checkpoint | None":
        """The largest one, None without any."""
        return self.order_by("-size").first()


class Checkpoint(models.Model):
    """What the tree was at a size, signed: `note` is the C2SP checkpoint, `key` the public key. Append-only."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    key = models.CharField(max_length=400)
    note = models.TextField()

    objects = CheckpointQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Checkpoint of {self.size} entries"


class Verification(models.Model):
    """What a verification of the ledger found: from entry `begun` + 1 to entry `size`, in seconds; `position` is that
    of the first wrong entry, and `hashes` the tree it made, from which the next one can go on. Append-only."""

    at = models.DateTimeField()
    seconds = models.DecimalField(max_digits=12, decimal_places=3)
    begun = models.BigIntegerField()
    size = models.BigIntegerField()
    hashes = models.BinaryField()
    checkpoints = models.BigIntegerField()
    position = models.BigIntegerField(null=True)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="verification_at")]

    def __str__(self) -> str:
        return self.problem or f"Entries {self.begun + 1} to {self.size} hold"


class Outlet(models.Model):
    """A place outside this database that checkpoints go to, and how far it has them: `tries` and `error` tell of what
    failed since the last success."""

    name = models.CharField(max_length=40, unique=True)
    size = models.BigIntegerField(default=0)
    published_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.name
