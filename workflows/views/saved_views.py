"""The pages about saved views of the queue: which there are, keep one, change one, begin with one."""

from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal, Unit
from agents.views import person
from governance import operations as governance
from governance.models import DefaultView, SavedView
from observability import ledger
from observability.ledger import database_now
from workflows.forms.views import ViewForm
from workflows.views.inbox import filters_for, words_of
from workflows.views.listing import TABS, Choice

PAGE = "workflows/escalations_views.html"
REMEMBERED = "escalations_view"


def begun(request: HttpRequest, user: Principal) -> tuple[Choice, SavedView | None]:
    """With what the list begins: what the address says, else the view that this session remembers, else one's own
    default, the unit's, and the system's."""
    given, session = request.GET, request.session
    if "view" not in given and given:
        if session.get(REMEMBERED):
            del session[REMEMBERED]
        return Choice.of(request), None
    named = given.get("view", "")
    remembered = session.get(REMEMBERED, "")
    view = visible_view(user, named) if named else governance.first_view(user, remembered=remembered)
    if named and view is not None:
        session[REMEMBERED] = str(view.uid)
    if view is None:
        return Choice.of(request), None
    return Choice.read(view.query | {name: given[name] for name in ("unfold", "before") if name in given}), view


def visible_view(user: Principal, uid: str | UUID) -> SavedView:
    """The view, if this person may see it. Raises NotFound otherwise."""
    try:
        wanted = UUID(str(uid))
    except ValueError as no_uid:
        raise ledger.NotFound from no_uid
    found = SavedView.objects.visible_to(user).with_names().filter(uid=wanted).first()
    if found is None:
        raise ledger.NotFound
    return found


class ViewsPage(LoginRequiredMixin, View):
    """The views that a person may use, and a new one of what the list showed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, choice = person(request), Choice.of(request)
        form = ViewForm(units=shared_with(user), initial={"query": choice.query.removeprefix("?")})
        return self.shown(request, form, choice)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), ViewForm(request.POST, units=shared_with(person(request)))
        choice = Choice.read(dict(parse_qsl(request.POST.get("query", ""))))
        if not form.is_valid():
            return self.shown(request, form, choice, 400)
        try:
            view = governance.save_view(terms_of(form, choice), by=user, at=database_now())
        except ledger.Invalid as wrong:
            tell(form, wrong)
            return self.shown(request, form, choice, 400)
        messages.success(request, f"The view “{view}” is saved.")
        return redirect(reverse("escalations") + f"?view={view.uid}")

    def shown(self, request: HttpRequest, form: ViewForm, choice: Choice, status: int = 200) -> HttpResponse:
        """The views, and the form of a new one."""
        user = person(request)
        rows = [
            {"view": view, "words": words_for(user, Choice.read(view.query))}
            for view in SavedView.objects.visible_to(user).with_names()
        ]
        first = DefaultView.objects.filter(person=user).values_list("view", flat=True).first()
        page = {"views": rows, "form": form, "choice": choice, "words": words_for(user, choice), "first": first}
        return render(request, PAGE, page, status=status)


class ViewPage(LoginRequiredMixin, View):
    """One view of one's own, to be changed."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        view = visible_view(user, uid)
        held = {"name": view.name, "unit": view.unit_id, "is_team_default": view.is_team_default}
        held |= {"edition": view.edition}
        return self.shown(request, view, ViewForm(units=shared_with(user), initial=held))

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        view, form = visible_view(user, uid), ViewForm(request.POST, units=shared_with(user))
        if not form.is_valid():
            return self.shown(request, view, form, 400)
        edition = form.cleaned_data["edition"] or 0
        try:
            terms = terms_of(form, Choice.read(view.query))
            governance.change_view(view, terms, edition=edition, by=user, at=at)
        except ledger.Invalid as wrong:
            tell(form, wrong)
            return self.shown(request, view, form, 400)
        messages.success(request, f"The view “{form.cleaned_data['name']}” is changed.")
        return redirect("escalations-views")

    def shown(self, request: HttpRequest, view: SavedView, form: ViewForm, status: int = 200) -> HttpResponse:
        """The form of the view, for its owner."""
        user = person(request)
        page = {"view": view, "form": form, "words": words_for(user, Choice.read(view.query)), "choice": Choice()}
        return render(request, "workflows/escalations_view.html", page, status=status)


class BeginDoor(LoginRequiredMixin, View):
    """Let one's list begin with a view, or as for everybody."""

    def post(self, request: HttpRequest, uid: UUID | None = None) -> HttpResponse:
        user = person(request)
        view = visible_view(user, uid) if uid is not None else None
        governance.begin_with(view, by=user)
        request.session.pop(REMEMBERED, None)
        told = f"Your list begins with “{view}”." if view else "Your list begins with what waits for you."
        messages.success(request, told)
        return redirect("escalations-views")


class DropDoor(LoginRequiredMixin, View):
    """Take a view of one's own away."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        view = visible_view(person(request), uid)
        governance.drop_view(view, by=person(request), at=database_now())
        messages.success(request, f"The view “{view}” is gone.")
        return redirect("escalations-views")


def shared_with(user: Principal) -> list[tuple[int, str]]:
    """The units with whose people this person may share a view."""
    return [(unit.pk, unit.name) for unit in Unit.objects.visible_to(user) if governance.may_share(user, unit)]


def terms_of(form: ViewForm, choice: Choice) -> governance.ViewTerms:
    """What the form wants the view to be."""
    given = form.cleaned_data
    return governance.ViewTerms(given["name"], choice.kept, form.unit_chosen(), given["is_team_default"])


def tell(form: ViewForm, wrong: ledger.Invalid) -> None:
    """Show at each field what is wrong with it."""
    for name, words in wrong.fields.items():
        form.add_error(name if name in form.fields else None, words)
    if not wrong.fields:
        form.add_error(None, wrong.detail)


def words_for(user: Principal, choice: Choice) -> str:
    """What a view shows, in words."""
    return ", ".join([TABS[choice.tab], *words_of(choice, filters_for(user, choice))])
