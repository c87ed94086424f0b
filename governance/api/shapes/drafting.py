"""Shapes of what one writes policies with: fields, operators, actions, and the test bench."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.language import Kind
from governance.rules import Verdict
from governance.rules.explaining import Outcome
from governance.rules.forms import Wants
from observability.serializers import StrictSerializer, Text, Whole


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
