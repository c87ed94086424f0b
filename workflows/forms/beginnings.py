"""How runs begin: the form that the inputs of a start event make, and forms for what begins them by itself."""

from typing import Any

from django import forms

from governance.language import Kind
from governance.models import BusinessCalendar
from observability import ledger
from workflows.models import Listener, Run, Schedule, Workflow
from workflows.plan import Output, plain

LONGEST_TEXT = 4000


def field_for(output: Output) -> forms.Field:
    """The form field for one typed input."""
    label = output.label or output.name
    options: dict[str, Any] = {"label": label[:1].upper() + label[1:], "required": False}
    match output.kind:
        case Kind.BOOL:
            choices = [("", "Not said"), ("yes", "Yes"), ("no", "No")]
            return forms.ChoiceField(choices=choices, **options)
        case Kind.INT:
            return forms.IntegerField(**options)
        case Kind.DECIMAL:
            return forms.DecimalField(**options)
        case Kind.TIMESTAMP:
            return forms.DateTimeField(
                help_text="UTC, as in 2026-12-24 18:00", **options,
            )  # fmt: skip
        case Kind.DURATION:
            return forms.CharField(max_length=40, help_text="As in 90m or 48h", **options)
        case Kind.LIST | Kind.MAP:
            rows = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"})
            return forms.JSONField(widget=rows, help_text="As JSON", **options)
    return forms.CharField(max_length=LONGEST_TEXT, **options)


class Refusing(forms.Form):
    """A form that takes what an operation refused to its fields."""

    def refuse(self, refused: ledger.Refused) -> None:
        """Show each reason at its field, what belongs to none above all."""
        for name, said in refused.fields.items():
            at = next((each for each in (name, f"in-{name}") if each in self.fields), None)
            self.add_error(at, said if at else f"{name}: {said}")
        if not refused.fields:
            self.add_error(None, refused.detail)


class StartForm(Refusing):
    """Start a run: its key, and what its start event asks for."""

    key = forms.CharField(
        label="Business key", max_length=200,
        help_text="What the run is about, as the number of an order. The same key again is the same run.",
    )  # fmt: skip

    def __init__(self, *args: Any, inputs: tuple[Output, ...], **options: Any) -> None:
        super().__init__(*args, **options)
        self.inputs = inputs
        for output in inputs:
            self.fields[f"in-{output.name}"] = field_for(output)

    @property
    def values(self) -> dict[str, Any]:
        """What was filled in, as JSON keeps it."""
        given = {output: self.cleaned_data.get(f"in-{output.name}") for output in self.inputs}
        return {output.name: _value(output, value) for output, value in given.items() if value not in (None, "")}


def _value(output: Output, value: Any) -> Any:
    return value == "yes" if output.kind is Kind.BOOL else plain(value)


class ScheduleForm(Refusing):
    """When a workflow begins runs by itself."""

    name = forms.CharField(label="Name", max_length=120)
    rule = forms.CharField(
        label="When", max_length=200,
        help_text="A cron line as in 0 7 * * mon-fri, or a cycle as in R/P1D.",
    )  # fmt: skip
    zone = forms.CharField(label="Time zone", max_length=60, initial="UTC", help_text="As in Europe/Berlin.")
    missed = forms.ChoiceField(label="What was missed", choices=Schedule.Missed.choices, initial=Schedule.Missed.ONCE)
    calendar = forms.ModelChoiceField(
        label="Only in the working time of", queryset=BusinessCalendar.objects.none(), required=False,
        empty_label="any time",
    )  # fmt: skip
    variables = forms.JSONField(
        label="Inputs", required=False, initial=dict, help_text="As JSON, by the names that the start event declares.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"}),
    )  # fmt: skip

    def __init__(self, *args: Any, calendars: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        chooser = self.fields["calendar"]
        if isinstance(chooser, forms.ModelChoiceField):
            chooser.queryset = calendars

    def clean_variables(self) -> dict[str, Any]:
        """The inputs, an object."""
        given = self.cleaned_data["variables"] or {}
        if not isinstance(given, dict):
            raise forms.ValidationError('Write an object as in {"month": "11"}.')
        return given


class HookForm(Refusing):
    """An address at which another system begins runs or sends a message."""

    name = forms.CharField(label="Name", max_length=120, help_text="Which system calls here.")
    message = forms.ChoiceField(label="Each call", required=False)
    key_path = forms.CharField(
        label="Where the business key stands", max_length=200, required=False,
        help_text="In the JSON that is sent, as in order.number. Empty: the number of the call is the key.",
    )  # fmt: skip

    def __init__(self, *args: Any, workflow: Workflow, **options: Any) -> None:
        super().__init__(*args, **options)
        names = Listener.objects.filter(workflow=workflow, kind="message").order_by("name").values_list("name")
        chooser = self.fields["message"]
        if isinstance(chooser, forms.ChoiceField):
            known = [(name, f"is the message “{name}”") for (name,) in names.distinct()]
            chooser.choices = [("", "begins a run"), *known]


class FollowForm(Refusing):
    """After which runs of which other workflow one begins."""

    after = forms.ModelChoiceField(
        label="After runs of", queryset=Workflow.objects.none(), to_field_name="code", empty_label="Choose a workflow",
        help_text="Those that you may publish. What its run left is passed on to inputs of the same name.",
    )  # fmt: skip
    status = forms.ChoiceField(
        label="Which end as", choices=[(end.value, end.label) for end in Run.ENDS], initial=Run.Status.DONE
    )
    outcome = forms.CharField(
        label="With the outcome", max_length=200, required=False,
        help_text="As its end event is named, as in Paid. Empty: with any.",
    )  # fmt: skip

    def __init__(self, *args: Any, others: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        chooser = self.fields["after"]
        if isinstance(chooser, forms.ModelChoiceField):
            chooser.queryset = others
