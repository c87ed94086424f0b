"""Input shapes of the pages of identity."""

from agents.forms.credentials import CardForm, ConsentForm
from agents.forms.hiring import (
    AgentForm,
    AssessmentForm,
    BlueprintForm,
    RetireForm,
    RollBackForm,
    offered_to,
    people_near,
)
from agents.forms.people import AdmitForm, InvitationForm, MoverForm, ReviewForm, RolesForm
from agents.forms.signing_in import (
    AppForm,
    CodeForm,
    ConfirmCodeForm,
    ConfirmPasswordForm,
    PasskeyForm,
    PasskeyNameForm,
    PasswordForm,
    SignInForm,
)
from agents.forms.written import WhyForm, WrittenForm

__all__ = [
    "AdmitForm",
    "AgentForm",
    "AppForm",
    "AssessmentForm",
    "BlueprintForm",
    "CardForm",
    "CodeForm",
    "ConfirmCodeForm",
    "ConfirmPasswordForm",
    "ConsentForm",
    "InvitationForm",
    "MoverForm",
    "PasskeyForm",
    "PasskeyNameForm",
    "PasswordForm",
    "RetireForm",
    "ReviewForm",
    "RolesForm",
    "RollBackForm",
    "SignInForm",
    "WhyForm",
    "WrittenForm",
    "offered_to",
    "people_near",
]
