"""The settings of one element of a drawing as a form: what its kind has, in words, and the values to write."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from workflows.forms.steps import LengthField
from workflows.plan.graph import IDENTIFIER
from workflows.plan.lengths import words_of

AREA = {"rows": 2}
TYPES = [
    ("string", "Text"), ("int", "Whole number"), ("decimal", "Amount"), ("bool", "Yes or no"),
    ("timestamp", "Date and time"), ("duration", "Length of time"), ("list", "List"), ("json", "Object"),
]  # fmt: skip
RISKS = [("", "Not said"), ("low", "Low"), ("medium", "Medium"), ("high", "High")]
ROWS_AT_MOST = 60
NOTHING = {"calls": "Choose a workflow", "memorySpace": "None"}


@dataclass(frozen=True)
class Part:
    """One section of the form; a folded one is opened when it holds something."""

    title: str
    fields: tuple[str, ...]
    is_folded: bool = False


TIMES = Part("Time and cost", ("due", "lease", "attempts", "backOff", "timeLimit", "costLimit", "priority"), True)
MEMORY = Part("Shared memory", ("memorySpace", "memoryKey", "memoryFor"), True)
SCHEMAS = Part("JSON Schema", ("input_schema", "output_schema"), True)
KINDS: Mapping[str, tuple[str, tuple[Part, ...]]] = {
    "bpmn:ServiceTask": (
        "Agent task", (Part("", ("name", "role", "capability", "action")), TIMES, MEMORY, SCHEMAS),
    ),
    "bpmn:UserTask": (
        "Approval",
        (
            Part("", ("name", "path", "due")),
            Part("What the person sees", ("title", "risk", "effect", "approve", "reject", "timeout")),
            Part("More", ("priority",), True), SCHEMAS,
        ),
    ),
    "bpmn:BusinessRuleTask": ("Policy check", (Part("", ("name", "decision")),)),
    "bpmn:ScriptTask": ("Work out values", (Part("", ("name",)),)),
    "bpmn:SendTask": ("Send a message", (Part("", ("name", "correlation")),)),
    "bpmn:ReceiveTask": ("Wait for a message", (Part("", ("name", "correlation")), SCHEMAS)),
    "bpmn:CallActivity": ("Sub-workflow", (Part("", ("name", "calls")),)),
    "bpmn:StartEvent": ("Start", (Part("", ("name", "wait")),)),
    "bpmn:IntermediateCatchEvent": ("Wait", (Part("", ("name", "wait", "correlation")),)),
    "bpmn:BoundaryEvent": ("Time limit", (Part("", ("name", "wait", "interrupting", "correlation")),)),
    "bpmn:ExclusiveGateway": ("Decision: one way is taken", (Part("", ("name",)),)),
    "bpmn:InclusiveGateway": ("Decision: every way that fits is taken", (Part("", ("name",)),)),
    "bpmn:ParallelGateway": ("In parallel", (Part("", ("name",)),)),
    "bpmn:EventBasedGateway": ("Whatever happens first", (Part("", ("name",)),)),
    "bpmn:EndEvent": ("End", (Part("", ("name",)),)),
    "bpmn:SequenceFlow": ("Way", (Part("", ("name", "condition", "otherwise")),)),
    "bpmn:Participant": ("Workflow", (Part("", ("name",)),)),
    "bpmn:Lane": ("Lane", (Part("", ("name",)),)),
    "bpmn:SubProcess": ("Steps that belong together", (Part("", ("name",)),)),
}  # fmt: skip
VALUES: Mapping[str, tuple[str, str]] = {
    "bpmn:StartEvent": ("inputs", "What a run is started with"),
    "bpmn:ServiceTask": ("outputs", "What the agent hands in"),
    "bpmn:UserTask": ("outputs", "What the person hands in"),
    "bpmn:BusinessRuleTask": ("outputs", "What the table answers"),
    "bpmn:ScriptTask": ("outputs", "What is worked out"),
    "bpmn:SendTask": ("outputs", "What the message says"),
    "bpmn:ReceiveTask": ("outputs", "What the message brings"),
    "bpmn:CallActivity": ("outputs", "What comes back"),
}
COMPUTED = ("bpmn:ScriptTask", "bpmn:SendTask")
LEAVES_BY_CHOICE = ("bpmn:ExclusiveGateway", "bpmn:InclusiveGateway")
GLYPHS = {
    "bpmn:ServiceTask": "bot", "bpmn:UserTask": "user", "bpmn:BusinessRuleTask": "shield-check",
    "bpmn:CallActivity": "workflow", "bpmn:StartEvent": "play", "bpmn:EndEvent": "flag",
    "bpmn:SequenceFlow": "arrow-right", "bpmn:BoundaryEvent": "clock", "bpmn:IntermediateCatchEvent": "clock",
    "bpmn:ExclusiveGateway": "split", "bpmn:InclusiveGateway": "split", "bpmn:ParallelGateway": "git-fork",
}  # fmt: skip


def length(label: str, help_text: str = "Such as 30 minutes, 4 hours or 2 days.") -> LengthField:
    """A length of time that may be left out."""
    return LengthField(label=label, help_text=help_text, required=False)


class SchemaField(forms.CharField):
    """A JSON Schema, empty for none."""

    def __init__(self, **options: Any) -> None:
        shown = forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"})
        super().__init__(required=False, max_length=20_000, widget=shown, **options)

    def clean(self, value: Any) -> str:
        """The text, when it is a JSON object."""
        text = super().clean(value).strip()
        if text:
            try:
                found = json.loads(text)
            except ValueError as wrong:
                raise ValidationError(f"This is no JSON: {wrong}.") from wrong
            if not isinstance(found, dict):
                raise ValidationError('A schema is an object, such as {"type": "object"}.')
        return str(text)


class ValueForm(forms.Form):
    """One typed value: its name, type and label; where it is worked out, also how."""

    name = forms.CharField(label="Name", max_length=60, required=False)
    type = forms.ChoiceField(label="Type", choices=TYPES, required=False)
    label = forms.CharField(label="Label", max_length=120, required=False)
    value = forms.CharField(label="Worked out as", max_length=1000, required=False)

    def __init__(self, *given: Any, computed: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        if not computed:
            del self.fields["value"]
        found = str(self.initial.get("type") or "string")
        if found not in dict(TYPES):  # a type of the file that the list does not know stays
            self.fields["type"].choices = [*TYPES, (found, found)]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """A name that expressions can use."""
        name = str(self.cleaned_data["name"]).strip()
        if name and not IDENTIFIER.fullmatch(name):
            raise ValidationError(f"“{name}” cannot be the name of a value: use letters, digits and _.")
        return name

    @property
    def row(self) -> dict[str, str]:
        """The value as the drawing holds it."""
        given = self.cleaned_data
        return {
            "name": given["name"], "type": given.get("type") or "string", "label": given.get("label", ""),
            "value": given.get("value", ""),
        }  # fmt: skip


@dataclass(frozen=True)
class Offers:
    """What can be chosen, as (code, name): who works, who decides, what is called, and where is looked first."""

    role: Iterable[tuple[str, str]]
    path: Iterable[tuple[str, str]]
    calls: Iterable[tuple[str, str]]
    memorySpace: Iterable[tuple[str, str]]

    def of(self, name: str) -> list[tuple[str, str]]:
        """The choices of one field, with what stands for none."""
        return [("", NOTHING.get(name, "Nobody yet")), *getattr(self, name)]


class ElementForm(forms.Form):
    """The settings of an element; `values` are those of the drawing, `offers` what can be chosen."""

    name = forms.CharField(label="Name", max_length=200, required=False)
    role = forms.ChoiceField(label="Who works", required=False)
    capability = forms.CharField(
        label="Needs the capability", max_length=60, required=False, help_text="Empty: every agent of the role."
    )
    action = forms.CharField(
        label="Action", max_length=80, required=False, help_text="What the policies know it as, such as invoice.pay."
    )
    path = forms.ChoiceField(label="Who decides", required=False)
    due = length("Decide within")
    title = forms.CharField(
        label="The question",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs=AREA),
        help_text="Values in braces: Pay {vars.read.total} to {vars.read.seller}.",
    )
    risk = forms.ChoiceField(label="Risk", choices=RISKS, required=False)
    effect = forms.CharField(label="What happens then", max_length=200, required=False)
    approve = forms.CharField(label="If approved", max_length=300, required=False, widget=forms.Textarea(attrs=AREA))
    reject = forms.CharField(label="If rejected", max_length=300, required=False, widget=forms.Textarea(attrs=AREA))
    timeout = forms.CharField(
        label="If nobody decides", max_length=300, required=False, widget=forms.Textarea(attrs=AREA)
    )
    lease = length("Heard of at least every", "Else another agent takes it. Empty: 60 seconds.")
    attempts = forms.IntegerField(
        label="Tried at most", min_value=1, max_value=100, required=False, help_text="Times. Empty: 3."
    )
    backOff = length("Pause before it is tried again")
    timeLimit = length("Stopped after")
    costLimit = forms.DecimalField(label="Stopped when it costs more than", min_value=0, required=False)
    priority = forms.IntegerField(
        label="Priority", min_value=-1000, max_value=1000, required=False, help_text="The higher comes first. Empty: 0."
    )
    memorySpace = forms.ChoiceField(label="Space", required=False)
    memoryKey = forms.CharField(
        label="Key of what it finds",
        max_length=200,
        required=False,
        help_text="Who asks for the same key gets the same answer: vendor/{vars.input.vendor}.",
    )
    memoryFor = length("Valid for")
    input_schema = SchemaField(label="Of what it takes")
    output_schema = SchemaField(label="Of what it hands in")
    decision = forms.CharField(label="Decision table", max_length=80, required=False, help_text="Its code.")
    correlation = forms.CharField(
        label="Belongs to this run when",
        max_length=400,
        required=False,
        help_text="An expression, such as vars.input.order.",
    )
    calls = forms.ChoiceField(label="Which workflow", required=False)
    wait = LengthField(
        label="How long", help_text="Such as 30 minutes, 2 days or 1 month.", required=False, by_calendar=True
    )
    interrupting = forms.BooleanField(label="The step is then taken back", required=False)
    condition = forms.CharField(
        label="Taken when",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={**AREA, "class": "mono"}),
        help_text="An expression, such as vars.match.matched == true.",
    )
    otherwise = forms.BooleanField(label="Taken when no other way fits", required=False)

    def __init__(self, values: Mapping[str, Any], offers: Offers, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(values))
        self.kind = str(values.get("kind", ""))
        self.word, self.parts = KINDS.get(self.kind, ("Element", (Part("", ("name",)),)))
        self.icon = GLYPHS.get(self.kind, "square")
        self._keep_own(values)
        for name in {"due", "lease", "backOff", "timeLimit", "memoryFor", "wait"} & set(self.fields):
            self.initial[name] = words_of(str(values.get(name) or ""))
        for name in {"role", "path", "calls", "memorySpace"} & set(self.fields):
            self._offer(name, offers, str(values.get(name) or ""))
        if self.kind == "bpmn:ServiceTask":
            self.fields["due"].label = "Due within"
        self.values_name, self.values_title = VALUES.get(self.kind, ("", ""))
        self.rows = list(self._rows(values, data)) if self.values_name else []

    def _keep_own(self, values: Mapping[str, Any]) -> None:
        own = {name for part in self.parts for name in part.fields}
        timed = values.get("event") == "bpmn:TimerEventDefinition"
        heard = values.get("event") == "bpmn:MessageEventDefinition"
        own -= set() if timed else {"wait"}
        own -= set() if heard or self.kind in ("bpmn:SendTask", "bpmn:ReceiveTask") else {"correlation"}
        own -= set() if values.get("leaves") in LEAVES_BY_CHOICE else {"condition", "otherwise"}
        for name in set(self.fields) - own:
            del self.fields[name]

    def _offer(self, name: str, offers: Offers, chosen: str) -> None:
        choices = offers.of(name)
        if chosen and chosen not in dict(choices):
            choices.append((chosen, f"{chosen} (not known here)"))
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _rows(self, values: Mapping[str, Any], data: Mapping[str, Any] | None) -> Iterable[ValueForm]:
        kept = [row for row in values.get(self.values_name) or [] if isinstance(row, Mapping)]
        for place in range(min(len(kept) + 1, ROWS_AT_MOST)):
            yield ValueForm(
                data, prefix=f"{self.values_name}-{place}", computed=self.kind in COMPUTED,
                initial=dict(kept[place]) if place < len(kept) else {},
            )  # fmt: skip

    def sections(self) -> list[dict[str, Any]]:
        """The parts with their bound fields, the empty ones left out."""
        found = []
        for part in self.parts:
            fields = [self[name] for name in part.fields if name in self.fields]
            is_open = any(self.initial.get(name) for name in part.fields) or any(field.errors for field in fields)
            if fields:
                found.append({"title": part.title, "fields": fields, "folded": part.is_folded, "open": is_open})
        return found

    def is_valid(self) -> bool:
        """Whether everything fits, the typed values as well."""
        return all([super().is_valid(), *(row.is_valid() for row in self.rows), self._names_differ()])

    def _names_differ(self) -> bool:
        taken: set[str] = set()
        for row in self.rows:
            name = row.cleaned_data.get("name", "") if row.is_valid() else ""
            if name in taken:
                row.add_error("name", f"The value {name} exists already.")
            taken |= {name} - {""}
        return all(row.is_valid() for row in self.rows)

    def written(self) -> dict[str, Any]:
        """The values to write into the drawing; numbers as text, as its attributes are."""
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            found[name] = value if isinstance(value, bool) else "" if value is None else str(value)
        if self.values_name:
            found[self.values_name] = [row.row for row in self.rows if row.row["name"]]
        return found
