"""A person's answer to a question, and the reasons of small forms."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict

from governance import operations as governance
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


# --- when the card was opened ---------------------------------------------------------------------------------
OPENED = "workflows.card-opened"


def opened_token(uid: UUID, at: datetime, *, asked: bool = False) -> str:
    """A signed note that this card was opened at that time, and whether it was asked once more already."""
    return signing.dumps({"of": str(uid), "at": at.timestamp(), "asked": asked}, salt=OPENED)


def seconds_open(token: str, uid: UUID, at: datetime) -> float | None:
    """For how long the card had been open, None for one that asked once more already or says nothing of itself."""
    try:
        noted = signing.loads(token, salt=OPENED)
    except signing.BadSignature:
        return None
    is_told = noted["of"] == str(uid) and not noted["asked"]
    return max(at.timestamp() - float(noted["at"]), 0.0) if is_told else None


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

    typed = forms.CharField(required=False, max_length=200)
    opened = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)

    @property
    def given(self) -> dict[str, Any]:
        """The answer as the operation takes it."""
        names = ("answer", "request_sha256", "reason_code", "reason")
        ticked = (
            tuple(line[:200] for line in self.data.getlist("ticked")[:20]) if isinstance(self.data, QueryDict) else ()
        )
        confirmation = governance.Confirmation(self.cleaned_data["typed"], ticked)
        return {name: self.cleaned_data[name] for name in names} | {"confirmation": confirmation}

    @property
    def ticked(self) -> list[str]:
        """The lines that were ticked when it was sent."""
        return self.data.getlist("ticked") if isinstance(self.data, QueryDict) else []

    def clean(self) -> dict[str, Any]:
        """Ask for both kinds of reason when the answer is no."""
        given = super().clean() or {}
        if given.get("answer") == REJECTED:
            if not given.get("reason_code"):
                self.add_error("reason_code", "Choose the kind of reason.")
            if not given.get("reason", "").strip():
                self.add_error("reason", "Say why you reject it: the agent reads your reason.")
        return given
