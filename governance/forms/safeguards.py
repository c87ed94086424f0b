"""Incidents and safeguards as their pages ask them."""

from collections.abc import Mapping
from typing import Any

from django import forms

from governance.models import FUSE, LIMITS
from governance.operations.safeguards import AT_MOST, FUSE_BOUNDS
from governance.rules.breaking import Fuse, Limits

WHY_AT_MOST = 2000
LIMIT_WORDS: Mapping[str, tuple[str, str]] = {
    "repeats": ("The same question again", "Same action, thing and circumstances, in the run or by the agent."),
    "no_progress": ("Questions without a finished step", "In one run."),
    "steps": ("Steps of a run", "In all."),
    "at_once": ("Steps of a run open at once", ""),
    "attempts": ("Tries of one step", ""),
    "run_minutes": ("Minutes since a run began", ""),
    "denials": ("Denials until quarantine", "Not those for a stop, a circuit, hours outside work or an error of ours."),
    "hijack_signs": ("Denials after doubtful sources until quarantine", "Within an hour."),
    "window_minutes": ("Minutes in which repeats and denials count", "At most 1,440: a day."),
    "rate_factor": ("Times its own usual hour until quarantine", "From 2 on."),
}
FUSE_WORDS: Mapping[str, tuple[str, str]] = {
    "percent": ("Failed reports, %", "From this share on, calls are stopped."),
    "at_least": ("Of at least so many reports", "Fewer say nothing."),
    "window_minutes": ("Within so many minutes", "At most 1,440: a day."),
    "cool_down_seconds": ("Seconds until it is tried again", ""),
    "trials": ("Calls on trial", "One that succeeds ends the stop."),
}


def _why(label: str, missing: str) -> forms.CharField:
    return forms.CharField(
        label=label, help_text="It stays in the audit trail.", max_length=WHY_AT_MOST,
        error_messages={"required": missing}, widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip


class ResolveForm(forms.Form):
    """Why an incident is resolved; `tag` is the state in which it was read."""

    tag = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    why = _why("Why?", "Say why.")


class LimitsForm(forms.Form):
    """At which limits agents are stopped; empty is no limit."""

    tag = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    why = _why("Why", "Say why the limits change.")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for name, (label, hint) in LIMIT_WORDS.items():
            least = 2 if name == "rate_factor" else 1
            most = 1440 if name == "window_minutes" else AT_MOST
            self.fields[name] = _count(label, hint, least, most, required=name == "window_minutes")
        self.order_fields(["tag", *LIMIT_WORDS, "why"])

    @property
    def counts(self) -> list[forms.BoundField]:
        """The fields of the limits."""
        return [self[name] for name in LIMIT_WORDS]

    @property
    def limits(self) -> Limits:
        """The limits as they were given."""
        return Limits(**{name: self.cleaned_data[name] for name in LIMITS})


class CircuitForm(forms.Form):
    """When a system is left alone, and whether it is to be trusted."""

    tag = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    is_untrusted = forms.BooleanField(label="What comes from it is not to be trusted", required=False)
    why = _why("Why", "Say why the circuit breaker changes.")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for name, (label, hint) in FUSE_WORDS.items():
            self.fields[name] = _count(label, hint, *FUSE_BOUNDS[name], required=True)
        self.order_fields(["tag", *FUSE_WORDS, "is_untrusted", "why"])

    @property
    def counts(self) -> list[forms.BoundField]:
        """The fields of the settings."""
        return [self[name] for name in FUSE_WORDS]

    @property
    def fuse(self) -> Fuse:
        """The settings as they were given."""
        return Fuse(**{name: self.cleaned_data[name] for name in FUSE})


def _count(label: str, hint: str, least: int, most: int, *, required: bool) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=hint, required=required, min_value=least, max_value=most,
        error_messages={"invalid": "Write a whole number.", "required": "Give a number."},
    )  # fmt: skip
