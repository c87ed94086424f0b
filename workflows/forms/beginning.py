"""What is asked about a workflow that begins."""

from typing import Any

from django import forms
from django.utils.text import slugify

from agents.forms import WrittenForm
from agents.models import Principal, Unit
from governance.models import EscalationPath
from workflows.operations import NewWorkflow, readable
from workflows.operations.definitions import BpmnRefused, refused_for
from workflows.plan import BpmnInvalid
from workflows.plan.texts import text_of_file


class NewWorkflowForm(WrittenForm):
    """A new workflow: its name and code, whose it is, who is asked when work fails, and a file to start from."""

    name = forms.CharField(
        label="Name", max_length=200, error_messages={"required": "Say what the workflow is called."}
    )  # fmt: skip
    code = forms.SlugField(
        label="Code", max_length=80, required=False,
        help_text="Its name in addresses and for programs, as in invoice-to-payment; it never changes. Left empty: "
        "made of the name.",
    )  # fmt: skip
    unit = forms.ModelChoiceField(
        Unit.objects.none(),
        empty_label="choose",
        label="Business unit",
        error_messages={"required": "Say whose workflow it is."},
    )
    owner = forms.ModelChoiceField(
        Principal.objects.none(), empty_label="choose", label="Owner", help_text="Who answers for it.",
        error_messages={"required": "Say who answers for it."},
    )  # fmt: skip
    incident_path = forms.ModelChoiceField(
        EscalationPath.objects.none(), empty_label="choose", label="When work fails, who is asked?",
        error_messages={"required": "Say who is asked when work fails."},
    )  # fmt: skip
    file = forms.FileField(
        label="From a BPMN file", required=False,
        help_text="BPMN 2.0, from any tool. What it holds is kept, also what is not executed here.",
    )  # fmt: skip

    def __init__(self, *given: Any, user: Principal, **named: Any) -> None:
        super().__init__(*given, **named)
        self.drawing = ""
        people = Principal.objects.people().visible_to(user).order_by("name")
        for name, rows in (
            ("unit", Unit.objects.visible_to(user)), ("owner", people),
            ("incident_path", EscalationPath.objects.visible_to(user)),
        ):  # fmt: skip
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A code, made of the name where none was given."""
        said: dict[str, Any] = super().clean() or {}
        if "code" in said and not said["code"] and said.get("name"):
            said["code"] = slugify(said["name"])[:80]
            if not said["code"]:
                self.add_error("code", "Write a code: letters a to z, digits and -.")
        return said

    def clean_file(self) -> Any:
        """The text of the file, whatever its encoding."""
        file = self.cleaned_data.get("file")
        if file is not None:
            try:
                self.drawing = readable(text_of_file(file.read()))
            except (BpmnInvalid, BpmnRefused) as wrong:
                refused = refused_for(wrong) if isinstance(wrong, BpmnInvalid) else wrong
                raise forms.ValidationError(list(refused.fields.values())) from wrong
        return file

    @property
    def terms(self) -> NewWorkflow:
        """What was filled in."""
        names = ("code", "name", "unit", "owner", "incident_path")
        return NewWorkflow(**{name: self.cleaned_data[name] for name in names})
