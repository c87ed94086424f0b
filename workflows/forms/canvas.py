"""The settings of one element of a drawing as a form: what its kind has, in words, and the values to write."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from workflows.forms.events import TIMES as TIMERS
from workflows.forms.events import EventFields, LengthField
from workflows.forms.repeating import FIELDS as REPEATS
from workflows.forms.repeating import RepeatFields, initial_of
from workflows.forms.values import TYPES, chosen, kind_and_items, with_found
from workflows.plan.graph import IDENTIFIER
from workflows.plan.lengths import words_of

AREA = {"rows": 2}
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
OFTEN = Part("How often it is done", REPEATS, True)
EVENT = ("told", "correlation", *TIMERS)
KINDS: Mapping[str, tuple[str, tuple[Part, ...]]] = {
    "bpmn:ServiceTask": (
        "Agent task", (Part("", ("name", "role", "capability", "action", "becomes")), TIMES, OFTEN, MEMORY, SCHEMAS),
    ),
    "bpmn:UserTask": (
        "Approval",
        (
            Part("", ("name", "path", "due", "becomes")),
            Part("What the person sees", ("title", "risk", "effect", "approve", "reject", "timeout")), OFTEN,
            Part("More", ("priority",), True), SCHEMAS,
        ),
    ),
    "bpmn:Task": ("A task that nobody is named for", (Part("", ("name", "becomes")), OFTEN)),
    "bpmn:ManualTask": ("Done by hand", (Part("", ("name", "path", "due", "becomes")), OFTEN)),
    "bpmn:BusinessRuleTask": ("Policy check", (Part("", ("name", "decision", "becomes")), OFTEN)),
    "bpmn:ScriptTask": ("Work out values", (Part("", ("name", "becomes")), OFTEN)),
    "bpmn:SendTask": ("Send a message", (Part("", ("name", "told", "correlation", "becomes")), OFTEN)),
    "bpmn:ReceiveTask": ("Wait for a message", (Part("", ("name", "told", "correlation", "becomes")), SCHEMAS)),
    "bpmn:CallActivity": ("Sub-workflow", (Part("", ("name", "calls", "becomes")), OFTEN)),
    "bpmn:StartEvent": ("Start", (Part("", ("name", "becomes", *EVENT)),)),
    "bpmn:IntermediateCatchEvent": ("Wait", (Part("", ("name", "becomes", *EVENT)),)),
    "bpmn:IntermediateThrowEvent": ("Tell", (Part("", ("name", "becomes", *EVENT)),)),
    "bpmn:BoundaryEvent": ("Time limit", (Part("", ("name", "becomes", *EVENT, "interrupting")),)),
    "bpmn:ExclusiveGateway": ("Decision: one way is taken", (Part("", ("name", "becomes")),)),
    "bpmn:InclusiveGateway": ("Decision: every way that fits is taken", (Part("", ("name", "becomes")),)),
    "bpmn:ParallelGateway": ("In parallel", (Part("", ("name", "becomes")),)),
    "bpmn:EventBasedGateway": ("Whatever happens first", (Part("", ("name", "becomes")),)),
    "bpmn:EndEvent": ("End", (Part("", ("name", "becomes", *EVENT)),)),
    "bpmn:SequenceFlow": ("Way", (Part("", ("name", "condition", "otherwise")),)),
    "bpmn:Participant": ("Workflow", (Part("", ("name",)),)),
    "bpmn:Lane": ("Lane", (Part("", ("name",)),)),
    "bpmn:SubProcess": ("Steps that belong together", (Part("", ("name",)), OFTEN)),
    "bpmn:Transaction": ("Steps that belong together, all or nothing", (Part("", ("name",)), OFTEN)),
}  # fmt: skip
WORDS: Mapping[tuple[str, str], str] = {
    ("bpmn:StartEvent", "timer"): "Start by a schedule", ("bpmn:StartEvent", "message"): "Start by a message",
    ("bpmn:StartEvent", "signal"): "Start by a signal",
    ("bpmn:IntermediateCatchEvent", "message"): "Wait for a message",
    ("bpmn:IntermediateCatchEvent", "signal"): "Wait for a signal",
    ("bpmn:IntermediateThrowEvent", "message"): "Send a message",
    ("bpmn:IntermediateThrowEvent", "signal"): "Tell everybody who waits",
    ("bpmn:IntermediateThrowEvent", "escalation"): "Tell of an escalation",
    ("bpmn:BoundaryEvent", "message"): "When a message comes", ("bpmn:BoundaryEvent", "signal"): "When a signal comes",
    ("bpmn:BoundaryEvent", "error"): "When it fails", ("bpmn:BoundaryEvent", "escalation"): "When it escalates",
    ("bpmn:EndEvent", "message"): "End, with a message", ("bpmn:EndEvent", "signal"): "End, with a signal",
    ("bpmn:EndEvent", "error"): "End with an error", ("bpmn:EndEvent", "escalation"): "End with an escalation",
    ("bpmn:EndEvent", "terminate"): "End of everything",
}  # fmt: skip
"""What an element with an event is called."""
_TASKS = (
    ("bpmn:ServiceTask", "An agent works"), ("bpmn:UserTask", "A person decides"),
    ("bpmn:BusinessRuleTask", "A decision table answers"), ("bpmn:ScriptTask", "Values are worked out"),
    ("bpmn:SendTask", "A message goes out"), ("bpmn:ReceiveTask", "It waits for a message"),
    ("bpmn:CallActivity", "Another workflow runs"),
)  # fmt: skip
_GATEWAYS = (
    ("bpmn:ExclusiveGateway", "One way is taken"), ("bpmn:InclusiveGateway", "Each way that fits is taken"),
    ("bpmn:ParallelGateway", "All ways, side by side"), ("bpmn:EventBasedGateway", "What happens first decides"),
)  # fmt: skip
BECOMES: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    **{kind: ("What it is", _TASKS) for kind, _ in _TASKS},
    "bpmn:Task": ("What it is", (("bpmn:Task", "Nobody is named yet"), *_TASKS)),
    "bpmn:ManualTask": ("What it is", (("bpmn:ManualTask", "Done by hand"), *_TASKS)),
    **{kind: ("Which ways", _GATEWAYS) for kind, _ in _GATEWAYS},
    "bpmn:StartEvent": (
        "It begins", (("", "When somebody starts it"), ("timer", "By a schedule"), ("message", "With a message"),
                      ("signal", "With a signal")),
    ),
    "bpmn:IntermediateCatchEvent": (
        "It waits for", (("timer", "A time"), ("message", "A message"), ("signal", "A signal")),
    ),
    "bpmn:IntermediateThrowEvent": (
        "It tells", (("", "Nobody"), ("message", "A message"), ("signal", "A signal"),
                     ("escalation", "An escalation")),
    ),
    "bpmn:BoundaryEvent": (
        "It happens", (("timer", "When it takes too long"), ("message", "When a message comes"),
                       ("signal", "When a signal comes"), ("error", "When it fails"),
                       ("escalation", "When it escalates")),
    ),
    "bpmn:EndEvent": (
        "It ends", (("", "As it is"), ("message", "With a message"), ("signal", "With a signal"),
                    ("error", "With an error"), ("escalation", "With an escalation"),
                    ("terminate", "And everything else with it")),
    ),
}  # fmt: skip
"""What an element can become, and the question: tasks and gateways another element, events another trigger."""
VALUES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "bpmn:StartEvent": (("inputs", "What a run is started with"),),
    "bpmn:ServiceTask": (("outputs", "What the agent hands in"),),
    "bpmn:UserTask": (("outputs", "What the person hands in"),),
    "bpmn:BusinessRuleTask": (("outputs", "What the table answers"),),
    "bpmn:ScriptTask": (("outputs", "What is worked out"),),
    "bpmn:SendTask": (("outputs", "What the message says"),),
    "bpmn:ReceiveTask": (("outputs", "What the message brings"),),
    "bpmn:CallActivity": (("inputs", "What it is started with"), ("outputs", "What comes back")),
}
BROUGHT = ("bpmn:IntermediateCatchEvent", "bpmn:BoundaryEvent")
SAID = ("bpmn:IntermediateThrowEvent", "bpmn:EndEvent")
COMPUTED = ("bpmn:ScriptTask", "bpmn:SendTask", *SAID)
LEAVES_BY_CHOICE = ("bpmn:ExclusiveGateway", "bpmn:InclusiveGateway")
GLYPHS = {
    "bpmn:ServiceTask": "bot", "bpmn:UserTask": "user", "bpmn:BusinessRuleTask": "shield-check",
    "bpmn:CallActivity": "workflow", "bpmn:StartEvent": "play", "bpmn:EndEvent": "flag",
    "bpmn:SequenceFlow": "arrow-right", "bpmn:BoundaryEvent": "clock", "bpmn:IntermediateCatchEvent": "clock",
    "bpmn:ExclusiveGateway": "split", "bpmn:InclusiveGateway": "split", "bpmn:ParallelGateway": "git-fork",
    "bpmn:SendTask": "send", "bpmn:ReceiveTask": "mail", "bpmn:ScriptTask": "braces",
    "bpmn:EventBasedGateway": "hourglass", "bpmn:SubProcess": "square-plus", "bpmn:Transaction": "square-plus",
    "bpmn:IntermediateThrowEvent": "send", "bpmn:ManualTask": "hand",
}  # fmt: skip
EVENT_GLYPHS = {
    "timer": "clock", "message": "mail", "signal": "radio", "error": "triangle-alert",
    "escalation": "circle-arrow-up", "terminate": "octagon-x",
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
        for name in {"name", "label", "value"} & set(self.fields):  # the labels stand for those who cannot see the row
            self.fields[name].widget.attrs["placeholder"] = self.fields[name].label
        self.initial["type"] = found = chosen(self.initial.get("type") or "string", self.initial.get("of") or "")
        self.fields["type"].choices = with_found(TYPES, found)  # type: ignore[attr-defined]

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
        kind, of = kind_and_items(given.get("type") or "string")
        held = str(self.initial.get("value") or "") if given["name"] == self.initial.get("name") else ""
        return {
            "name": given["name"], "type": kind, "of": of, "label": given.get("label", ""),
            "value": given.get("value", held),
        }  # fmt: skip


@dataclass
class Values:
    """One list of typed values of an element: its name in the drawing, its title, and a form for each."""

    name: str
    title: str
    rows: list[ValueForm]

    @property
    def are_computed(self) -> bool:
        """Whether each says how it is worked out."""
        return any("value" in row.fields for row in self.rows)

    def fit(self) -> bool:
        """Whether every row is right, and no name is there twice; what is wrong stands beside its field."""
        taken: set[str] = set()
        for row in self.rows:
            name = row.cleaned_data.get("name", "") if row.is_valid() else ""
            if name in taken:
                row.add_error("name", f"The value {name} exists already.")
            taken |= {name} - {""}
        return all(row.is_valid() for row in self.rows)


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


class ElementForm(RepeatFields, EventFields):
    """The settings of an element; `values` are those of the drawing, `offers` what can be chosen."""

    name = forms.CharField(label="Name", max_length=200, required=False)
    becomes = forms.ChoiceField(required=False)
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
    calls = forms.ChoiceField(label="Which workflow", required=False)
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
        self.event = str(values.get("event") or "").removeprefix("bpmn:").removesuffix("EventDefinition").lower()
        word, self.parts = KINDS.get(self.kind, ("Element", (Part("", ("name",)),)))
        self.word = WORDS.get((self.kind, self.event), word)
        self.icon = EVENT_GLYPHS.get(self.event) or GLYPHS.get(self.kind, "square")
        self._keep_own(values)
        self._offer_to_become()
        for name in {"due", "lease", "backOff", "timeLimit", "memoryFor", "wait"} & set(self.fields):
            self.initial[name] = words_of(str(values.get(name) or ""))
        for name in {"role", "path", "calls", "memorySpace"} & set(self.fields):
            self._offer(name, offers, str(values.get(name) or ""))
        if self.kind == "bpmn:ServiceTask":
            self.fields["due"].label = "Due within"
        lists = self._lists(is_inside=bool(values.get("inside")))
        self.values = [Values(name, title, list(self._rows(name, values, data))) for name, title in lists]

    def _keep_own(self, values: Mapping[str, Any]) -> None:
        own = {name for part in self.parts for name in part.fields}
        is_task = self.kind in ("bpmn:SendTask", "bpmn:ReceiveTask")
        tag = self.kind[5:6].lower() + self.kind[6:]
        is_start = self.kind == "bpmn:StartEvent" and not values.get("inside")
        own &= (own - set(EVENT)) | self.keep_event(tag, "message" if is_task else self.event, is_start=is_start)
        own -= set() if values.get("leaves") in LEAVES_BY_CHOICE else {"condition", "otherwise"}
        for name in set(self.fields) - own:
            del self.fields[name]

    def _offer_to_become(self) -> None:
        if "becomes" not in self.fields:
            return
        word, choices = BECOMES[self.kind]
        now = self.event if self.kind.endswith("Event") else self.kind
        if now not in dict(choices):  # a trigger that the list does not have is not lost by a wrong press
            del self.fields["becomes"]
            return
        self.fields["becomes"].label, self.initial["becomes"] = word, now
        self.fields["becomes"].choices = choices  # type: ignore[attr-defined]

    def _lists(self, *, is_inside: bool) -> tuple[tuple[str, str], ...]:
        heard = self.event in ("message", "signal")
        if self.kind == "bpmn:StartEvent" and is_inside:
            return (("outputs", f"What the {self.event} brings"),) if heard else ()
        if self.kind in BROUGHT and heard:
            return (("outputs", f"What the {self.event} brings"),)
        if self.kind in SAID and heard:
            return (("outputs", f"What the {self.event} says"),)
        return VALUES.get(self.kind, ())

    def _offer(self, name: str, offers: Offers, chosen: str) -> None:
        choices = offers.of(name)
        if chosen and chosen not in dict(choices):
            choices.append((chosen, f"{chosen} (not known here)"))
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _rows(self, name: str, values: Mapping[str, Any], data: Mapping[str, Any] | None) -> Iterable[ValueForm]:
        kept = [row for row in values.get(name) or [] if isinstance(row, Mapping)]
        computed = self.kind in COMPUTED or (self.kind == "bpmn:CallActivity" and name == "inputs")
        for place in range(min(len(kept) + 1, ROWS_AT_MOST)):
            yield ValueForm(
                data, prefix=f"{name}-{place}", computed=computed,
                initial=dict(kept[place]) if place < len(kept) else {},
            )  # fmt: skip

    @property
    def shape(self) -> tuple[object, ...]:
        """Which fields and rows there are: another shape is shown anew."""
        return (*self.fields, *(len(each.rows) for each in self.values))

    def sections(self) -> list[dict[str, Any]]:
        """The parts with their bound fields, the empty ones left out."""
        found = []
        for part in self.parts:
            fields = [self[name] for name in part.fields if name in self.fields]
            is_open = any(self.initial.get(name) for name in part.fields) or any(field.errors for field in fields)
            if fields:
                of_repeating = part is OFTEN
                found.append(
                    {"title": part.title, "fields": fields, "folded": part.is_folded, "open": is_open,
                     "repeats": of_repeating}
                )  # fmt: skip
        return found

    def is_valid(self) -> bool:
        """Whether everything fits, the typed values as well."""
        return all([super().is_valid(), *(each.fit() for each in self.values)])

    def written(self) -> dict[str, Any]:
        """The values to write into the drawing; numbers as text, as its attributes are."""
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            found[name] = value if isinstance(value, bool) else "" if value is None else str(value)
        if "repeat" in found:
            found |= {name: "" for name in REPEATS if name != "asks_first"} | {"asks_first": False}
            found |= initial_of(self.said_repeat)
        for each in self.values:
            found[each.name] = [row.row for row in each.rows if row.row["name"]]
        return found
