"""The pages about what a version would have decided: its replays over the past, and its time in shadow."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from agents.models import Principal
from agents.views import person
from governance import operations
from governance.api.shapes.replays import own_counts
from governance.charts import ASKED_AS, Report, report
from governance.models import ComparedQuerySet, Decision, Policy, PolicyVersion, Replay, ReplayFlip, ShadowRuling
from governance.operations.replays import Side, medians
from governance.operations.telling import NOT_TOLD, Telling, telling_to
from governance.rules.replaying import BAND_WORDS, effort
from observability import ledger
from observability.ledger import database_now

ROWS = 50
SHADOW_DAYS = 30
FILTERS = ("before", "after", "rule", "agent", "unit", "amount")


def visible_version(user: Principal, key: str, number: int) -> PolicyVersion:
    """The version of a policy, if this person may see it; not found otherwise."""
    policies = Policy.objects.visible_to(user)
    version = PolicyVersion.objects.select_related("policy__unit").filter(policy__in=policies.order_by())
    found = version.filter(policy__key=key, number=number).first()
    if found is None:
        raise ledger.NotFound
    return found


class ReplayPage(LoginRequiredMixin, View):
    """Replays of a version: start one, see how far it is, read what it found."""

    def get(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user = person(request)
        version = visible_version(user, key, number)
        replays = list(version.replays.select_related("asked_by", "looked_by", "version__policy").defer("result")[:20])
        chosen = _chosen(replays, request.GET.get("run", ""))
        if request.htmx and (chosen is None or not chosen.is_under_way):  # type: ignore[attr-defined]
            return HttpResponse(headers={"HX-Refresh": "true"})  # it is over: the whole page is another one
        page = {
            "version": version, "policy": version.policy, "replays": replays, "chosen": chosen,
            "may_start": operations.may_write(user, version.policy), "days": operations.REPLAY_DAYS,
            "is_open": any(each.is_under_way for each in replays),
        }  # fmt: skip
        if chosen is not None and chosen.status == Replay.Status.DONE:
            operations.look_at(chosen, by=user, at=database_now())
            page |= _of_replay(request, user, chosen)
        return render(request, "governance/replay.html", page)

    def post(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user, at = person(request), database_now()
        version = visible_version(user, key, number)
        days = request.POST.get("days", "")
        if days not in map(str, operations.REPLAY_DAYS):
            said = f"Must be one of {', '.join(map(str, operations.REPLAY_DAYS))}."
            raise ledger.Invalid("Choose how many days.", fields={"days": said})
        since, recounts = at - timedelta(days=int(days)), "recounts" in request.POST
        operations.ask_replay(version, since=since, until=at, by=user, at=at, recounts=recounts)
        return redirect("policy-replay", key, number)


class CancelReplay(LoginRequiredMixin, View):
    """End the replay that is under way."""

    def post(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user = person(request)
        version = visible_version(user, key, number)
        replay = version.replays.under_way().select_related("version__policy").first()
        if replay is None:
            raise ledger.TooLate("No replay of this version is under way any more.")
        operations.cancel_replay(replay, by=user, at=database_now())
        messages.success(request, "The replay is cancelled. Nothing of it is kept.")
        return redirect("policy-replay", key, number)


class ShadowPage(LoginRequiredMixin, View):
    """What a version in shadow would have answered to live questions."""

    def get(self, request: HttpRequest, key: str, number: int) -> HttpResponse:
        user, at = person(request), database_now()
        version = visible_version(user, key, number)
        rulings = version.shadow_rulings.filter(at__gte=at - timedelta(days=SHADOW_DAYS))
        failed = rulings.exclude(failure="")
        page = {"version": version, "policy": version.policy, "days": SHADOW_DAYS, "failed": failed.count()}
        page["failure"] = failed.order_by("-pk").values_list("failure", flat=True).first() or ""
        said = rulings.filter(failure="")
        counts = said.counts()
        own, agents = own_counts(counts, user)
        place = _Place(request, "policy-in-shadow", key, number)
        work = effort(own, medians(at)) if own else effort({}, {})
        told = telling_to(user)
        found = report(own, work, agents.values(), place.address, told.name)
        page |= _told(place, found, said.differing().visible_to(user), told)
        page["hidden"] = sum(counts.values()) - sum(own.values())
        return render(request, "governance/shadow.html", page)


class ReplayedDecision(LoginRequiredMixin, View):
    """One decision under both rules: the two explanations side by side."""

    shadow = False

    def get(self, request: HttpRequest, key: str, number: int, uid: UUID) -> HttpResponse:
        user = person(request)
        version = visible_version(user, key, number)
        decisions = Decision.objects.visible_to(user).select_related("agent__unit")
        decision = decisions.filter(uid=uid).first()
        if decision is None or not self._is_about(version, decision):
            raise ledger.NotFound
        budgets = self._budgets(version, decision, request.GET.get("run", ""))
        told = telling_to(user)
        before, after = operations.explain_both(decision, operations.tried(version), told=told, budgets=budgets)
        page = {
            "version": version, "policy": version.policy, "decision": decision, "shadow": self.shadow,
            "sides": (("With the rules in force now", _side(before)), (f"With version {number}", _side(after))),
            "back": reverse("policy-in-shadow" if self.shadow else "policy-replay", args=[key, number]),
            "same": before.ruling.verdict == after.ruling.verdict,
            "since": decision.effect != before.ruling.verdict.value,
            "reason": decision.reason if all(map(told.tells, decision.because[:1])) else NOT_TOLD,
        }  # fmt: skip
        return render(request, "governance/replayed.html", page)

    def _budgets(self, version: PolicyVersion, decision: Decision, run: str) -> list[Any]:
        """The facts about budgets under both rules, where the replay that the reader comes from worked them out."""
        if not run:
            return []
        flips = ReplayFlip.objects.filter(replay__version=version, decision=decision)
        return next((flip.budgets for flip in flips.select_related("replay") if str(flip.replay.uid) == run), [])

    def _is_about(self, version: PolicyVersion, decision: Decision) -> bool:
        if self.shadow:
            return ShadowRuling.objects.filter(version=version, decision=decision, failure="").exists()
        return operations.tried(version).touches(decision.action)


@dataclass(frozen=True)
class _Place:
    """Where a report stands, and the addresses of the rows behind its figures."""

    request: HttpRequest
    name: str
    key: str
    number: int
    run: str = ""

    @property
    def path(self) -> str:
        return reverse(self.name, args=[self.key, self.number])

    def address(self, chosen: Mapping[str, str]) -> str:
        run = {"run": self.run} if self.run else {}
        return f"{self.path}?{urlencode({**run, **chosen})}#decisions"

    @property
    def wanted(self) -> dict[str, str]:
        return {name: value for name in FILTERS if (value := self.request.GET.get(name, ""))}


def _chosen(replays: list[Replay], wanted: str) -> Replay | None:
    if not wanted:
        return next(iter(replays), None)
    found = next((each for each in replays if str(each.uid) == wanted), None)
    if found is None:
        raise ledger.NotFound
    return found


def _of_replay(request: HttpRequest, user: Principal, replay: Replay) -> dict[str, Any]:
    counts = replay.counts
    own, agents = own_counts(counts, user)
    place = _Place(request, "policy-replay", replay.version.policy.key, replay.version.number, str(replay.uid))
    told = telling_to(user)
    found = report(own, replay.effort_of(own), agents.values(), place.address, told.name)
    shown = _told(place, found, replay.flips.all().visible_to(user), told)
    result = replay.result
    kept = {name: result.get(name, 0) for name in ("flips", "flips_kept", "moved", "moved_kept", "changed_since")}
    missing = sorted(result.get("missing", {}).items(), key=lambda each: (-each[1], each[0]))
    return {**shown, "kept": kept, "missing": missing, "hidden": sum(counts.values()) - sum(own.values())}


def _told(place: _Place, found: Report, rows: ComparedQuerySet, told: Telling) -> dict[str, Any]:
    wanted = place.wanted
    listed = _filtered(rows, wanted, told)
    older = place.request.GET.get("older", "")
    count = listed.count()
    if older.isascii() and older.isdigit() and len(older) < 19:
        listed = listed.filter(pk__lt=int(older)) if place.run == "" else listed.filter(pk__gt=int(older))
    order = "-pk" if place.run == "" else "pk"  # a replay keeps the newest decision first
    found_rows = list(listed.select_related("decision__agent").order_by(order)[: ROWS + 1])
    shown = found_rows[:ROWS]
    more = place.address({**wanted, "older": str(shown[-1].pk)}) if len(found_rows) > ROWS else ""
    drill = f"{place.path}/"
    return {
        "report": found, "rows": [(row, told.name(row.rule_before), told.name(row.rule_after)) for row in shown],
        "count": count, "wanted": wanted, "older": more, "drill": drill,
        "clear": place.address({}), "bands": BAND_WORDS, "run": place.run,
    }  # fmt: skip


_ASKED: Mapping[str, Callable[[ComparedQuerySet, str], ComparedQuerySet]] = {
    "before": lambda rows, value: rows.filter(before=value),
    "after": lambda rows, value: rows.filter(after=value),
    "agent": lambda rows, value: rows.filter(decision__agent__code=value),
    "unit": lambda rows, value: rows.filter(decision__agent__unit__code=value),
    "amount": lambda rows, value: rows.filter(band=value),
}


def _by_rule(rows: ComparedQuerySet, value: str, told: Telling) -> ComparedQuerySet:
    """Those by this rule; a rule that is not told is found among all of them only."""
    known = {
        ref for name in ("rule_before", "rule_after") for ref in rows.order_by().values_list(name, flat=True).distinct()
    }
    refs = [ref for ref in known if ASKED_AS.get(told.name(ref), told.name(ref)) == value]
    return rows.filter(rule_before__in=refs) | rows.filter(rule_after__in=refs)


def _filtered(rows: ComparedQuerySet, wanted: Mapping[str, str], told: Telling) -> ComparedQuerySet:
    if not {"before", "after"} <= set(wanted):
        rows = rows.filter(moved=False)  # what only moved stands behind the places of the matrix where nothing differs
    for name, value in wanted.items():
        rows = _by_rule(rows, value, told) if name == "rule" else _ASKED[name](rows, value)
    return rows


def _side(side: Side) -> dict[str, Any]:
    rules = []
    for rule in side.rules:
        policy, _, name = rule.ref.partition("#")
        rules.append({**asdict(rule), "name": name, "policy": policy})
    return {"ruling": side.ruling, "rules": rules, "hidden": side.hidden, "verdict": side.ruling.verdict.value}
