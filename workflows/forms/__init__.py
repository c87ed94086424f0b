"""Input shapes of the pages of coordination."""

from workflows.forms.access import DelegationForm, GiveForm, GiveObjectForm, ReviewForm, TermsForm
from workflows.forms.answers import AnswerForm, reason_in
from workflows.forms.credentials import KEY_DAYS, ClientKeyForm, KeyForm, RotateForm

__all__ = [
    "KEY_DAYS",
    "AnswerForm",
    "ClientKeyForm",
    "DelegationForm",
    "GiveForm",
    "GiveObjectForm",
    "KeyForm",
    "ReviewForm",
    "RotateForm",
    "TermsForm",
    "reason_in",
]
