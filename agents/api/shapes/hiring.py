"""Input shapes of blueprints and agents; they stand here because they are built from the doors' own fields."""

from typing import Any, ClassVar

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text, Whole
from agents.models import Agent, Blueprint


class ScopedAction(StrictSerializer):
    """One action of a system that belongs to the job; the scope is read by people."""

    system = Text(max_length=60)
    action = Text(max_length=80)
    scope = serializers.DictField(child=Text(max_length=200), default=dict)


class BlueprintChangeInput(StrictSerializer):
    """What is to be different, and why; `status` puts the blueprint in force or disables it."""

    example: ClassVar[dict[str, Any]] = {"autonomy_ceiling": 2, "status": "active", "why": "It was tried for a month."}

    name = Text(max_length=200, required=False)
    purpose = Text(max_length=600, required=False)
    role = Text(max_length=60, required=False)
    unit = Text(max_length=60, required=False)
    owner = Text(max_length=80, required=False)
    actions = ScopedAction(many=True, required=False)
    autonomy_ceiling = Whole(min_value=0, max_value=4, required=False)
    risk_class = Whole(min_value=1, max_value=3, required=False)
    model = Text(max_length=200, allow_blank=True, required=False)
    runtime = Text(max_length=200, allow_blank=True, required=False)
    rates = serializers.DictField(child=Text(max_length=20), required=False)
    currency = Text(max_length=3, required=False)
    capabilities = serializers.ListField(child=Text(max_length=60), max_length=30, required=False)
    work_limit = Whole(min_value=0, max_value=1000, required=False)
    status = serializers.ChoiceField([Blueprint.Status.ACTIVE, Blueprint.Status.DISABLED], required=False)
    why = Text(max_length=2000)


class BlueprintInput(StrictSerializer):
    """A job description; role and unit by their codes, the owner by user name."""

    example: ClassVar[dict[str, Any]] = {
        "code": "reminder", "name": "Payment reminder", "purpose": "Reminds customers.", "role": "clerk",
        "unit": "finance", "owner": "maria",
        "actions": [{"system": "mail", "action": "mail.send", "scope": {"to": "customers"}}],
        "autonomy_ceiling": 2, "risk_class": 1, "currency": "EUR",
    }  # fmt: skip

    code = Text(max_length=60)
    name = Text(max_length=200)
    purpose = Text(max_length=600)
    role = Text(max_length=60)
    unit = Text(max_length=60)
    owner = Text(max_length=80)
    actions = ScopedAction(many=True, default=list)
    autonomy_ceiling = Whole(min_value=0, max_value=4, default=0)
    risk_class = Whole(min_value=1, max_value=3, default=1)
    model = Text(max_length=200, allow_blank=True, default="")
    runtime = Text(max_length=200, allow_blank=True, default="")
    rates = serializers.DictField(child=Text(max_length=20), default=dict)
    currency = Text(max_length=3, default="EUR")
    capabilities = serializers.ListField(child=Text(max_length=60), max_length=30, default=list)
    work_limit = Whole(min_value=0, max_value=1000, default=0)


class AgentChangeInput(StrictSerializer):
    """What is to be different, and why; people by user name, days as 2026-12-31."""

    example: ClassVar[dict[str, Any]] = {"stand_in": "priya", "ends_on": "2030-12-31", "why": "Maria is on leave."}

    name = Text(max_length=200, required=False)
    purpose = Text(max_length=600, required=False)
    icon = Text(max_length=40, required=False)
    blueprint = Text(max_length=60, required=False)
    unit = Text(max_length=60, required=False)
    accountable = Text(max_length=80, required=False)
    stand_in = Text(max_length=80, required=False, allow_null=True)
    autonomy_level = Whole(min_value=0, max_value=4, required=False)
    environment = serializers.ChoiceField(Agent.Environment.choices, required=False)
    runtime = Text(max_length=200, allow_blank=True, required=False)
    starts_on = Text(max_length=10, required=False, allow_null=True)
    ends_on = Text(max_length=10, required=False, allow_null=True)
    hours = serializers.DictField(required=False)
    why = Text(max_length=2000)


class AgentInput(StrictSerializer):
    """A new agent from a blueprint; without a unit it belongs to the blueprint's, without a purpose it has that one."""

    example: ClassVar[dict[str, Any]] = {
        "code": "AP-09", "name": "Second reader", "blueprint": "invoice-reader", "accountable": "maria",
        "stand_in": "priya", "autonomy_level": 1, "ends_on": "2030-12-31",
    }  # fmt: skip

    code = Text(max_length=20)
    name = Text(max_length=200)
    blueprint = Text(max_length=60)
    accountable = Text(max_length=80)
    purpose = Text(max_length=600, allow_blank=True, default="")
    unit = Text(max_length=60, allow_blank=True, default="")
    stand_in = Text(max_length=80, allow_null=True, default=None)
    icon = Text(max_length=40, default="bot")
    autonomy_level = Whole(min_value=0, max_value=4, default=0)
    environment = serializers.ChoiceField(Agent.Environment.choices, default=Agent.Environment.PRODUCTION)
    runtime = Text(max_length=200, allow_blank=True, default="")
    starts_on = Text(max_length=10, allow_null=True, default=None)
    ends_on = Text(max_length=10, allow_null=True, default=None)
    hours = serializers.DictField(default=dict)
