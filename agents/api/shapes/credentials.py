"""Input and output shapes of the doors for credentials and agent cards."""

from typing import Any, ClassVar

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text, Whole
from agents.models import ClientKey, Consent, ForeignCard, Key
from agents.operations import CONSENT_MINUTES, OVERLAP_HOURS
from agents.rules import ALL_SCOPES
from agents.rules.cards import differences

KEY_DAYS, CLIENT_KEY_DAYS, DAYS_AT_MOST = 90, 365, 366


class Scopes(serializers.ListField):
    """A list of scopes, each once, in their fixed order; without it all of them."""

    def __init__(self, **options: Any) -> None:
        choice = serializers.ChoiceField(choices=list(ALL_SCOPES))
        super().__init__(child=choice, allow_empty=False, default=list(ALL_SCOPES), **options)


class KeyInput(StrictSerializer):
    """What a new key opens, for how long, and how people call it."""

    example: ClassVar[dict[str, Any]] = {"name": "laptop", "scopes": ["read", "work"], "days": 90}

    name = Text(max_length=80, allow_blank=True, default="")
    scopes = Scopes()
    days = Whole(min_value=1, max_value=DAYS_AT_MOST, default=KEY_DAYS)


class RotateInput(StrictSerializer):
    """How long the old key stays valid beside the new one."""

    example: ClassVar[dict[str, Any]] = {"overlap_hours": 24}

    overlap_hours = Whole(min_value=0, max_value=7 * 24, default=OVERLAP_HOURS)


class KeyOutput(serializers.ModelSerializer[Key]):
    """A key without its secret; `key` holds the whole text in the one answer that shows it."""

    scopes = serializers.ListField(child=serializers.CharField())
    key = serializers.SerializerMethodField(allow_null=True)
    replaces = serializers.CharField(source="replaces.prefix", allow_null=True, default=None)

    class Meta:
        model = Key
        fields = ["prefix", "name", "scopes", "status", "created_at", "expires_at", "last_used_at", "replaces", "key"]

    def get_key(self, row: Key) -> str | None:
        """The text of a key is known only while it is made."""
        return None


class ClientKeyInput(StrictSerializer):
    """The public half of a key pair, as a JWK."""

    example: ClassVar[dict[str, Any]] = {
        "jwk": {
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        "scopes": ["read", "work", "ask"], "days": 365,
    }  # fmt: skip

    jwk = serializers.DictField()
    scopes = Scopes()
    days = Whole(min_value=1, max_value=DAYS_AT_MOST, default=CLIENT_KEY_DAYS)


class ClientKeyOutput(serializers.ModelSerializer[ClientKey]):
    """A public key of an agent."""

    id = serializers.UUIDField(source="uid")
    scopes = serializers.ListField(child=serializers.CharField())
    jwk = serializers.DictField()

    class Meta:
        model = ClientKey
        fields = ["id", "kid", "jwk", "scopes", "status", "created_at", "expires_at", "last_used_at"]


class ConsentInput(StrictSerializer):
    """Which agent may act for the person, with which scopes, for how long."""

    example: ClassVar[dict[str, Any]] = {"agent": "AP-04", "scopes": ["read", "work"], "minutes": 15}

    agent = Text(max_length=20)
    scopes = Scopes()
    minutes = Whole(min_value=1, max_value=CONSENT_MINUTES, default=CONSENT_MINUTES)


class ConsentOutput(serializers.ModelSerializer[Consent]):
    """A consent; `subject_token` holds what the agent exchanges in the one answer that shows it."""

    id = serializers.UUIDField(source="uid")
    agent = serializers.CharField(source="agent.code")
    scopes = serializers.ListField(child=serializers.CharField())
    subject_token = serializers.SerializerMethodField(allow_null=True)

    class Meta:
        model = Consent
        fields = ["id", "agent", "scopes", "status", "created_at", "expires_at", "subject_token"]

    def get_subject_token(self, row: Consent) -> str | None:
        """The text of a consent is known only while it is made."""
        return None


class ConsentGivenOutput(ConsentOutput):
    """A new consent, and how its text is called where it is exchanged (RFC 8693)."""

    subject_token_type = serializers.CharField()

    class Meta(ConsentOutput.Meta):
        fields = [*ConsentOutput.Meta.fields, "subject_token_type"]


class CardInput(StrictSerializer):
    """A card as its owner publishes it, and the unit that it is pinned for."""

    example: ClassVar[dict[str, Any]] = {
        "unit": "finance", "card": {"name": "Rates", "url": "https://rates.example/a2a", "version": "1", "skills": []},
    }  # fmt: skip

    unit = Text(max_length=60)
    card = serializers.DictField()


class AcceptCardInput(StrictSerializer):
    """The fingerprint of the card that was read, and the reason."""

    example: ClassVar[dict[str, Any]] = {"sha256": "ab" * 32, "why": "Its owner told us of the new version."}

    sha256 = Text(min_length=64, max_length=64)
    why = Text(max_length=2000, allow_blank=True, default="")


class CardsOutput(serializers.ModelSerializer[ForeignCard]):
    """A foreign card in a list."""

    id = serializers.UUIDField(source="uid")
    unit = serializers.CharField(source="unit.code")
    pinned_by = serializers.CharField(source="pinned_by.name", allow_null=True, default=None)
    skills = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))

    class Meta:
        model = ForeignCard
        fields = [
            "id", "name", "provider", "url", "version", "unit", "skills", "status", "sha256", "pinned_by", "pinned_at",
            "seen_sha256", "seen_at",
        ]  # fmt: skip


class CardOutput(CardsOutput):
    """A foreign card with what changed since it was pinned."""

    changes = serializers.SerializerMethodField()

    class Meta(CardsOutput.Meta):
        fields = [*CardsOutput.Meta.fields, "changes"]

    def get_changes(self, row: ForeignCard) -> list[dict[str, str | None]]:
        """Each place that differs, with the value before and after."""
        return [] if row.seen is None else differences(row.card, row.seen)
