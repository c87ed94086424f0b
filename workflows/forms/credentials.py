"""New credentials of agents: keys, and the public halves of key pairs."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from agents.operations import OVERLAP_HOURS
from agents.rules import SCOPES

KEY_DAYS, KEY_DAYS_AT_MOST, OVERLAP_AT_MOST = 90, 366, 7 * 24


class ScopesForm(forms.Form):
    """Which doors a new credential of an agent opens."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=list(SCOPES),
        error_messages={"required": "Choose at least one."},
        widget=forms.CheckboxSelectMultiple,
        label="It opens",
    )


class KeyForm(ScopesForm):
    """A new key: how people call it, what it opens, for how long."""

    name = forms.CharField(required=False, max_length=80, label="Name", help_text="Where it is used, as in: server 2.")
    days = forms.IntegerField(
        min_value=1, max_value=KEY_DAYS_AT_MOST, initial=KEY_DAYS, label="Valid for, in days",
    )  # fmt: skip
    field_order = ("name", "scopes", "days")


class RotateForm(forms.Form):
    """How long the old key goes on beside the new one."""

    overlap_hours = forms.IntegerField(
        min_value=0, max_value=OVERLAP_AT_MOST, initial=OVERLAP_HOURS, label="The old key stays valid for, in hours",
        help_text="So that every program can be given the new one; at most 168, a week.",
    )  # fmt: skip


class ClientKeyForm(ScopesForm):
    """The public half of an agent's key pair."""

    jwk = forms.CharField(
        max_length=8_000, label="Public key (JWK)",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "mono"}),
        help_text="As JSON: P-256, Ed25519, or RSA of 2048 bits or more. The private half stays with the agent.",
    )  # fmt: skip
    days = forms.IntegerField(min_value=1, max_value=KEY_DAYS_AT_MOST, initial=365, label="Valid for, in days")
    field_order = ("jwk", "scopes", "days")

    def clean_jwk(self) -> dict[str, Any]:
        """The key as it stands in the text."""
        try:
            jwk = json.loads(self.cleaned_data["jwk"])
        except (ValueError, RecursionError) as wrong:
            raise ValidationError("This is not JSON.") from wrong
        if not isinstance(jwk, dict):
            raise ValidationError("A key is a JSON object.")
        return jwk


class EndpointForm(forms.Form):
    """Where an agent is told that work is ready."""

    url = forms.CharField(
        max_length=2000, label="Address", help_text="It gets a signed POST as soon as work is ready; https only."
    )
