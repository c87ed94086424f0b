"""Who is behind a request for a page, and who may come in with a password."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.http import HttpRequest

from agents.models import Principal
from agents.operations import sessions
from observability import ledger
from observability.ledger import database_now
from observability.prepared import Prepared

NO_ADDRESS = "0.0.0.0"  # noqa: S104 (nothing is bound to it: what a socket file says of the caller)


def person(request: HttpRequest) -> Principal:
    """The signed-in person behind a request for a page."""
    if not isinstance(request.user, Principal):
        raise ledger.NotAllowed
    return request.user


def require_recent(request: HttpRequest) -> None:
    """Raise SignInAgain unless the person showed recently who it is. Call it before an act that loosens something; a
    page then asks for password or second factor and goes on with the form as it was sent."""
    sessions.require_recent(request.session, at=database_now())


def address_of(request: HttpRequest) -> str:
    """The address of the caller, as the server saw it."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    try:
        validate_ipv46_address(address)
    except ValidationError:
        return NO_ADDRESS
    return address


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
