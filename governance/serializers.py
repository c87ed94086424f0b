"""Input and output shapes of governance."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from agents.models import Agent
from agents.operations import ceiling_of
from agents.rules import AUTONOMY
from governance.language import Kind
from governance.models import (
    ControlDrill,
    ControlState,
    Delegation,
    Policy,
    PolicyVersion,
    PromotionRequest,
    ValueList,
)
from governance.operations import DAYS, LONGEST_DAYS, Access, Span, result_of
from governance.operations.access import Cell, Grant, Line
from governance.operations.decisions import texts
from governance.rules import Effect, Verdict
from governance.rules.analysis import Finding, Sort
from governance.rules.documents import effective_of
from governance.rules.evidence import Evidence
from governance.rules.explaining import Outcome
from governance.rules.forms import Wants
from observability.serializers import Digits, StrictSerializer, Text, Whole


class PolicyTextInput(StrictSerializer):
    """A policy as text, YAML or JSON."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…"}

    text = Text(max_length=400_000, trim_whitespace=False)


class PolicyCheckInput(StrictSerializer):
    """A policy to check: its text, YAML or JSON, or its form, in which `when` of each rule is a condition of rows."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…"}

    text = Text(max_length=400_000, trim_whitespace=False, required=False)
    form = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of both."""
        if ("text" in attrs) == ("form" in attrs):
            raise serializers.ValidationError({"text": "Send either the text or the form."})
        return attrs


class PolicyInput(PolicyTextInput):
    """A policy to keep as a draft; `unit` is the code of the unit a new policy belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {"text": "apiVersion: autonomyos/v1\nkind: Policy\n…", "unit": "finance"}

    unit = Text(max_length=60, allow_blank=True, default="")


class ActivateInput(StrictSerializer):
    """Which version shall decide from now on, and why."""

    example: ClassVar[dict[str, Any]] = {"version": 2, "reason": "Agreed in the council."}

    version = Whole(min_value=1)
    reason = Text(max_length=4000, allow_blank=True, default="")


class PolicyOutput(serializers.ModelSerializer[Policy]):
    """A policy as the API shows it."""

    unit = serializers.CharField(source="unit.code")
    owner = serializers.CharField(source="owner.name")
    in_force = serializers.IntegerField(allow_null=True, help_text="The number of the version that decides now.")
    in_shadow = serializers.IntegerField(allow_null=True, help_text="The number of the version that is in shadow.")
    in_review = serializers.IntegerField(allow_null=True, help_text="The number of the newest version in review.")
    newest = serializers.IntegerField(help_text="The number of the newest version, which may be a draft.")

    class Meta:
        model = Policy
        fields = ["key", "title", "unit", "owner", "in_force", "in_shadow", "in_review", "newest"]


class PolicyVersionOutput(serializers.Serializer[Any]):
    """One version of a policy."""

    key = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(PolicyVersion.Status.choices)
    sha256 = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    asked_by = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    activated_at = serializers.DateTimeField(allow_null=True)
    shadowed_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)
    effective_from = serializers.DateTimeField(allow_null=True, help_text="Its rules apply to nothing before.")
    effective_until = serializers.DateTimeField(allow_null=True, help_text="Its rules apply to nothing from then on.")

    def to_representation(self, version: PolicyVersion | Mapping[str, Any]) -> dict[str, Any]:
        """The version as the API shows it."""
        return version_of(version) if isinstance(version, PolicyVersion) else dict(version)


def version_of(version: PolicyVersion) -> dict[str, Any]:
    """A policy version as the API shows it."""
    since, until = effective_of(version.document)
    people = {name: getattr(version, name) for name in ("author", "asked_by", "approved_by")}
    moments = ("created_at", "asked_at", "approved_at", "activated_at", "shadowed_at", "retired_at")
    return {
        "key": version.policy.key, "title": version.document["title"], "version": version.number,
        "status": version.status, "sha256": version.sha256,
        **{name: person.name if person else None for name, person in people.items()},
        **{name: getattr(version, name) for name in moments}, "effective_from": since, "effective_until": until,
    }  # fmt: skip


class RuleOutput(serializers.Serializer[Any]):
    """One rule as it was understood: in words, with the fields it reads and the tree of its own condition."""

    id = serializers.CharField()
    effect = serializers.ChoiceField([effect.value for effect in Effect])
    actions = serializers.ListField(child=serializers.CharField())
    sentence = serializers.CharField()
    reads = serializers.ListField(child=serializers.CharField(), help_text="The fields that the rule looks at.")
    tree = serializers.DictField(allow_null=True, help_text="The condition as a tree; null of a rule without one.")


class CheckedOutput(serializers.Serializer[Any]):
    """A policy that would be accepted, as text and as a form: each gives the other again."""

    key = serializers.CharField()
    title = serializers.CharField()
    rules = RuleOutput(many=True)
    text = serializers.CharField()
    form = serializers.DictField()


class FieldOutput(serializers.Serializer[Any]):
    """A field that conditions may name; `operators` are those of its rows."""

    path = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    item = serializers.ChoiceField(
        [kind.value for kind in Kind], allow_null=True, help_text="The kind of a list's items."
    )
    unit = serializers.CharField(allow_blank=True)
    enum = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="request: the agent sends it; fact: we know it."
    )
    help = serializers.CharField()
    operators = serializers.ListField(child=serializers.CharField())


class FieldGroupOutput(serializers.Serializer[Any]):
    """The fields of one system, or those that Autonomy OS knows."""

    name = serializers.CharField()
    fields = FieldOutput(many=True)  # type: ignore[assignment]


class OperatorOutput(serializers.Serializer[Any]):
    """An operator of rows, and what stands behind it."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    wants = serializers.CharField(help_text=f"One of {', '.join(Wants)}.")
    compares = serializers.BooleanField(help_text="Whether another field may stand in place of the value.")


class KnownActionOutput(serializers.Serializer[Any]):
    """An action that agents may ask for."""

    name = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    resource = serializers.CharField()
    system = serializers.CharField()


class KnownPathOutput(serializers.Serializer[Any]):
    """An escalation path that a rule may name."""

    key = serializers.CharField()
    name = serializers.CharField()


class ObligationOutput(serializers.Serializer[Any]):
    """A type of obligation with what each of its parts holds."""

    type = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    parts = serializers.DictField(child=serializers.CharField())


class PolicySchemaOutput(serializers.Serializer[Any]):
    """What a policy may name, as far as the caller may see it."""

    groups = FieldGroupOutput(many=True)
    operators = OperatorOutput(many=True)
    actions = KnownActionOutput(many=True)
    paths = KnownPathOutput(many=True)
    obligations = ObligationOutput(many=True)


class BenchResourceInput(StrictSerializer):
    """What the question is about."""

    type = Text(max_length=60)
    id = Text(max_length=200)
    properties = serializers.DictField(default=dict)


class DraftInput(StrictSerializer):
    """A version that stands in for the one of its policy that is in force."""

    policy = Text(max_length=80)
    version = Whole(min_value=1)


class BenchInput(StrictSerializer):
    """A question to try: as an agent would ask it, with `facts` in place of those that hold now. With `decision` the
    facts of that past decision are taken, and what is left out here comes from it."""

    example: ClassVar[dict[str, Any]] = {
        "agent": "AP-04", "action": "invoice.pay",
        "resource": {"type": "invoice", "id": "2026-1187", "properties": {"order_matched": True, "findings": 0}},
        "context": {"amount": "9000.00", "currency": "EUR"}, "facts": {"subject": {"autonomy_level": 3}},
    }  # fmt: skip

    decision = serializers.UUIDField(required=False, allow_null=True, default=None)
    agent = Text(max_length=80, allow_blank=True, default="")
    action = Text(max_length=80, allow_blank=True, default="")
    resource = BenchResourceInput(required=False, allow_null=True, default=None)
    context = serializers.DictField(default=dict)  # type: ignore[assignment]
    facts = serializers.DictField(default=dict)
    draft = DraftInput(required=False, allow_null=True, default=None)


class TriedConditionOutput(serializers.Serializer[Any]):
    """One condition: what was found, what was wanted, and whether it holds."""

    text = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    actual = serializers.CharField()
    wanted = serializers.CharField()
    outcome = serializers.CharField(help_text="true, false or missing.")


class TriedRuleOutput(serializers.Serializer[Any]):
    """One rule of the action. Of a policy that the caller may not see only that there is one: all else is null."""

    policy = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    rule = serializers.CharField(allow_null=True)
    effect = serializers.CharField(allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text=f"One of {', '.join(Outcome)}.")
    decides = serializers.BooleanField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    problem = serializers.CharField(allow_null=True, help_text="Why it could not be evaluated.")
    conditions = TriedConditionOutput(many=True)


class TriedEscalationOutput(serializers.Serializer[Any]):
    """Whom the answer would ask, and on which terms."""

    path = serializers.CharField()
    sla_seconds = serializers.IntegerField()
    approvals = serializers.IntegerField()
    not_by = serializers.ListField(child=serializers.CharField())
    on_timeout = serializers.CharField()
    also = serializers.ListField(child=serializers.CharField())


class TriedOutput(serializers.Serializer[Any]):
    """What the rules say, and why. `stops` would deny before any rule; `reads` are the fields that rules look at, with
    their values."""

    effect = serializers.CharField(help_text=f"One of {', '.join(Verdict)}.")
    reason = serializers.CharField()
    policy = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    rule = serializers.CharField(allow_null=True)
    missing = serializers.ListField(child=serializers.CharField())
    obligations = serializers.ListField(child=serializers.DictField())
    escalation = TriedEscalationOutput(allow_null=True)
    rules = TriedRuleOutput(many=True)
    reads = serializers.DictField()
    stops = serializers.ListField(child=serializers.CharField())
    microseconds = serializers.IntegerField()
    rule_set = serializers.CharField()


class EvidenceQuery(StrictSerializer):
    """How many days the evidence is about."""

    days = Digits(min_value=1, max_value=LONGEST_DAYS, default=DAYS, help_text="How many days, up to now.")


class PromotionInput(StrictSerializer):
    """Why the agent should act one level higher."""

    example: ClassVar[dict[str, Any]] = {"reason": "Forty questions in a row were approved as asked."}

    reason = Text(max_length=4000)


class PromotionAnswerInput(StrictSerializer):
    """The reason for an answer to a request."""

    example: ClassVar[dict[str, Any]] = {"reason": "The sample is large enough."}

    reason = Text(max_length=4000, allow_blank=True, default="")


class ShareOutput(serializers.Serializer[Any]):
    """A share of a whole as text with four places, with its 95 % interval; null of nothing."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    share = serializers.CharField(allow_null=True)
    small_sample = serializers.BooleanField()
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)


class RecordOutput(serializers.Serializer[Any]):
    """What an agent did with one action, or with all (`action` is empty)."""

    action = serializers.CharField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    undone = serializers.IntegerField()
    alone = serializers.IntegerField()
    acted = serializers.IntegerField()
    failed = serializers.IntegerField()
    decided = serializers.IntegerField()
    overruled = serializers.IntegerField()
    median_seconds = serializers.CharField(allow_null=True)
    agreement = ShareOutput()
    overruling = ShareOutput()
    errors = ShareOutput()  # type: ignore[assignment]


class TriesOutput(serializers.Serializer[Any]):
    """How the steps went that the agent took."""

    finished = serializers.IntegerField()
    failed = serializers.IntegerField()
    median_seconds = serializers.CharField(allow_null=True)
    errors = ShareOutput()  # type: ignore[assignment]


class EvidenceOutput(serializers.Serializer[Any]):
    """The evidence for an agent's autonomy over a period."""

    agent = serializers.CharField()
    level = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    demoted_at = serializers.DateTimeField(allow_null=True)
    total = RecordOutput()
    actions = RecordOutput(many=True)
    tries = TriesOutput()


class PromotionOutput(serializers.Serializer[Any]):
    """A request for promotion; `evidence` stays as it was kept when asked."""

    id = serializers.UUIDField()
    agent = serializers.CharField()
    from_level = serializers.IntegerField()
    to_level = serializers.IntegerField()
    status = serializers.ChoiceField(PromotionRequest.Status.choices)
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()
    evidence_since = serializers.DateTimeField()
    evidence = serializers.DictField()

    def to_representation(self, row: PromotionRequest) -> dict[str, Any]:
        """The request as the API shows it."""
        return promotion_of(row)


class RuleNameOutput(serializers.Serializer[Any]):
    """A rule of a policy."""

    policy = serializers.CharField()
    rule = serializers.CharField()


class LineOutput(serializers.Serializer[Any]):
    """One thing that an agent may do, must ask about or never does."""

    what = serializers.CharField()
    conditions = serializers.ListField(child=serializers.CharField())
    rule = RuleNameOutput(allow_null=True)
    note = serializers.CharField()


class GivenOutput(serializers.Serializer[Any]):
    """Who gave a right, when and why; null for what came with hiring."""

    given_by = serializers.CharField(allow_null=True)
    given_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField()


class OtherRightOutput(GivenOutput):
    """A right on something else than a system."""

    right = serializers.CharField()


class CellOutput(serializers.Serializer[Any]):
    """What holds for one action in a system, and where it comes from."""

    action = serializers.CharField()
    effect = serializers.CharField()
    origin = serializers.CharField()
    rules = RuleNameOutput(many=True)
    grant = GivenOutput(allow_null=True)


class SystemAccessOutput(serializers.Serializer[Any]):
    """What an agent may do in one system; `scope` is the unit that the system belongs to."""

    system = serializers.CharField()
    name = serializers.CharField()
    scope = serializers.CharField()
    cells = CellOutput(many=True)


class BoundariesOutput(serializers.Serializer[Any]):
    """What an agent may do alone, must ask about and never does, and its access to each system."""

    agent = serializers.CharField()
    level = serializers.IntegerField()
    level_means = serializers.CharField()
    ceiling = serializers.IntegerField()
    may_do_alone = LineOutput(many=True)
    must_ask = LineOutput(many=True)
    never = LineOutput(many=True)
    matrix = SystemAccessOutput(many=True)
    other_rights = OtherRightOutput(many=True)


def promotion_of(asked: PromotionRequest) -> dict[str, Any]:
    """A request for promotion as the API shows it, with the evidence as it was when asked."""
    return {
        "id": asked.uid, "agent": asked.agent.code, "from_level": asked.from_level, "to_level": asked.to_level,
        "status": asked.status, "reason": asked.reason, "asked_by": asked.asked_by.name, "asked_at": asked.asked_at,
        "decided_by": asked.decided_by.name if asked.decided_by else None, "decided_at": asked.decided_at,
        "answer": asked.answer, "evidence_since": asked.evidence_since, "evidence": asked.evidence,
    }  # fmt: skip


def evidence_data(agent: Agent, span: Span, evidence: Evidence) -> dict[str, Any]:
    """The evidence for an agent's autonomy; shares are text with four places, with their 95 % interval."""
    return {
        "agent": agent.code, "level": agent.autonomy_level, "since": span.since, "until": span.until,
        "demoted_at": span.demoted_at, **evidence.as_data(),
    }  # fmt: skip


def boundaries_data(agent: Agent, access: Access) -> dict[str, Any]:
    """What the agent may do alone, must ask about and never does, and every cell of the access matrix."""
    level = agent.autonomy_level
    return {
        "agent": agent.code, "level": level, "level_means": AUTONOMY[level], "ceiling": ceiling_of(agent),
        "may_do_alone": [_line(line) for line in access.alone], "must_ask": [_line(line) for line in access.asks],
        "never": [_line(line) for line in access.never],
        "matrix": [
            {
                "system": row.system.code, "name": row.system.name, "scope": row.system.unit.name,
                "cells": [_cell(cell) for cell in row.cells if cell.effect],
            }
            for row in access.table
        ],
        "other_rights": [{"right": grant.words, **_given(grant)} for grant in access.others],
    }  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    rule = {"policy": line.bound.policy.key, "rule": line.bound.rule.id} if line.bound else None
    return {"what": line.words, "conditions": list(line.conditions), "rule": rule, "note": line.note}


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "action": cell.word, "effect": cell.effect, "origin": cell.origin,
        "rules": [{"policy": bound.policy.key, "rule": bound.rule.id} for bound in cell.rules],
        "grant": _given(cell.grant) if cell.grant else None,
    }  # fmt: skip


def _given(grant: Grant) -> dict[str, Any]:
    event = grant.event
    return {
        "given_by": event.actor_name if event else None, "given_at": event.at if event else None,
        "why": event.why if event else "",
    }  # fmt: skip


class DelegationInput(StrictSerializer):
    """Who (`to`) decides for whom (`person`, by default oneself), until when, within which limits, and why."""

    example: ClassVar[dict[str, Any]] = {
        "to": "priya", "ends_at": "2030-12-31T00:00:00Z", "paths": ["accounts-payable"], "risk_at_most": 2,
        "reason": "On leave.",
    }  # fmt: skip

    person = Text(max_length=80, allow_blank=True, default="")
    to = Text(max_length=80)
    starts_at = serializers.DateTimeField(allow_null=True, default=None)
    ends_at = serializers.DateTimeField()
    paths = serializers.ListField(child=Text(max_length=60), default=list, max_length=200)
    risk_at_most = Whole(min_value=1, max_value=3, default=3)
    unit = Text(max_length=60, allow_blank=True, default="")
    reason = Text(max_length=2000)


class EndInput(StrictSerializer):
    """Why a delegation ends early."""

    example: ClassVar[dict[str, Any]] = {"reason": "Back a day early."}

    reason = Text(max_length=2000, allow_blank=True, default="")


class PersonNameOutput(serializers.Serializer[Any]):
    """A person: the name to sign in with, and the name that people read."""

    id = serializers.CharField()
    name = serializers.CharField()


class DelegationOutput(serializers.Serializer[Any]):
    """A delegation, with those of its paths and the unit that the reader may see; `etag` for If-Match."""

    id = serializers.UUIDField()
    person = PersonNameOutput()
    to = PersonNameOutput()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    status = serializers.ChoiceField(Delegation.Status.choices)
    paths = serializers.ListField(child=serializers.CharField())
    risk_at_most = serializers.IntegerField()
    unit = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    etag = serializers.CharField()


# --- named lists, and what the analysis finds -----------------------------------------------------------------
class ListInput(StrictSerializer):
    """A new list; `unit` is the code of the unit it belongs to, by default one's own."""

    example: ClassVar[dict[str, Any]] = {
        "name": "core_carriers", "title": "Carriers with a frame contract", "items": ["DHL", "Maersk"],
        "reason": "The contracts of this year.", "unit": "finance",
    }  # fmt: skip

    name = Text(max_length=60)
    title = Text(max_length=200)
    items = serializers.ListField(child=Text(max_length=200), max_length=1_000)
    reason = Text(max_length=2_000)
    unit = Text(max_length=60, allow_blank=True, default="")


class ListChangeInput(StrictSerializer):
    """What the list holds from now on, and why."""

    example: ClassVar[dict[str, Any]] = {"items": ["DHL", "Maersk"], "reason": "One contract ended."}

    items = serializers.ListField(child=Text(max_length=200), max_length=1_000)
    reason = Text(max_length=2_000)


class ListOutput(serializers.ModelSerializer[ValueList]):
    """A named list; rules read it under `path`."""

    unit = serializers.CharField(source="unit.code")
    path = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ValueList
        fields = ["name", "path", "title", "unit", "edition", "items"]


class FindingOutput(serializers.Serializer[Any]):
    """One thing that was found in rules; `level` is wrong, look or note, `example` a request that shows it."""

    sort = serializers.ChoiceField([sort.value for sort in Sort])
    level = serializers.CharField()
    policy = serializers.CharField()
    rule = serializers.CharField()
    path = serializers.CharField()
    message = serializers.CharField()
    others = serializers.ListField(child=serializers.CharField())
    example = serializers.JSONField()
    is_new = serializers.BooleanField(help_text="Whether the version in force does not have it.")


class AnalysisOutput(serializers.Serializer[Any]):
    """What the analysis found."""

    findings = FindingOutput(many=True)


def finding_of(finding: Finding, *, is_new: bool = False) -> dict[str, Any]:
    """A finding as the API shows it; exact numbers and moments of the example as text."""
    return {
        "sort": finding.sort.value, "level": finding.level, "policy": finding.policy, "rule": finding.rule,
        "path": finding.path, "message": finding.message, "others": list(finding.others),
        "example": texts(finding.example), "is_new": is_new,
    }  # fmt: skip


class ControlPreviewQuery(StrictSerializer):
    """Which scope: its kind and the code of the thing, and the state that is thought of."""

    kind = serializers.ChoiceField(ControlState.Kind.choices, default=ControlState.Kind.EVERYTHING)
    id = Text(max_length=80, default="", help_text="The code of the thing; nothing for everything.")
    state = serializers.ChoiceField(ControlState.Status.choices, default=ControlState.Status.PAUSED)


class ControlInput(StrictSerializer):
    """Which scope shall be in which state, why, and until when."""

    example: ClassVar[dict[str, Any]] = {
        "kind": "agent", "id": "AP-04", "state": "paused", "why": "A supplier reports forged invoices.",
        "until": "2030-12-31T00:00:00Z",
    }  # fmt: skip

    kind = serializers.ChoiceField(ControlState.Kind.choices)
    id = Text(max_length=80, allow_blank=True, default="")
    state = serializers.ChoiceField(ControlState.Status.choices)
    why = Text(max_length=2000)
    until = serializers.DateTimeField(allow_null=True, default=None)


class ControlOutput(serializers.Serializer[Any]):
    """One scope and its state."""

    scope = serializers.CharField()
    kind = serializers.ChoiceField(ControlState.Kind.choices)
    id = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(ControlState.Status.choices)
    why = serializers.CharField()
    set_by = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class WouldStopOutput(serializers.Serializer[Any]):
    """The numbers of a stop: what is held up, what goes back to the queue, what may be reported, what goes on."""

    agents = serializers.IntegerField()
    runs = serializers.IntegerField()
    steps_returned = serializers.IntegerField()
    steps_reported = serializers.IntegerField()
    questions_go_on = serializers.IntegerField()
    actions = serializers.IntegerField()


class ControlPreviewOutput(serializers.Serializer[Any]):
    """The state of a scope now, whether one may set another, and what that would stop (null for who may not)."""

    scope = serializers.CharField()
    state = serializers.ChoiceField(ControlState.Status.choices)
    would_stop = WouldStopOutput(allow_null=True)
    may_stop = serializers.BooleanField()


class DrillInput(StrictSerializer):
    """Which stop is practised, and why."""

    example: ClassVar[dict[str, Any]] = {"kind": "everything", "id": "", "why": "Quarterly."}

    kind = serializers.ChoiceField(ControlState.Kind.choices)
    id = Text(max_length=80, allow_blank=True, default="")
    why = Text(max_length=2000)


class SightingOutput(serializers.Serializer[Any]):
    """A process, and how long after the beginning it saw the drill."""

    process = serializers.CharField()
    milliseconds = serializers.IntegerField()


class DrillOutput(serializers.Serializer[Any]):
    """A drill: who practised what, when and why, what it would have stopped, and which processes saw it how soon."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(ControlState.Kind.choices)
    of = serializers.CharField()
    name = serializers.CharField()
    by = serializers.CharField()
    why = serializers.CharField()
    at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    would_stop = WouldStopOutput()
    processes = serializers.IntegerField()
    slowest_ms = serializers.IntegerField(allow_null=True)
    seen = SightingOutput(many=True)


def stop_of(row: ControlState) -> dict[str, Any]:
    """A scope's state as the API shows it."""
    return {
        "scope": row.scope, "kind": row.kind, "id": row.code, "name": row.name, "state": row.status, "why": row.why,
        "set_by": row.set_by, "since": row.changed_at, "until": row.until,
    }  # fmt: skip


def drill_of(drill: ControlDrill) -> dict[str, Any]:
    """A drill as the API shows it."""
    return {
        "id": drill.uid, "kind": drill.kind, "of": drill.code, "name": drill.name, "by": drill.by_name,
        "why": drill.why, "at": drill.at, "ends_at": drill.ends_at, "ended_at": drill.ended_at, **result_of(drill),
    }  # fmt: skip
