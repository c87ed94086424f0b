"""The gallery: common rules as complete policies with their tests, from which a new draft starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from governance.language import Field, Schema
from governance.language.values import Kind
from governance.rules.documents import with_standard_fields
from governance.rules.texts import read_text

FOLDER = Path(__file__).resolve().parents[2] / "policy_templates"


@dataclass(frozen=True)
class PolicyTemplate:
    """A policy to start from: what it does in one sentence, its document, and the fields that its rules read."""

    name: str
    title: str
    about: str
    fields: tuple[Field, ...]
    document: Mapping[str, Any]

    def lacking(self, schema: Schema) -> tuple[Field, ...]:
        """The fields that it reads and that the company's questions do not have."""
        whole = with_standard_fields(schema)
        return tuple(field for field in self.fields if whole.get(field.path) is None)


@cache
def gallery() -> tuple[PolicyTemplate, ...]:
    """All templates, in the order of their names."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.yaml")))


def template(name: str) -> PolicyTemplate | None:
    """The template with this name, None without one."""
    return next((each for each in gallery() if each.name == name), None)


def _read(path: Path) -> PolicyTemplate:
    told = read_text(path.read_text(encoding="utf-8"))
    fields = tuple(
        Field(
            each["path"], Kind(each["kind"]), each["label"], source=each.get("source", "request"),
            item=Kind(each["item"]) if "item" in each else None,
        )
        for each in told.get("fields", ())
    )  # fmt: skip
    return PolicyTemplate(path.stem, told["title"], told["about"], fields, told["document"])


def begun_from(chosen: PolicyTemplate, *, key: str, path: str) -> dict[str, Any]:
    """The template's document under a key of one's own; whoever it asks is replaced by the escalation path `path`."""
    document = {**chosen.document, "key": key}
    if path:
        document["rules"] = [_asking(rule, path) for rule in document["rules"]]
        document["tests"] = [_tested(test, path) for test in document["tests"]]
    return document


def _asking(rule: Mapping[str, Any], path: str) -> dict[str, Any]:
    return {**rule, "escalate": {**rule["escalate"], "path": path}} if "escalate" in rule else dict(rule)


def _tested(test: Mapping[str, Any], path: str) -> dict[str, Any]:
    changed = dict(test)
    if "escalation.path" in test["expect"]:
        changed["expect"] = {**test["expect"], "escalation.path": path}
    approval = test.get("facts", {}).get("approval")
    if approval:
        changed["facts"] = {**test["facts"], "approval": {**approval, "paths": [path]}}
    return changed
