"""Rules of governance, documents: reads a policy as it is written down, strictly, into rules that can decide."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.language import (
    Expression,
    LanguageError,
    Schema,
    all_of,
    compile_expression,
    compile_template,
    compile_tree,
    did_you_mean,
)
from governance.language.tree import Binary, Call, ListOf, Literal, Node, Path
from governance.language.values import Kind, format_timestamp
from governance.rules.amending import read_amend, read_confirm
from governance.rules.expectations import read_tests
from governance.rules.intake import STANDARD_FIELDS
from governance.rules.obligations import LOG_LEVELS, TYPES
from governance.rules.reading import Reading
from governance.rules.shapes import Effect, EscalationTerms, Obligation, PolicyRules, Rule

API_VERSION = "autonomyos/v1"
STATUSES = ("draft", "in_review", "approved", "active", "shadow", "retired")
MAX_RULES = 1_000
MAX_TITLE = 200

_REQUIRED = ("apiVersion", "kind", "key", "version", "title", "scope", "rules")
_OPTIONAL = ("owner", "status", "description", "priority", "effective", "base_request", "tests")
_SCOPE_LISTS = {
    "roles": "subject.role",
    "workflows": "context.workflow",
    "environments": "context.environment",
}
_RULE_OPTIONAL = (
    "when",
    "reason",
    "actions",
    "priority",
    "on_missing",
    "obligations",
    "escalate",
    "description",
)
_ESCALATE_OPTIONAL = ("on_timeout", "approvals", "not_by", "grants", "amend", "confirm")
_ACTION = re.compile(r"\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?", re.ASCII)


UNREADABLE = "cannot-be-read"
"""The name of the one rule of a policy that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Header:
    key: str
    version: int
    priority: int
    actions: tuple[str, ...]
    conditions: tuple[Expression, ...]


def parse_policy(document: Mapping[str, Any], schema: Schema) -> PolicyRules:
    """Read a policy document; raise PolicyInvalid with every problem, its path and its place."""
    reading = Reading(with_standard_fields(schema))
    parts = reading.mapping("", document, _REQUIRED, _OPTIONAL)
    if parts:
        reading.choice("apiVersion", parts.get("apiVersion"), (API_VERSION,))
        reading.choice("kind", parts.get("kind"), ("Policy",))
    since, until = _effective(reading, parts.get("effective"))
    header = _header(reading, parts, since, until)
    rules = _rules(reading, parts.get("rules"), header)
    read_tests(reading, parts)
    result = PolicyRules(
        key=header.key,
        version=header.version,
        title=reading.text("title", parts.get("title", "-"), at_most=MAX_TITLE),
        priority=header.priority,
        status=reading.choice("status", parts.get("status", "draft"), STATUSES),
        actions=header.actions,
        effective_from=since,
        effective_until=until,
        rules=rules,
        digest=_digest(reading, document),
    )
    reading.finish()
    return result


def unreadable_policy(key: str, version: int, document: object, why: str) -> PolicyRules:
    """What stands in the place of a policy in force that cannot be read: it denies every action that it may cover."""
    actions, reading = _patterns(document), Reading(Schema(()))
    words = f"{key}, version {version} cannot be read any more, so it allows nothing. {why}"[:500]
    reason = compile_template(words.replace("{", "{{").replace("}", "}}"), reading.schema)
    rule = Rule(
        id=UNREADABLE, ref=f"{key}@{version}#{UNREADABLE}", effect=Effect.DENY, priority=0, actions=actions, when=None,
        condition=None, reason=reason, skips_missing=False, obligations=(), escalate=None,
    )  # fmt: skip
    return PolicyRules(
        key=key, version=version, title=key, priority=0, status="active", actions=actions, effective_from=None,
        effective_until=None, rules=(rule,), digest=hashlib.sha256(f"{UNREADABLE} {words}".encode()).hexdigest(),
        problem=words,
    )  # fmt: skip


def _patterns(document: object) -> tuple[str, ...]:
    """The actions that a document names; all of them where that cannot be told either."""
    scope = document.get("scope") if isinstance(document, Mapping) else None
    named = scope.get("actions") if isinstance(scope, Mapping) else None
    is_told = isinstance(named, list) and all(isinstance(item, str) and _ACTION.fullmatch(item) for item in named)
    return tuple(named) if named and is_told else ("*",)


def with_standard_fields(schema: Schema) -> Schema:
    """Give the schema together with the standard fields it does not have itself."""
    missing = [field for field in STANDARD_FIELDS if schema.get(field.path) is None]
    return Schema([*schema.fields, *missing]) if missing else schema


def _digest(reading: Reading, document: object) -> str:
    try:
        canonical = json.dumps(document, sort_keys=True, default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        reading.wrong("", "The document holds what JSON cannot hold: a name that is no text, or NaN.")
        return ""
    return hashlib.sha256(canonical.encode()).hexdigest()


def _header(reading: Reading, parts: Mapping[str, Any], since: datetime | None, until: datetime | None) -> _Header:
    actions, conditions = _scope(reading, parts.get("scope", {}))
    for part in ("owner", "description"):
        if part in parts:
            reading.text(part, parts[part])
    return _Header(
        key=reading.name("key", parts.get("key", "-0")) if "key" in parts else "",
        version=reading.whole("version", parts.get("version", 1), 1, 2**31),
        priority=_priority(reading, "priority", parts.get("priority", 0)),
        actions=actions,
        conditions=_checked(reading, "scope", conditions) + _checked(reading, "effective", _between(since, until)),
    )


def _effective(reading: Reading, value: object) -> tuple[datetime | None, datetime | None]:
    if value is None:
        return None, None
    parts = reading.mapping("effective", value, (), ("from", "until"))
    since = reading.moment("effective.from", parts.get("from"))
    until = reading.moment("effective.until", parts.get("until"))
    if since and until and until <= since:
        reading.wrong("effective.until", "Must be later than `from`.")
    return since, until


def effective_of(document: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """From when and until when a document says that it holds; None where it names no moment that can be read."""
    return _effective(Reading(Schema(())), document.get("effective"))


def _between(since: datetime | None, until: datetime | None) -> list[Node]:
    bounds = ((">=", since), ("<", until))
    time = Path(("context", "time"))
    return [Binary(sign, time, _moment(moment)) for sign, moment in bounds if moment is not None]


def _moment(moment: datetime) -> Node:
    return Call("timestamp", None, (_words(format_timestamp(moment)),))


def _words(value: str) -> Literal:
    return Literal(value, Kind.STRING)


def _scope(reading: Reading, value: object) -> tuple[tuple[str, ...], list[Node]]:
    scope = reading.mapping("scope", value, ("actions",), ("resource", *_SCOPE_LISTS))
    actions = _actions(reading, "scope.actions", scope.get("actions", ["*"]))
    conditions: list[Node] = []
    if scope.get("resource") is not None:
        resource = reading.name("scope.resource", scope["resource"])
        conditions.append(Binary("==", Path(("resource", "type")), _words(resource)))
    for part, path in _SCOPE_LISTS.items():
        names = reading.names(f"scope.{part}", scope.get(part, ()))
        if names:
            listed = ListOf(tuple(map(_words, names)))
            conditions.append(Binary("in", Path(tuple(path.split("."))), listed))
    return actions, conditions


def _checked(reading: Reading, path: str, conditions: list[Node]) -> tuple[Expression, ...]:
    """Give what holds for all rules of the document, compiled once for all of them."""
    found = [_tree(reading, path, condition) for condition in conditions]
    return tuple(expression for expression in found if expression is not None)


def _tree(reading: Reading, path: str, tree: Node) -> Expression | None:
    try:
        return compile_tree(tree, reading.schema)
    except LanguageError as error:
        for problem in error.problems:
            reading.wrong(path, problem.message, problem.suggestion)
        return None


def _actions(reading: Reading, path: str, value: object) -> tuple[str, ...]:
    items = reading.texts(path, value)
    for number, item in enumerate(items):
        if item and not _ACTION.fullmatch(item):
            message = "Must be an action such as `invoice.pay`, a family `invoice.*`, or `*`."
            reading.wrong(f"{path}[{number}]", message)
    return tuple(items)


def covers(pattern: str, action: str) -> bool:
    """Say whether an action name, or a narrower pattern, lies within a pattern such as `invoice.*`."""
    return pattern in ("*", action) or (pattern.endswith(".*") and action.startswith(pattern[:-1]))


def _rules(reading: Reading, value: object, header: _Header) -> tuple[Rule, ...]:
    items = reading.sequence("rules", value) if value is not None else []
    if value is not None and not 1 <= len(items) <= MAX_RULES:
        reading.wrong("rules", f"Must have 1 to {MAX_RULES:,} rules.")
    rules = [rule for path, item in items if (rule := _rule(reading, path, item, header)) is not None]
    ids = [(path, item.get("id")) for path, item in items if isinstance(item, Mapping)]
    counts = Counter(name for _, name in ids if isinstance(name, str))
    for path, name in ids:
        if isinstance(name, str) and counts[name] > 1:
            reading.wrong(f"{path}.id", f"`{name}` names more than one rule.")
    return tuple(rules)


def _rule(reading: Reading, path: str, value: object, header: _Header) -> Rule | None:
    before = len(reading.problems)
    parts = reading.mapping(path, value, ("id", "effect"), _RULE_OPTIONAL)
    if "id" not in parts or "effect" not in parts:
        return None
    name = reading.name(f"{path}.id", parts["id"])
    effect = Effect(reading.choice(f"{path}.effect", parts["effect"], tuple(Effect)))
    when, condition = _when(reading, path, parts, header)
    reason = reading.compiled(f"{path}.reason", compile_template, _reason(reading, path, parts, effect))
    if reason is None:
        return None
    rule = Rule(
        id=name,
        ref=f"{header.key}@{header.version}#{name}",
        effect=effect,
        priority=_priority(reading, f"{path}.priority", parts.get("priority", header.priority)),
        actions=_rule_actions(reading, path, parts, header),
        when=when,
        condition=condition,
        reason=reason,
        skips_missing=_skips_missing(reading, path, parts, effect),
        obligations=_obligations(reading, path, parts, effect),
        escalate=_escalate(reading, path, parts, effect),
    )
    return rule if len(reading.problems) == before else None


def _priority(reading: Reading, path: str, value: object) -> int:
    return reading.whole(path, value, -1_000_000, 1_000_000)


def _when(
    reading: Reading, path: str, parts: Mapping[str, Any], header: _Header
) -> tuple[Expression | None, Expression | None]:
    when = None
    if isinstance(parts.get("when"), str):
        when = reading.compiled(f"{path}.when", compile_expression, parts["when"])
    elif "when" in parts:
        reading.wrong(f"{path}.when", "Must be an expression written as text.")
    conditions = header.conditions if when is None else (*header.conditions, when)
    return when, all_of(conditions) if conditions else None


def _reason(reading: Reading, path: str, parts: Mapping[str, Any], effect: Effect) -> str:
    if "reason" not in parts:
        if effect is not Effect.OBLIGE:
            reading.wrong(path, "`reason` is missing.", "Give the sentence that people and agents will read.")
        return "-"
    return reading.text(f"{path}.reason", parts["reason"], "-")


def _rule_actions(reading: Reading, path: str, parts: Mapping[str, Any], header: _Header) -> tuple[str, ...]:
    if "actions" not in parts:
        return header.actions
    actions = _actions(reading, f"{path}.actions", parts["actions"])
    for number, action in enumerate(actions):
        if action and not any(covers(pattern, action) for pattern in header.actions):
            hint = did_you_mean(action, header.actions)
            reading.wrong(f"{path}.actions[{number}]", f"`{action}` is outside the policy's scope.", hint)
    return actions


def _skips_missing(reading: Reading, path: str, parts: Mapping[str, Any], effect: Effect) -> bool:
    default = "skip" if effect is Effect.ALLOW else "match"
    chosen = reading.choice(f"{path}.on_missing", parts.get("on_missing", default), ("match", "skip"))
    if effect is Effect.ALLOW and chosen == "match":
        message = "A rule that cannot be evaluated never allows; an allow rule can only skip."
        reading.wrong(f"{path}.on_missing", message)
    return chosen == "skip"


def _escalate(reading: Reading, path: str, parts: Mapping[str, Any], effect: Effect) -> EscalationTerms | None:
    if effect is not Effect.ESCALATE:
        if "escalate" in parts:
            reading.wrong(f"{path}.escalate", "Only a rule with the effect escalate has this part.")
        return None
    if "escalate" not in parts:
        reading.wrong(path, "`escalate` is missing.", "Say whom to ask: `escalate: {path: ..., sla: 4h}`.")
        return None
    path = f"{path}.escalate"
    terms = reading.mapping(path, parts["escalate"], ("path", "sla"), _ESCALATE_OPTIONAL)
    if "path" not in terms or "sla" not in terms:
        return None
    return EscalationTerms(
        path=reading.name(f"{path}.path", terms["path"]),
        sla_seconds=reading.seconds(f"{path}.sla", terms["sla"]),
        approvals=reading.whole(f"{path}.approvals", terms.get("approvals", 1), 1, 20),
        not_by=_not_by(reading, f"{path}.not_by", terms.get("not_by", ())),
        on_timeout=reading.choice(f"{path}.on_timeout", terms.get("on_timeout", "deny"), ("deny", "path")),
        grants=reading.truth(f"{path}.grants", terms.get("grants", False)),
        amend=read_amend(reading, f"{path}.amend", terms.get("amend")),
        confirm=read_confirm(reading, f"{path}.confirm", terms.get("confirm")),
    )


def _not_by(reading: Reading, path: str, value: object) -> tuple[str, ...]:
    names = reading.names(path, value)
    for number, name in enumerate(names):
        field = reading.schema.get(name)
        if name and (field is None or field.kind is not Kind.STRING):
            message = f"`{name}` is not a known field that holds a person's or agent's id."
            reading.wrong(f"{path}[{number}]", message, reading.schema.suggest(name))
    return names


def _obligations(reading: Reading, path: str, parts: Mapping[str, Any], effect: Effect) -> tuple[Obligation, ...]:
    if "obligations" not in parts:
        if effect is Effect.OBLIGE:
            reading.wrong(path, "`obligations` is missing.", "An oblige rule does nothing without them.")
        return ()
    items = reading.sequence(f"{path}.obligations", parts["obligations"])
    return tuple(_obligation(reading, place, item) for place, item in items)


def _obligation(reading: Reading, path: str, value: object) -> Obligation:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if isinstance(value, Mapping) and isinstance(kind, str) and "." in kind:
        reading.name(f"{path}.type", kind)
        return dict(value)
    if isinstance(kind, str) and kind in TYPES and isinstance(value, Mapping):
        given = reading.mapping(path, value, ("type", *TYPES[kind]))
        return {
            "type": kind,
            **{name: _part(reading, path, kind, name, given) for name in TYPES[kind] if name in given},
        }
    message = f"`type` must be one of {', '.join(TYPES)}, or a name with a dot for one of your own."
    reading.wrong(f"{path}.type", message, did_you_mean(kind, TYPES) if isinstance(kind, str) else None)
    return {}


def _part(reading: Reading, path: str, kind: str, name: str, given: Mapping[str, Any]) -> Any:
    path, value = f"{path}.{name}", given[name]
    if kind in ("redact", "notify"):
        return reading.texts(path, value)
    if kind == "delay":
        reading.seconds(path, value)
        return value
    if kind == "log":
        return reading.choice(path, value, LOG_LEVELS)
    if kind == "step_up":
        return reading.whole(path, value, 1, 10)
    return reading.number(path, value) if name == "max" else _number_field(reading, path, value)


def _number_field(reading: Reading, path: str, value: object) -> str:
    name = reading.name(path, value)
    field = reading.schema.get(name)
    if name and (field is None or field.kind not in (Kind.INT, Kind.DECIMAL)):
        reading.wrong(path, f"`{name}` is not a known field that holds a number.", reading.schema.suggest(name))
    return name
