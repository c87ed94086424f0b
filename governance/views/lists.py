"""The pages about named lists: which there are, what one holds and held, and who reads it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal, Unit
from agents.views import person, require_recent
from governance import operations
from governance.forms import ListForm, NewListForm
from governance.models import ListEdition, Policy, ValueList
from observability import ledger
from observability.ledger import database_now

EDITIONS = 20
RIGHT = "governance.add_policy"


class ListsPage(LoginRequiredMixin, View):
    """The lists that a person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        rows = ValueList.objects.visible_to(user).select_related("unit")
        return render(request, "governance/lists.html", {"rows": rows, "may_add": bool(_units(user))})


class NewListPage(LoginRequiredMixin, View):
    """A new list."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, NewListForm(units=_required_units(person(request))))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        form = NewListForm(request.POST, units=_required_units(user))
        if not form.is_valid():
            return self.shown(request, form, 400)
        require_recent(request)
        asked = form.cleaned_data
        try:
            made = operations.add_list(
                asked["name"], title=asked["title"], items=form.lines, by=user, at=database_now(), why=asked["reason"],
                unit=Unit.objects.get(pk=asked["unit"]),
            )  # fmt: skip
        except ledger.Invalid as wrong:
            _tell(form, wrong)
            return self.shown(request, form, 400)
        messages.success(request, f"Rules can read {made.path} from now on.")
        return redirect("policy-list", made.name)

    def shown(self, request: HttpRequest, form: NewListForm, status: int = 200) -> HttpResponse:
        """The empty or the refused form."""
        return render(request, "governance/list_new.html", {"form": form}, status=status)


class ListPage(LoginRequiredMixin, View):
    """One list; those who may change it find the form here."""

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        shown = _visible(person(request), name)
        held = {"items": "\n".join(shown.items), "edition": shown.edition}
        return self.shown(request, shown, ListForm(initial=held))

    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        user, form = person(request), ListForm(request.POST)
        changed = _visible(user, name)
        if not form.is_valid():
            return self.shown(request, changed, form, 400)
        require_recent(request)
        asked = form.cleaned_data
        try:
            changed = operations.change_list(
                changed, items=form.lines, edition=asked["edition"], by=user, at=database_now(), why=asked["reason"]
            )
        except (ledger.Invalid, operations.ListChanged) as wrong:
            _tell(form, wrong)
            return self.shown(request, changed, form, wrong.status)
        messages.success(request, f"{changed.title}: edition {changed.edition} decides from the next question on.")
        return redirect("policy-list", changed.name)

    def shown(self, request: HttpRequest, shown: ValueList, form: ListForm, status: int = 200) -> HttpResponse:
        """The list as it stands now, with this form."""
        user = person(request)
        editions = list(shown.editions.select_related("author")[: EDITIONS + 1])
        page = {
            "list": shown, "form": form, "readers": _readers(shown, user), "may": user.may(RIGHT, shown.unit),
            "editions": [_change(now, before) for now, before in zip(editions, [*editions[1:], None], strict=True)][
                :EDITIONS
            ],
        }  # fmt: skip
        return render(request, "governance/list.html", page, status=status)


def _readers(shown: ValueList, user: Principal) -> list[dict[str, str]]:
    """The versions that read the list, with the page of each that the reader may see."""
    visible = set(Policy.objects.visible_to(user).values_list("pk", flat=True))
    return [
        {"words": str(each), "url": f"{reverse('policy', args=[each.policy.key])}?version={each.number}"}
        if each.policy_id in visible
        else {"words": "a policy of another unit", "url": ""}
        for each in operations.readers_of(shown)
    ]


class DropList(LoginRequiredMixin, View):
    """Take a list away."""

    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        user = person(request)
        dropped = _visible(user, name)
        require_recent(request)
        operations.drop_list(dropped, by=user, at=database_now(), why=request.POST.get("reason", ""))
        messages.success(request, f"The list {dropped.title} is gone.")
        return redirect("policy-lists")


def _visible(user: Principal, name: str) -> ValueList:
    found = ValueList.objects.visible_to(user).select_related("unit").filter(name=name).first()
    if found is None:
        raise ledger.NotFound
    return found


def _units(user: Principal) -> list[tuple[int, str]]:
    return [(unit.pk, str(unit)) for unit in Unit.objects.visible_to(user) if user.may(RIGHT, unit)]


def _required_units(user: Principal) -> list[tuple[int, str]]:
    units = _units(user)
    if not units:
        raise ledger.NotAllowed("Only those who write policies add lists.")
    return units


def _change(now: ListEdition, before: ListEdition | None) -> dict[str, Any]:
    held, had = set(now.items), set(before.items if before else ())
    return {"edition": now, "added": sorted(held - had), "removed": sorted(had - held)}


def _tell(form: ListForm, wrong: ledger.Refused) -> None:
    fields = getattr(wrong, "fields", None) or {}
    for name, words in fields.items():
        form.add_error(name if name in form.fields else None, words)
    if not fields:
        form.add_error(None, wrong.detail)
