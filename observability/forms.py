"""Shape of observability: what people choose on the performance page and in the audit trail, read from the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from observability import kpis
from observability.eventlog.columns import ROLES, Columns
from observability.eventlog.times import WORDS, Shape
from observability.models import ModelPrice

DAYS = ("7", "30", "90")
CUSTOM = "custom"
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
NOUNS = {
    "run": "Runs",
    "step": "Steps",
    "endpoint": "Announcing work",
    "decision": "Policy decisions",
    "escalation": "Escalations",
    "view": "Saved views",
    "callback": "Callbacks",
    "notice": "Notifications",
    "fact": "Shared memory",
    "space": "Spaces of shared memory",
    "table": "Decision tables",
    "agent": "Agents",
    "blueprint": "Blueprints",
    "learnt": "Learnt rules",
    "suggestion": "Suggested rules",
    "sample": "Sampled checks",
    "planted": "Planted cases",
    "reviewer": "Alerts about reviewers",
    "promotion": "Promotions",
    "demotion": "Demotion rules",
    "key": "Keys",
    "client_key": "Public keys",
    "token": "Tokens",
    "consent": "Consents",
    "card": "Agent cards",
    "person": "People",
    "session": "Sessions",
    "break_glass": "Emergency account",
    "grant": "Rights",
    "delegation": "Delegations",
    "review": "Access reviews",
    "unit": "Units",
    "system": "Systems",
    "budget": "Budgets",
    "reservation": "Reservations of budgets",
    "policy": "Policies",
    "list": "Named lists",
    "replay": "Replays",
    "path": "Escalation paths",
    "calendar": "Business calendars",
    "training": "Trainings",
    "workflow": "Workflows",
    "timer": "Timers",
    "subscription": "What runs wait for",
    "message": "Messages",
    "schedule": "Schedules",
    "hook": "Addresses for other systems",
    "follow": "Runs that follow on others",
    "control": "Control state",
    "incident": "Incidents",
    "safeguard": "Safeguards",
    "circuit": "Circuit breakers",
    "audit": "Exports",
    "price": "Prices of models",
    "eventlog": "Event logs",
    "baseline": "Manual baselines",
}
DECISIONS = {
    "allow": ("Allowed", "decision.made"),
    "escalate": ("Ask", "decision.made"),
    "deny": ("Denied", "decision.made"),
    "approved": ("Approved", "escalation.approved"),
    "rejected": ("Rejected", "escalation.rejected"),
    "expired": ("Nobody decided", "escalation.expired"),
}


@dataclass(frozen=True)
class Period:
    """Whole days in the company's time zone, both ends included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """The moment at which the period begins."""
        return kpis.midnight(self.first)

    @property
    def until(self) -> datetime:
        """The moment at which the day after the period begins."""
        return kpis.midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        first, last = (f"{day.day} {day:%b}" for day in (self.first, self.last))
        year = f"{self.last:%Y}"
        if self.first == self.last:
            return f"{last} {year}"
        return f"{first}{'' if self.first.year == self.last.year else f' {self.first:%Y}'} – {last} {year}"


def day_field(label: str) -> forms.DateField:
    """A day, as a date input writes it."""
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )


class MomentInput(forms.DateInput):
    """The input of a day, or of a moment when it holds one."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the template draws: a moment needs another kind of field, or the browser would show nothing."""
        context = super().get_context(name, value, attrs)
        if "T" in str(value or ""):
            context["widget"] |= {"type": "datetime-local", "attrs": {**context["widget"]["attrs"], "step": "1"}}
        return context


class MomentField(forms.DateField):
    """A day, or a moment of the company's time zone, as addresses write them: 2026-11-22 or 2026-11-22T14:05:00."""

    widget = MomentInput({"type": "date"}, "%Y-%m-%d")

    def to_python(self, value: Any) -> date | None:
        """The day or the moment."""
        if not (isinstance(value, str) and "T" in value):
            return super().to_python(value)
        try:
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else timezone.make_aware(found)
        except (ValueError, OverflowError) as wrong:
            raise forms.ValidationError("Give a day such as 2026-11-22.", code="invalid") from wrong

    def run_validators(self, value: Any) -> None:
        """A moment lies in the years in which days do."""
        super().run_validators(value.date() if isinstance(value, datetime) else value)


def begin_of(chosen: date) -> datetime:
    """The moment at which a chosen day begins, or the chosen moment itself."""
    return chosen if isinstance(chosen, datetime) else kpis.midnight(chosen)


def end_of(chosen: date) -> datetime:
    """The moment at which a chosen day is over, or the chosen moment itself."""
    return chosen if isinstance(chosen, datetime) else kpis.midnight(chosen + timedelta(days=1))


class PeriodForm(forms.Form):
    """A form with the days `from` and `to`, in the right order."""

    def __init__(self, chosen: Mapping[str, Any], *, at: datetime) -> None:
        super().__init__(chosen)
        self.today = timezone.localtime(at).date()
        self.fields["from"], self.fields["to"] = day_field("From"), day_field("To")

    def clean(self) -> dict[str, Any]:
        """Both days, the first one first."""
        chosen = super().clean() or self.cleaned_data
        first, last = chosen.get("from"), chosen.get("to")
        if first and last and begin_of(first) >= end_of(last):
            self.add_error("to", "The period ends before it begins. Choose a later day.")
        return chosen

    def value(self, name: str) -> Any:
        """The value of a field, None when it is empty or wrong."""
        self.is_valid()
        return self.cleaned_data.get(name) or None


class PerformanceForm(PeriodForm):
    """What the performance page is about: workflow, unit and period."""

    workflow = forms.ChoiceField(required=False)
    unit = forms.ChoiceField(required=False)
    period = forms.ChoiceField(required=False, choices=[*((n, f"{n} days") for n in DAYS), (CUSTOM, "Own dates")])

    def __init__(
        self, chosen: Mapping[str, Any], *, at: datetime, workflows: Mapping[str, str], units: list[tuple[int, str]]
    ) -> None:
        super().__init__(chosen, at=at)
        self.fields["workflow"].choices = [("", "All"), *workflows.items()]  # type: ignore[attr-defined]
        self.fields["unit"].choices = [("", "All"), *((str(key), name) for key, name in units)]  # type: ignore[attr-defined]

    @property
    def chosen_period(self) -> str:
        """7, 30, 90 or custom."""
        if self.value("period") in DAYS:
            return str(self.value("period"))
        return CUSTOM if self.value("from") or self.value("to") or self.value("period") else "30"

    def period_of(self) -> Period:
        """The days that were chosen, at most a year; without a choice the last 30."""
        if self.chosen_period != CUSTOM:
            return Period(self.today - timedelta(days=int(self.chosen_period) - 1), self.today)
        last = min(self.value("to") or self.today, self.today)
        first = min(self.value("from") or last - timedelta(days=29), last)
        return Period(max(first, last - timedelta(days=365)), last)


class AuditForm(PeriodForm):
    """What to look for in the audit trail; `agent` is all that it did and all that was done to it."""

    q = forms.CharField(required=False, max_length=100)
    who = forms.CharField(required=False, max_length=80)
    agent = forms.CharField(required=False, max_length=20)
    did = forms.CharField(required=False, max_length=60)
    decision = forms.ChoiceField(required=False, choices=[("", "Any"), *((k, w[0]) for k, w in DECISIONS.items())])
    workflow = forms.CharField(required=False, max_length=80)
    run = forms.CharField(required=False, max_length=40)
    about = forms.CharField(required=False, max_length=120)
    when = forms.RegexField(r"^[1-7]-(\d|1\d|2[0-3])\Z", required=False)
    unit = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    entry = forms.UUIDField(required=False)

    def __init__(self, chosen: Mapping[str, Any], *, at: datetime) -> None:
        super().__init__(chosen, at=at)
        bounds = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
        for name, label in (("from", "From"), ("to", "To")):
            self.fields[name] = MomentField(
                label=label, required=False, input_formats=["%Y-%m-%d"], validators=bounds
            )  # fmt: skip


class PriceForm(forms.Form):
    """What a million tokens of one kind cost at a model, from a day on."""

    provider = forms.CharField(
        required=False, max_length=60, help_text="As the programs name it; empty for any.", label="Provider"
    )
    model = forms.CharField(
        max_length=200, label="Model", help_text="Its name; a * at the end stands for the rest of it."
    )
    kind = forms.ChoiceField(choices=ModelPrice.TokenKind.choices, label="Which tokens")
    per_million = forms.DecimalField(
        required=False, min_value=0, max_digits=14, decimal_places=6, label="Price of a million tokens",
        help_text="Empty ends the price: from then on such calls have none.",
    )  # fmt: skip
    currency = forms.RegexField(r"^[A-Z]{3}$", label="Currency", help_text="Three letters, as EUR.")
    valid_from = forms.DateField(
        label="From which day on", widget=forms.DateInput(attrs={"type": "date"}),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )  # fmt: skip
    why = forms.CharField(max_length=2000, label="Where the price comes from", widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("autocomplete", "off")
            if name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"

    @property
    def since(self) -> datetime:
        """The beginning of the day, in the company's time zone."""
        day = self.cleaned_data["valid_from"]
        return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)


class UploadForm(forms.Form):
    """An event log that somebody brings: its file, whose it is and what it is called."""

    file = forms.FileField(
        label="File", help_text="CSV or XES, plain or packed with gzip. Choose it, or drop it on the field.",
        error_messages={"required": "Choose the file.", "empty": "The file is empty. Export the log again."},
    )  # fmt: skip
    unit = forms.TypedChoiceField(label="Business unit", coerce=int, help_text="Only this unit and the council see it.")
    name = forms.CharField(
        label="Name", max_length=200, required=False,
        help_text="As in “Invoices paid by hand, 2025”. Empty: that of the file.",
    )  # fmt: skip

    def __init__(self, *given: Any, units: list[tuple[int, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["unit"].choices = units  # type: ignore[attr-defined]


ROLE_WORDS = {
    "case": ("Case", "What belongs together: the number of an invoice, a ticket, an order."),
    "activity": ("Activity", "What was done."),
    "time": ("Time", "When it was done. With a start as well, this is the end."),
    "start": ("Start", "When work on it began; with it the time of work is known."),
    "resource": ("Resource", "Who did it."),
    "lifecycle": ("Transition", "Whether it was started, completed and so on."),
    "cost": ("Cost", "What it cost, as a number."),
}


class ColumnsForm(forms.Form):
    """Which column of a log is what, and how its times are written."""

    shape = forms.ChoiceField(label="How times are written", choices=[(shape.value, WORDS[shape]) for shape in Shape])
    zone = forms.CharField(
        label="Time zone", max_length=60, initial="UTC",
        help_text="Of times that name none, and of weekdays: as in Europe/Vienna.",
    )  # fmt: skip
    with_lifecycle = forms.BooleanField(label="Tell an activity apart by its transition", required=False)
    keep_repeats = forms.BooleanField(label="Count an event that is there twice as two", required=False)

    def __init__(self, *given: Any, names: list[str], **named: Any) -> None:
        super().__init__(*given, **named)
        for role in ROLES:
            label, help_text = ROLE_WORDS[role]
            choices = [("", "none"), *((name, name) for name in names)]
            field = forms.ChoiceField(label=label, help_text=help_text, choices=choices, required=False)
            self.fields[role] = field
        self.order_fields([*ROLES, "shape", "zone", "with_lifecycle", "keep_repeats"])

    @property
    def columns(self) -> Columns:
        """What was chosen."""
        return Columns(**{**self.cleaned_data, "shape": Shape(self.cleaned_data["shape"])})
