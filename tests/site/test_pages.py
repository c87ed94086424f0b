"""Pages as a whole: how a hostile form, a stale form and the browser's memory are met, and where one is."""

from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from autonomy_site.context import GROUPS
from observability.models import Event


def test_a_form_with_a_nul_is_refused_and_changes_nothing(sign_in: Any) -> None:
    jonas = sign_in("jonas")
    for path in ("/agents/AP-04/pause", "/control", "/settings"):
        page = jonas.post(path, {"why": "a\0b", "state": "paused"})
        assert page.status_code == 400, path
        assert "cannot be kept" in page.content.decode()

    assert Agent.objects.get(code="AP-04").status == "active"
    assert not Event.objects.filter(verb__in=("agent.paused", "control.changed")).exists()


def test_a_form_from_elsewhere_is_refused_in_our_own_words(halden: Any) -> None:
    stranger = Client(enforce_csrf_checks=True)

    page = stranger.post("/sign-in", {"username": "priya", "password": "x"})

    assert page.status_code == 403
    assert "The form was too old" in page.content.decode()
    assert "<style" not in page.content.decode(), "the policy of the pages would block it"


def test_what_a_person_was_shown_is_kept_by_no_cache(sign_in: Any) -> None:
    priya = sign_in("priya")

    for path in ("/", "/runs", "/nothing-here", "/api/v1/runs", "/audit/export.csv"):
        assert "no-store" in priya.get(path).headers["Cache-Control"], path
    drawing = priya.get("/workflows/invoice-to-payment/1.bpmn")
    assert "private" in drawing.headers["Cache-Control"], "a drawing never changes and is kept by this browser alone"


@pytest.mark.parametrize(
    ("url_name", "label"),
    [
        ("overview", "Overview"), ("escalation", "Escalations"), ("runs", "Runs"), ("run", "Runs"),
        ("agent-pause", "Agents"), ("agents-blueprints", "Agents"), ("agent-blueprint", "Agents"),
        ("agents-chart", "Agents"), ("workflow", "Workflows"), ("memory", "Shared memory"), ("policies", "Policies"),
        ("policy", "Policies"), ("audit", "Audit trail"), ("performance", "Performance"), ("settings", None),
    ],
)  # fmt: skip
def test_the_navigation_knows_where_one_is(url_name: str, label: str | None) -> None:
    here = [place.label for _, places in GROUPS for place in places if place.is_open(url_name)]

    assert here == ([label] if label else [])
