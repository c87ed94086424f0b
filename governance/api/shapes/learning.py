"""Shapes of what is learnt from answers: figures, planted cases, learnt rules."""

from typing import Any, ClassVar

from rest_framework import serializers

from governance.models import LearntRule, PlantedCase
from governance.operations import learning
from governance.rules.reviewing import Agreement, ReviewerFigures, RuleFigures
from observability.serializers import StrictSerializer, Text


class InsightsQuery(StrictSerializer):
    """Of how many days, up to now."""

    days = serializers.ChoiceField([str(days) for days in learning.PERIODS], default="30")


class RuleFiguresOutput(serializers.Serializer[Any]):
    """What became of the questions of one rule, and of what it allowed alone; times in seconds, shares 0 to 1."""

    policy = serializers.CharField()
    rule = serializers.CharField()
    asked = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    expired = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    open = serializers.IntegerField()
    undone = serializers.IntegerField()
    approval = serializers.CharField(allow_null=True)
    median_seconds = serializers.CharField(allow_null=True)
    reason_codes = serializers.DictField(child=serializers.IntegerField())
    alone = serializers.IntegerField()
    failed = serializers.IntegerField()
    checked_right = serializers.IntegerField()
    checked_wrong = serializers.IntegerField()
    asks_too_much = serializers.BooleanField()
    asks_too_little = serializers.BooleanField()


class ReviewerFiguresOutput(serializers.Serializer[Any]):
    """How one person decides."""

    person = serializers.CharField()
    open = serializers.IntegerField()
    today = serializers.IntegerField()
    week = serializers.IntegerField()
    decided = serializers.IntegerField()
    approved = serializers.IntegerField()
    approval = serializers.CharField(allow_null=True)
    median_seconds = serializers.CharField(allow_null=True)
    under_3_seconds = serializers.IntegerField()
    planted = serializers.IntegerField()
    caught = serializers.IntegerField()
    alerts = serializers.ListField(child=serializers.CharField())


class ReviewersAgreementOutput(serializers.Serializer[Any]):
    """How far two people agree on the same kind of question: n pairs of answers."""

    one = serializers.CharField()
    other = serializers.CharField()
    pairs = serializers.IntegerField()
    observed = serializers.CharField(allow_null=True)
    kappa = serializers.CharField(allow_null=True)
    words = serializers.CharField()


class SuggestionOutput(serializers.Serializer[Any]):
    """Answers that are all yes and could become a rule."""

    group = serializers.CharField()
    policy = serializers.CharField()
    rule = serializers.CharField()
    action = serializers.CharField()
    role = serializers.CharField()
    currency = serializers.CharField()
    amount_at_most = serializers.CharField(allow_null=True)
    parties = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    answers = serializers.IntegerField()
    reviewers = serializers.ListField(child=serializers.CharField())
    may_draft = serializers.BooleanField()


class InsightsOutput(serializers.Serializer[Any]):
    """How we decide, as far as the caller may see it: at most 200 rules, 100 people and 100 pairs."""

    days = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    rules = RuleFiguresOutput(many=True)
    reviewers = ReviewerFiguresOutput(many=True)
    agreement = ReviewersAgreementOutput(many=True)
    suggestions = SuggestionOutput(many=True)


def rule_data(figures: RuleFigures) -> dict[str, Any]:
    """The figures of a rule in the shape of RuleFiguresOutput."""
    names = (
        "policy", "rule", "asked", "approved", "rejected", "expired", "withdrawn", "open", "undone", "alone", "failed",
        "checked_right", "checked_wrong", "asks_too_much", "asks_too_little",
    )  # fmt: skip
    shares = {name: _text(getattr(figures, name)) for name in ("approval", "median_seconds")}
    return {name: getattr(figures, name) for name in names} | shares | {"reason_codes": dict(figures.codes)}


def reviewer_data(username: str, figures: ReviewerFigures, alerts: list[str]) -> dict[str, Any]:
    """The figures of a person in the shape of ReviewerFiguresOutput."""
    names = ("open", "today", "week", "decided", "approved", "planted", "caught")
    shares = {name: _text(getattr(figures, name)) for name in ("approval", "median_seconds")}
    counts = {name: getattr(figures, name) for name in names}
    return {"person": username, **counts, **shares, "under_3_seconds": figures.quick, "alerts": alerts}


def agreement_data(found: Agreement, names: dict[int, str]) -> dict[str, Any]:
    """The agreement of two people in the shape of ReviewersAgreementOutput."""
    return {
        "one": names[found.one], "other": names[found.other], "pairs": found.pairs, "observed": _text(found.observed),
        "kappa": None if found.is_small else _text(found.kappa), "words": found.words,
    }  # fmt: skip


def suggestion_data(offer: learning.Offer) -> dict[str, Any]:
    """A suggestion in the shape of SuggestionOutput."""
    it = offer.suggestion
    named = {name: getattr(it.kind, name) for name in ("policy", "rule", "action", "role", "currency")}
    return {
        "group": offer.group, **named, "amount_at_most": None if it.highest is None else str(it.highest),
        "parties": {path: list(names) for path, names in it.parties.items()}, "answers": it.asked,
        "reviewers": list(offer.reviewers), "may_draft": offer.may_draft,
    }  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else f"{value:.4f}"


class RevokeLearntInput(StrictSerializer):
    """Why; it may be empty."""

    example: ClassVar[dict[str, Any]] = {"why": "These have to be read one by one."}

    why = Text(max_length=2_000, allow_blank=True, default="")


class CriteriaOutput(serializers.Serializer[Any]):
    """Which questions the rule answers; `parties` are the names in each field."""

    action = serializers.CharField()
    role = serializers.CharField()
    currency = serializers.CharField()
    amount_at_most = serializers.CharField(allow_null=True)
    parties = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class LearntFiguresOutput(serializers.Serializer[Any]):
    """The answers that it was learnt from; `quick` came within three seconds, `changed_tests` expected a question."""

    answers = serializers.IntegerField()
    quick = serializers.IntegerField()
    reviewers = serializers.ListField(child=serializers.CharField())
    refused_from = serializers.CharField(allow_null=True)
    changed_tests = serializers.ListField(child=serializers.CharField())


class LearntRuleOutput(serializers.ModelSerializer[LearntRule]):
    """A rule that came from answers, and the version of the policy in which it was drafted."""

    id = serializers.UUIDField(source="uid")
    policy = serializers.CharField(source="policy.key")
    version = serializers.IntegerField(source="version.number")
    version_status = serializers.CharField(source="version.status")
    replay = serializers.UUIDField(source="replay.uid", allow_null=True, default=None)
    criteria = CriteriaOutput()
    figures = LearntFiguresOutput()
    created_by = serializers.CharField(source="created_by.username")
    revoked_by = serializers.CharField(source="revoked_by.username", allow_null=True, default=None)

    class Meta:
        model = LearntRule
        fields = [
            "id", "policy", "rule", "asked_by_rule", "version", "version_status", "replay", "criteria", "figures",
            "created_by", "created_at", "revoked_by", "revoked_at",
        ]  # fmt: skip


class ShownFactInput(StrictSerializer):
    """One fact that the card shows."""

    label = Text(max_length=120)  # type: ignore[assignment]
    value = Text(max_length=200)


class PlantedInput(StrictSerializer):
    """A case with a known answer; `like` is the id of the answered question of an agent that it looks like."""

    example: ClassVar[dict[str, Any]] = {
        "like": "01a0f3a2-0000-7000-8000-000000000000", "title": "Pay EUR 7,950.00 to Kessler Maschinenbau GmbH",
        "request": {"action": "invoice.pay", "resource": {"type": "invoice", "id": "INV-77"},
                    "context": {"amount": "7950.00", "currency": "EUR"}},
        "shown": [{"label": "Amount", "value": "7950.00"}], "right_answer": "rejected",
        "why": "The bank account is not the one on file.",
    }  # fmt: skip

    like = serializers.UUIDField()
    title = Text(max_length=300)
    request = serializers.DictField()
    shown = serializers.ListField(child=ShownFactInput(), max_length=30, default=list)
    statement = Text(max_length=4_000, allow_blank=True, default="")
    right_answer = serializers.ChoiceField(PlantedCase.Answer.choices)
    why = Text(max_length=2_000)


class PlantedOutput(serializers.ModelSerializer[PlantedCase]):
    """A planted case; `answer` and `answered_by` are there when it is over. Only who may plant cases reads it."""

    id = serializers.UUIDField(source="uid")
    policy = serializers.CharField(source="policy.key")
    path = serializers.CharField(source="path.key")
    planted_by = serializers.CharField(source="planted_by.username")
    state = serializers.SerializerMethodField()
    answered_by = serializers.SerializerMethodField()
    was_caught = serializers.BooleanField(allow_null=True)
    shown = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))

    class Meta:
        model = PlantedCase
        fields = [
            "id", "policy", "path", "title", "request", "shown", "statement", "right_answer", "why", "planted_by",
            "planted_at", "state", "answered_by", "was_caught",
        ]  # fmt: skip

    def get_state(self, case: PlantedCase) -> str:
        """waiting, withdrawn, or the state of the question."""
        if case.withdrawn_at is not None:
            return "withdrawn"
        return case.escalation.status if case.escalation is not None else "waiting"

    def get_answered_by(self, case: PlantedCase) -> str | None:
        """Who answered, None before."""
        asked = case.escalation
        return asked.settled_by.username if asked is not None and asked.settled_by is not None else None
