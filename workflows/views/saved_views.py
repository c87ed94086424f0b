"""The pages about saved views of a list: which there are, keep one, change one, begin the queue with one."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode
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

PAGE = "workflows/saved_views.html"
REMEMBERED = "escalations_view"


class Listing:
    """The list that views are about: the queue; that of runs says otherwise (see runs_views)."""

    table = SavedView.Table.ESCALATIONS
    name = "Escalations"
    page, views, view, drop = "escalations", "escalations-views", "escalations-view", "escalations-view-drop"
    begins = True
    """Whether the list can begin with a view."""

    def kept(self, query: Mapping[str, str]) -> dict[str, str]:
        """What of an address a view keeps."""
        return Choice.read(query).kept

    def words(self, user: Principal, query: Mapping[str, str]) -> str:
        """What a view shows, in words."""
        choice = Choice.read(query)
        return ", ".join([TABS[choice.tab], *words_of(choice, filters_for(user, choice))])

    def address(self, view: SavedView) -> str:
        """Where the list stands as the view shows it."""
        return reverse(self.page) + f"?view={view.uid}"


QUEUE = Listing()


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


def visible_view(user: Principal, uid: str | UUID, listing: Listing = QUEUE) -> SavedView:
    """The view of the list, if this person may see it. Raises NotFound otherwise."""
    try:
        wanted = UUID(str(uid))
    except ValueError as no_uid:
        raise ledger.NotFound from no_uid
    found = SavedView.objects.visible_to(user).of(listing.table).with_names().filter(uid=wanted).first()
    if found is None:
        raise ledger.NotFound
    return found


class ViewsPage(LoginRequiredMixin, View):
    """The views that a person may use, and a new one of what the list showed."""

    listing = QUEUE

    def get(self, request: HttpRequest) -> HttpResponse:
        kept = self.listing.kept(request.GET.dict())
        form = ViewForm(units=shared_with(person(request)), initial={"query": urlencode(kept)})
        return self.shown(request, form, kept)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), ViewForm(request.POST, units=shared_with(person(request)))
        kept = self.listing.kept(dict(parse_qsl(request.POST.get("query", ""))))
        if not form.is_valid():
            return self.shown(request, form, kept, 400)
        try:
            view = governance.save_view(terms_of(form, kept, self.listing), by=user, at=database_now())
        except ledger.Invalid as wrong:
            tell(form, wrong)
            return self.shown(request, form, kept, 400)
        messages.success(request, f"The view “{view}” is saved.")
        return redirect(self.listing.address(view))

    def shown(self, request: HttpRequest, form: ViewForm, kept: dict[str, str], status: int = 200) -> HttpResponse:
        """The views, and the form of a new one."""
        user, listing = person(request), self.listing
        rows = [
            {"view": view, "words": listing.words(user, view.query), "address": listing.address(view)}
            for view in SavedView.objects.visible_to(user).of(listing.table).with_names()
        ]
        first = DefaultView.objects.filter(person=user).values_list("view", flat=True).first()
        back = reverse(listing.page) + (f"?{urlencode(kept)}" if kept else "")
        page = {
            "views": rows, "form": form, "back": back, "words": listing.words(user, kept), "first": first,
            "listing": listing,
        }  # fmt: skip
        return render(request, PAGE, page, status=status)


class ViewPage(LoginRequiredMixin, View):
    """One view of one's own, to be changed."""

    listing = QUEUE

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        view = visible_view(user, uid, self.listing)
        held = {"name": view.name, "unit": view.unit_id, "is_team_default": view.is_team_default}
        held |= {"edition": view.edition}
        return self.shown(request, view, ViewForm(units=shared_with(user), initial=held))

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user, at = person(request), database_now()
        view, form = visible_view(user, uid, self.listing), ViewForm(request.POST, units=shared_with(user))
        if not form.is_valid():
            return self.shown(request, view, form, 400)
        edition = form.cleaned_data["edition"] or 0
        try:
            terms = terms_of(form, self.listing.kept(view.query), self.listing)
            governance.change_view(view, terms, edition=edition, by=user, at=at)
        except ledger.Invalid as wrong:
            tell(form, wrong)
            return self.shown(request, view, form, 400)
        messages.success(request, f"The view “{form.cleaned_data['name']}” is changed.")
        return redirect(self.listing.views)

    def shown(self, request: HttpRequest, view: SavedView, form: ViewForm, status: int = 200) -> HttpResponse:
        """The form of the view, for its owner."""
        words, address = self.listing.words(person(request), view.query), self.listing.address(view)
        page = {"view": view, "form": form, "words": words, "address": address, "listing": self.listing}
        return render(request, "workflows/saved_view.html", page, status=status)


class BeginDoor(LoginRequiredMixin, View):
    """Let one's queue begin with a view, or as for everybody."""

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

    listing = QUEUE

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        view = visible_view(person(request), uid, self.listing)
        governance.drop_view(view, by=person(request), at=database_now())
        messages.success(request, f"The view “{view}” is gone.")
        return redirect(self.listing.views)


def shared_with(user: Principal) -> list[tuple[int, str]]:
    """The units with whose people this person may share a view."""
    return [(unit.pk, unit.name) for unit in Unit.objects.visible_to(user) if governance.may_share(user, unit)]


def terms_of(form: ViewForm, kept: Mapping[str, str], listing: Listing) -> governance.ViewTerms:
    """What the form wants the view to be."""
    given = form.cleaned_data
    return governance.ViewTerms(given["name"], kept, form.unit_chosen(), given["is_team_default"], listing.table)


def tell(form: ViewForm, wrong: ledger.Invalid) -> None:
    """Show at each field what is wrong with it."""
    for name, words in wrong.fields.items():
        form.add_error(name if name in form.fields else None, words)
    if not wrong.fields:
        form.add_error(None, wrong.detail)
