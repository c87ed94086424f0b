"""The table of prices for calls of models: everybody reads it, people with the right add to it."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from observability import ledger
from observability.forms import PriceForm
from observability.ledger import database_now
from observability.models import ModelPrice
from observability.operations import set_price
from observability.operations.prices import RIGHT, SetsPrices

ROWS_AT_MOST = 500


class Prices(LoginRequiredMixin, View):
    """All prices, the latest change on top, and the form for a new one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, PriceForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        user, form = cast(SetsPrices, request.user), PriceForm(request.POST)
        if not user.may(RIGHT):
            raise ledger.NotAllowed
        if not form.is_valid():
            return self.shown(request, form, 400)
        asked = form.cleaned_data
        given = {name: asked[name] for name in ("provider", "model", "kind", "per_million", "currency", "why")}
        try:
            row = set_price(**given, valid_from=form.since, by=user, at=database_now())
        except ledger.Invalid as wrong:
            for name, told in wrong.fields.items():
                form.add_error(name, told)
            return self.shown(request, form, 400)
        messages.success(request, f"Price {row.version} counts for what comes in from now on.")
        return redirect("prices")

    def shown(self, request: HttpRequest, form: PriceForm, status: int = 200) -> HttpResponse:
        """The table with this form."""
        rows = ModelPrice.objects.newest_first()[:ROWS_AT_MOST]
        may = cast(SetsPrices, request.user).may(RIGHT)
        return render(request, "observability/prices.html", {"rows": rows, "form": form, "may": may}, status=status)
