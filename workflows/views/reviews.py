"""The pages about access reviews: which there are, starting one, answering for rights, and the evidence."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from agents import operations
from agents.models import Principal, Review, ReviewItem
from agents.operations.reviews import START, record_export
from agents.rules.access import KINDS
from agents.views import person
from observability import ledger
from observability.ledger import database_now
from observability.views.audit import line
from workflows.forms import ReviewForm, reason_in
from workflows.views.keyset import LONGEST_KEY, page_of
from workflows.views.rights import TABS, end_of

PAGE_SIZE = 25
NONE = {"total": 0, "answered": 0, "mine": 0}
Status = ReviewItem.Status
SHOWN = (("mine", "Waits for you"), ("all", "All"), *((each.value, each.label) for each in Status))
COLUMNS = (
    "id", "object_kind", "object", "object_name", "unit", "right", "holder_kind", "holder", "holder_name", "reason",
    "granted_by", "granted_at", "expires_at", "reviewer", "answer", "answered_by", "answered_at", "why",
)  # fmt: skip


class ReviewsPage(LoginRequiredMixin, View):
    """The access reviews that a person may see, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = person(request)
        visible = Review.objects.visible_to(user)
        page = page_of(visible, request, shown=visible.select_related("started_by"))
        items = ReviewItem.objects.visible_to(user).filter(review__in=page.rows).order_by()
        counted = items.values("review").annotate(
            total=Count("pk"), answered=Count("pk", filter=~Q(status=Status.WAITING)),
            mine=Count("pk", filter=Q(status=Status.WAITING, reviewer=user)),
        )  # fmt: skip
        counts = {each["review"]: each for each in counted}
        shown = {
            "tabs": TABS, "tab": "access-reviews", "page": page, "may_start": user.may(START),
            "rows": [{**counts.get(each.pk, NONE), "review": each} for each in page.rows],
        }  # fmt: skip
        return render(request, "workflows/access_reviews.html", shown)


class StartReview(LoginRequiredMixin, View):
    """The form that starts an access review."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = _starter(request)
        return render(request, "workflows/access_review_new.html", {"form": ReviewForm(viewer=user)})

    def post(self, request: HttpRequest) -> HttpResponse:
        user, at = _starter(request), database_now()
        form = ReviewForm(request.POST, viewer=user)
        if form.is_valid():
            given = form.cleaned_data
            scope = operations.Scope(
                name=given["name"], due_at=end_of(given["last"]) or at, kinds=tuple(given["kinds"]),
                units=tuple(given["units"]), answered_by=given["answered_by"], named=given["named"],
            )  # fmt: skip
            try:
                review = operations.start_review(scope, by=user, at=at)
            except ledger.Refused as refused:
                form.refuse(refused)
                return render(request, "workflows/access_review_new.html", {"form": form}, status=refused.status)
            messages.success(request, f"The access review {review} has begun.")
            return redirect("access-review", review.uid)
        return render(request, "workflows/access_review_new.html", {"form": form}, status=400)


def _starter(request: HttpRequest) -> Principal:
    user = person(request)
    if not user.may(START):
        raise ledger.NotAllowed("Access reviews are started by the governance council, IT and risk.")
    return user


class ReviewPage(LoginRequiredMixin, View):
    """One access review: its rights, the answers, and the evidence once it is closed; `?revoke=` opens a form."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        return shown(request, found(user, uid), user, {})


def shown(
    request: HttpRequest, review: Review, user: Principal, more: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """The page of a review as it is now."""
    items = review.items.all().visible_to(user)
    totals = _totals(items, user)
    wanted = request.GET.get("show") or ("mine" if totals["mine"] else "all")
    page = page_of(
        _wanted(items, wanted, user), request, size=PAGE_SIZE,
        shown=items.select_related("unit", "reviewer", "answered_by"),
    )  # fmt: skip
    page_shown = {
        "review": review, "page": page, "items": page.rows, "totals": totals, "show": wanted,
        "choices": [(name, label, totals[name]) for name, label in SHOWN if totals[name] or name == wanted],
        "answering": wanted == "mine" and review.is_open, "revoke": request.GET.get("revoke", ""),
        "complete": user.sees_all_units, "kinds": [KINDS[kind].plural for kind in review.kinds if kind in KINDS],
        "units": review.units.all().visible_to(user), **_proof(review, user), **more,
    }  # fmt: skip
    return render(request, "workflows/access_review.html", page_shown, status=status)


def found(user: Principal, uid: UUID) -> Review:
    """The review, if this person may see a right in it; not found otherwise."""
    review = Review.objects.visible_to(user).select_related("started_by", "named").filter(uid=uid).first()
    if review is None:
        raise ledger.NotFound
    return review


def _totals(items: QuerySet[ReviewItem], user: Principal) -> dict[str, int]:
    counts = dict(items.order_by().values_list("status").annotate(Count("pk")))
    mine = items.filter(status=Status.WAITING, reviewer=user, review__status=Review.Status.OPEN).count()
    return {"mine": mine, "all": sum(counts.values())} | {each.value: counts.get(each.value, 0) for each in Status}


def _wanted(items: QuerySet[ReviewItem], wanted: str, user: Principal) -> QuerySet[ReviewItem]:
    if wanted == "mine":
        return items.filter(status=Status.WAITING, reviewer=user)
    if wanted in Status.values:
        return items.filter(status=wanted)
    if wanted != "all":
        raise ledger.NotFound
    return items


def _proof(review: Review, user: Principal) -> dict[str, Any]:
    # Only who sees everything in it can compare the whole; the digest is worked out anew each time it is shown.
    if review.is_open or not user.sees_all_units:
        return {}
    return {"matches": hashlib.sha256(operations.evidence(review)).hexdigest() == review.sha256}


class AnswerRights(LoginRequiredMixin, View):
    """Say of the chosen rights, or of all on the page, that they are still needed."""

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        review = found(user, uid)
        keys = request.POST.getlist("page" if "all" in request.POST else "item")
        chosen = [int(key) for key in keys if key.isascii() and key.isdecimal() and len(key) <= LONGEST_KEY]
        if not chosen:
            return shown(request, review, user, {"wrong": "Choose at least one right."}, status=400)
        count = operations.certify(review, chosen[:PAGE_SIZE], by=user, at=database_now())
        messages.success(request, f"{count} right{'s' if count > 1 else ''} certified.")
        return redirect("access-review", uid)


class RevokeItem(LoginRequiredMixin, View):
    """Say of one right that it is no longer needed, with a reason, and take it away."""

    def post(self, request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
        user = person(request)
        review = found(user, uid)
        try:
            item = operations.revoke_item(review, pk, by=user, at=database_now(), why=reason_in(request.POST))
        except ledger.Invalid as wrong:
            more = {"revoke": str(pk), "wrong": wrong.fields.get("why", wrong.detail)}
            return shown(request, review, user, more, status=wrong.status)
        messages.success(request, f"Taken away: {item.holder_name}’s right on {item.row_name}.")
        return redirect("access-review", uid)


class ReviewEvidence(LoginRequiredMixin, View):
    """The evidence of a closed review: canonical JSON, of which the SHA-256 is taken, or CSV for people."""

    form = "json"

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        user = person(request)
        review = found(user, uid)
        if review.is_open or not user.sees_all_units:
            raise ledger.NotFound
        body = operations.evidence(review) if self.form == "json" else _csv(review)
        record_export(review, form=self.form, by=user, at=database_now())
        kind = "application/json" if self.form == "json" else "text/csv; charset=utf-8"
        answer = HttpResponse(body, content_type=kind)
        answer["Content-Disposition"] = f'attachment; filename="access-review-{review.uid}.{self.form}"'
        return answer


def _csv(review: Review) -> str:
    items = review.items.select_related("unit", "reviewer", "answered_by").order_by("pk")
    rows = [item.as_evidence() for item in items]
    return line(COLUMNS) + "".join(line(row[name] for name in COLUMNS) for row in rows)
