"""What is asked about the steps of a workflow that is drawn, in plain words; each form knows what it changes."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms

from agents.models import Role
from governance.models import EscalationPath
from workflows.forms.events import TIMES, EventFields, LengthField
from workflows.forms.repeating import RepeatFields, expression, initial_of
from workflows.forms.values import TYPES, chosen, kind_and_items, with_found
from workflows.models import Space
from workflows.plan import editing
from workflows.plan.graph import IDENTIFIER
from workflows.plan.lengths import seconds_of, words_of
from workflows.plan.naming import MESSAGE_TASKS, set_called, set_told
from workflows.plan.outlining import AGENT, PERSON, Line
from workflows.plan.repeating import set_repeat
from workflows.plan.sheet import Sheet, Value

KIND_WORDS = (
    ("agent", "An agent works"), ("person", "A person decides"), ("choice", "One way is taken"),
    ("parallel", "Side by side"), ("wait", "Wait for a time"), ("rule", "A decision table answers"),
    ("call", "Another workflow runs"), ("send", "A message goes out"), ("hear", "Wait for a message"),
    ("work_out", "Values are worked out"), ("end", "End"),
)  # fmt: skip
LENGTHS = ("lease", "due", "backOff", "timeLimit", "memoryFor")
RISKS = (("", "As the policies say"), ("low", "Low"), ("medium", "Medium"), ("high", "High"))
LONGEST_NAME = 200
MORE: Mapping[str, tuple[str, ...]] = {
    AGENT: (
        "capability", "due", "lease", "attempts", "backOff", "timeLimit", "costLimit", "priority", "memorySpace",
        "memoryKey", "memoryFor",
    ),
    PERSON: ("due", "priority"),
}  # fmt: skip
"""The settings that most steps of a kind leave as they are."""


class StepForm(EventFields):
    """The settings of one step: those that its kind has."""

    name = forms.CharField(label="Name", max_length=LONGEST_NAME, required=False)
    role = forms.ChoiceField(label="Who works", required=False, help_text="The role whose agents take this step.")
    action = forms.CharField(
        label="Action", max_length=120, required=False,
        help_text="What the agent asks to do, as in invoice.pay. The policies decide about it.",
    )  # fmt: skip
    lease = LengthField(
        label="Silent for at most", required=False,
        help_text="An agent that does not report for so long loses the step to another one. Usually 60 seconds.",
    )  # fmt: skip
    attempts = forms.IntegerField(
        label="Tries", min_value=1, max_value=100, required=False, help_text="Then a person is asked. Usually 3."
    )
    path = forms.ChoiceField(label="Who decides", required=False, help_text="The escalation path that is asked.")
    title = forms.CharField(
        label="What the person is asked", max_length=500, required=False,
        help_text="One sentence. {vars.read.total} stands for what the step read found.",
    )  # fmt: skip
    risk = forms.ChoiceField(label="Risk", choices=RISKS, required=False)
    effect = forms.CharField(
        label="What it leads to", max_length=200, required=False, help_text="Such as: Money leaves the company"
    )
    approve = forms.CharField(label="If approved", max_length=300, required=False)
    reject = forms.CharField(label="If rejected", max_length=300, required=False)
    timeout = forms.CharField(label="If nobody decides", max_length=300, required=False)
    decision = forms.CharField(label="Decision table", max_length=80, required=False, help_text="Its code.")
    calls = forms.ChoiceField(
        label="Which workflow", required=False, help_text="It runs, and this one goes on when it has ended."
    )
    wait = LengthField(label="After", required=False, or_worked_out=True, by_calendar=True)
    capability = forms.CharField(
        label="Needs the capability", max_length=60, required=False, help_text="Left empty: every agent of the role."
    )
    due = LengthField(label="Done within", required=False)
    backOff = LengthField(label="Pause before the next try", required=False)
    timeLimit = LengthField(label="Stopped after", required=False)
    costLimit = forms.DecimalField(label="Stopped when it costs more than", min_value=0, required=False)
    priority = forms.IntegerField(
        label="Priority", min_value=-1000, max_value=1000, required=False, help_text="The higher comes first."
    )
    memorySpace = forms.ChoiceField(label="Memory space", required=False)
    memoryKey = forms.CharField(
        label="Key of what it finds", max_length=200, required=False,
        help_text="Who looks for the same key gets the same answer: vendor/{vars.input.vendor}.",
    )  # fmt: skip
    memoryFor = LengthField(label="Valid for", required=False)

    OWN: ClassVar[Mapping[str, tuple[str, ...]]] = {
        AGENT: ("role", "action", *MORE[AGENT]),
        PERSON: ("path", "title", "risk", "effect", "approve", "reject", "timeout", *MORE[PERSON]),
        "businessRuleTask": ("decision",),
    }

    def __init__(self, *given: Any, line: Line, callable_here: Iterable[tuple[str, str]] = (), **named: Any) -> None:
        self.line = line
        self.own_names = self.OWN.get(line.kind, ())
        event = "message" if line.tag in MESSAGE_TASKS else line.event
        if event == "message":
            self.own_names = (*self.own_names, "correlation")
        initial = {name: line.given.get(name, "") for name in self.own_names}
        initial |= {"name": line.name, "told": line.told, "calls": line.calls}
        initial |= {name: line.timer[1] for name, tag in TIMES.items() if tag == line.timer[0]}
        initial |= {name: words_of(initial[name]) for name in (*LENGTHS, "wait") if name in initial}
        super().__init__(*given, **{**named, "initial": initial})
        is_first = line.tag == "startEvent" and "." not in line.number
        asked = {"name", *self.own_names, *self.keep_event(line.tag, event, is_start=is_first)}
        asked |= {"calls"} if line.tag == "callActivity" else set()
        for name in [name for name in self.fields if name not in asked]:
            del self.fields[name]
        self._choose("role", Role.objects.values_list("code", "name"))
        self._choose("path", EscalationPath.objects.values_list("key", "name"))
        self._choose("memorySpace", Space.objects.values_list("code", "name"), nothing="None")
        self._choose("calls", callable_here, nothing="Choose a workflow")

    def clean(self) -> dict[str, Any]:
        """A timer says when."""
        said = super().clean()
        if "wait" in self.fields and not self.errors and not any(said.get(name) for name in TIMES):
            self.add_error("wait", "Say when: a length such as 4 hours, or one of the fields below.")
        return said

    @property
    def usual(self) -> list[Any]:
        """The fields that every step of the kind needs."""
        return [self[name] for name in self.fields if name not in MORE.get(self.line.kind, ())]

    @property
    def more(self) -> list[Any]:
        """The fields that most steps of the kind leave as they are."""
        return [self[name] for name in self.fields if name in MORE.get(self.line.kind, ())]

    @property
    def says_more(self) -> bool:
        """Whether one of those is filled in, or wrong."""
        return any(each.errors or each.initial for each in self.more)

    def _choose(self, name: str, rows: Any, *, nothing: str = "Nobody yet") -> None:
        if name not in self.fields:
            return
        known, now = list(rows), str(self.initial.get(name) or "")
        if now and now not in dict(known):
            known.append((now, f"{now} (there is none)"))
        self.fields[name].choices = [("", nothing), *known]  # type: ignore[attr-defined]

    def change(self, sheet: Sheet) -> str:
        """Put the settings into the drawing."""
        said, step = self.cleaned_data, self.line.id
        editing.rename(sheet, step, said["name"])
        own = {name: "" if said[name] in (None, "") else str(said[name]) for name in self.own_names}
        for name in LENGTHS:
            before = self.line.given.get(name, "")
            if name in own and seconds_of(own[name]) == seconds_of(before):
                own[name] = before  # said in other words
        editing.set_own(sheet, step, own)
        if "wait" in self.fields and not self._is_the_same_time():
            editing.set_time(sheet, step, *self.said_time)
        if "told" in self.fields:
            set_told(sheet, step, said["told"])
        if "calls" in self.fields:
            set_called(sheet, step, said["calls"])
        return step

    def _is_the_same_time(self) -> bool:
        (tag, text), (was_tag, was_text) = self.said_time, self.line.timer
        in_other_words = tag == "timeDuration" and words_of(text) == words_of(was_text)
        return tag == was_tag and (text == was_text or in_other_words)


class RepeatForm(RepeatFields):
    """How often a step is done."""

    def __init__(self, *given: Any, line: Line, **named: Any) -> None:
        super().__init__(*given, **{**named, "initial": initial_of(line.repeat)})
        self.line = line

    def change(self, sheet: Sheet) -> str:
        """Say it in the drawing."""
        set_repeat(sheet, self.line.id, self.said_repeat)
        return self.line.id


class ValueForm(forms.Form):
    """One value that a step leaves behind, or that a run begins with; `computed` asks how it is worked out."""

    name = forms.CharField(label="Name", max_length=60, required=False)
    type = forms.ChoiceField(label="Kind", choices=(("", "Not used"), *TYPES), required=False)
    label = forms.CharField(label="In words", max_length=120, required=False)
    value = expression("Worked out as", "")

    def __init__(self, *given: Any, computed: bool = False, **named: Any) -> None:
        super().__init__(*given, **named)
        choices = self.fields["type"].choices  # type: ignore[attr-defined]
        self.fields["type"].choices = with_found(choices, str(self.initial.get("type", "")))  # type: ignore[attr-defined]
        if not computed:
            del self.fields["value"]

    def clean(self) -> dict[str, Any]:
        """A value has a name that conditions can use, a kind, and where it is worked out an expression; a row without
        a name is none."""
        said: dict[str, Any] = super().clean() or {}
        name = said.get("name", "")
        if name and not IDENTIFIER.fullmatch(name):
            self.add_error("name", "Use letters, digits and _, and begin with a letter.")
        if name and not said.get("type"):
            self.add_error("type", "Choose what kind of value it is.")
        if name and "value" in self.fields and not said.get("value"):
            self.add_error("value", "Say how it is worked out, such as vars.input.order.")
        return said


class _Values(forms.BaseFormSet):  # type: ignore[type-arg]
    """All values of a step; two empty rows are for new ones, a row whose name is emptied goes."""

    def clean(self) -> None:
        """No name twice."""
        names = [form.cleaned_data.get("name") for form in self.forms if form.is_valid()]
        for form in self.forms:
            name = form.cleaned_data.get("name") if form.is_valid() else ""
            if name and names.count(name) > 1:
                form.add_error("name", "This name is there twice.")

    def values(self, before: Iterable[Value]) -> list[Value]:
        """What was filled in; an expression of the drawing that is not asked for stays with its name."""
        worked_out = {each.name: each.value for each in before}
        found = []
        for said in (form.cleaned_data for form in self.forms):
            if said.get("name"):
                kind, of = kind_and_items(said["type"])
                value = said["value"] if "value" in said else worked_out.get(said["name"], "")
                found.append(Value(said["name"], kind, said["label"], of, value))
        return found


ValuesForm = forms.formset_factory(ValueForm, formset=_Values, extra=2, max_num=200, absolute_max=200)


def values_form(values: Iterable[Value], *sent: Any, prefix: str, computed: bool) -> Any:
    """The rows for these values of a step; `computed` asks of each how it is worked out."""
    rows = [{"name": each.name, "type": chosen(each.type, each.of), "label": each.label, "value": each.value}
            for each in values]  # fmt: skip
    made: Any = ValuesForm
    asked = {"computed": computed}
    return made(*sent, initial=rows, prefix=prefix, auto_id=f"{prefix}s-%s", form_kwargs=asked)


class InsertForm(forms.Form):
    """What comes behind a step."""

    kind = forms.ChoiceField(label="What comes next", choices=KIND_WORDS)
    name = forms.CharField(label="Name", max_length=LONGEST_NAME, required=False)
    way = forms.ChoiceField(label="Where", required=False)

    def __init__(self, *given: Any, line: Line, **named: Any) -> None:
        super().__init__(*given, **named)
        self.line = line
        ways = [(way.id, f"On the way to {way.number}, {way.name}") for way in line.ways if way.id]
        if len(ways) > 1 or (ways and line.tag.endswith("Gateway")):
            self.fields["way"].choices = [("", "On a new way"), *ways]  # type: ignore[attr-defined]
        else:
            del self.fields["way"]

    def change(self, sheet: Sheet) -> str:
        """Put the new step in."""
        said = self.cleaned_data
        return editing.insert_after(sheet, self.line.id, said["kind"], said["name"], way=said.get("way", ""))


class WayForm(forms.Form):
    """When a way is taken."""

    name = forms.CharField(label="In words", max_length=LONGEST_NAME, required=False)
    condition = forms.CharField(
        label="Condition", max_length=1000, required=False,
        help_text="Such as vars.read.total &gt; 1000 or vars.check.outcome == &quot;approved&quot;.",
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false", "autocapitalize": "off"}),
    )  # fmt: skip
    otherwise = forms.BooleanField(label="Taken when no other way is", required=False)

    def __init__(self, *given: Any, line: Line, flow: str, **named: Any) -> None:
        way = next((each for each in line.ways if each.id == flow), None)
        told = {"name": way.label, "condition": way.condition, "otherwise": way.otherwise} if way else {}
        super().__init__(*given, **{**named, "initial": told})
        self.line, self.flow = line, flow

    def change(self, sheet: Sheet) -> str:
        """Say it in the drawing."""
        said = self.cleaned_data
        editing.set_way(sheet, self.flow, name=said["name"], condition=said["condition"], otherwise=said["otherwise"])
        return self.line.id


class ConnectForm(forms.Form):
    """A further way from a step to another one."""

    target = forms.ChoiceField(label="Lead to")

    def __init__(self, *given: Any, line: Line, lines: list[Line], **named: Any) -> None:
        super().__init__(*given, **named)
        self.line = line
        depth = line.number.rpartition(".")[0]
        beside = [
            (each.id, f"{each.number}, {each.shown}") for each in lines
            if each.number.rpartition(".")[0] == depth and each.id != line.id
            and each.tag not in ("startEvent", "boundaryEvent")
        ]  # fmt: skip
        self.fields["target"].choices = beside  # type: ignore[attr-defined]

    def change(self, sheet: Sheet) -> str:
        """Draw the way."""
        editing.connect(sheet, self.line.id, self.cleaned_data["target"])
        return self.line.id


class TimerForm(forms.Form):
    """What happens when a step takes longer."""

    duration = LengthField(label="When it takes longer than", required=True, by_calendar=True)
    then = forms.ChoiceField(
        label="Then",
        choices=(("ends", "It ends here and goes on elsewhere"), ("stays", "It goes on, and something else as well")),
    )  # fmt: skip

    def __init__(self, *given: Any, line: Line, **named: Any) -> None:
        super().__init__(*given, **named)
        self.line = line

    def change(self, sheet: Sheet) -> str:
        """Put the timer on the edge of the step; what follows it is said at the timer."""
        said = self.cleaned_data
        return editing.add_timer(sheet, self.line.id, said["duration"], interrupting=said["then"] == "ends")


class RemoveForm(forms.Form):
    """Take the step out, or one of its ways."""

    flow = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *given: Any, line: Line, **named: Any) -> None:
        super().__init__(*given, **named)
        self.line = line

    def change(self, sheet: Sheet) -> str:
        """Take it out; where the reader goes on."""
        if self.cleaned_data["flow"]:
            editing.disconnect(sheet, self.cleaned_data["flow"])
            return self.line.id
        editing.remove(sheet, self.line.id)
        return ""
