"""Input shapes of the pages about escalation paths, business calendars and trainings."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Group

from agents.forms.written import WrittenForm, lines, reason
from agents.models import Principal, Unit
from agents.rules.hours import DAY_NAMES
from governance.language import WrongValue, format_duration, parse_duration
from governance.models import BusinessCalendar, EscalationPath
from governance.operations import Level, PathTerms, deciders
from governance.operations.paths import LEVELS_AT_MOST

BARS = [
    ("accountable", "Who answers for the agent"),
    ("author", "Who wrote the policy version that asks"),
    ("previous_approver", "Who approved something else of the same run"),
]


class LengthField(forms.Field):
    """A length of time such as 4h or 2d, in seconds; 0 for nothing."""

    def to_python(self, value: Any) -> Any:
        """The seconds."""
        text = str(value or "").strip()[:40]
        if not text:
            return 0
        try:
            length = parse_duration(text)
        except WrongValue as wrong:
            raise forms.ValidationError("Write a length of time such as 30m, 4h or 2d.") from wrong
        return int(length.total_seconds())

    def prepare_value(self, value: Any) -> Any:
        """The seconds as people write them."""
        return format_duration(timedelta(seconds=value)) if isinstance(value, int) and value else value or ""


class LevelForm(forms.Form):
    """One level: people, a role or both; an empty one is left out."""

    people = forms.ModelMultipleChoiceField(
        Principal.objects.none(), label="People", to_field_name="username", required=False,
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )  # fmt: skip
    role = forms.ModelChoiceField(
        Group.objects.none(), label="Or a role", to_field_name="name", required=False, empty_label="No role"
    )
    seconds = LengthField(label="Their time", required=False, help_text="Such as 30m, 4h or 2d.")
    quorum = forms.IntegerField(label="How many approve", min_value=1, max_value=20, initial=1, required=False)
    remind = LengthField(label="Remind before the end", required=False, help_text="Empty: no reminder.")

    def __init__(self, *given: Any, viewer: Principal, **named: Any) -> None:
        super().__init__(*given, **named)
        roles = Group.objects.filter(permissions__codename="settle_escalation").order_by("name")
        self.fields["people"].queryset = deciders(viewer).order_by("name")  # type: ignore[attr-defined]
        self.fields["role"].queryset = roles  # type: ignore[attr-defined]

    @property
    def level(self) -> Level | None:
        """The level, None for an empty one."""
        given = self.cleaned_data
        if not given.get("people") and not given.get("role"):
            return None
        group = given["role"].name if given.get("role") else ""
        return Level(given["seconds"], tuple(given["people"]), group, given["quorum"] or 1, given["remind"])


LevelForms = forms.formset_factory(LevelForm, extra=2, max_num=LEVELS_AT_MOST)


class PathForm(WrittenForm):
    """What holds on a path beside its levels."""

    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Give the path a name."})
    mode = forms.ChoiceField(label="How its levels are asked", choices=EscalationPath.Mode.choices)
    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.none(), label="Business calendar", to_field_name="key", required=False,
        empty_label="None: all time counts", help_text="Only working time counts then.",
    )  # fmt: skip
    not_by = forms.MultipleChoiceField(
        label="Not decided by", choices=BARS, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Who asked or started the run never decides.",
    )  # fmt: skip
    training = forms.SlugField(
        label="Training needed", max_length=60, required=False, help_text="Its name, as in payments-basics."
    )
    asking_pauses = forms.BooleanField(label="The clock stands still while the agent is asked", required=False)
    pauses_at_most = forms.IntegerField(label="How often at most", min_value=1, max_value=10, initial=2)
    pause_hours_at_most = forms.IntegerField(label="Hours in all at most", min_value=1, max_value=168, initial=8)
    approves_unanswered = forms.BooleanField(
        label="Approve low risk that nobody answered", required=False, help_text="Only the council sets this."
    )
    why = reason()
    places = {"reason": "why"}

    def __init__(self, *given: Any, viewer: Principal, **named: Any) -> None:
        super().__init__(*given, **named)
        calendars = BusinessCalendar.objects.visible_to(viewer)
        self.fields["calendar"].queryset = calendars  # type: ignore[attr-defined]

    @property
    def terms(self) -> PathTerms:
        """The terms as the operation takes them."""
        given = {name: value for name, value in self.cleaned_data.items() if name in PathTerms.__dataclass_fields__}
        return PathTerms(**{**given, "not_by": tuple(given["not_by"])})


class NewPathForm(PathForm):
    """The same for a new path."""

    key = forms.SlugField(label="Key", max_length=60, help_text="Policies name it, as in large-payments.")
    unit = forms.ModelChoiceField(Unit.objects.none(), label="Unit", to_field_name="code", empty_label=None)
    field_order = ("key", "name", "unit")

    def __init__(self, *given: Any, viewer: Principal, units: list[int], **named: Any) -> None:
        super().__init__(*given, viewer=viewer, **named)
        self.fields["unit"].queryset = Unit.objects.filter(pk__in=units)  # type: ignore[attr-defined]


class CalendarForm(WrittenForm):
    """When people work."""

    name = forms.CharField(label="Name", max_length=200)
    days = forms.MultipleChoiceField(
        label="Working days", choices=list(DAY_NAMES.items()), widget=forms.CheckboxSelectMultiple
    )
    begin = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    end = forms.TimeField(label="To", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    zone = forms.CharField(label="Time zone", max_length=60, initial="Europe/Berlin")
    holidays = forms.CharField(
        label="Days off", required=False, help_text="One in a line, as in 2026-12-25.", widget=lines(4, 6_000)
    )
    places = {"hours": ""}

    @property
    def document(self) -> dict[str, Any]:
        """The calendar as it is kept."""
        given = self.cleaned_data
        return {
            "days": given["days"], "from": f"{given['begin']:%H:%M}", "to": f"{given['end']:%H:%M}",
            "zone": given["zone"], "holidays": given["holidays"].split(),
        }  # fmt: skip


class NewCalendarForm(CalendarForm):
    """The same for a new calendar."""

    key = forms.SlugField(label="Key", max_length=60, help_text="As in head-office.")
    unit = forms.ModelChoiceField(Unit.objects.none(), label="Unit", to_field_name="code", empty_label=None)
    field_order = ("key", "name", "unit")

    def __init__(self, *given: Any, units: list[int], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["unit"].queryset = Unit.objects.filter(pk__in=units)  # type: ignore[attr-defined]


class TrainingForm(WrittenForm):
    """Until when a training of somebody counts."""

    person = forms.ModelChoiceField(
        Principal.objects.none(), label="Person", to_field_name="username", empty_label="Choose a person"
    )
    training = forms.SlugField(label="Training", max_length=60, help_text="Its name, as in payments-basics.")
    last = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    places = {"name": "training", "valid_until": "last"}

    def __init__(self, *given: Any, viewer: Principal, **named: Any) -> None:
        super().__init__(*given, **named)
        people = Principal.objects.people().visible_to(viewer).exclude(pk=viewer.pk).order_by("name")
        self.fields["person"].queryset = people  # type: ignore[attr-defined]
