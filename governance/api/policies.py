"""The programs' door to policies: read them; for people check a document, keep a draft, put a version in force."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, ActingDoor, Door, PeopleOnly, PeopleWrite, SignedIn
from agents.api.versions import IF_MATCH, body_tag, require_match
from agents.models import Principal, Unit
from agents.operations import require
from governance import operations
from governance.api.shapes.policies import (
    ActivateInput,
    CheckedOutput,
    PolicyCheckInput,
    PolicyInput,
    PolicyOutput,
    PolicyVersionOutput,
    version_of,
)
from governance.models import Policy, PolicyQuerySet, PolicyVersion
from governance.rules import PolicyRules
from governance.rules.forms import as_json, from_document, rule_words
from governance.rules.texts import LARGEST_WHOLE, TextInvalid, read_text, write_text
from observability import ledger
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class PolicyDoor(ActingDoor):
    """What all doors to policies share."""

    permission_classes = [PeopleOnly]

    def document(self, text: str) -> dict[str, Any]:
        """The document of a text. Raises Invalid that names line and column."""
        try:
            return read_text(text)
        except TextInvalid as invalid:
            raise ledger.Invalid("The policy cannot be read.", fields={"text": str(invalid)}) from invalid

    def policy(self, key: str) -> Policy:
        """The policy, if this person may see it; not found otherwise."""
        return visible_policy(self.principal, key, Policy.objects.all())


def visible_policy(user: Principal, key: str, policies: PolicyQuerySet) -> Policy:
    """The policy with its standing, if this user may see it; not found otherwise."""
    policy: Policy | None = policies.visible_to(user).with_standing().filter(key=key).first()
    if policy is None:
        raise ledger.NotFound(f"There is no policy {key}, or you may not see it.")
    return policy


def version_numbered(policy: Policy, number: int) -> PolicyVersion:
    """The version of the policy with this number; not found without one."""
    version = policy.versions.with_people().filter(number=number).first()
    if version is None:
        raise ledger.NotFound(f"The policy {policy.key} has no version {number}.")
    return version


class CheckPolicyView(PolicyDoor):
    """Would this policy be accepted?"""

    @extend_schema(request=PolicyCheckInput, responses=CheckedOutput, summary="Check a policy, save nothing")
    def post(self, request: Request) -> Response:
        given = self.read(PolicyCheckInput, request.data)
        require(self.principal, "governance.add_policy")
        if "form" in given:
            document = operations.document_of(exact(given["form"], "form"))
        else:
            document = self.document(given["text"])
        return Response(_checked(operations.check_document(document), document, self.principal))


class PoliciesView(PeopleWrite, PolicyDoor):
    """Policies: list those one may see, keep the next version of one as a draft."""

    permission_classes = [SignedIn]
    scope = "read"
    query = PageQuery

    @extend_schema(parameters=[PageQuery], responses=page_of(PolicyOutput), summary="List policies")
    def get(self, request: Request) -> Response:
        return self.page(Policy.objects.visible_to(self.principal).with_standing(), PolicyOutput, by="key")

    @extend_schema(
        request=PolicyInput, responses={201: PolicyVersionOutput}, parameters=[IDEMPOTENCY],
        summary="Keep a policy as a draft",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = self.read(PolicyInput, request.data)

        def act(key: str) -> Answer:
            document = self.document(given["text"])
            unit, owner = self.home(str(document.get("key", "")), given["unit"])
            version = operations.add_policy(document, unit=unit, owner=owner, by=self.principal, at=database_now())
            return 201, version_of(version)

        return self.answer_once(request, act)

    def home(self, key: str, code: str) -> tuple[Unit, Principal]:
        """Unit and owner of the policy with this key: those it has, or for a new one the unit named and oneself."""
        if Policy.objects.filter(key=key).exists():
            policy = self.policy(key)
            return policy.unit, policy.owner
        own = Unit.objects.visible_to(self.principal)
        unit = own.filter(code=code).first() if code else self.principal.unit
        if unit is None:
            raise ledger.Invalid(
                "The policy needs a unit.", fields={"unit": "Name the code of a unit that you may see."}
            )
        return unit, self.principal


class PolicyView(Door):
    """One policy."""

    scope = "read"
    shows_one = True

    @extend_schema(responses=PolicyOutput, summary="Show a policy")
    def get(self, request: Request, key: str) -> Response:
        return self.tagged(PolicyOutput(visible_policy(self.principal, key, Policy.objects.all())).data)


class ActivatePolicyView(PolicyDoor):
    """Put one version of a policy in force."""

    @extend_schema(
        request=ActivateInput, responses=PolicyVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Put a version in force",
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        given = self.read(ActivateInput, request.data)
        self.require_recent()

        def act(once: str) -> Answer:
            policy = visible_policy(self.principal, key, Policy.objects.select_for_update(of=("self",)))
            operations.policies.require_writer(self.principal, policy)
            require_match(request, body_tag(PolicyOutput(policy).data))
            version = version_numbered(policy, given["version"])
            operations.activate(version, by=self.principal, at=database_now(), why=given["reason"])
            return 200, version_of(version)

        return self.answer_once(request, act)


def exact(value: Any, at: str) -> Any:
    """A part of a body as policies hold it: numbers with a point as text. Raises Invalid for one that text would
    change."""
    match value:
        case Mapping():
            return {name: exact(part, f"{at}.{name}") for name, part in value.items()}
        case list():
            return [exact(part, f"{at}[{number}]") for number, part in enumerate(value)]
        case Decimal():
            return format(value, "f")
        case int() if abs(value) >= LARGEST_WHOLE:
            raise ledger.Invalid("A number is not exact.", fields={at: "Write a whole number of this size as text."})
    return value


def _checked(rules: PolicyRules, document: Mapping[str, Any], user: Principal) -> dict[str, Any]:
    schema = operations.decision_schema()
    form = from_document(document, schema)
    paths = operations.vocabulary(user).paths
    found = [
        {
            "id": rule.id, "effect": rule.effect.value, "actions": list(rule.actions),
            "sentence": rule_words(as_form, schema, paths), "reads": sorted(rule.fields),
            "tree": as_json(rule.when.tree) if rule.when is not None else None,
        }
        for rule, as_form in zip(rules.rules, form["rules"], strict=True)
    ]  # fmt: skip
    return {"key": rules.key, "title": rules.title, "rules": found, "text": write_text(dict(document)), "form": form}
