"""The uses of the emergency account, and their review."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views import View

from agents import operations
from agents.forms import ReviewForm
from agents.models import BreakGlass, Principal
from agents.operations.emergencies import ACCOUNT
from agents.rules import REVIEWING_ROLES
from agents.views.who import person, require_recent
from observability import ledger
from observability.ledger import database_now

RIGHT = "governance.set_control"  # council, IT and risk hear of it
LATEST = 20


class EmergenciesPage(LoginRequiredMixin, View):
    """Each use of the emergency account; council and risk review it with POST `review`, or end it with `close`."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, ReviewForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        user, at = person(request), database_now()
        use = _named(request.POST.get("use", ""))
        if use is None or not concerns(user):
            raise ledger.NotFound
        if "close" in request.POST:
            operations.close_break_glass(use, by=user, at=at, why="Closed on the page before its time.")
            messages.success(request, "The emergency account is closed. Its review is open.")
            return redirect("people-emergencies")
        form = ReviewForm(request.POST)
        if form.is_valid():
            require_recent(request)
            try:
                operations.review_break_glass(use, by=user, at=at, review=form.cleaned_data["review"])
                messages.success(request, "The review is closed.")
                return redirect("people-emergencies")
            except ledger.Invalid as wrong:
                form.add_error("review", wrong.fields.get("review", wrong.detail))
        return self.shown(request, form, use=use, status=400)

    def shown(
        self, request: HttpRequest, form: ReviewForm, *, use: BreakGlass | None = None, status: int = 200
    ) -> HttpResponse:
        """The page; `use` is the one whose review was not taken."""
        user = person(request)
        if not concerns(user):
            raise ledger.NotFound
        uses = BreakGlass.objects.select_related("account", "reviewed_by").order_by("-armed_at")[:LATEST]
        page = {
            "uses": uses, "form": form, "refused_use": use, "account": ACCOUNT,
            "may_review": bool(REVIEWING_ROLES & user.role_names) and user.username != ACCOUNT,
            "acts": f"{reverse('audit')}?{urlencode({'who': ACCOUNT})}",
        }  # fmt: skip
        return render(request, "agents/emergencies.html", page, status=status)


def concerns(user: Principal) -> bool:
    """Whether this person hears of uses of the emergency account."""
    return user.has_perm(RIGHT)


def _named(uid: str) -> BreakGlass | None:
    try:
        return BreakGlass.objects.select_related("account").filter(uid=UUID(uid)).first()
    except ValueError:
        return None
