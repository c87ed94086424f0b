"""What ended runs add up to by day, and how far the ledger was counted."""

from typing import Self

from django.db import models

from observability.models.events import Reader


class TallyQuerySet(models.QuerySet["Tally"]):
    """Reading phrases for what is counted by day."""

    def visible_to(self, reader: Reader) -> Self:
        """Tallies of the units that the reader may see."""
        if reader.sees_all_units:
            return self
        return self.filter(unit__in=[str(pk) for pk in reader.unit_ids()])


class Tally(models.Model):
    """What the runs that ended on one day in one way add up to, or the part that one step, agent or reviewer had in
    them (`facet` and `member`, both empty for the whole). Times are whole milliseconds, see rules.Counts; `day` is one
    of the company's time zone. Everything in it can be counted again from the ledger."""

    day = models.DateField()
    workflow = models.CharField(max_length=80)
    unit = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=0)
    how = models.CharField(max_length=20)
    facet = models.CharField(max_length=10, blank=True)
    member = models.CharField(max_length=300, blank=True)
    runs = models.BigIntegerField(default=0)
    touchless = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    reworked = models.BigIntegerField(default=0)
    asked = models.BigIntegerField(default=0)
    run_ms = models.BigIntegerField(default=0)
    timed = models.BigIntegerField(default=0)
    works = models.BigIntegerField(default=0)
    tries = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)
    queued_ms = models.BigIntegerField(default=0)
    working_ms = models.BigIntegerField(default=0)
    asked_ms = models.BigIntegerField(default=0)
    dues = models.BigIntegerField(default=0)
    late = models.BigIntegerField(default=0)
    questions = models.BigIntegerField(default=0)
    proposals = models.BigIntegerField(default=0)
    approved = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    overruled = models.BigIntegerField(default=0)
    decide_ms = models.BigIntegerField(default=0)
    handled = models.BigIntegerField(default=0)
    handled_ms = models.BigIntegerField(default=0)
    reuses = models.BigIntegerField(default=0)
    saved_ms = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    saved_cost = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    times = models.BinaryField(default=bytes)
    answers = models.BinaryField(default=bytes)

    objects = TallyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facet", "member", "day", "workflow", "unit", "version", "how"], name="one_tally_of_a_kind"
            )
        ]
        indexes = [models.Index(fields=["facet", "day"], name="tally_facet_day")]

    def __str__(self) -> str:
        return f"{self.workflow} on {self.day}: {self.runs} {self.how}"


class TallyMark(models.Model):
    """Up to which position the ledger is counted, and in which time zone days began; there is one."""

    position = models.BigIntegerField(default=0)
    zone = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return str(self.position)
