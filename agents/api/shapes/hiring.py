"""Input shapes of blueprints and agents; they stand here because they are built from the doors' own fields."""

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
    status = serializers.ChoiceField([Blueprint.Status.ACTIVE, Blueprint.Status.DISABLED], required=False)
    why = Text(max_length=2000)


class BlueprintInput(StrictSerializer):
    """A job description; role and unit by their codes, the owner by user name."""

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


class AgentChangeInput(StrictSerializer):
    """What is to be different, and why; people by user name, days as 2026-12-31."""

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
