"""Who is behind a request for a page, and who may come in with a password."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from agents.models import Principal
from observability import ledger
from observability.prepared import Prepared


def person(request: HttpRequest) -> Principal:
    """The signed-in person behind a request for a page."""
    if not isinstance(request.user, Principal):
        raise ledger.NotAllowed
    return request.user


_ACCOUNT = Prepared(lambda pk: Principal.objects.filter(pk=pk), pk=int)


class PeopleBackend(ModelBackend):
    """Lets active people in with their password; an agent's account never."""

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, Principal) and user.is_person and user.is_active

    def get_user(self, user_id: Any) -> Principal | None:
        """The account of a session, as long as it may come in."""
        user = _ACCOUNT.first(pk=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Everything held for all rows, directly or through a group."""
        if not user_obj.is_active or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        return user_obj.rights.everywhere
