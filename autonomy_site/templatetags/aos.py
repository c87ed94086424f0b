"""The words and shapes of the design system as template tags and filters: `{% load aos %}`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

register = template.Library()

Number = Decimal | float | int

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}
WITHOUT_CENTS = {"JPY", "KRW", "HUF"}
MINUTE, HOUR, DAY = 60, 3600, 86400


class Word(NamedTuple):
    """One entry of the fixed vocabulary: what people read, its tone and its icon."""

    text: str
    tone: str
    icon: str


VOCABULARY = {
    # agents
    "draft": Word("Draft", "line", "pencil"),
    "in_review": Word("In review", "acc", "eye"),
    "active": Word("Active", "ok", "circle-check"),
    "disabled": Word("Disabled", "bad", "ban"),
    "idle": Word("Idle", "", "circle"),
    "working": Word("Working", "acc", "loader"),
    "paused": Word("Paused", "warn", "pause"),
    "stopped": Word("Stopped by policy", "bad", "octagon-x"),
    "retired": Word("Retired", "", "archive"),
    # runs and steps
    "open": Word("Waits for a person", "warn", "hourglass"),
    "held": Word("Answered, can be undone", "acc", "clock"),
    "ready": Word("Waits for an agent", "", "inbox"),
    "running": Word("Running", "acc", "play"),
    "waiting": Word("Waits for a person", "warn", "hourglass"),
    "waiting_time": Word("Waits for time", "", "clock"),
    "waits_message": Word("Waits for a message", "", "mail"),
    "waits_run": Word("Waits for another run", "", "workflow"),
    "waits_condition": Word("Waits for a condition", "", "list-filter"),
    "calling": Word("Not begun yet", "", "clock"),
    "done": Word("Done", "ok", "check"),
    "failed": Word("Failed", "bad", "triangle-alert"),
    "cancelled": Word("Cancelled", "", "ban"),
    # facts of shared memory
    "current": Word("Holds", "ok", "check"),
    "confirmed": Word("Confirmed", "ok", "badge-check"),
    "unconfirmed": Word("Not confirmed", "warn", "circle-question-mark"),
    "later": Word("Does not hold yet", "", "clock"),
    "superseded": Word("Replaced", "", "history"),
    "invalid": Word("Found wrong", "bad", "triangle-alert"),
    "purged": Word("Purged", "", "eraser"),
    "skipped": Word("Skipped", "", "skip-forward"),
    "sleeping": Word("Waits for time", "", "clock"),
    # messages between runs
    "sent": Word("On its way", "acc", "send"),
    "taken": Word("Taken", "ok", "check"),
    "dropped": Word("Dropped", "warn", "mail-x"),
    # replays
    "queued": Word("Waits for its turn", "", "clock"),
    # decisions of policies
    "in_force": Word("In force", "ok", "circle-check"),
    "shadow": Word("In shadow", "", "eye-off"),
    "allow": Word("Allowed", "ok", "check"),
    "escalate": Word("Ask", "warn", "hand"),
    "deny": Word("Denied", "bad", "ban"),
    # decisions of people
    "approved": Word("Approved", "ok", "check"),
    "rejected": Word("Rejected", "bad", "x"),
    "expired": Word("Expired", "bad", "clock"),
    "withdrawn": Word("Withdrawn", "", "undo-2"),
    # people, and the emergency account
    "enabled": Word("Can sign in", "ok", "circle-check"),
    "armed": Word("Open", "bad", "siren"),
    "reviewed": Word("Reviewed", "ok", "check"),
    # keys
    "revoked": Word("Revoked", "bad", "ban"),
    # agent cards and consents
    "pinned": Word("Pinned", "ok", "check"),
    "drifted": Word("Changed since it was pinned", "warn", "triangle-alert"),
    "given": Word("Not used yet", "acc", "hourglass"),
    "used": Word("Used", "ok", "check"),
}
RISKS = {"low": "Low risk", "medium": "Medium risk", "high": "High risk"}
RISK_OF_NUMBER = {"1": "low", "2": "medium", "3": "high"}


# --- icons, people, agents ------------------------------------------------------------------------------------
@lru_cache(maxsize=256)
def _drawn(name: str, size: int, classes: str) -> SafeString:
    attributes = {"class": classes, "aria_hidden": "true", "stroke_width": "1.75"}
    return SafeString(lucide(name, size=size, **attributes))


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """Return the Lucide icon as inline SVG, hidden from screen readers; an unknown name raises."""
    return _drawn(str(name), size, "ic" if size == 16 else f"ic ic-{size}")


def initials(name: str) -> str:
    """Return at most two capital letters for a person's name."""
    words = [word for word in str(name).replace(".", " ").replace("_", " ").split() if word[0].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


@register.simple_tag
def person(name: object, size: str = "") -> SafeString:
    """Return the round mark of a person; decorative, the name must stand beside it."""
    return format_html('<span class="os-person {}" aria-hidden="true">{}</span>', size, initials(str(name)))


@register.simple_tag
def agent_glyph(agent: object = None, size: str = "") -> SafeString:
    """Return the square mark of an agent (its `icon`, or the icon name given); decorative."""
    name = agent if isinstance(agent, str) and agent else getattr(agent, "icon", "") or "bot"
    drawn = icon(str(name), {"lg": 28, "s": 13}.get(size, 16))
    return format_html('<span class="os-agent {}" aria-hidden="true">{}</span>', size, drawn)


@register.simple_tag
def actor(kind: str, name: object, size: str = "s") -> SafeString:
    """Return the mark of whoever acted: round for a person, square for an agent or the system."""
    if kind == "person":
        return person(name, size)
    return agent_glyph("bot" if kind == "agent" else "scale", size)


# --- states ---------------------------------------------------------------------------------------------------
@register.simple_tag
def risk(level: str | int) -> SafeString:
    """Return the three bars for low, medium or high (or 1, 2, 3), with their text alternative."""
    key = RISK_OF_NUMBER.get(str(level), str(level))
    text = RISKS[key]
    return format_html(
        '<span class="os-risk {}" role="img" aria-label="{}" title="{}"><i></i><i></i><i></i></span>',
        key,
        text,
        text,
    )


def word_for(value: object) -> Word:
    """Return the vocabulary's entry for a status; a word that is not in it is shown plainly, without a tone."""
    key = str(getattr(value, "value", value))
    return VOCABULARY.get(key) or Word(key.replace("_", " ").capitalize(), "", "circle")


@register.simple_tag
def status_tag(value: object) -> SafeString:
    """Return the state as a tag: tint, icon and word."""
    entry = word_for(value)
    return format_html('<span class="os-tag {}">{}{}</span>', entry.tone, icon(entry.icon, 13), entry.text)


@register.filter
def status_word(value: object) -> str:
    """Return the word that people read for a status."""
    return word_for(value).text


@register.filter
def status_tone(value: object) -> str:
    """Return the tone of a status: ok, warn, bad, acc, line or nothing."""
    return word_for(value).tone


# --- numbers, times, hashes -----------------------------------------------------------------------------------
@register.filter
def money(amount: Number | str | None, currency: str = "EUR") -> str:
    """Return an amount with its currency and both cents: €48,200.00, CHF 1,200.00; nothing for no amount."""
    if amount is None or amount == "":
        return ""
    exact = Decimal(str(amount))
    figure = f"{abs(exact):,.{0 if currency in WITHOUT_CENTS else 2}f}"
    mark = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{'−' if exact < 0 else ''}{mark}{figure}"


def seconds_of(value: timedelta | Number) -> float:
    """Return a length in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


@register.filter
def duration(value: timedelta | Number | None) -> str:
    """Return a length (seconds or timedelta) in its two largest units: 0.1 s, 24 s, 2 m 06 s, 2 h 14 m, 1 d 4 h; whole
    hours and days alone: 4 h, 2 d."""
    if value is None or value == "":
        return ""
    seconds = max(seconds_of(value), 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} m {whole % MINUTE:02d} s"
    if whole < DAY:
        return f"{whole // HOUR} h" if whole % HOUR == 0 else f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} m"
    return f"{whole // DAY} d" if whole % DAY == 0 else f"{whole // DAY} d {whole % DAY // HOUR} h"


def coarse(seconds: float) -> str:
    """Return a length in words that do not flicker: 45 s, 9 min, 2 h 14 m, 3 days."""
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h {int(seconds % HOUR // MINUTE)} m"
    days = int(seconds // DAY)
    return "1 day" if days == 1 else f"{days} days"


def _time_element(at: datetime, text: str) -> SafeString:
    local = timezone.localtime(at)
    exact = f"{local.day} {local:%b %Y %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, text)


@register.filter
def ago(at: datetime | None) -> str:
    """Return a time as "9 min ago" (a date after 30 days), with the exact time on hover."""
    if at is None:
        return ""
    seconds = (timezone.now() - at).total_seconds()
    if seconds > 30 * DAY:
        local = timezone.localtime(at)
        return _time_element(at, f"{local.day} {local:%b %Y}")
    return _time_element(at, "just now" if seconds < 10 else f"{coarse(seconds)} ago")


@register.filter
def clock(at: datetime | None) -> str:
    """Return the time of day, with the day when it is not today and the exact time on hover."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    return _time_element(at, f"{local:%H:%M:%S}" if today else f"{local.day} {local:%b %H:%M}")


@register.filter
def time_left(due_at: datetime | None) -> str:
    """Return what is left until a deadline: "1 h 46 m left", or "38 min late" after it."""
    if due_at is None:
        return ""
    seconds = (due_at - timezone.now()).total_seconds()
    text = f"{coarse(seconds)} left" if seconds >= 0 else f"{coarse(-seconds)} late"
    return _time_element(due_at, text)


@register.filter
def urgency(due_at: datetime | None) -> str:
    """Return the tone of a deadline: bad within the hour or late, warn within two hours, else t3."""
    if due_at is None:
        return "t3"
    seconds = (due_at - timezone.now()).total_seconds()
    return "bad" if seconds < HOUR else "warn" if seconds < 2 * HOUR else "t3"


@register.filter(name="hash")
def short_hash(value: str | None) -> str:
    """Return a hash shortened to its ends: 9f3c…a71e."""
    text = str(value or "")
    return text if len(text) <= 12 else f"{text[:4]}…{text[-4:]}"


# --- small drawings -------------------------------------------------------------------------------------------
WIDTH, HEIGHT, EDGE = 84, 32, 3


@dataclass(frozen=True)
class Scale:
    """Places values of a sparkline into its box."""

    low: float
    high: float
    count: int

    def x(self, index: int) -> float:
        return round(index * WIDTH / max(self.count - 1, 1), 1)

    def y(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return round(HEIGHT - EDGE - (value - self.low) / span * (HEIGHT - 2 * EDGE), 1)


@register.simple_tag
def spark(points: Sequence[Number | None], target: Number | None = None) -> SafeString:
    """Return an 84 x 32 sparkline with an optional dashed target; nothing when there are fewer than two points."""
    values = [float(point) for point in points or () if point is not None]
    if len(values) < 2:
        return mark_safe("")
    known = [*values, float(target)] if target is not None else values
    scale = Scale(min(known), max(known), len(values))
    places = [(scale.x(i), scale.y(value)) for i, value in enumerate(values)]
    line = " ".join(f"{x},{y}" for x, y in places)
    return format_html(
        '<svg class="spark" viewBox="0 0 84 32" aria-hidden="true">{}'
        '<polygon class="spark-a" points="0,32 {} 84,32"/><polyline class="spark-l" points="{}"/>'
        '<circle class="spark-d" cx="{}" cy="{}" r="2.4"/></svg>',
        _target_line(scale, target), line, line, *(str(place) for place in places[-1]),
    )  # fmt: skip


def _target_line(scale: Scale, target: Number | None) -> SafeString:
    if target is None:
        return mark_safe("")
    y = str(scale.y(float(target)))
    return format_html('<line class="spark-t" x1="0" x2="84" y1="{}" y2="{}"/>', y, y)


@register.simple_tag
def split_bar(touchless: int, person: int, failed: int) -> SafeString:
    """Return three counts of runs as a split bar with its sentence; an empty bar when there are none."""
    counts = {"a": touchless, "e": person, "f": failed}
    total = sum(counts.values())
    shares = {name: f"{100 * count / total:.1f}".removesuffix(".0") for name, count in counts.items() if total}
    text = "No runs yet"
    if total:
        text = f"{shares['a']} percent touchless, {shares['e']} percent needed a person, {shares['f']} percent failed"
    parts = format_html_join(
        "", '<i class="{}" style="width:{}%"></i>', ((k, v) for k, v in shares.items() if counts[k])
    )
    return format_html('<span class="os-bar" role="img" aria-label="{}">{}</span>', text, parts)


@register.inclusion_tag("components/_kpi.html")
def kpi(tile: Mapping[str, Any]) -> dict[str, Any]:
    """Draw a KPI tile; components/_kpi.html lists what a tile holds."""
    return {"tile": tile}
