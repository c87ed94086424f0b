"""The pages on which policies are written: the form of a version, the form of a new policy."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal, Unit
from agents.views import person
from governance import operations
from governance.forms.cards import PolicyCards
from governance.forms.policy import FormUnreadable, Typed, in_groups, new_form, press, to_save, typed
from governance.language import LanguageError, Problem
from governance.models import Policy, PolicyVersion
from governance.operations.policies import PolicyRefused, said
from governance.rules.forms import from_document
from governance.rules.texts import TextInvalid, read_text, write_text
from observability import ledger
from observability.ledger import database_now

RULES_AT_MOST = 40
"""A page with more rules than this shows the text: a browser posts every control of every rule."""


class NewPolicyFormPage(LoginRequiredMixin, View):
    """Write a policy that is not there yet."""

    def get(self, request: HttpRequest) -> HttpResponse:
        operations.require_author(person(request), None)
        return self.form_shown(request, Typed(new_form(), focus="key"))

    def post(self, request: HttpRequest) -> HttpResponse:
        operations.require_author(person(request), None)
        return self.answered(request)

    policy: Policy | None = None
    version: PolicyVersion | None = None

    def answered(self, request: HttpRequest) -> HttpResponse:
        """What the button that was pressed leads to."""
        do = request.POST.get("do", "check")
        if request.POST.get("mode") == "text":
            return self.text_answered(request, do)
        try:
            at = typed(request.POST, operations.decision_schema())
            press(at, do, request.POST)
        except FormUnreadable as wrong:
            raise ledger.Invalid("The page could not be read. Open it again; nothing was saved.") from wrong
        if do == "text":
            return self.as_text(request, at)
        return self.saved(request, at) if do == "save" else self.form_shown(request, at)

    # --- the form -------------------------------------------------------------------------------------------------
    def form_shown(self, request: HttpRequest, at: Typed, *, status: int = 200, refused: str = "") -> HttpResponse:
        """The page with this form."""
        user = person(request)
        known = operations.vocabulary(user)
        at.form = in_groups(at.form)
        draft = operations.read_draft(to_save(at.form), known.paths)
        cards = PolicyCards(at, draft, known, operations.decision_schema(), is_new=self.policy is None)
        shown = {"cards": cards, "known": known, "draft": draft, "refused": refused, "mode": "form"}
        return self.page(request, shown, user, status)

    def as_text(self, request: HttpRequest, at: Typed) -> HttpResponse:
        """The page with the text of this form, or the form again when a row of it is not filled in."""
        try:
            text = write_text(operations.document_of(to_save(at.form)))
        except PolicyRefused:
            words = "A condition is not filled in. Finish it or delete it, then look at the text."
            return self.form_shown(request, at, refused=words)
        return self.text_shown(request, text)

    def saved(self, request: HttpRequest, at: Typed) -> HttpResponse:
        """The page of the new draft, or the form again with what is wrong."""
        at.is_tried = True
        try:
            document = operations.document_of(to_save(at.form))
            return self.kept(request, document)
        except PolicyRefused:
            return self.form_shown(request, at, status=400, refused="Nothing was saved. Mend what is marked.")
        except ledger.Invalid as invalid:
            at.wrong.update(invalid.fields)
            return self.form_shown(request, at, status=400, refused="Nothing was saved. Mend what is marked.")

    def kept(self, request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
        """Save the document as the next draft and go to its page."""
        user = person(request)
        unit, owner = self.home(request, user, str(document.get("key", "")))
        version = operations.add_policy(document, unit=unit, owner=owner, by=user, at=database_now())
        messages.success(request, f"Version {version.number} is kept as a draft. It decides nothing yet.")
        return redirect(f"{reverse('policy', args=[version.policy.key])}?version={version.number}")

    def home(self, request: HttpRequest, user: Principal, key: str) -> tuple[Unit, Principal]:
        """Unit and owner of the policy that is saved. Raises Invalid for a key that is taken or a unit unknown."""
        if self.policy is not None:
            return self.policy.unit, self.policy.owner
        if Policy.objects.filter(key=key).exists():
            raise ledger.Invalid("The key is taken.", fields={"key": "Another policy has this key. Choose another."})
        unit = Unit.objects.visible_to(user).filter(code=request.POST.get("unit", "")).first()
        if unit is None:
            raise ledger.Invalid("The policy needs a unit.", fields={"unit": "Choose the unit it belongs to."})
        return unit, user

    # --- the text -------------------------------------------------------------------------------------------------
    def text_answered(self, request: HttpRequest, do: str) -> HttpResponse:
        """What a button of the text leads to."""
        text = request.POST.get("text", "").replace("\r\n", "\n")
        try:
            document = read_text(text)
            if self.policy is not None and document.get("key") != self.policy.key:
                raise TextInvalid(f"The key must stay {self.policy.key}.")
            if do == "save":
                return self.kept(request, document)
            if do == "form":
                form = from_document(document, operations.decision_schema())
                return self.form_shown(request, Typed(_with_parts(form), focus="title"))
        except (TextInvalid, LanguageError, ledger.Invalid) as wrong:
            words = "Nothing was saved." if do == "save" else "The text has no form yet."
            return self.text_shown(request, text, status=400 if do == "save" else 200, refused=f"{words} {_why(wrong)}")
        return self.text_shown(request, text)

    def text_shown(self, request: HttpRequest, text: str, *, status: int = 200, refused: str = "") -> HttpResponse:
        """The page with this text."""
        user = person(request)
        known = operations.vocabulary(user)
        try:
            document = read_text(text)
            draft = operations.read_draft(from_document(document, operations.decision_schema()), known.paths)
            problems = [_told(problem) for problem in draft.checked.problems]
        except (TextInvalid, LanguageError) as wrong:
            draft, problems = None, [_why(wrong)]
        shown = {"text": text, "draft": draft, "known": known, "problems": problems, "refused": refused, "mode": "text"}
        return self.page(request, shown, user, status)

    def page(self, request: HttpRequest, shown: dict[str, Any], user: Principal, status: int) -> HttpResponse:
        """The page."""
        more = {
            "policy": self.policy, "version": self.version, "units": list(shown["known"].units.items()),
            "unit": request.POST.get("unit", user.unit.code if user.unit else ""),
        }  # fmt: skip
        return render(request, "governance/policy_form.html", shown | more, status=status)


class PolicyFormPage(NewPolicyFormPage):
    """Write the next version of a policy, beginning with one that is there."""

    def dispatch(self, request: HttpRequest, *args: Any, **named: Any) -> Any:
        """Find the version first; one that may not be seen is not found."""
        if request.user.is_authenticated:
            user = person(request)
            visible = Policy.objects.visible_to(user).select_related("unit", "owner")
            self.policy = visible.filter(key=named.pop("key")).first()
            number = named.pop("number")
            self.version = self.policy.versions.filter(number=number).first() if self.policy else None
            if self.policy is None or self.version is None:
                raise ledger.NotFound
            operations.require_author(user, self.policy)
        return super().dispatch(request, *args, **named)

    def get(self, request: HttpRequest, **named: Any) -> HttpResponse:
        if self.version is None:
            raise ledger.NotFound
        form = from_document(self.version.document, operations.decision_schema())
        if len(form.get("rules", [])) > RULES_AT_MOST or request.GET.get("as") == "text":
            return self.text_shown(request, write_text(self.version.document))
        return self.form_shown(request, Typed(_with_parts(form)))

    def post(self, request: HttpRequest, **named: Any) -> HttpResponse:
        return self.answered(request)


def _with_parts(form: dict[str, Any]) -> dict[str, Any]:
    """The form with the parts that its page always shows."""
    scope = form.get("scope")
    return {**form, "rules": form.get("rules", []), "scope": scope if isinstance(scope, dict) else {}}


def _why(wrong: Exception) -> str:
    if isinstance(wrong, LanguageError):
        return _told(wrong.problems[0])
    if isinstance(wrong, ledger.Invalid) and wrong.fields:
        return "; ".join(f"{name}: {words}" for name, words in list(wrong.fields.items())[:3])
    return str(wrong)


def _told(problem: Problem) -> str:
    return f"{problem.path}: {said(problem)}" if problem.path else said(problem)
