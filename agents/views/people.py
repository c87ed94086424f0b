"""The people: who works here, with which roles and factors; and what IT does with their accounts."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents import operations
from agents.forms import AdmitForm, MoverForm, WhyForm
from agents.models import Agent, Principal, Unit
from agents.rules import PEOPLE_ROLES, titles_of
from agents.views.adapters import FACTORS
from agents.views.emergencies import concerns
from agents.views.sessions import sessions_of
from agents.views.who import person, require_recent
from observability import ledger
from observability.ledger import database_now

ADMIT, CHANGE = "agents.add_principal", "agents.change_principal"
STATES = (("active", "Can sign in"), ("disabled", "Disabled"))
AT_MOST = 200
ACTS = ("roles", "disable", "enable", "factors", "invite")


class PeoplePage(LoginRequiredMixin, View):
    """The people of the units that one may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        wanted = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "unit", "role", "state")}
        found = list(_found(user, wanted)[: AT_MOST + 1])
        page = {
            "rows": [_row(each) for each in found[:AT_MOST]], "more": len(found) > AT_MOST, "wanted": wanted,
            "filtered": any(wanted.values()), "units": user.unit_choices(), "states": STATES,
            "roles": [(role.name, role.title) for role in PEOPLE_ROLES], "may_admit": user.may(ADMIT),
            "hears": concerns(user),
        }  # fmt: skip
        return render(request, "agents/people.html", page)


def people_of(user: Principal) -> Any:
    """The people that this one may see, with what a list shows."""
    people = Principal.objects.all_people().visible_to(user).select_related("unit")
    return people.prefetch_related("groups").order_by("name", "pk")


def _found(user: Principal, wanted: dict[str, str]) -> Any:
    found = people_of(user)
    if wanted["q"]:
        words = wanted["q"]
        found = found.filter(Q(name__icontains=words) | Q(username__icontains=words) | Q(title__icontains=words))
    if wanted["unit"].isdecimal() and len(wanted["unit"]) < 18:
        found = found.filter(unit_id=int(wanted["unit"]))
    if wanted["role"]:
        found = found.filter(groups__name=wanted["role"])
    if wanted["state"] in ("active", "disabled"):
        found = found.filter(is_active=wanted["state"] == "active")
    return found


def _row(each: Principal) -> dict[str, Any]:
    return {"person": each, "roles": titles_of(group.name for group in each.groups.all()), "state": state_of(each)}


def state_of(each: Principal) -> str:
    """The state of a person's account, in the vocabulary of the pages."""
    return "enabled" if each.is_active else "disabled"


class OnePerson(LoginRequiredMixin, View):
    """One person: roles, factors, sessions, the agents answered for; `?ask=` shows the form of an act."""

    def get(self, request: HttpRequest, username: str) -> HttpResponse:
        return shown(request, visible_person(person(request), username), {"ask": request.GET.get("ask", "")})


class Admit(LoginRequiredMixin, View):
    """Admit a person, who then sets a password with the link that this page shows once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = _who_admits(request)
        return self.shown(request, AdmitForm(units=user.unit_choices(), initial={"roles": ["member"]}))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = _who_admits(request)
        form = AdmitForm(request.POST, units=user.unit_choices())
        if not form.is_valid():
            return self.shown(request, form, status=400)
        require_recent(request)
        given = form.cleaned_data
        try:
            admitted = operations.admit_person(
                given["username"], given["name"], unit=Unit.objects.get(pk=given["unit"]), roles=given["roles"],
                password=None, title=given["title"], email=given["email"], by=user, at=database_now(),
            )  # fmt: skip
        except ledger.Invalid as wrong:
            for name, words in wrong.fields.items():
                form.add_error(name if name in form.fields else None, words)
            return self.shown(request, form, status=400)
        return shown(request, admitted, {"link": link_for(request, operations.invitation_for(admitted)), "new": True})

    def shown(self, request: HttpRequest, form: AdmitForm, *, status: int = 200) -> HttpResponse:
        """The page with its form."""
        return render(request, "agents/people_admit.html", {"form": form}, status=status)


def _who_admits(request: HttpRequest) -> Principal:
    user = person(request)
    operations.require(user, ADMIT)
    return user


class ChangePerson(LoginRequiredMixin, View):
    """One act on a person's account, named by `act`; each is asked for who one is when that was some time ago."""

    act = "roles"

    def post(self, request: HttpRequest, username: str) -> HttpResponse:
        user = person(request)
        other = visible_person(user, username)
        form = _form(self.act, request, user)
        if form is not None and not form.is_valid():
            return shown(request, other, {"ask": self.act, "form": form}, status=400)
        require_recent(request)
        try:
            told = _do(self.act, other, form.cleaned_data if form else {}, user)
        except ledger.Invalid as wrong:
            if form is None:
                raise
            for name, words in wrong.fields.items():
                form.add_error(name if name in form.fields else None, words)
            return shown(request, other, {"ask": self.act, "form": form}, status=400)
        if isinstance(told, tuple):
            return shown(request, visible_person(user, username), {"link": link_for(request, told)})
        messages.success(request, told)
        return redirect("people-person", username)


def _form(act: str, request: HttpRequest, user: Principal) -> Any:
    if act == "invite":
        return None
    return MoverForm(request.POST, units=user.unit_choices()) if act == "roles" else WhyForm(request.POST)


def _do(act: str, other: Principal, given: dict[str, Any], user: Principal) -> str | tuple[str, str]:
    at = database_now()
    if act == "invite":
        return operations.invite_again(other, by=user, at=at)
    why = given["why"]
    if act == "roles":
        unit = Unit.objects.get(pk=given["unit"])
        changed = operations.change_roles(other, given["roles"], unit=unit, by=user, at=at, why=why)
        return (
            f"{other} has the new roles and signs in again." if changed else "Nothing was changed: they are the same."
        )
    if act == "disable":
        operations.disable(other, by=user, at=at, why=why)
        return f"{other} is disabled. All sessions have ended, and open pages close within seconds."
    if act == "enable":
        operations.enable(other, by=user, at=at, why=why)
        return f"{other} can sign in again."
    operations.reset_second_factors(other, by=user, at=at, why=why)
    return f"{other} has no second factor any more and sets up a new one at the next sign-in."


def visible_person(user: Principal, username: str) -> Principal:
    """The person, if this one may see it; not found otherwise."""
    other: Principal | None = people_of(user).filter(username=username).first()
    if other is None:
        raise ledger.NotFound
    return other


def link_for(request: HttpRequest, invitation: tuple[str, str]) -> str:
    """The whole address of an invitation."""
    return request.build_absolute_uri(reverse("invitation", args=invitation))


def factors_of(other: Principal) -> list[dict[str, Any]]:
    """Which second factors a person has, never their secrets."""
    rows = Authenticator.objects.filter(user_id=other.pk).order_by("created_at")
    return [{"kind": FACTORS[row.type], "since": row.created_at, "used_at": row.last_used_at} for row in rows]


def shown(request: HttpRequest, other: Principal, more: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page of one person; what concerns the sign-in only for oneself and for those who see to accounts."""
    user = person(request)
    may_change = user.may(CHANGE)
    is_oneself = other.pk == user.pk
    answers_for = Agent.objects.visible_to(user).filter(Q(accountable=other) | Q(stand_in=other))
    page: dict[str, Any] = {
        "person": other, "roles": titles_of(other.role_names), "state": state_of(other), "is_oneself": is_oneself,
        "may_change": may_change and not is_oneself, "inside": may_change or is_oneself,
        "agents": answers_for.select_related("unit"), "days": settings.INVITATION_DAYS, **more,
    }  # fmt: skip
    if page["inside"]:
        page |= {
            "factors": factors_of(other),
            "sessions": sessions_of(other, current=request.session.session_key or ""),
        }
    if page["may_change"] and page.get("ask") in ACTS and "form" not in page:
        start = {"roles": list(other.role_names), "unit": other.unit_id}
        page["form"] = (
            MoverForm(units=user.unit_choices(), initial=start) if page["ask"] == "roles" else WhyForm()
        )  # fmt: skip
    answer = render(request, "agents/person.html", page, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
