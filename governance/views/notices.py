"""One's own notifications: of what, when and where one is told; and the link that a notice carries."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents.api.authentication import server_of
from agents.views import person
from governance.forms.notices import NoticeForm, PlaceForm
from governance.models import NoticePlace
from governance.operations import notices
from governance.serializers import trial_message
from observability import ledger
from observability.ledger import database_now


class NotificationsPage(LoginRequiredMixin, View):
    """Of what, when and where one is told."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _shown(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = person(request), NoticeForm(request.POST)
        if form.is_valid():
            try:
                notices.save_wish(**form.cleaned_data, by=user, at=database_now())
            except ledger.Invalid as wrong:
                form.refuse(wrong)
        if form.errors:
            return _shown(request, form=form, status=400)
        messages.success(request, "Your notifications are saved.")
        return redirect("settings-notifications")


class AddPlace(LoginRequiredMixin, View):
    """One more place."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        form = PlaceForm(request.POST, kinds=notices.kinds_for(user, device=True))
        if form.is_valid():
            given = form.cleaned_data
            try:
                notices.add_place(
                    given["kind"], given["address"], base=server_of(request).issuer, by=user, at=database_now()
                )  # fmt: skip
            except ledger.Invalid as wrong:
                form.refuse(wrong)
        if form.errors:
            return _shown(request, place_form=form, status=400)
        messages.success(request, "You are told there from now on. Send a test to see that it arrives.")
        return redirect("settings-notifications")


class RemovePlace(LoginRequiredMixin, View):
    """Be told there no longer."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        notices.remove_place(_own(request, uid), by=user, at=database_now())
        messages.success(request, "You are told there no longer.")
        return redirect("settings-notifications")


class TryPlace(LoginRequiredMixin, View):
    """See whether a message arrives there."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        place = _own(request, uid)
        outcome = notices.deliver(place, trial_message(place))
        notices.note_sent(place, [], outcome, at=database_now())
        if outcome.trouble:
            messages.error(request, f"The test did not get through. {outcome.trouble}")
        else:
            messages.success(request, f"The test was taken: {place}.")
        return redirect("settings-notifications")


class OpenLink(LoginRequiredMixin, View):
    """From a notice to the card; the link decides nothing and opens nothing that the person could not open anyway."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            escalation = notices.open_link(token, by=person(request), at=database_now())
        except ledger.Refused as refused:
            return render(request, "governance/notice_link.html", {"refused": refused}, status=refused.status)
        return redirect("escalation", escalation.uid)


def _own(request: HttpRequest, uid: UUID) -> NoticePlace:
    place = NoticePlace.objects.filter(person=person(request), uid=uid).select_related("person").first()
    if place is None:
        raise ledger.NotFound
    return place


def _shown(
    request: HttpRequest, *, form: NoticeForm | None = None, place_form: PlaceForm | None = None, status: int = 200
) -> HttpResponse:
    user = person(request)
    page: dict[str, Any] = {
        "form": form or NoticeForm.of(notices.wish_of(user)), "places": notices.places_of(user),
        "place_form": place_form or PlaceForm(kinds=notices.kinds_for(user)),
        "application_key": notices.application_key(),
    }  # fmt: skip
    return render(request, "governance/notifications.html", page, status=status)
