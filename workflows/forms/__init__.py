"""Input shapes of the pages of coordination."""

from workflows.forms.access import DelegationForm, GiveForm, GiveObjectForm, ReviewForm, TermsForm
from workflows.forms.answers import AnswerForm, opened_token, reason_in, seconds_open
from workflows.forms.credentials import KEY_DAYS, ClientKeyForm, EndpointForm, KeyForm, RotateForm

__all__ = [
    "KEY_DAYS",
    "AnswerForm",
    "ClientKeyForm",
    "DelegationForm",
    "EndpointForm",
    "GiveForm",
    "GiveObjectForm",
    "KeyForm",
    "ReviewForm",
    "RotateForm",
    "TermsForm",
    "opened_token",
    "reason_in",
    "seconds_open",
]
