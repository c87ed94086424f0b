"""What a person wants to be told of, when, and where."""

from typing import Any
from zoneinfo import available_timezones

from django import forms

from agents.forms import WrittenForm
from governance.models import NoticePlace, NoticeWish
from governance.rules.notifying import WORDS, Rhythm

RHYTHMS = ((Rhythm.AT_ONCE, "At once"), (Rhythm.HOURLY, "Once an hour"), (Rhythm.DAILY, "Once a day"))


def zones() -> list[tuple[str, str]]:
    """The time zones that people know: by place, and UTC."""
    return [(name, name) for name in sorted(available_timezones()) if "/" in name and "Etc" not in name] + [
        ("UTC", "UTC")
    ]


def clock(label: str, **more: Any) -> forms.TimeField:
    """A time of the day."""
    widget = forms.TimeInput({"type": "time"}, "%H:%M")
    return forms.TimeField(label=label, input_formats=["%H:%M"], widget=widget, **more)


class NoticeForm(WrittenForm):
    """Of what and when a person is told."""

    happenings = forms.MultipleChoiceField(
        label="Tell me when", choices=[(str(name), words) for name, words in WORDS.items()], required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    rhythm = forms.ChoiceField(label="How often", choices=[(str(name), words) for name, words in RHYTHMS])
    daily_at = clock("Once a day at")
    quiet_from = clock("Quiet from", required=False)
    quiet_until = clock("Quiet until", required=False)
    zone = forms.ChoiceField(label="Time zone", choices=zones)

    @classmethod
    def of(cls, wish: NoticeWish) -> "NoticeForm":
        """The form as the person left it."""
        return cls(initial={name: getattr(wish, name) for name in cls.base_fields})


class PlaceForm(WrittenForm):
    """One more place where a person is told."""

    kind = forms.ChoiceField(label="Kind")
    address = forms.CharField(
        label="Address", required=False, max_length=2000,
        help_text="The address that Slack, Teams or the receiver of the webhook shows. It is kept encrypted and not "
        "shown again. E-mail goes to the address of your account.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )  # fmt: skip

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, NoticePlace.Kind(kind).label) for kind in kinds]  # type: ignore[attr-defined]
