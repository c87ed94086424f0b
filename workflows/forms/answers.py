"""A person's answer to a question, and the reasons of small forms."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from governance.models import Escalation
from observability import ledger

APPROVED, REJECTED = Escalation.Status.APPROVED, Escalation.Status.REJECTED
REASON_AT_MOST = 4000
WHY = forms.CharField(required=False, max_length=2000)


def reason_in(given: QueryDict) -> str:
    """The reason in the field `why` of a small form. Raises Invalid for one that cannot be kept."""
    try:
        return str(WHY.clean(given.get("why", "")))
    except ValidationError as wrong:
        raise ledger.Invalid(fields={"why": " ".join(wrong.messages)}) from wrong


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
