"""What an event or a message task waits for or sends, as a form: when a timer goes off, which message it is."""

from collections.abc import Mapping
from typing import Any

from django import forms

from workflows.forms.repeating import expression
from workflows.plan.events import FOREIGN
from workflows.plan.lengths import bpmn_of, calendar_of, seconds_of
from workflows.plan.naming import NAMED
from workflows.plan.times import read_cycle, read_moment

TIMES: Mapping[str, str] = {"wait": "timeDuration", "moment": "timeDate", "cycle": "timeCycle"}
"""The fields of a timer, and what the drawing calls them."""
WHICH = {
    "message": ("Which message", "Its name, as whoever sends it calls it."),
    "signal": ("Which signal", "Its name. Everybody who waits for it hears it."),
    "error": ("Which error", "Its code, as the agent reports it. Empty: every error."),
    "escalation": ("Which escalation", "Its code. Empty: every escalation."),
}
SENDS = ("sendTask", "intermediateThrowEvent", "endEvent")
FIELDS = ("told", "correlation", *TIMES)


class LengthField(forms.CharField):
    """A length of time in words; `or_worked_out` allows an expression in its place, `by_calendar` also one of months
    and years."""

    def __init__(self, *, or_worked_out: bool = False, by_calendar: bool = False, **given: Any) -> None:
        self.or_worked_out, self.by_calendar = or_worked_out, by_calendar
        hint = given.pop("help_text", "Such as 4 hours, or 2 days.")
        super().__init__(max_length=400 if or_worked_out else 60, help_text=hint, **given)

    def clean(self, value: Any) -> str:
        """The length as BPMN writes it."""
        text = super().clean(value)
        if text and self.or_worked_out and is_worked_out(text):
            return text
        if text and self.by_calendar and (calendar := calendar_of(text)):
            return calendar
        if text and not seconds_of(text):
            raise forms.ValidationError("Write a length such as 30 minutes, 4 hours or 2 days.")
        return bpmn_of(seconds_of(text)) if text else ""


def is_worked_out(text: str) -> bool:
    """Whether a timer's text is an expression."""
    return text.startswith(FOREIGN) or "vars." in text


class EventFields(forms.Form):
    """What is asked about events; each form keeps the fields that its element has."""

    told = forms.CharField(label="Which message", max_length=200, required=False)
    correlation = expression(
        "Belongs to this run when its key is", "An expression, such as vars.input.order. Empty: every such message."
    )
    wait = LengthField(
        label="How long", required=False, or_worked_out=True, by_calendar=True,
        help_text="Such as 30 minutes, 2 days or 1 month.",
    )  # fmt: skip
    moment = expression("Or at the moment", "Such as 2026-12-24T18:00:00Z.")
    cycle = expression("Or again and again", "R3/PT1H: three times, an hour apart.")

    def keep_event(self, tag: str, event: str, *, is_start: bool = False) -> set[str]:
        """The names of the fields that an element of this tag and event has; their labels are set for it."""
        kept: set[str] = set()
        if event in NAMED:
            self.fields["told"].label, self.fields["told"].help_text = WHICH[event]
            kept = {"told"} | ({"correlation"} if event == "message" else set())
        if event == "timer":
            repeats = is_start or tag == "boundaryEvent"
            kept = {"wait", "moment"} | ({"cycle"} if repeats else set())
        if is_start and event == "timer":
            self.fields["cycle"].help_text = "A cron line such as 0 7 * * 1-5, or R/P1D: every day."
        if tag in SENDS:
            self.fields["correlation"].label = "Goes out with the key"
            self.fields["correlation"].help_text = "An expression, such as vars.input.order: who waits names the same."
        self._is_start = is_start
        return kept

    def clean(self) -> dict[str, Any]:
        """A timer goes off at one time only, and one that can be read."""
        said: dict[str, Any] = super().clean() or {}
        given = [name for name in TIMES if said.get(name)]
        if len(given) > 1:
            self.add_error(given[-1], "Say it in one of these fields only, and empty the others.")
        moment, cycle = str(said.get("moment") or ""), str(said.get("cycle") or "")
        if moment and not is_worked_out(moment) and not read_moment(moment):
            self.add_error("moment", "Write a moment such as 2026-12-24T18:00:00Z, with its zone.")
        if cycle and not self._is_start and not read_cycle(cycle):
            self.add_error("cycle", "Write a cycle such as R3/PT1H: how often, and how long apart.")
        return said

    @property
    def said_time(self) -> tuple[str, str]:
        """Which time of the drawing was given, and its text; two empty texts for none."""
        said = self.cleaned_data
        return next(((tag, said[name]) for name, tag in TIMES.items() if said.get(name)), ("", ""))
