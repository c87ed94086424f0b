"""Rules of governance, AuthZEN: reads what the Authorization API 1.0 sends, strictly typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_EVALUATIONS = 100
LONGEST = {"type": 60, "id": 200, "name": 80}
OURS_IN_CONTEXT = ("approval", "supported_obligations")
"""What stands in the context for the decision point itself: no rule reads it, no approval is bound to it."""


class AuthZenInvalid(ValueError):
    """What was sent is no question; `errors` says what is wrong with each part."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("The request has errors.")
        self.errors = dict(errors)


class Semantic(StrEnum):
    """How far a list of questions is answered."""

    ALL = "execute_all"
    UNTIL_DENY = "deny_on_first_deny"
    UNTIL_PERMIT = "permit_on_first_permit"

    def ends_with(self, decision: bool) -> bool:
        """Whether nothing more is answered after this answer."""
        return (self is Semantic.UNTIL_DENY and not decision) or (self is Semantic.UNTIL_PERMIT and decision)


@dataclass(frozen=True)
class Entity:
    """A subject or a resource; `id` is empty where it is searched for."""

    type: str
    id: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """One question. `approval` is the id that the caller says an approval has, `supported` the types of obligations
    that it can fulfil (None when it did not say)."""

    subject: Entity
    action: str
    resource: Entity
    action_properties: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    approval: str = ""
    supported: frozenset[str] | None = None


class _Reading:
    """Reads one body part by part and notes everything that is wrong."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.errors: dict[str, str] = {}

    def part(self, name: str, *, required: bool = True) -> Mapping[str, Any]:
        value = self.body.get(name)
        if isinstance(value, Mapping):
            return value
        if name in self.body:
            self.errors[name] = "Send an object."
        elif required:
            self.errors[name] = "This is required."
        return {}

    def text(self, part: Mapping[str, Any], path: str) -> str:
        """The text at `path`, such as subject.id; noted when it is none."""
        group, _, name = path.partition(".")
        value = part.get(name)
        if isinstance(value, str) and 0 < len(value) <= LONGEST[name]:
            return value
        if group not in self.errors:
            self.errors[path] = _wrong_text(part, name)
        return ""

    def inner(self, part: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        """The object at `path` where it is given."""
        value = part.get(path.rpartition(".")[2], {})
        if isinstance(value, Mapping):
            return value
        self.errors[path] = "Send an object."
        return {}

    def entity(self, name: str, *, searched: bool = False) -> Entity:
        part = self.part(name)
        kind = self.text(part, f"{name}.type")
        key = "" if searched else self.text(part, f"{name}.id")
        return Entity(kind, key, self.inner(part, f"{name}.properties"))

    def asked(self, *, subject: Entity, resource: Entity, action: bool = True) -> Evaluation:
        name, properties = "", {}
        if action:
            part = self.part("action")
            name, properties = self.text(part, "action.name"), dict(self.inner(part, "action.properties"))
        context = dict(self.part("context", required=False))
        ours = {each: context.pop(each) for each in OURS_IN_CONTEXT if each in context}
        asked = Evaluation(
            subject, name, resource, properties, context, self.approval(ours), self.supported(ours)
        )  # fmt: skip
        if self.errors:
            raise AuthZenInvalid(self.errors)
        return asked

    def approval(self, ours: Mapping[str, Any]) -> str:
        if "approval" not in ours:
            return ""
        given = ours["approval"]
        if isinstance(given, Mapping) and isinstance(given.get("id"), str):
            return str(given["id"])
        self.errors["context.approval"] = "Send the approval as it was given, an object with its id."
        return ""

    def supported(self, ours: Mapping[str, Any]) -> frozenset[str] | None:
        if "supported_obligations" not in ours:
            return None
        given = ours["supported_obligations"]
        if isinstance(given, list) and all(isinstance(each, str) for each in given):
            return frozenset(given)
        self.errors["context.supported_obligations"] = "Send a list of types."
        return None


def _wrong_text(part: Mapping[str, Any], name: str) -> str:
    if name not in part:
        return "This is required."
    if isinstance(part[name], str) and part[name]:
        return f"Send at most {LONGEST[name]} characters."
    return "Send text in quotation marks." if not isinstance(part[name], str) else "This may not be empty."


def read_evaluation(body: Mapping[str, Any]) -> Evaluation:
    """The question of a body. Raises AuthZenInvalid; members that nobody knows are ignored."""
    reading = _Reading(body)
    return reading.asked(subject=reading.entity("subject"), resource=reading.entity("resource"))


def read_search(body: Mapping[str, Any], wanted: str) -> Evaluation:
    """The question of a search, with what is `wanted` (subject, resource or action) left open; what stands there in its
    place is ignored."""
    reading = _Reading(body)
    subject = reading.entity("subject", searched=wanted == "subject")
    resource = reading.entity("resource", searched=wanted == "resource")
    return reading.asked(subject=subject, resource=resource, action=wanted != "action")


@dataclass(frozen=True)
class Batch:
    """Several questions: each one, or what is wrong with it."""

    items: tuple[Evaluation | AuthZenInvalid, ...]
    semantic: Semantic


def read_evaluations(body: Mapping[str, Any]) -> Batch | Evaluation:
    """The questions of a body, one alone when it has no list. A part of a question that is left out is the one beside
    the list, as a whole. Raises AuthZenInvalid when the body as such is no batch."""
    given = body.get("evaluations", [])
    if given == []:
        return read_evaluation(body)
    errors = {name: "Send an object." for name in _PARTS if name in body and not isinstance(body[name], Mapping)}
    semantic = _semantic(body, errors)
    if not isinstance(given, list):
        errors["evaluations"] = "Send a list."
    elif len(given) > MOST_EVALUATIONS:
        errors["evaluations"] = f"Send at most {MOST_EVALUATIONS} questions at once."
    if errors or semantic is None:
        raise AuthZenInvalid(errors)
    defaults = {name: body[name] for name in _PARTS if name in body}
    return Batch(tuple(_item(item, defaults) for item in given), semantic)


_PARTS = ("subject", "action", "resource", "context")


def _semantic(body: Mapping[str, Any], errors: dict[str, str]) -> Semantic | None:
    options = body.get("options", {})
    if not isinstance(options, Mapping):
        errors["options"] = "Send an object."
        return None
    given = options.get("evaluations_semantic", Semantic.ALL)
    if given not in tuple(Semantic):
        errors["options.evaluations_semantic"] = f"Choose one of {', '.join(Semantic)}."
        return None
    return Semantic(given)


def _item(item: Any, defaults: Mapping[str, Any]) -> Evaluation | AuthZenInvalid:
    if not isinstance(item, Mapping):
        return AuthZenInvalid({"evaluation": "Send an object."})
    try:
        return read_evaluation({**defaults, **item})
    except AuthZenInvalid as invalid:
        return invalid
