"""Rights, delegations and access reviews."""

from typing import Any

from django import forms

from agents.forms import WrittenForm
from agents.models import Principal, Review, Unit
from agents.operations.reasons import WHY_AT_MOST
from agents.rules.access import KINDS
from governance.models import EscalationPath, Risk
from governance.operations import deciders


class DayField(forms.DateField):
    """A day, chosen from the browser's calendar."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class TermsForm(WrittenForm):
    """Why a right is given, and until when."""

    places = {"expires_at": "until"}

    reason = forms.CharField(
        label="Reason", help_text="It stands beside the right, and in the audit trail.", max_length=WHY_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 2}), error_messages={"required": "Say why the right is given."},
    )  # fmt: skip
    until = DayField(label="Last day", help_text="Leave it empty for a right without an end.", required=False)


class GiveForm(TermsForm):
    """A right on the object of the page, for a person, an agent or a role."""

    to = forms.CharField(
        label="For whom", max_length=160, help_text="A user name, an agent’s code, or role: and a role’s name.",
        widget=forms.TextInput(attrs={"list": "receivers", "autocomplete": "off"}),
        error_messages={"required": "Say who gets the right."},
    )  # fmt: skip
    permission = forms.ChoiceField(label="May")
    field_order = ("to", "permission", "reason", "until")

    def __init__(self, *args: Any, rights: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permission"].choices = rights  # type: ignore[attr-defined]


class GiveObjectForm(TermsForm):
    """A right for the person or agent of the page, on an object."""

    places = {"expires_at": "until", "to": "", "permission": "right"}

    right = forms.ChoiceField(label="May")
    object = forms.CharField(
        label="On which object", max_length=80,
        help_text="The code of the unit, agent, workflow, policy, system or space.",
        error_messages={"required": "Name the object by its code."},
    )  # fmt: skip
    field_order = ("right", "object", "reason", "until")

    def __init__(self, *args: Any, rights: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["right"].choices = rights  # type: ignore[attr-defined]


class DelegationForm(WrittenForm):
    """Who decides for whom, from when until when, and what."""

    places = {"starts_at": "first", "ends_at": "last"}

    person = forms.ModelChoiceField(
        label="Who will be away", queryset=Principal.objects.none(), to_field_name="username", empty_label=None
    )
    to = forms.ModelChoiceField(
        label="Who decides instead", queryset=Principal.objects.none(), to_field_name="username",
        empty_label="Choose a person", error_messages={"required": "Choose who decides."},
    )  # fmt: skip
    first = DayField(label="First day", help_text="Leave it empty to begin now.", required=False)
    last = DayField(
        label="Last day", help_text="At most 90 days later.", error_messages={"required": "Choose the last day."}
    )
    risk_at_most = forms.TypedChoiceField(label="Up to which risk", coerce=int, choices=Risk.choices, initial=Risk.HIGH)
    unit = forms.ModelChoiceField(
        label="In which unit", queryset=Unit.objects.none(), to_field_name="code", required=False,
        empty_label="In every unit",
    )  # fmt: skip
    paths = forms.ModelMultipleChoiceField(
        label="Only on these escalation paths", queryset=EscalationPath.objects.none(), to_field_name="key",
        required=False, help_text="Choose none for all paths.", widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    reason = forms.CharField(
        label="Reason", max_length=WHY_AT_MOST, widget=forms.TextInput(attrs={"placeholder": "On leave"}),
        error_messages={"required": "Say why somebody else decides."},
    )  # fmt: skip

    def __init__(self, *args: Any, viewer: Principal, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {
            "person": people, "to": deciders(viewer).exclude(pk=viewer.pk).order_by("name"),
            "unit": Unit.objects.visible_to(viewer),
            "paths": EscalationPath.objects.visible_to(viewer).order_by("name"),
        }  # fmt: skip
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]


class ReviewForm(WrittenForm):
    """What an access review covers, until when, and who answers."""

    places = {"due": "last"}

    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Give the review a name."})
    last = DayField(
        label="Last day", help_text="What nobody answers for by then is taken away.",
        error_messages={"required": "Choose the last day."},
    )  # fmt: skip
    kinds = forms.MultipleChoiceField(
        label="Rights on", choices=[(kind.name, kind.plural) for kind in KINDS.values()], required=False,
        help_text="Choose none for all kinds of objects.", widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    units = forms.ModelMultipleChoiceField(
        label="In these units, and below them", queryset=Unit.objects.none(), to_field_name="code", required=False,
        help_text="Choose none for all units that you may see.", widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    answered_by = forms.ChoiceField(
        label="Who answers", choices=Review.AnsweredBy.choices, initial=Review.AnsweredBy.ACCOUNTABLE,
        help_text="Nobody answers for a right of their own: it goes to the next owner above.",
    )  # fmt: skip
    named = forms.ModelChoiceField(
        label="The one person", queryset=Principal.objects.none(), to_field_name="username", required=False,
        empty_label="Nobody in particular",
    )  # fmt: skip

    def __init__(self, *args: Any, viewer: Principal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Principal.objects.people().visible_to(viewer).order_by("name")
        self.fields["named"].queryset = people  # type: ignore[attr-defined]
        self.fields["units"].queryset = Unit.objects.visible_to(viewer)  # type: ignore[attr-defined]
