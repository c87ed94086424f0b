"""Who is behind a request for a page, and who may come in with a password."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from agents.models import Principal
from observability import ledger


def person(request: HttpRequest) -> Principal:
    """The signed-in person behind a request for a page."""
    if not isinstance(request.user, Principal):
        raise ledger.NotAllowed
    return request.user


class PeopleBackend(ModelBackend):
    """Lets active people in with their password; an agent's account never."""

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, Principal) and user.is_person and user.is_active

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Everything held for all rows, directly or through a group."""
        if not user_obj.is_active or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        return user_obj.rights.everywhere


class GrantBackend:
    """Answers Django's question about a right on one row; unlike guardian's own, no right holds after its end."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Lets nobody in: this knows rights, not people."""
        return

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether the right is held on this row; of rows in general it knows nothing."""
        if obj is None or not isinstance(user_obj, Principal):
            return False
        name = perm if "." in perm else f"{obj._meta.app_label}.{perm}"
        return obj.pk in user_obj.granted(name, type(obj))
