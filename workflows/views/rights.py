"""The pages about access: who may do what with one object, and what one person or agent may, each with its origin."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.models import Grant, Principal, RoleGrant, Unit
from agents.models.access import ROLE_TITLES, kind_of, model_of, title_of
from agents.operations import holdings
from agents.operations.holdings import Holding
from agents.rules.access import KINDS, Kind
from agents.views import person, require_recent
from observability import kpis, ledger
from observability.ledger import database_now
from observability.templatetags.ledger import right_words
from workflows.forms import GiveForm, GiveObjectForm, TermsForm, reason_in
from workflows.operations.stopping import MODELS
from workflows.views.control import stops_of
from workflows.views.keyset import page_of

TABS = (
    ("access", "Objects"), ("access-principals", "People and agents"), ("access-delegations", "Delegations"),
    ("access-reviews", "Reviews"),
)  # fmt: skip
RECEIVERS_AT_MOST = 200
ROLE = "role:"
USUAL_KIND = "agent"


class ObjectsPage(LoginRequiredMixin, View):
    """The objects of one kind that a person may see, each with how many rights were given on it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        kind = KINDS.get(request.GET.get("kind", USUAL_KIND), KINDS[USUAL_KIND])
        words = request.GET.get("q", "").strip()[:100]
        page = page_of(_objects(kind, user, words), request)
        counts = _counts(kind, page.rows, at)
        units = dict(Unit.objects.visible_to(user).values_list("pk", "name"))
        rows = [
            {
                "row": row, "key": row.as_subject().id, "name": row.as_subject().name, "count": counts.get(row.pk, 0),
                "unit": units.get(getattr(row, "unit_id", 0), ""),
            }
            for row in page.rows
        ]  # fmt: skip
        shown = {
            "tabs": TABS, "tab": "access", "kinds": KINDS.values(), "kind": kind, "rows": rows, "page": page,
            "words": words,
        }  # fmt: skip
        return render(request, "workflows/access_objects.html", shown)


def _objects(kind: Kind, user: Principal, words: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = model_of(kind)._default_manager.all().visible_to(user)  # type: ignore[attr-defined]
    if not words:
        return rows
    name = "title" if kind.name == "policy" else "name"
    named = Q(**{f"{name}__icontains": words}) | Q(**{f"{kind.key}__icontains": words})
    return rows.filter(named)


def _counts(kind: Kind, rows: list[Any], at: datetime) -> dict[int, int]:
    of_kind = {"content_type": ContentType.objects.get_for_model(model_of(kind)), "object_pk__in": [r.pk for r in rows]}
    counts: dict[int, int] = {}
    for table in (Grant, RoleGrant):
        held = table.objects.in_force(at).filter(**of_kind).order_by().values_list("object_pk").annotate(Count("pk"))
        for key, count in held:
            counts[int(key)] = counts.get(int(key), 0) + count
    return counts


# --- who may? -------------------------------------------------------------------------------------------------
class ObjectPage(LoginRequiredMixin, View):
    """Who may do what with one object, and why; `?take=` and `?prolong=` open the form beside a right."""

    def get(self, request: HttpRequest, kind: str, key: str) -> HttpResponse:
        user = person(request)
        return self.shown(request, visible_object(user, kind, key), user, {})

    def post(self, request: HttpRequest, kind: str, key: str) -> HttpResponse:
        """Give a right."""
        user, at = person(request), database_now()
        row = visible_object(user, kind, key)
        require_recent(request)
        form = GiveForm(request.POST, rights=_rights(kind_of(row)))
        if form.is_valid():
            given = form.cleaned_data
            try:
                to = receiver(given["to"], user)
                operations.grant(
                    given["permission"], to, row, by=user, at=at, reason=given["reason"],
                    expires_at=end_of(given["until"]),
                )  # fmt: skip
            except ledger.Refused as refused:
                form.refuse(refused)
                return self.shown(request, row, user, {"form": form}, status=refused.status)
            messages.success(request, f"{title_of(to)} may {right_words(given['permission'])} {row} from now on.")
            return redirect("access-object", kind, key)
        return self.shown(request, row, user, {"form": form}, status=400)

    def shown(
        self, request: HttpRequest, row: Any, user: Principal, more: Mapping[str, Any], *, status: int = 200
    ) -> HttpResponse:
        """The page as it is now."""
        at, kind = database_now(), kind_of(row)
        page = page_of(holdings.grants_reaching(row, at=at), request)
        first = not page.newer
        shown = {
            "kind": kind, "row": row, "key": row.as_subject().id, "name": row.as_subject().name, "page": page,
            "holdings": [
                *(_lines(holdings.roles_reaching(row, at=at), row, user) if first else ()),
                *_lines(holdings.holdings_on(row, page.rows), row, user),
            ],
            "may_change": holdings.may_change_rights(user, row), "back": "object",
            "receivers": _receivers(user), "form": GiveForm(rights=_rights(kind)), **_asked(request),
            **_stops(row, user), **more,
        }  # fmt: skip
        return render(request, "workflows/access_object.html", shown, status=status)


def visible_object(user: Principal, kind: str, key: str) -> Any:
    """The object, if this person may see it; not found otherwise."""
    row = holdings.find_object(kind, key, viewer=user)
    if row is None:
        raise ledger.NotFound
    return row


def _lines(found: list[Holding], row: Any, user: Principal) -> list[dict[str, Any]]:
    # What came with another object is changed on the page of that object.
    may = holdings.may_change_rights(user, row)
    return [
        {"holding": each, "may_change": may and each.grant is not None and each.row == row, "own": each.holder == user}
        for each in found
    ]


def _rights(kind: Kind) -> list[tuple[str, str]]:
    return [(kind.permission(each), _capital(right_words(each))) for each in kind.rights]


def _receivers(user: Principal) -> list[tuple[str, str]]:
    visible = Principal.objects.get_queryset().visible_to(user).filter(is_active=True).exclude(pk=user.pk)
    named = list(visible.order_by("kind", "name").values_list("username", "name")[:RECEIVERS_AT_MOST])
    roles = [(f"{ROLE}{name}", f"Everybody with the role {title}") for name, title in ROLE_TITLES.items()]
    return [*named, *roles]


def receiver(text: str, user: Principal) -> Principal | Group:
    """The person, agent or role that is meant. Raises Invalid when there is none that this person may see."""
    if text.startswith(ROLE):
        role = Group.objects.filter(name=text.removeprefix(ROLE).strip()).first()
        if role is None:
            raise ledger.Invalid(fields={"to": "There is no such role."})
        return role
    visible = Principal.objects.get_queryset().visible_to(user)
    found = visible.filter(Q(username=text) | Q(agent__code=text) | Q(name=text)).order_by("pk")[:2]
    if len(found) != 1:
        many = "Several have this name; give the user name." if found else "There is nobody of this name to be seen."
        raise ledger.Invalid(fields={"to": many})
    return found[0]


def end_of(day: date | None) -> datetime | None:
    """The moment at which a last day is over, in the zone of the pages."""
    return kpis.midnight(day + timedelta(days=1)) if day else None


def _asked(request: HttpRequest) -> dict[str, Any]:
    return {"take": request.GET.get("take", ""), "prolong": request.GET.get("prolong", ""), "terms": TermsForm()}


# --- what may I? ----------------------------------------------------------------------------------------------
class PrincipalsPage(LoginRequiredMixin, View):
    """The people and agents that a person may see, each with how many rights were given to it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        words, kind = request.GET.get("q", "").strip()[:100], request.GET.get("kind", "")
        found = Principal.objects.get_queryset().visible_to(user)
        if words:
            found = found.filter(Q(name__icontains=words) | Q(username__icontains=words))
        if kind in Principal.Kind.values:
            found = found.filter(kind=kind)
        page = page_of(found, request, shown=found.select_related("unit", "agent").prefetch_related("groups"))
        held = Grant.objects.in_force(at).filter(user__in=page.rows).visible_to(user).order_by()
        counts = dict(held.values_list("user").annotate(Count("pk")))
        rows = [
            {
                "principal": each, "count": counts.get(each.pk, 0),
                "roles": [title_of(group) for group in each.groups.all()],
            }
            for each in page.rows
        ]  # fmt: skip
        shown = {
            "tabs": TABS, "tab": "access-principals", "rows": rows, "page": page, "words": words, "kind": kind,
            "kinds": Principal.Kind.choices,
        }  # fmt: skip
        return render(request, "workflows/access_principals.html", shown)


class PrincipalPage(LoginRequiredMixin, View):
    """What one person or agent may, and why: everything of one's own, of others what is on objects that one may see."""

    def get(self, request: HttpRequest, username: str) -> HttpResponse:
        user = person(request)
        return self.shown(request, visible_principal(user, username), user, {})

    def post(self, request: HttpRequest, username: str) -> HttpResponse:
        """Give a right on an object."""
        user, at = person(request), database_now()
        principal = visible_principal(user, username)
        require_recent(request)
        form = GiveObjectForm(request.POST, rights=_all_rights())
        if form.is_valid():
            given = form.cleaned_data
            kind, _, permission = given["right"].partition(":")
            try:
                row = holdings.find_object(kind, given["object"].strip(), viewer=user)
                if row is None:
                    raise ledger.Invalid(
                        fields={"object": f"There is no {KINDS[kind].title.lower()} of this code to be seen."}
                    )
                operations.grant(
                    permission, principal, row, by=user, at=at, reason=given["reason"],
                    expires_at=end_of(given["until"]),
                )  # fmt: skip
            except ledger.Refused as refused:
                form.refuse(refused)
                return self.shown(request, principal, user, {"form": form}, status=refused.status)
            messages.success(request, f"{principal} may {right_words(permission)} {row} from now on.")
            return redirect("access-principal", username)
        return self.shown(request, principal, user, {"form": form}, status=400)

    def shown(
        self, request: HttpRequest, principal: Principal, user: Principal, more: Mapping[str, Any], *, status: int = 200
    ) -> HttpResponse:
        """The page as it is now."""
        at = database_now()
        page = page_of(holdings.grants_of(principal, viewer=user, at=at), request)
        first = not page.newer
        found = [
            *(holdings.role_holdings(principal, viewer=user, at=at) if first else ()),
            *holdings.holdings_of(page.rows),
        ]
        shown = {
            "principal": principal, "own": principal == user, "page": page,
            "holdings": [_line(each, user) for each in found], "back": "principal",
            "may_give": principal != user and may_give_somewhere(user),
            "form": GiveObjectForm(rights=_all_rights()), **_asked(request), **more,
        }  # fmt: skip
        return render(request, "workflows/access_principal.html", shown, status=status)


def visible_principal(user: Principal, username: str) -> Principal:
    """The person or agent, if this person may see it; not found otherwise."""
    visible = Principal.objects.get_queryset().visible_to(user).select_related("unit", "agent")
    principal = visible.filter(username=username).first()
    if principal is None:
        raise ledger.NotFound
    return principal


def may_give_somewhere(user: Principal) -> bool:
    """Whether there is any object on which this person may give rights."""
    return user.may(operations.IT_RIGHT) or bool(user.granted("agents.manage_unit", Unit))


def _line(each: Holding, user: Principal) -> dict[str, Any]:
    may = each.grant is not None and (each.holder == user or holdings.may_change_rights(user, each.row))
    return {"holding": each, "may_change": may, "own": each.holder == user, "also": holdings.also_allows(each)}


def _all_rights() -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (kind.title, [(f"{kind.name}:{permission}", words) for permission, words in _rights(kind)])
        for kind in KINDS.values()
    ]


# --- one right ------------------------------------------------------------------------------------------------
class TakeRight(LoginRequiredMixin, View):
    """Take a right away, with a reason."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        grant = visible_grant(user, uid)
        row = grant.row
        operations.revoke(grant, by=user, at=database_now(), why=reason_in(request.POST))
        words = right_words(grant.permission.codename)
        messages.success(request, f"{title_of(grant.holder)} may no longer {words} {row} by this right.")
        return _back(request, grant, user)


class ProlongRight(LoginRequiredMixin, View):
    """Let a right last longer, with a reason."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, form = person(request), TermsForm(request.POST)
        grant = visible_grant(user, uid)
        require_recent(request)
        if not form.is_valid():
            raise ledger.Invalid(" ".join(str(sentence) for found in form.errors.values() for sentence in found))
        given = form.cleaned_data
        permission = f"{grant.content_type.app_label}.{grant.permission.codename}"
        operations.grant(
            permission, grant.holder, grant.row, by=user, at=database_now(), reason=given["reason"],
            expires_at=end_of(given["until"]),
        )  # fmt: skip
        messages.success(request, f"{title_of(grant.holder)} keeps the right on {grant.row}.")
        return _back(request, grant, user)


def visible_grant(user: Principal, uid: UUID) -> Grant | RoleGrant:
    """The right, if this person may see its object or holds it; not found otherwise."""
    grant = holdings.find_grant(uid, viewer=user)
    if grant is None:
        raise ledger.NotFound
    return grant


def _back(request: HttpRequest, grant: Grant | RoleGrant, user: Principal) -> HttpResponse:
    if request.POST.get("back") == "principal" and isinstance(grant, Grant):
        return redirect("access-principal", grant.user.username)
    row = grant.row
    user.forget_grants()
    kind, key = kind_of(row), row.as_subject().id
    if holdings.find_object(kind.name, key, viewer=user) is None:  # it was sight of the object that was given up
        return redirect("access-principal", user.username)
    return redirect("access-object", kind.name, key)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _stops(row: Any, user: Principal) -> dict[str, Any]:
    # Policies, paths and spaces are not stopped: nothing works in them.
    return stops_of(row, user) if isinstance(row, tuple(MODELS.values())) else {}
