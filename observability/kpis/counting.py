"""What ended runs add up to, kept by day: counted from the sealed ledger, position by position, and counted again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from observability.kpis.figures import ENDS
from observability.models import Event, Tally, TallyMark
from observability.rules import SUMS, Counts, Happened, Parts, key_of, packed, unpacked_into, walk

THE_MARK = 1
AT_ONCE = 20_000
RUNS_AT_ONCE = 400
KEY = ("day", "workflow", "unit", "version", "how", "facet", "member")
END = ("run", "at", "verb", "workflow", "unit", "seconds", "cost", "data", "id")
ABOUT = ("step", "escalation")


class Key(NamedTuple):
    """Of what a tally is, as Tally has it."""

    day: date
    workflow: str
    unit: str
    version: int
    how: str
    facet: str
    member: str


Tallies = dict[Key, Counts]


def count_ended() -> int:
    """Add what the ledger has sealed since the last time to the tallies; through how many positions it went. The mark
    moves in the same transaction: nothing is left out, and nothing counts twice. Where the company's time zone is
    another than before, all is counted again."""
    mark, _ = TallyMark.objects.get_or_create(pk=THE_MARK, defaults={"zone": settings.TIME_ZONE})
    if mark.zone == settings.TIME_ZONE and mark.position >= _last_position():
        return 0
    with transaction.atomic():
        mark = TallyMark.objects.select_for_update().get(pk=THE_MARK)
        if mark.zone != settings.TIME_ZONE:
            _forget(mark)
        until = min(_last_position(), mark.position + AT_ONCE)
        add_to_kept(tallies_of(Event.objects.filter(position__gt=mark.position, position__lte=until)))
        TallyMark.objects.filter(pk=THE_MARK).update(position=until)
    return until - mark.position


@transaction.atomic
def count_again() -> None:
    """Forget all tallies; `count_ended` counts from the beginning of the ledger."""
    TallyMark.objects.get_or_create(pk=THE_MARK)
    _forget(TallyMark.objects.select_for_update().get(pk=THE_MARK))


def _forget(mark: TallyMark) -> None:
    Tally.objects.all().delete()
    mark.position, mark.zone = 0, settings.TIME_ZONE
    mark.save(update_fields=["position", "zone"])


def _last_position() -> int:
    return Event.objects.aggregate(last=Max("position"))["last"] or 0


def tallies_of(events: Any) -> Tallies:
    """What the runs add up to whose ends are among these events (a queryset of Event)."""
    found: defaultdict[Key, Counts] = defaultdict(Counts)
    ends = events.filter(verb__in=ENDS).order_by("id").values_list(*END)
    for some in _chunks(ends.iterator(chunk_size=2_000), RUNS_AT_ONCE):
        walked = _walked({row[0]: row[-1] for row in some})
        for row in some:
            for key, counts in _of_run(row, walked.get(row[0], {})):
                found[key].add(counts)
    return dict(found)


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    some: list[Any] = []
    for row in rows:
        some.append(row)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


def _walked(ends: Mapping[str, int]) -> dict[str, Parts]:
    # What was recorded about a run after its end is nothing of it: counted again, it would count otherwise.
    told = Event.objects.filter(run__in=ends, subject_kind__in=ABOUT).exclude(run="").order_by("run", "id")
    rows = told.values_list("run", "id", *Happened._fields).iterator(chunk_size=2_000)
    return {
        run: walk(Happened(*row[2:]) for row in some if row[1] < ends[run])
        for run, some in groupby(rows, key=itemgetter(0))
    }


def _of_run(row: Sequence[Any], parts: Parts) -> Iterator[tuple[Key, Counts]]:
    _, at, verb, workflow, unit, seconds, cost, data, _ = row
    whole = Counts(runs=1, touchless=int(bool(data.get("touchless"))), cost=cost or Decimal(0))
    whole.asked = int(not whole.touchless)
    if seconds is not None:
        took = int(seconds * 1000)
        whole.run_ms, whole.timed, whole.times = took, 1, {key_of(took): 1}
    own = parts.get(("", ""), Counts())
    whole.reworked = own.reworked
    day, version = day_of(at), _version(data)
    for facet, member in parts.keys() | {("", "")}:
        counts = Counts()
        counts.add(whole)
        part = parts.get((facet, member), Counts())
        counts.add(part)
        counts.reworked, counts.known = own.reworked, own.known
        yield Key(day, workflow, unit, version, verb, facet, member), counts


def _version(data: Any) -> int:
    told = data.get("version")
    return told if isinstance(told, int) and 0 <= told < 2**31 else 0


def day_of(at: datetime) -> date:
    """The day to which a moment counts, in the company's time zone."""
    return timezone.localtime(at, timezone.get_default_timezone()).date()


def add_to_kept(fresh: Tallies) -> None:
    """Add tallies to those of the database. Call it inside a transaction that holds the mark."""
    kept = {_key(row): row for row in _kept(fresh)}
    changed: list[Tally] = []
    new: list[Tally] = []
    for key, counts in fresh.items():
        row = kept.get(key)
        (changed if row else new).append(_row(key, counts, row))
    Tally.objects.bulk_create(new, batch_size=200)
    Tally.objects.bulk_update(changed, [*SUMS, "times", "answers"], batch_size=100)


def _kept(fresh: Tallies) -> Any:
    if not fresh:
        return Tally.objects.none()
    days = {key.day for key in fresh}
    return Tally.objects.filter(day__in=days, workflow__in={key.workflow for key in fresh})


def _key(row: Tally) -> Key:
    return Key(*(getattr(row, name) for name in KEY))


def _row(key: Key, counts: Counts, row: Tally | None) -> Tally:
    if row is None:
        row = Tally(**key._asdict())
    else:
        counts.add(counts_of(row))
    for name in SUMS:
        setattr(row, name, getattr(counts, name))
    row.times, row.answers = packed(counts.times), packed(counts.answers)
    return row


def counts_of(row: Tally) -> Counts:
    """What a kept tally holds."""
    counts = Counts(**{name: getattr(row, name) for name in SUMS})
    unpacked_into(counts.times, row.times)
    unpacked_into(counts.answers, row.answers)
    return counts


def differences() -> list[str]:
    """Where the tallies say something else than the counted part of the ledger, a sentence each; none when all is
    well. Reads the whole ledger."""
    mark = TallyMark.objects.filter(pk=THE_MARK).values_list("position", flat=True).first() or 0
    fresh = tallies_of(Event.objects.filter(position__lte=mark))
    kept = {_key(row): counts_of(row) for row in Tally.objects.iterator(chunk_size=500)}
    told = [f"{_told(key)} is missing." for key in fresh.keys() - kept.keys()]
    told += [f"{_told(key)} has no run behind it." for key in kept.keys() - fresh.keys()]
    told += [f"{_told(key)} counts otherwise." for key in fresh.keys() & kept.keys() if fresh[key] != kept[key]]
    return sorted(told)


def _told(key: Key) -> str:
    about = f", {key.facet} {key.member}" if key.facet else ""
    return f"{key.day} {key.workflow} v{key.version} {key.how} of unit {key.unit}{about}"


def uncounted() -> Q:
    """Events that the tallies do not hold yet."""
    mark = TallyMark.objects.filter(pk=THE_MARK).values_list("position", flat=True).first() or 0
    return Q(position__gt=mark) | Q(position__isnull=True)
