"""Rules of governance, breaking: when work goes in circles, when a system fails too often, when an agent must stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

TRUSTED_SOURCES = frozenset({"person", "policy", "registry", "system"})
"""Labels of sources that taint nothing; every other label does, also one that nobody has heard of."""
ENOUGH_HOURS = 12  # with fewer active hours in its past nobody knows what an agent usually does
ENOUGH_ACTS = 20  # and so few in an hour harm nobody, however few it usually are
_SPREADS, _MAD_TO_SIGMA = 6, 1.4826


@dataclass(frozen=True, slots=True)
class Limits:
    """How far agents of a role may go before a person is asked; None is no limit. `repeats` and `denials` count within
    `window_minutes`, `hijack_signs` within an hour; `rate_factor` is times the agent's own usual hour."""

    repeats: int | None = 20
    no_progress: int | None = 50
    window_minutes: int = 10
    steps: int | None = 500
    at_once: int | None = 100
    attempts: int | None = 25
    run_minutes: int | None = 60 * 24 * 60
    denials: int | None = 30
    hijack_signs: int | None = 5
    rate_factor: int | None = None


DEFAULTS = Limits()


@dataclass(frozen=True, slots=True)
class Course:
    """How a run, or an agent outside of runs, went so far: equal questions within the window, this one included;
    questions since a step was finished; steps opened in all and open now; tries of this step; minutes."""

    repeats: int = 0
    without_progress: int = 0
    steps: int = 0
    at_once: int = 0
    attempts: int = 0
    minutes: int = 0


def why_break(course: Course, limits: Limits) -> str:
    """Give the limit that this course went beyond, as a sentence; empty while it keeps within all."""
    judged = (
        (course.repeats, limits.repeats, f"The same question {{}} times within {limits.window_minutes} minutes"),
        (course.without_progress, limits.no_progress, "{} questions in this run and no step was finished"),
        (course.steps, limits.steps, "{} steps in this run"),
        (course.at_once, limits.at_once, "{} steps of this run open at once"),
        (course.attempts, limits.attempts, "{} tries of this step"),
        (course.minutes, limits.run_minutes, "{} minutes since this run began"),
    )
    for count, limit, words in judged:
        if limit is not None and count > limit:
            return f"{words.format(f'{count:,}')}; the limit is {limit:,}."
    return ""


@dataclass(frozen=True, slots=True)
class Fuse:
    """When the circuit of a system opens: failed in at least `percent` of at least `at_least` reports within
    `window_minutes`. Stopped for `cool_down_seconds`, it then lets `trials` through."""

    percent: int = 50
    at_least: int = 5
    window_minutes: int = 10
    cool_down_seconds: int = 60
    trials: int = 2


USUAL_FUSE = Fuse()


def blows(failed: int, reported: int, fuse: Fuse) -> bool:
    """Whether so many failures among so many reports open the circuit."""
    return failed > 0 and reported >= fuse.at_least and 100 * failed >= fuse.percent * reported


def taints(sources: Sequence[str]) -> bool:
    """Whether one of the sources that an agent read from is not to be trusted."""
    return any(label not in TRUSTED_SOURCES for label in sources)


@dataclass(frozen=True, slots=True)
class Conduct:
    """What an agent did lately: denials within the window, denials under taint, questions of the last hour, and how
    many there were in each earlier hour in which it asked anything."""

    denials: int = 0
    signs: int = 0
    last_hour: int = 0
    usual: Sequence[int] = ()


def why_quarantine(conduct: Conduct, limits: Limits) -> str:
    """Give the reason to pause the agent as a sentence, empty without one; the sign of a hijack comes first."""
    if limits.hijack_signs is not None and conduct.signs >= limits.hijack_signs:
        return f"Denied {conduct.signs} times within an hour after it had read from sources that are not trusted."
    if limits.denials is not None and conduct.denials >= limits.denials:
        return f"Denied {conduct.denials} times within {limits.window_minutes} minutes; the limit is {limits.denials}."
    return _anomaly(conduct, limits.rate_factor)


def _anomaly(conduct: Conduct, factor: int | None) -> str:
    if factor is None or len(conduct.usual) < ENOUGH_HOURS or conduct.last_hour < ENOUGH_ACTS:
        return ""
    middle = median(conduct.usual)
    spread = _MAD_TO_SIGMA * median(abs(count - middle) for count in conduct.usual)
    # Both: far above the middle, and beyond what its own ups and downs explain.
    if conduct.last_hour <= factor * middle or conduct.last_hour <= middle + _SPREADS * spread:
        return ""
    return f"{conduct.last_hour:,} questions within an hour; usual are {middle:g}, the limit is {factor} times that."
