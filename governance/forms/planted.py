"""Planted cases as their page asks them."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from governance.models import Escalation, PlantedCase
from governance.operations import learning


class PlantForm(forms.Form):
    """What is asked, what is shown, the right answer and why."""

    title = forms.CharField(
        label="What is asked", help_text="As an agent would ask it. Nothing may tell that it is planted.",
        max_length=300,
    )  # fmt: skip
    shown = forms.CharField(
        label="Facts shown", help_text="One on each line: Amount: 7,950.00", required=False, max_length=12_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip
    statement = forms.CharField(
        label="What the agent states", help_text="Empty: as in the pattern.", required=False, max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    request = forms.CharField(
        label="The request", help_text="JSON, as programs read it. It has to fit the facts.", max_length=25_000,
        widget=forms.Textarea(attrs={"rows": 12, "class": "os-code", "spellcheck": "false"}),
    )  # fmt: skip
    right_answer = forms.ChoiceField(label="The right answer", choices=PlantedCase.Answer.choices)
    why = forms.CharField(
        label="Why it is the right answer", help_text="Who answers reads it afterwards.", max_length=2_000,
        error_messages={"required": "Say why: who answers reads it afterwards."},
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    @classmethod
    def like(cls, pattern: Escalation) -> "PlantForm":
        """The form filled in as the pattern was asked."""
        lines = "\n".join(f"{fact['label']}: {fact['value']}" for fact in pattern.shown)
        request = json.dumps(pattern.request, indent=2, ensure_ascii=False)
        return cls(initial={"title": pattern.title, "shown": lines, "request": request, "right_answer": "rejected"})

    def clean_request(self) -> dict[str, Any]:
        """The request as an object."""
        try:
            request = json.loads(self.cleaned_data["request"])
        except (ValueError, RecursionError) as wrong:
            raise ValidationError("This is no JSON.") from wrong
        if not isinstance(request, dict):
            raise ValidationError("Write an object with action, resource and context.")
        return request

    def clean_shown(self) -> list[dict[str, str]]:
        """The facts, one from each line."""
        facts = []
        for line in self.cleaned_data["shown"].splitlines():
            label, colon, value = line.partition(":")
            if line.strip() and not (colon and label.strip() and value.strip()):
                raise ValidationError(f"Write each fact as name, colon, value. This is none: {line[:80]}")
            if line.strip():
                facts.append({"label": label.strip(), "value": value.strip()})
        return facts

    def planted(self, pattern: Escalation) -> learning.Planted:
        """What was filled in, as a case."""
        names = ("title", "request", "shown", "right_answer", "why", "statement")
        return learning.Planted(like=pattern, **{name: self.cleaned_data[name] for name in names})
