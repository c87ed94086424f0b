"""The people's door to the address at which an agent is told that work is ready, beside its credentials."""

from django.http import HttpRequest, HttpResponse

from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from workflows.forms import EndpointForm, reason_in
from workflows.models import Endpoint
from workflows.operations import pushing
from workflows.views.credentials import CredentialPage, refuse
from workflows.views.profile import visible_agent


class SetEndpoint(CredentialPage):
    """Keep the address and show the new secret, here and never again."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent, form = visible_agent(user, code), EndpointForm(request.POST)
        require_recent(request)
        if form.is_valid():
            try:
                _, secret = pushing.set_endpoint(agent, form.cleaned_data["url"], by=user, at=database_now())
                return self.shown(agent, user, new_secret=secret)
            except ledger.Invalid as wrong:
                refuse(form, wrong)
        return self.shown(agent, user, status=400, ask="endpoint", form=form)


class DisableEndpoint(CredentialPage):
    """Send nothing to the address any more."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        endpoint = Endpoint.objects.select_related("agent__unit").filter(agent=agent).first()
        if endpoint is None:
            raise ledger.NotFound
        pushing.disable_endpoint(endpoint, by=user, at=database_now(), why=reason_in(request.POST))
        return self.back(agent, f"Work is not announced to {agent.code} any more.")
