"""Blueprints and agents: written, assessed, rolled back, retired."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q

from agents.forms.written import WrittenForm, lines, reason
from agents.models import Agent, Blueprint, Principal, Role, System, Unit
from agents.operations import Hired
from agents.operations.assessments import TEXT_AT_MOST, Assessed
from agents.rules import AUTONOMY, DAY_NAMES, RATES


class BlueprintForm(WrittenForm):
    """A job description. The actions that systems offer are one line each: whether it belongs to the job, and up to
    which limits."""

    places = {"rates": "rate_run"}

    code = forms.CharField(
        label="Code", max_length=60, help_text="Small letters, digits and hyphens, as in payments-clerk. It stays."
    )
    name = forms.CharField(label="Name", max_length=200)
    purpose = forms.CharField(label="Purpose", max_length=600, widget=lines(2, 600))
    role = forms.ModelChoiceField(
        Role.objects.all(),
        label="Role",
        empty_label="choose",
        to_field_name="code",
        help_text="Steps name it.",
    )
    unit = forms.ModelChoiceField(
        Unit.objects.none(), label="Business unit", empty_label="choose", to_field_name="code"
    )
    owner = forms.ModelChoiceField(
        Principal.objects.none(),
        label="Owner",
        empty_label="choose",
        to_field_name="username",
        help_text="Who answers for it.",
    )
    autonomy_ceiling = forms.TypedChoiceField(
        label="Autonomy ceiling", coerce=int, choices=[(level, f"{level}: {word}") for level, word in AUTONOMY.items()],
        help_text="No agent of this job acts above it.",
    )  # fmt: skip
    risk_class = forms.TypedChoiceField(label="Risk class", coerce=int, choices=Blueprint.Risk.choices)
    model = forms.CharField(label="Model", max_length=200, required=False)
    runtime = forms.CharField(label="Runs on", max_length=200, required=False)
    rate_run = forms.CharField(label="Cost per run", max_length=20, required=False)
    rate_1k_tokens = forms.CharField(label="Cost per 1,000 tokens", max_length=20, required=False)
    rate_hour = forms.CharField(label="Cost per hour", max_length=20, required=False)
    currency = forms.CharField(label="Currency", max_length=3, initial="EUR")
    capabilities = forms.CharField(
        label="Capabilities", max_length=1900, required=False, help_text="Words that steps ask for, as in: german, vat."
    )
    work_limit = forms.IntegerField(
        label="Steps at once",
        min_value=0,
        max_value=1000,
        initial=0,
        required=False,
        help_text="How many one agent holds; 0 is any.",
    )
    why = reason("Why is it changed?")

    def __init__(self, *args: Any, user: Principal, blueprint: Blueprint | None = None, **kwargs: Any) -> None:
        if blueprint is not None:
            kwargs["initial"] = _blueprint_values(blueprint) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        del self.fields["code" if blueprint else "why"]
        self.fields["unit"].queryset = Unit.objects.visible_to(user)  # type: ignore[attr-defined]
        self.fields["owner"].queryset = people_near(user)  # type: ignore[attr-defined]
        self.offers = [_Offer(self, system, action) for system, action in offered_to(user)]
        for offer in self.offers:
            offer.add(blueprint)
        known = {(offer.system.code, offer.action["name"]) for offer in self.offers}
        kept = blueprint.actions if blueprint else []
        # What lies in a unit that this person does not see stays as it is; what allowed everything is named now.
        self.hidden = [item for item in kept if (item["system"], item["action"]) not in known and item["action"] != "*"]

    def document(self) -> dict[str, Any]:
        """The job description in plain values."""
        given = self.cleaned_data
        rates = {name: given[f"rate_{name}"].strip() for name in RATES if given[f"rate_{name}"].strip()}
        plain = {name: given[name] for name in _BLUEPRINT_PLAIN}
        named = {"role": given["role"].code, "unit": given["unit"].code, "owner": given["owner"].username}
        chosen = [offer.chosen(given) for offer in self.offers if given[offer.box]]
        can = [word.strip() for word in given["capabilities"].split(",") if word.strip()]
        return {
            **plain,
            **named,
            "capabilities": can,
            "work_limit": given["work_limit"] or 0,
            "rates": rates,
            "actions": [*self.hidden, *chosen],
        }

    @property
    def details(self) -> list[forms.BoundField]:
        """The fields that say what the job is."""
        return [self[name] for name in ("code", "name", "purpose", "role", "unit", "owner") if name in self.fields]

    @property
    def limits(self) -> list[forms.BoundField]:
        """The fields that say how far it goes."""
        return [self[name] for name in ("autonomy_ceiling", "risk_class", "capabilities", "work_limit")]

    @property
    def costs(self) -> list[forms.BoundField]:
        """The fields that the owner declares."""
        names = ("model", "runtime", "rate_run", "rate_1k_tokens", "rate_hour", "currency")
        return [self[name] for name in names]


_BLUEPRINT_PLAIN = ("name", "purpose", "autonomy_ceiling", "risk_class", "model", "runtime", "currency", "work_limit")


def _blueprint_values(blueprint: Blueprint) -> dict[str, Any]:
    document = blueprint.as_document()
    rates = {f"rate_{name}": rate for name, rate in document["rates"].items()}
    plain = {name: value for name, value in document.items() if name not in ("actions", "rates")}
    return {**plain, **rates, "capabilities": ", ".join(document["capabilities"])}


@dataclass(frozen=True)
class _Offer:
    """One action that a system offers, as two fields of the form."""

    form: BlueprintForm
    system: System
    action: Mapping[str, Any]

    @property
    def box(self) -> str:
        return f"does-{self.system.code}-{self.action['name']}"

    @property
    def line(self) -> str:
        return f"limit-{self.system.code}-{self.action['name']}"

    @property
    def fields(self) -> tuple[forms.BoundField, forms.BoundField]:
        return self.form[self.box], self.form[self.line]

    def add(self, blueprint: Blueprint | None) -> None:
        place = (self.system.code, self.action["name"])
        items = blueprint.actions if blueprint else []
        held = next((item for item in items if (item["system"], item["action"]) == place), None)
        label = self.action.get("label") or self.action["name"]
        self.form.fields[self.box] = forms.BooleanField(label=label, required=False, initial=held is not None)
        said = "; ".join(f"{name}: {limit}" for name, limit in sorted(held["scope"].items())) if held else ""
        self.form.fields[self.line] = forms.CharField(label=f"Limits of {label}", required=False, initial=said)

    def chosen(self, given: Mapping[str, Any]) -> dict[str, Any]:
        parts = [part.partition(":") for part in given[self.line].split(";") if part.strip()]
        scope = {name.strip() if limit else "Limit": (limit or name).strip() for name, _, limit in parts}
        return {"system": self.system.code, "action": self.action["name"], "scope": scope}


def offered_to(user: Principal) -> list[tuple[System, Mapping[str, Any]]]:
    """The actions of the systems that this person may see."""
    return [(system, action) for system in System.objects.visible_to(user) for action in system.actions]


def people_near(user: Principal) -> Any:
    """The people of the units that this person may see."""
    return Principal.objects.people().filter(unit__in=user.unit_ids()).order_by("name")


class AgentForm(WrittenForm):
    """An agent: who it is, who answers for it, where and when it works."""

    places = {"hours": "hours_days"}

    code = forms.CharField(label="Code", max_length=20, help_text="As in AP-04. It stays.")
    name = forms.CharField(label="Name", max_length=200)
    blueprint = forms.ModelChoiceField(
        Blueprint.objects.none(),
        label="Blueprint",
        empty_label="choose",
        to_field_name="code",
        help_text="Its role, actions and risk class.",
    )
    purpose = forms.CharField(label="Purpose", max_length=600, widget=lines(2, 600))
    unit = forms.ModelChoiceField(
        Unit.objects.none(), label="Business unit", empty_label="choose", to_field_name="code"
    )
    accountable = forms.ModelChoiceField(
        Principal.objects.none(), label="Accountable person", empty_label="choose", to_field_name="username",
        help_text="Who answers for it. For risk class 3 not who creates it.",
    )  # fmt: skip
    stand_in = forms.ModelChoiceField(
        Principal.objects.none(), label="Stand-in", to_field_name="username", required=False, empty_label="nobody"
    )
    autonomy_level = forms.TypedChoiceField(
        label="Autonomy level", coerce=int, choices=[(level, f"{level}: {word}") for level, word in AUTONOMY.items()],
        help_text="At most the ceiling of the blueprint. Once it works, a higher one is earned.",
    )  # fmt: skip
    environment = forms.ChoiceField(label="Environment", choices=Agent.Environment.choices)
    runtime = forms.CharField(
        label="Runs on", max_length=200, required=False, help_text="Left empty: as the blueprint says."
    )
    icon = forms.CharField(label="Icon", max_length=40, initial="bot", help_text="A name from lucide.dev, as in bot.")
    starts_on = forms.DateField(label="First day", required=False, widget=forms.DateInput({"type": "date"}))
    ends_on = forms.DateField(label="Last day", required=False, widget=forms.DateInput({"type": "date"}))
    hours_days = forms.MultipleChoiceField(
        label="Works on", required=False, choices=list(DAY_NAMES.items()), widget=forms.CheckboxSelectMultiple
    )
    hours_from = forms.CharField(label="From", required=False, max_length=5, widget=forms.TimeInput({"type": "time"}))
    hours_to = forms.CharField(label="To", required=False, max_length=5, widget=forms.TimeInput({"type": "time"}))
    hours_zone = forms.CharField(label="Time zone", required=False, max_length=60, help_text="As in Europe/Berlin.")
    why = reason("Why is it changed?")

    def __init__(self, *args: Any, user: Principal, agent: Agent | None = None, **kwargs: Any) -> None:
        if agent is not None:
            kwargs["initial"] = _agent_values(agent) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        del self.fields["code" if agent else "why"]
        usable = Q(status=Blueprint.Status.ACTIVE) | Q(pk=agent.blueprint_id if agent else None)
        people = people_near(user)
        choices = {
            "blueprint": Blueprint.objects.visible_to(user).filter(usable), "unit": Unit.objects.visible_to(user),
            "accountable": people, "stand_in": people,
        }  # fmt: skip
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def document(self) -> dict[str, Any]:
        """What is written about the agent, in plain values."""
        given = self.cleaned_data
        days = {name: given[name].isoformat() if given[name] else None for name in ("starts_on", "ends_on")}
        named = {
            "blueprint": given["blueprint"].code, "unit": given["unit"].code,
            "accountable": given["accountable"].username,
            "stand_in": given["stand_in"].username if given["stand_in"] else None,
        }  # fmt: skip
        return {**{name: given[name] for name in _AGENT_PLAIN}, **named, **days, "hours": self._hours()}

    def job(self) -> Hired:
        """The agent to be hired."""
        given = self.cleaned_data
        rows = {name: given[name] for name in ("code", "blueprint", "unit", "accountable", "stand_in")}
        days = {name: given[name] for name in ("starts_on", "ends_on")}
        return Hired(**rows, **days, **{name: given[name] for name in _AGENT_PLAIN}, hours=self._hours())

    def _hours(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not (given["hours_days"] or given["hours_from"] or given["hours_to"]):
            return {}
        zone = given["hours_zone"] or settings.TIME_ZONE
        return {"days": given["hours_days"], "from": given["hours_from"], "to": given["hours_to"], "zone": zone}

    @property
    def who(self) -> list[forms.BoundField]:
        """The fields that say who it is."""
        names = ("code", "name", "blueprint", "purpose", "unit", "icon")
        return [self[name] for name in names if name in self.fields]

    @property
    def answering(self) -> list[forms.BoundField]:
        """The fields that say who answers for it, and how far it goes."""
        return [self[name] for name in ("accountable", "stand_in", "autonomy_level", "environment", "runtime")]

    @property
    def time(self) -> list[forms.BoundField]:
        """The fields that say when it works, but the days of the week."""
        return [self[name] for name in ("starts_on", "ends_on", "hours_from", "hours_to", "hours_zone")]


_AGENT_PLAIN = ("name", "purpose", "icon", "autonomy_level", "environment", "runtime")


def _agent_values(agent: Agent) -> dict[str, Any]:
    document = agent.as_document()
    hours = {f"hours_{name}": value for name, value in agent.hours.items()}
    return {**{name: value for name, value in document.items() if name != "hours"}, **hours}


class AssessmentForm(WrittenForm):
    """What somebody thought through before an agent begins."""

    places = {"data": "touches"}

    does = forms.CharField(label="What does it do?", max_length=TEXT_AT_MOST, widget=lines(3, TEXT_AT_MOST))
    touches = forms.CharField(label="Which data is touched?", max_length=TEXT_AT_MOST, widget=lines(3, TEXT_AT_MOST))
    risks = forms.CharField(label="What can go wrong?", max_length=TEXT_AT_MOST, widget=lines(3, TEXT_AT_MOST))
    measures = forms.CharField(label="What is done about it?", max_length=TEXT_AT_MOST, widget=lines(3, TEXT_AT_MOST))

    def assessed(self) -> Assessed:
        """What was written, for the operation."""
        given = self.cleaned_data
        return Assessed(given["does"], given["touches"], given["risks"], given["measures"])


class RollBackForm(WrittenForm):
    """Which version to go back to, and why."""

    number = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)
    why = reason("Why do you go back?")


class RetireForm(WrittenForm):
    """Why an agent retires, and who takes its place."""

    successor = forms.ModelChoiceField(
        Agent.objects.none(), label="Who takes its place?", to_field_name="code", required=False, empty_label="nobody",
        help_text="It gets the rights to take steps and start runs where this one did.",
    )  # fmt: skip
    why = reason("Why does it retire?")

    def __init__(self, *args: Any, successors: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["successor"].queryset = successors  # type: ignore[attr-defined]
