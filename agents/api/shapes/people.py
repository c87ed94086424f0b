"""Input and output shapes of people."""

from typing import Any, ClassVar

from rest_framework import serializers

from agents.api.doors import StrictSerializer, Text
from agents.models import Principal


class PersonInput(StrictSerializer):
    """A new person."""

    example: ClassVar[dict[str, Any]] = {
        "username": "nina", "name": "Nina Berg", "unit": "finance", "roles": ["reviewer"], "title": "Clerk",
        "email": "nina@halden.example",
    }  # fmt: skip

    username = Text(max_length=60)
    name = Text(max_length=200)
    unit = Text(max_length=60)
    roles = serializers.ListField(child=Text(max_length=60), max_length=20)
    title = Text(max_length=120, required=False, allow_blank=True, default="")
    email = serializers.EmailField(required=False, allow_blank=True, default="")


class PersonChange(StrictSerializer):
    """What changes of a person; what is not named stays."""

    example: ClassVar[dict[str, Any]] = {"roles": ["reviewer", "unit_owner"], "why": "She leads the unit now."}

    name = Text(max_length=200, required=False)
    unit = Text(max_length=60, required=False)
    roles = serializers.ListField(child=Text(max_length=60), max_length=20, required=False)
    title = Text(max_length=120, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    why = Text(max_length=2000, required=False, allow_blank=True, default="")


class PersonOutput(serializers.ModelSerializer[Principal]):
    """A person."""

    unit = serializers.CharField(source="unit.code", allow_null=True, default=None)
    roles = serializers.SerializerMethodField()

    class Meta:
        model = Principal
        fields = ["username", "name", "title", "email", "unit", "roles", "is_active"]

    def get_roles(self, person: Principal) -> list[str]:
        """The names of the roles, in alphabetical order."""
        return sorted(group.name for group in person.groups.all())


class AdmittedOutput(PersonOutput):
    """A new person, with the address of the invitation until it was used."""

    invitation = serializers.URLField(allow_null=True)

    class Meta(PersonOutput.Meta):
        fields = [*PersonOutput.Meta.fields, "invitation"]
