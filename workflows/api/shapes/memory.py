"""Shapes of shared memory: findings, facts, claims, spaces."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from rest_framework import serializers

from observability.serializers import PageQuery, StrictSerializer, Text, Whole
from workflows import memory
from workflows.memory.flights import CLAIM_AT_MOST_SECONDS, CLAIM_SECONDS
from workflows.models import Fact, Flight, Space
from workflows.rules.memory import FILE_TYPES
from workflows.serializers import EXPIRES_AT_MOST_SECONDS, WAIT_AT_MOST_SECONDS, EvidenceInput

STATES = (("valid", "valid"), ("unconfirmed", "unconfirmed"), ("all", "all"))


class FileInput(StrictSerializer):
    """A file; its bytes in base64, at most 512 kB of them."""

    name = Text(max_length=200)
    content_type = Text(max_length=100, help_text=f"One of {', '.join(FILE_TYPES)}.")
    content = Text(trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The bytes in the place of their text."""
        try:
            return {**attrs, "content": base64.b64decode(attrs["content"], validate=True)}
        except (binascii.Error, ValueError) as wrong:
            raise serializers.ValidationError({"content": "This is no base64."}) from wrong


class FactInput(StrictSerializer):
    """A finding for shared memory: `value`, or `text`, or `file`."""

    example: ClassVar[dict[str, Any]] = {
        "space": "orders", "key": "PO-2026-3007", "value": {"total": "9000.00"}, "expires_seconds": 86_400,
    }  # fmt: skip

    space = Text(max_length=60)
    key = Text(max_length=300)
    value = serializers.DictField(default=dict)
    text = Text(max_length=200_000, allow_blank=True, default="", trim_whitespace=False)
    file = FileInput(allow_null=True, default=None)
    evidence = EvidenceInput(many=True, default=list)
    sources = serializers.ListField(
        child=serializers.UUIDField(), default=list, max_length=100,
        help_text="The facts that this was derived from: if one of them is found wrong, this is wrong as well.",
    )  # fmt: skip
    read_from = serializers.ListField(
        child=Text(max_length=80), default=list, max_length=50,
        help_text="Labels of what was read: person, policy, registry and system are trusted, all others are not.",
    )  # fmt: skip
    confidence = serializers.DecimalField(
        max_digits=5, decimal_places=4, min_value=0, max_value=1, allow_null=True, default=None
    )
    sensitivity = serializers.ChoiceField(Fact.Sensitivity.choices, default=Fact.Sensitivity.INTERNAL)
    valid_from = serializers.DateTimeField(allow_null=True, default=None)
    expires_seconds = Whole(min_value=1, max_value=EXPIRES_AT_MOST_SECONDS, allow_null=True, default=None)
    run = serializers.UUIDField(allow_null=True, default=None)
    cost = serializers.DecimalField(max_digits=14, decimal_places=6, min_value=0, default=Decimal(0))
    seconds = serializers.DecimalField(max_digits=14, decimal_places=3, min_value=0, default=Decimal(0))


class FactQuery(StrictSerializer):
    """Which fact is wanted, and for which run."""

    space = Text(max_length=60)
    key = Text(max_length=300)
    run = serializers.UUIDField(required=False, default=None)


class SearchQuery(PageQuery):
    """Which facts: every word has to be said, in the key or in the content; the last may be just a beginning."""

    q = Text(max_length=200, default="", help_text="Words, with spaces between them.")
    space = Text(max_length=60, default="")
    author = Text(max_length=20, default="", help_text="The code of the agent that found it.")
    kind = serializers.ChoiceField(Fact.Kind.choices, default="")
    state = serializers.ChoiceField(
        STATES, default="valid", help_text="What holds now, what waits to be confirmed, or everything ever kept."
    )  # fmt: skip


class FileOutput(serializers.Serializer[Any]):
    """A file, without its bytes."""

    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()


class FactRow(serializers.Serializer[Any]):
    """A finding in a list, or by its id."""

    id = serializers.UUIDField()
    space = serializers.CharField()
    key = serializers.CharField()
    kind = serializers.ChoiceField(Fact.Kind.choices)
    value = serializers.DictField()
    text = serializers.CharField(allow_blank=True)
    file = FileOutput(allow_null=True)
    sha256 = serializers.CharField()
    author = serializers.CharField()
    run = serializers.UUIDField(allow_null=True)
    sources = serializers.ListField(child=serializers.UUIDField())
    confidence = serializers.DecimalField(max_digits=5, decimal_places=4, allow_null=True)
    trust = serializers.ChoiceField(Fact.Trust.choices)
    marks = serializers.ListField(child=serializers.CharField(), help_text="Why it was not believed when it came.")
    sensitivity = serializers.ChoiceField(Fact.Sensitivity.choices)
    state = serializers.CharField(
        help_text="current, low (waits to be confirmed), later, expired, superseded, invalid or purged."
    )
    at = serializers.DateTimeField()
    valid_from = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    superseded_at = serializers.DateTimeField(allow_null=True)
    invalidated_at = serializers.DateTimeField(allow_null=True)
    invalid_why = serializers.CharField(allow_blank=True)
    evidence = serializers.ListField(child=serializers.DictField())
    reused = serializers.IntegerField()
    saved_seconds = serializers.DecimalField(max_digits=18, decimal_places=3)
    saved_cost = serializers.DecimalField(max_digits=18, decimal_places=6)


class FactOutput(FactRow):
    """A finding from shared memory."""

    age_seconds = serializers.IntegerField()


class FactShown(serializers.Serializer[Any]):
    """One finding."""

    fact = FactRow()


class FactAnswer(serializers.Serializer[Any]):
    """The finding under a key, null when there is none."""

    fact = FactOutput(allow_null=True)


class FactsAnswer(serializers.Serializer[Any]):
    """All facts that ended together."""

    facts = FactRow(many=True)


class FactWhyInput(StrictSerializer):
    """Why, as people read it later."""

    example: ClassVar[dict[str, Any]] = {"why": "The supplier confirmed it by telephone."}

    why = Text(max_length=2000)


class FactClaimInput(StrictSerializer):
    """What an agent is about to find out, for how long it wants to be the only one, and how long it waits for another
    one that is at it."""

    example: ClassVar[dict[str, Any]] = {"space": "orders", "key": "PO-2026-3007", "wait_seconds": 20}

    space = Text(max_length=60)
    key = Text(max_length=300)
    seconds = Whole(min_value=1, max_value=CLAIM_AT_MOST_SECONDS, default=CLAIM_SECONDS)
    wait_seconds = Whole(min_value=0, max_value=WAIT_AT_MOST_SECONDS, default=0)
    run = serializers.UUIDField(allow_null=True, default=None)


class ReleaseClaimInput(StrictSerializer):
    """Which claim is given up."""

    example: ClassVar[dict[str, Any]] = {"space": "orders", "key": "PO-2026-3007", "token": 1}

    space = Text(max_length=60)
    key = Text(max_length=300)
    token = Whole(min_value=1)


class ClaimOutput(serializers.Serializer[Any]):
    """`answer` is known (here is the fact), yours (find it out and keep it) or null: somebody else is at it, ask
    again."""

    answer = serializers.ChoiceField((("known", "known"), ("yours", "yours")), allow_null=True)
    fact = FactOutput(allow_null=True)
    token = serializers.IntegerField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class SpaceInput(StrictSerializer):
    """A new space of shared memory; `agent` or `workflow` names whom a space of that scope is for."""

    example: ClassVar[dict[str, Any]] = {"code": "suppliers", "name": "Suppliers", "unit": "finance"}

    code = serializers.SlugField(max_length=60)
    name = Text(max_length=200)
    purpose = Text(max_length=400, allow_blank=True, default="")
    unit = Text(max_length=60)
    scope = serializers.ChoiceField(Space.Scope.choices, default=Space.Scope.UNIT)
    agent = Text(max_length=20, allow_blank=True, default="")
    workflow = Text(max_length=80, allow_blank=True, default="")
    schema = serializers.DictField(default=dict)


class SpaceOutput(serializers.ModelSerializer[Space]):
    """A space of shared memory."""

    unit = serializers.CharField(source="unit.code")
    agent = serializers.CharField(source="agent.code", allow_null=True, default=None)
    workflow = serializers.CharField(source="workflow.code", allow_null=True, default=None)
    schema = serializers.DictField()

    class Meta:
        model = Space
        fields = ("code", "name", "purpose", "unit", "scope", "agent", "workflow", "schema")


class PurgeInput(StrictSerializer):
    """Whose facts are purged, and why."""

    example: ClassVar[dict[str, Any]] = {"agent": "AP-02", "why": "It was fed with forged orders."}

    agent = Text(max_length=20)
    why = Text(max_length=2000)


class PurgeOutput(serializers.Serializer[Any]):
    """What was purged; the ledger keeps the certificate, the SHA-256 of the list of ids and hashes."""

    own = serializers.IntegerField()
    derived = serializers.IntegerField()
    certificate = serializers.CharField()


def told(fact: Fact, at: datetime) -> dict[str, Any]:
    """A fact as the API tells it."""
    file = getattr(fact, "file", None) if fact.kind == Fact.Kind.FILE else None
    return {
        "id": fact.uid, "space": fact.space.code, "key": fact.key, "kind": fact.kind, "value": fact.value,
        "text": fact.text, "sha256": fact.value_sha256, "author": fact.author.code, "run": fact.run and fact.run.uid,
        "file": file and {"name": file.name, "content_type": file.content_type, "size": file.size},
        "sources": [source.uid for source in fact.sources.all()], "confidence": fact.confidence, "trust": fact.trust,
        "marks": fact.marks, "sensitivity": fact.sensitivity, "state": fact.state(at), "at": fact.at,
        "age_seconds": round((at - fact.at).total_seconds()), "valid_from": fact.valid_from,
        "expires_at": fact.expires_at, "superseded_at": fact.superseded_at, "invalidated_at": fact.invalidated_at,
        "invalid_why": fact.invalid_why, "evidence": fact.evidence, "reused": fact.reused,
        "saved_seconds": fact.seconds, "saved_cost": fact.cost,
    }  # fmt: skip


def fact_of(fact: Fact | None, at: datetime) -> dict[str, Any]:
    """The answer to a look into shared memory."""
    return {"fact": None if fact is None else told(fact, at)}


def begun_of(begun: memory.Begun, at: datetime) -> dict[str, Any]:
    """The answer to a claim."""
    flight: Flight | None = begun.flight
    answer = "known" if begun.fact is not None else "yours" if begun.is_mine else None
    return {
        "answer": answer, **fact_of(begun.fact, at), "token": flight.token if flight and begun.is_mine else None,
        "until": flight and flight.leased_until,
    }  # fmt: skip


def finding_in(given: Mapping[str, Any], **more: Any) -> memory.Finding:
    """What was sent as a finding."""
    file = memory.FileGiven(**given["file"]) if given["file"] else None
    own = {name: value for name, value in given.items() if name not in ("space", "run", "file")}
    return memory.Finding(file=file, **own, **more)
