"""Input shapes of the pages of coordination."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from agents.operations import OVERLAP_HOURS
from agents.rules import SCOPES
from governance.models import Escalation
from observability import ledger

KEY_DAYS, KEY_DAYS_AT_MOST, OVERLAP_AT_MOST = 90, 366, 7 * 24
APPROVED, REJECTED = Escalation.Status.APPROVED, Escalation.Status.REJECTED
REASON_AT_MOST = 4000
WHY = forms.CharField(required=False, max_length=2000)


def reason_in(given: QueryDict) -> str:
    """The reason in the field `why` of a small form. Raises Invalid for one that cannot be kept."""
    try:
        return str(WHY.clean(given.get("why", "")))
    except ValidationError as wrong:
        raise ledger.Invalid(fields={"why": " ".join(wrong.messages)}) from wrong


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


class AnswerForm(forms.Form):
    """A person's answer to an escalation, bound to the request they read; a rejection says why."""

    answer = forms.ChoiceField(choices=[(APPROVED, "Approve"), (REJECTED, "Reject")], widget=forms.HiddenInput)
    request_sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason_code = forms.ChoiceField(
        label="Kind of reason",
        required=False,
        choices=[("", "Choose the kind of reason"), *Escalation.ReasonCode.choices],
    )
    reason = forms.CharField(
        label="Your reason", help_text="The agent reads it.", required=False, max_length=REASON_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 2, "data-submits": "#reject"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ask for both kinds of reason when the answer is no."""
        given = super().clean() or {}
        if given.get("answer") == REJECTED:
            if not given.get("reason_code"):
                self.add_error("reason_code", "Choose the kind of reason.")
            if not given.get("reason", "").strip():
                self.add_error("reason", "Say why you reject it: the agent reads your reason.")
        return given
