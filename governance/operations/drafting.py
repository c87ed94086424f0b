"""Drafting: what the form of a policy offers, and what a form that somebody fills in comes to. Nothing is saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.models import Principal, Role, System, Unit
from agents.operations import require
from governance.language import Field
from governance.language.schema import LISTS
from governance.models import EscalationPath, Policy, ValueList
from governance.operations.policies import PolicyRefused, check_document, decision_schema, lists_now, require_writer
from governance.rules import TestResult, run_tests
from governance.rules.forms import Checked, check_form, rule_words
from governance.rules.obligations import LOG_LEVELS, TYPES

OWN_GROUP = "What Autonomy OS knows"
_KINDS = {"redact": ("list",), "notify": ("list",), "cap": ("field", "number"), "delay": ("duration",)}
OBLIGATIONS = {
    "redact": "Leave fields out", "cap": "Not more than", "log": "Record it", "notify": "Tell somebody",
    "delay": "Wait first", "step_up": "Confirm at a level",
}  # fmt: skip
"""The obligations there are, as people read them."""


@dataclass(frozen=True)
class Action:
    """An action that an agent may ask for, and the system that knows it."""

    name: str
    label: str
    resource: str
    system: str


@dataclass(frozen=True)
class Vocabulary:
    """What a policy may name, as far as the reader may see it: fields by group, actions, paths, roles, units."""

    groups: Mapping[str, tuple[Field, ...]]
    actions: tuple[Action, ...]
    paths: Mapping[str, str]
    roles: tuple[str, ...]
    units: Mapping[str, str]


def vocabulary(user: Principal) -> Vocabulary:
    """What a policy of this person may name; lists, and fields and actions of systems, that the person may not see are
    left out."""
    systems = list(System.objects.visible_to(user).order_by("pk"))
    of_systems = {item["path"]: system.name for system in reversed(systems) for item in system.fields}
    foreign = {item["path"] for declared in System.objects.values_list("fields", flat=True) for item in declared}
    lists = {each.path for each in ValueList.objects.visible_to(user)}
    groups: dict[str, list[Field]] = {system.name: [] for system in systems}
    for each in decision_schema().fields:
        if each.path in of_systems:
            groups[of_systems[each.path]].append(each)
        elif each.path.startswith(LISTS) and each.path not in lists:
            continue
        elif each.path not in foreign or each.source == "fact":
            groups.setdefault(OWN_GROUP, []).append(each)
    return Vocabulary(
        groups={name: tuple(fields) for name, fields in groups.items() if fields},
        actions=tuple(
            Action(item["name"], item.get("label", ""), system.resource, system.name)
            for system in systems
            for item in system.actions
        ),
        paths=dict(EscalationPath.objects.visible_to(user).values_list("key", "name")),
        roles=tuple(Role.objects.order_by("code").values_list("code", flat=True)),
        units=dict(Unit.objects.visible_to(user).values_list("code", "name")),
    )


def obligation_parts(kind: str) -> dict[str, str]:
    """What each part of an obligation holds: list, field, number, duration, level or whole."""
    if kind == "log":
        return {"level": "level"}
    if kind == "step_up":
        return {"level": "whole"}
    return dict(zip(TYPES[kind], _KINDS[kind], strict=True))


LEVELS = LOG_LEVELS


def require_author(by: Principal, policy: Policy | None) -> None:
    """Raise NotAllowed unless this person may write the next version of the policy, or without one a new policy."""
    if policy is None:
        require(by, "governance.add_policy")
    else:
        require_writer(by, policy)


@dataclass(frozen=True)
class Draft:
    """A form as far as it is filled in: every problem at its part, one sentence for each rule, its own tests run."""

    checked: Checked
    sentences: tuple[str, ...]
    tests: tuple[TestResult, ...] = field(default=())

    @property
    def failing(self) -> tuple[TestResult, ...]:
        """The tests that do not give what they expect."""
        return tuple(test for test in self.tests if not test.passed)


def read_draft(form: Mapping[str, Any], paths: Mapping[str, str]) -> Draft:
    """Check a form that somebody fills in; `paths` are the names of the escalation paths that the person may see."""
    schema = decision_schema()
    checked = check_form(form, schema)
    if checked.document is not None and checked.rules is not None:
        checked = _with_paths(checked)
    rules = form["rules"] if isinstance(form.get("rules"), list) else []
    told = [rule_words(rule, schema, paths) for rule in rules if isinstance(rule, Mapping)]
    tests = (
        run_tests(checked.document, schema, lists=lists_now())
        if checked.rules is not None and checked.document is not None
        else ()
    )
    return Draft(checked, tuple(told), tuple(tests))


def _with_paths(checked: Checked) -> Checked:
    try:
        return Checked(checked.document, check_document(checked.document or {}), ())
    except PolicyRefused as refused:
        return Checked(checked.document, None, refused.problems)


def document_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a form. Raises PolicyRefused that names each row that is not filled in."""
    checked = check_form(form, decision_schema())
    if checked.document is None:
        raise PolicyRefused(checked.problems)
    return checked.document
