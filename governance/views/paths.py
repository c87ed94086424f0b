"""The pages about who is asked: escalation paths, business calendars, trainings."""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views import View

from agents.models import Principal, Unit
from agents.views import person, require_recent
from governance import operations
from governance.api.paths import visible_calendar, visible_path
from governance.forms.paths import CalendarForm, LevelForms, NewCalendarForm, NewPathForm, PathForm, TrainingForm
from governance.models import BusinessCalendar, EscalationPath, Training
from observability import ledger
from observability.ledger import database_now

RIGHT = "governance.change_policy"


class PathsPage(LoginRequiredMixin, View):
    """The paths, calendars and trainings that a person may see."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Record until when a training of somebody counts."""
        user = person(request)
        form = TrainingForm(request.POST, viewer=user)
        if not form.is_valid():
            return self.shown(request, form, 400)
        require_recent(request)
        last = datetime.combine(form.cleaned_data["last"] + timedelta(days=1), time(), timezone.get_current_timezone())
        try:
            training = operations.record_training(
                form.cleaned_data["person"], form.cleaned_data["training"], valid_until=last, by=user, at=database_now()
            )
        except ledger.Refused as refused:
            form.refuse(refused)
            return self.shown(request, form, refused.status)
        messages.success(request, f"The training {training.name} of {training.person} counts until then.")
        return redirect("policy-paths")

    def shown(self, request: HttpRequest, form: TrainingForm | None = None, status: int = 200) -> HttpResponse:
        """The page as it is now."""
        user = person(request)
        trainings = Training.objects.filter(person__in=Principal.objects.all_people().visible_to(user)).select_related(
            "person"
        )
        page = {
            "paths": EscalationPath.objects.visible_to(user).with_levels(), "trainings": trainings[:200],
            "calendars": BusinessCalendar.objects.visible_to(user).select_related("unit"), "at": database_now(),
            "may_add": bool(_units(user)), "form": form or TrainingForm(viewer=user),
        }  # fmt: skip
        return render(request, "governance/paths.html", page, status=status)


class NewPathPage(LoginRequiredMixin, View):
    """A new escalation path."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        form = NewPathForm(viewer=user, units=_required_units(user))
        return self.shown(request, form, LevelForms(form_kwargs={"viewer": user}))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        form = NewPathForm(request.POST, viewer=user, units=_required_units(user))
        levels = LevelForms(request.POST, form_kwargs={"viewer": user})
        if not (form.is_valid() and levels.is_valid()):
            return self.shown(request, form, levels, 400)
        require_recent(request)
        asked = form.cleaned_data
        try:
            path = operations.add_path(
                asked["key"], asked["name"], unit=asked["unit"], levels=_levels(levels), terms=form.terms, by=user,
                at=database_now(), why=asked["why"],
            )  # fmt: skip
        except ledger.Refused as refused:
            form.refuse(refused)
            return self.shown(request, form, levels, refused.status)
        messages.success(request, f"Policies can name {path.key} from now on.")
        return redirect("policy-path", path.key)

    def shown(self, request: HttpRequest, form: NewPathForm, levels: Any, status: int = 200) -> HttpResponse:
        """The empty or the refused form."""
        page = {"form": form, "levels": levels, "path": None, "may": True}
        return render(request, "governance/path.html", page, status=status)


class PathPage(LoginRequiredMixin, View):
    """One escalation path; those who may change it find the form here."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        user = person(request)
        path = visible_path(user, key)
        terms = vars(operations.terms_of(path)) | {"name": path.name}
        form = PathForm(initial=terms | {"calendar": path.calendar and path.calendar.key}, viewer=user)
        return self.shown(request, path, form, LevelForms(initial=_initial(path), form_kwargs={"viewer": user}))

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        user = person(request)
        path = visible_path(user, key)
        form, levels = PathForm(request.POST, viewer=user), LevelForms(request.POST, form_kwargs={"viewer": user})
        if not (form.is_valid() and levels.is_valid()):
            return self.shown(request, path, form, levels, 400)
        require_recent(request)
        read = request.POST.get("edition", "")
        try:
            operations.change_path(
                path, form.cleaned_data["name"], levels=_levels(levels), terms=form.terms, by=user, at=database_now(),
                edition=int(read) if read.isdecimal() and len(read) < 9 else 0, why=form.cleaned_data["why"],
            )  # fmt: skip
        except ledger.Refused as refused:
            form.refuse(refused)
            return self.shown(request, path, form, levels, refused.status)
        messages.success(request, f"{path} asks like this from now on, what is open already as well.")
        return redirect("policy-path", path.key)

    def shown(
        self, request: HttpRequest, path: EscalationPath, form: PathForm, levels: Any, status: int = 200
    ) -> HttpResponse:  # fmt: skip
        """The path with this form."""
        may = person(request).may(RIGHT, path.unit)
        page = {"form": form, "levels": levels, "path": path, "may": may}
        return render(request, "governance/path.html", page, status=status)


def _initial(path: EscalationPath) -> list[dict[str, Any]]:
    return [
        {
            "people": [each.username for each in step.people.all()], "role": step.group and step.group.name,
            "seconds": step.seconds, "quorum": step.quorum, "remind": step.remind_seconds,
        }
        for step in operations.levels_of(path)
    ]  # fmt: skip


def _levels(forms: Any) -> list[operations.Level]:
    return [form.level for form in forms if form.level is not None]


class NewCalendarPage(LoginRequiredMixin, View):
    """A new business calendar."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(request, NewCalendarForm(units=_required_units(person(request))))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        form = NewCalendarForm(request.POST, units=_required_units(user))
        if not form.is_valid():
            return self.shown(request, form, 400)
        require_recent(request)
        asked = form.cleaned_data
        try:
            operations.add_calendar(
                asked["key"], asked["name"], form.document, unit=asked["unit"], by=user, at=database_now()
            )
        except ledger.Refused as refused:
            form.refuse(refused)
            return self.shown(request, form, refused.status)
        messages.success(request, f"Paths can count time by {asked['name']} from now on.")
        return redirect("policy-paths")

    def shown(self, request: HttpRequest, form: CalendarForm, status: int = 200) -> HttpResponse:
        """The empty or the refused form."""
        return render(request, "governance/calendar.html", {"form": form, "calendar": None, "may": True}, status=status)


class CalendarPage(LoginRequiredMixin, View):
    """One business calendar; those who may change it find the form here."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        calendar = visible_calendar(person(request), key)
        kept = calendar.document
        held = {"name": calendar.name, "days": kept["days"], "begin": kept["from"], "end": kept["to"]}
        held |= {"zone": kept["zone"], "holidays": "\n".join(kept.get("holidays", []))}
        return self.shown(request, calendar, CalendarForm(initial=held))

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        user, form = person(request), CalendarForm(request.POST)
        calendar = visible_calendar(user, key)
        if not form.is_valid():
            return self.shown(request, calendar, form, 400)
        require_recent(request)
        read = request.POST.get("edition", "")
        try:
            operations.change_calendar(
                calendar, form.cleaned_data["name"], form.document, by=user, at=database_now(),
                edition=int(read) if read.isdecimal() and len(read) < 9 else 0,
            )  # fmt: skip
        except ledger.Refused as refused:
            form.refuse(refused)
            return self.shown(request, calendar, form, refused.status)
        messages.success(request, f"{calendar} counts like this from the next question on.")
        return redirect("policy-paths")

    def shown(
        self, request: HttpRequest, calendar: BusinessCalendar, form: CalendarForm, status: int = 200
    ) -> HttpResponse:  # fmt: skip
        """The calendar with this form."""
        may = person(request).may(RIGHT, calendar.unit)
        page = {"form": form, "calendar": calendar, "may": may}
        return render(request, "governance/calendar.html", page, status=status)


def _units(user: Principal) -> list[int]:
    return [unit.pk for unit in Unit.objects.visible_to(user) if user.may(RIGHT, unit)]


def _required_units(user: Principal) -> list[int]:
    units = _units(user)
    if not units:
        raise ledger.NotAllowed("Only those who change policies change who is asked.")
    return units
