"""The page about delegations: who decides for whom now, later and before, and the form to let somebody decide."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views import View

from agents.models import Principal, Unit
from agents.operations import IT_RIGHT
from agents.views import person
from governance import operations
from governance.models import Delegation, Risk
from observability import kpis, ledger
from observability.ledger import database_now
from workflows.forms import DelegationForm, reason_in
from workflows.views.keyset import page_of
from workflows.views.rights import TABS, end_of


class DelegationsPage(LoginRequiredMixin, View):
    """The delegations that a person may see; `?end=` opens the form that ends one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, person(request), {})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Let somebody decide."""
        user, at = person(request), database_now()
        people = _absent(user)
        if not people.exists():
            raise operations.DelegationRefused
        form = DelegationForm(request.POST, viewer=user, people=people)
        if form.is_valid():
            given = form.cleaned_data
            terms = operations.Terms(
                person=given["person"], delegate=given["to"], starts_at=_start(given["first"], at),
                ends_at=end_of(given["last"]) or at, paths=given["paths"], risk_at_most=given["risk_at_most"],
                unit=given["unit"], reason=given["reason"],
            )  # fmt: skip
            try:
                delegation = operations.delegate(terms, by=user, at=at)
            except ledger.Refused as refused:
                form.refuse(refused)
                return self.shown(request, user, {"form": form}, status=refused.status)
            messages.success(request, f"{delegation.delegate} decides for {delegation.person}.")
            return redirect("access-delegations")
        return self.shown(request, user, {"form": form}, status=400)

    def shown(
        self, request: HttpRequest, user: Principal, more: Mapping[str, Any], *, status: int = 200
    ) -> HttpResponse:
        """The page as it is now."""
        at = database_now()
        visible = Delegation.objects.visible_to(user)
        page = page_of(visible, request, shown=visible.with_names())
        units, may_all = set(user.unit_ids()), user.may(IT_RIGHT)
        managed = set(user.granted("agents.manage_unit", Unit))
        rows = [
            {
                "delegation": each, "state": state_of(each, at), "limits": _limits(each, units),
                "may_end": each.status == Delegation.Status.ACTIVE
                and (may_all or each.concerns(user) or each.person.unit_id in managed),
            }
            for each in page.rows
        ]  # fmt: skip
        people = _absent(user)
        shown = {
            "tabs": TABS, "tab": "access-delegations", "rows": rows, "page": page, "end": request.GET.get("end", ""),
            "may_delegate": people.exists(), "form": DelegationForm(viewer=user, people=people), **more,
        }  # fmt: skip
        return render(request, "workflows/access_delegations.html", shown, status=status)


class EndDelegation(LoginRequiredMixin, View):
    """End a delegation early."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        visible = Delegation.objects.visible_to(user).select_related("person", "delegate")
        delegation = visible.filter(uid=uid).first()
        if delegation is None:
            raise ledger.NotFound
        operations.end_delegation(delegation, by=user, at=database_now(), why=reason_in(request.POST))
        messages.success(request, f"{delegation.delegate} no longer decides for {delegation.person}.")
        return redirect("access-delegations")


def _absent(user: Principal) -> QuerySet[Principal]:
    # Whose decisions this person may hand over: one's own, those of one's unit, or all as IT.
    deciders = operations.deciders(user).order_by("name")
    if user.may(IT_RIGHT):
        return deciders
    return deciders.filter(Q(pk=user.pk) | Q(unit__in=user.granted("agents.manage_unit", Unit)))


def _start(first: Any, at: datetime) -> datetime | None:
    # A delegation from today on begins now: what lies before has been decided.
    if first is None or first == timezone.localtime(at).date():
        return None
    return kpis.midnight(first)


def state_of(delegation: Delegation, at: datetime) -> str:
    """Whether it holds now, later, or no more."""
    if delegation.status == Delegation.Status.ENDED or delegation.ends_at <= at:
        return "ended"
    return "planned" if delegation.starts_at > at else "active"


def _limits(delegation: Delegation, units: set[int]) -> str:
    """What the delegate may decide, in words; of paths and units only those that the reader may see."""
    risk = "" if delegation.risk_at_most == Risk.HIGH else f"up to {delegation.get_risk_at_most_display().lower()}"
    unit = f"in {delegation.unit}" if delegation.unit is not None and delegation.unit_id in units else ""
    paths = [str(path) for path in delegation.paths.all() if path.unit_id in units]
    named = f"on {', '.join(paths)}" if paths else ""
    limits = ", ".join(each for each in (risk, unit, named) if each)
    return limits[:1].upper() + limits[1:] if limits else "Everything that is asked of the person"
