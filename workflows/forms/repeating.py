"""How often a step is done, as a form: once, again while a condition holds, or for each item of a list."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django import forms

from workflows.plan.graph import IDENTIFIER
from workflows.plan.repeating import ALL_AT_ONCE, LOOP, ONE_BY_ONE, Repeat

CHOICES = (
    ("", "Once"), (LOOP, "Again and again, while a condition holds"),
    (ONE_BY_ONE, "For each item of a list, one after the other"),
    (ALL_AT_ONCE, "For each item of a list, all at once"),
)  # fmt: skip
OF_LOOP, OF_EACH = ("goes_while", "most_turns", "asks_first"), ("collection", "times", "element", "enough")
FIELDS = ("repeat", *OF_LOOP, *OF_EACH)
MOST_LETTERS = 1000
CODE = {"class": "mono", "spellcheck": "false", "autocapitalize": "off"}


def expression(label: str, help_text: str) -> forms.CharField:
    """A short text of the expression language, or a number."""
    shown = forms.TextInput(attrs=CODE)
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=MOST_LETTERS, widget=shown)


class RepeatFields(forms.Form):
    """What is asked about repeating; the fields of another kind than the chosen one count for nothing."""

    repeat = forms.ChoiceField(label="How often it is done", choices=CHOICES, required=False)
    goes_while = expression("Goes on while", "Such as vars.check.complete == false. Asked after each turn.")
    most_turns = expression("At most so many turns", "A whole number. Empty: as long as the condition holds.")
    asks_first = forms.BooleanField(label="Asked before the first turn too", required=False)
    collection = expression("For each item of", "A list, such as vars.input.lines. An item is loop.item then.")
    times = expression("Without a list: so many times", "A whole number, or an expression.")
    element = expression("An item is also called", "For expressions that another tool wrote, such as ${line.price}.")
    enough = expression("Enough when", "The rest is not done any more: loop.done &gt;= 2. Empty: each item is done.")

    @property
    def of_loop(self) -> list[Any]:
        """What is asked about a loop."""
        return [self[name] for name in OF_LOOP]

    @property
    def of_each(self) -> list[Any]:
        """What is asked about what is done for each."""
        return [self[name] for name in OF_EACH]

    @property
    def repeat_wrong(self) -> bool:
        """Whether something that was said about it is wrong."""
        return "repeat" in self.fields and any(self[name].errors for name in FIELDS)

    def clean(self) -> dict[str, Any]:
        """A loop has an end and a list a name. What the drawing says already, and nobody changed, is left alone: what
        is wrong with it is among the problems."""
        said: dict[str, Any] = super().clean() or {}
        if "repeat" not in self.fields or not set(FIELDS) & set(self.changed_data):
            return said
        kind = said.get("repeat", "")
        if kind == LOOP:
            self._number(said, "most_turns", or_expression=False)
            if not said.get("goes_while") and not said.get("most_turns") and not self.errors.get("most_turns"):
                self.add_error("goes_while", "Say how long it goes on: a condition here, or the most turns below.")
        elif kind:
            self._number(said, "times")
            if not said.get("collection") and not said.get("times") and not self.errors.get("times"):
                self.add_error("collection", "Name the list, or say how many times below.")
            if said.get("element") and not IDENTIFIER.fullmatch(said["element"]):
                self.add_error("element", "Use letters, digits and _, and begin with a letter.")
        return said

    def _number(self, said: Mapping[str, Any], name: str, *, or_expression: bool = True) -> None:
        given = str(said.get(name) or "").strip()
        is_number = given.isascii() and given.isdecimal() and len(given) < 10 and int(given) > 0
        if given and not is_number and not (or_expression and any(letter.isalpha() for letter in given)):
            otherwise = ", or an expression such as vars.input.copies" if or_expression else ""
            self.add_error(name, f"Write a whole number from 1 on{otherwise}.")

    @property
    def said_repeat(self) -> Repeat:
        """What was said, without the fields of another kind."""
        said = self.cleaned_data
        kind = said["repeat"]
        own = OF_LOOP if kind == LOOP else OF_EACH if kind else ()
        return Repeat(kind, **{name: said[name] for name in own})


def initial_of(repeat: Repeat) -> dict[str, Any]:
    """What the fields hold when the drawing says this."""
    told = asdict(repeat)
    return {"repeat": told.pop("kind"), **told}
