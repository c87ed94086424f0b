"""Cards of agents elsewhere, and consents to act for a person."""

from typing import Any

from django import forms

from agents.models import Agent, Principal, Unit
from agents.operations import CONSENT_MINUTES
from agents.rules import SCOPES
from agents.rules.cards import CARD_BYTES


class CardForm(forms.Form):
    """The card of an agent elsewhere, as a file, and the unit that it is pinned for."""

    unit = forms.ModelChoiceField(Unit.objects.none(), empty_label=None, label="For the unit")
    card = forms.FileField(
        label="Card", help_text="The file agent-card.json as its owner publishes it, at most 256 KB.",
        widget=forms.ClearableFileInput(attrs={"accept": "application/json,.json"}),
    )  # fmt: skip

    def __init__(self, *args: Any, person: Principal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = [unit.pk for unit in Unit.objects.visible_to(person) if person.may("agents.add_agent", unit)]
        self.fields["unit"].queryset = Unit.objects.filter(pk__in=units)  # type: ignore[attr-defined]
        self.may_pin = bool(units)

    def clean_card(self) -> bytes:
        """What stands in the file, read no further than a card may be long."""
        file = self.cleaned_data["card"]
        return bytes(file.read(CARD_BYTES + 1))


class ConsentForm(forms.Form):
    """Which agent may act for the person, with which scopes, for how many minutes."""

    agent = forms.ModelChoiceField(Agent.objects.none(), to_field_name="code", empty_label=None)
    scopes = forms.MultipleChoiceField(
        choices=[(scope, words) for scope, words in SCOPES.items()], label="It may",
        widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one."},
    )  # fmt: skip
    minutes = forms.IntegerField(min_value=1, max_value=CONSENT_MINUTES, initial=CONSENT_MINUTES, label="Minutes")

    def __init__(self, *args: Any, person: Principal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agent"].queryset = Agent.objects.visible_to(person).at_work()  # type: ignore[attr-defined]
