"""Input and output shapes of the doors for credentials and agent cards."""

from typing import Any

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

    name = Text(max_length=80, allow_blank=True, default="")
    scopes = Scopes()
    days = Whole(min_value=1, max_value=DAYS_AT_MOST, default=KEY_DAYS)


class RotateInput(StrictSerializer):
    """How long the old key stays valid beside the new one."""

    overlap_hours = Whole(min_value=0, max_value=7 * 24, default=OVERLAP_HOURS)


class KeyOutput(serializers.ModelSerializer[Key]):
    """A key without its secret; `key` holds the whole text in the one answer that shows it."""

    key = serializers.SerializerMethodField(allow_null=True)
    replaces = serializers.CharField(source="replaces.prefix", default=None)

    class Meta:
        model = Key
        fields = ["prefix", "name", "scopes", "status", "created_at", "expires_at", "last_used_at", "replaces", "key"]

    def get_key(self, row: Key) -> str | None:
        """The text of a key is known only while it is made."""
        return None


class ClientKeyInput(StrictSerializer):
    """The public half of a key pair, as a JWK."""

    jwk = serializers.DictField()
    scopes = Scopes()
    days = Whole(min_value=1, max_value=DAYS_AT_MOST, default=CLIENT_KEY_DAYS)


class ClientKeyOutput(serializers.ModelSerializer[ClientKey]):
    """A public key of an agent."""

    id = serializers.UUIDField(source="uid")
    jwk = serializers.DictField()

    class Meta:
        model = ClientKey
        fields = ["id", "kid", "jwk", "scopes", "status", "created_at", "expires_at", "last_used_at"]


class ConsentInput(StrictSerializer):
    """Which agent may act for the person, with which scopes, for how long."""

    agent = Text(max_length=20)
    scopes = Scopes()
    minutes = Whole(min_value=1, max_value=CONSENT_MINUTES, default=CONSENT_MINUTES)


class ConsentOutput(serializers.ModelSerializer[Consent]):
    """A consent; `subject_token` holds what the agent exchanges in the one answer that shows it."""

    id = serializers.UUIDField(source="uid")
    agent = serializers.CharField(source="agent.code")
    subject_token = serializers.SerializerMethodField(allow_null=True)

    class Meta:
        model = Consent
        fields = ["id", "agent", "scopes", "status", "created_at", "expires_at", "subject_token"]

    def get_subject_token(self, row: Consent) -> str | None:
        """The text of a consent is known only while it is made."""
        return None


class CardInput(StrictSerializer):
    """A card as its owner publishes it, and the unit that it is pinned for."""

    unit = Text(max_length=60)
    card = serializers.DictField()


class AcceptCardInput(StrictSerializer):
    """The fingerprint of the card that was read, and the reason."""

    sha256 = Text(min_length=64, max_length=64)
    why = Text(max_length=2000, allow_blank=True, default="")


class CardsOutput(serializers.ModelSerializer[ForeignCard]):
    """A foreign card in a list."""

    id = serializers.UUIDField(source="uid")
    unit = serializers.CharField(source="unit.code")
    pinned_by = serializers.CharField(source="pinned_by.name", default=None)
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
