"""The people's door to an agent's credentials and card, beside its page: issue, replace, revoke, register, publish."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views import View

from agents import operations
from agents.models import Agent, Key, Principal
from agents.rules import SCOPES
from agents.views import person, require_recent
from observability import ledger
from observability.ledger import database_now
from workflows.forms import KEY_DAYS, ClientKeyForm, KeyForm, RotateForm, reason_in
from workflows.views.profile import shown, visible_agent

PLAIN = {"scopes": list(SCOPES), "days": KEY_DAYS}  # of a key about which nothing was said


class CredentialPage(LoginRequiredMixin, View):
    """What the pages here share: the agent's page with its tab of credentials, and the way back to it."""

    http_method_names = ["post"]

    def shown(self, agent: Agent, user: Principal, *, status: int = 200, **more: Any) -> HttpResponse:
        """The tab with something more on it: a form that was refused, or a key that is shown once."""
        answer = shown(self.request, agent, user, {"tab": "keys", **more}, status=status)
        answer["Cache-Control"] = "no-store"
        return answer

    def back(self, agent: Agent, told: str) -> HttpResponse:
        """To the tab, with a sentence on what was done."""
        messages.success(self.request, told)
        return redirect(f"{reverse('agent', args=[agent.code])}?tab=keys")


def refuse(form: forms.Form, wrong: ledger.Invalid) -> None:
    """Put what an operation found wrong beside the fields of the form."""
    for name, said in (wrong.fields or {"": wrong.detail}).items():
        form.add_error(name if name in form.fields else None, said)


class IssueKey(CredentialPage):
    """Give an agent a new key; this page is the only place that ever shows it."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        form = KeyForm(request.POST if "days" in request.POST else PLAIN)
        require_recent(request)
        if form.is_valid():
            try:
                key = operations.issue_key(agent, by=user, at=database_now(), **form.cleaned_data)
                return self.shown(agent, user, new_key=key)
            except ledger.Invalid as wrong:
                refuse(form, wrong)
        return self.shown(agent, user, status=400, ask="new-key", form=form)


class KeyAct(CredentialPage):
    """What is done with one key of the agent."""

    def key_of(self, agent: Agent, prefix: str) -> Key:
        """The key, or not found."""
        key = agent.keys.select_related("agent__unit").filter(prefix=prefix).first()
        if key is None:
            raise ledger.NotFound
        return key


class RotateKey(KeyAct):
    """Replace a key by a new one, which is shown once; the old one goes on for a while."""

    def post(self, request: HttpRequest, code: str, prefix: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        key, form = self.key_of(agent, prefix), RotateForm(request.POST)
        if not form.is_valid():
            return self.shown(agent, user, status=400, ask=f"rotate-{prefix}", rotate_form=form)
        require_recent(request)
        text = operations.rotate_key(key, by=user, at=database_now(), **form.cleaned_data)
        return self.shown(agent, user, new_key=text)


class RevokeKey(KeyAct):
    """Make a key of an agent open nothing any more."""

    def post(self, request: HttpRequest, code: str, prefix: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        key = self.key_of(agent, prefix)
        operations.revoke_key(key, by=user, at=database_now(), why=reason_in(request.POST))
        return self.back(agent, f"The key {key} opens nothing any more.")


class RegisterClientKey(CredentialPage):
    """Keep the public half of an agent's key pair."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent, form = visible_agent(user, code), ClientKeyForm(request.POST)
        require_recent(request)
        if form.is_valid():
            given = dict(form.cleaned_data)
            try:
                key = operations.register_client_key(agent, given.pop("jwk"), by=user, at=database_now(), **given)
                return self.back(agent, f"The public key {key} is registered.")
            except ledger.Invalid as wrong:
                refuse(form, wrong)
        return self.shown(agent, user, status=400, ask="client-key", form=form)


class RevokeClientKey(CredentialPage):
    """Make a public key, and every token that was had with it, open nothing any more."""

    def post(self, request: HttpRequest, code: str, uid: UUID) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        key = agent.client_keys.select_related("agent__unit").filter(uid=uid).first()
        if key is None:
            raise ledger.NotFound
        operations.revoke_client_key(key, by=user, at=database_now(), why=reason_in(request.POST))
        return self.back(agent, f"The public key {key} opens nothing any more.")


class PublishCard(CredentialPage):
    """Show an agent's card to everybody, or to nobody outside."""

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        user = person(request)
        agent = visible_agent(user, code)
        published = request.POST.get("published") == "yes"
        operations.publish_card(agent, published=published, by=user, at=database_now())
        told = "can be read by everybody" if published else "can be read only by those who may see the agent"
        return self.back(agent, f"The card of {agent.code} {told}.")
