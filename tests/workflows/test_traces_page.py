"""What agents' programs did, as people see it: at the run, by itself, at the agent, and with its prices."""

import time
from decimal import Decimal
from typing import Any

import pytest

from observability.models import Event, ModelPrice, Span
from tests.observability import otlp

NOW = int(time.time()) * 10**9
CHILD = "cd" * 8


def span(attributes: dict[str, Any], start: int, end: int, **more: Any) -> dict[str, Any]:
    times = {"startTimeUnixNano": str(NOW - start * otlp.SECOND), "endTimeUnixNano": str(NOW - end * otlp.SECOND)}
    return otlp.span(attributes, **times, **more)


@pytest.fixture
def told(robot: Any, bring: Any) -> Any:
    """`told()` lets the payments clerk's program tell of its work at a run; gives the run and the step."""

    def telling(**more: Any) -> tuple[str, str]:
        run, clerk = bring(), robot("AP-04")
        step = clerk.claim()["step"]
        call = {
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1", "gen_ai.provider.name": "halden",
            "gen_ai.usage.input_tokens": 1200, "gen_ai.usage.output_tokens": 80,
        }  # fmt: skip
        request = otlp.spans(
            span({"gen_ai.operation.name": "invoke_agent", "autonomy.step": step, **more}, 9, 1, name="pay an invoice"),
            span(call, 8, 6, spanId=CHILD, parentSpanId=otlp.SPAN, name="chat small-1"),
            span(call | {"gen_ai.usage.cost": 0.25}, 8, 7, spanId="ef" * 8, parentSpanId=CHILD, name="inner call"),
            span({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bank", "error.type": "timeout"}, 5, 2,
                 spanId="aa" * 8, parentSpanId=otlp.SPAN, name="execute_tool bank"),
        )  # fmt: skip
        answer = clerk.post(
            "/v1/traces", otlp.written(request), content_type=otlp.JSON,
            headers={"Authorization": f"Bearer {clerk.key}"},
        )  # fmt: skip
        assert answer.json() == {}
        return run, step

    return telling


def words(page: Any) -> str:
    assert page.status_code == 200
    return " ".join(page.content.decode().split())


def test_the_page_of_a_run_shows_what_the_programs_called(told: Any, sign_in: Any) -> None:
    run, _ = told()

    page = words(sign_in("maria").get(f"/runs/{run}"))

    assert "What their programs called" in page
    for text in ("pay an invoice", "execute_tool bank", "small-1", "1,200 / 80", "timeout", "no price", "counted once"):
        assert text in page, text
    assert "1 call of models, 1,200 tokens read, 80 written; 1 without a price" in page
    assert f'href="/traces/{otlp.TRACE}"' in page


def test_a_trace_leads_to_its_run_its_agent_and_the_audit_trail(told: Any, sign_in: Any, robot: Any) -> None:
    run, _ = told()
    clerk = robot("AP-04")
    clerk.get("/api/v1/events", headers={"Authorization": f"Bearer {clerk.key}"})
    maria = sign_in("maria")

    page = words(maria.get(f"/traces/{otlp.TRACE}"))

    assert f'href="/runs/{run}"' in page
    assert 'href="/agents/AP-04/traces"' in page
    assert "The program sent no request within it." in page
    of_agent = words(maria.get("/agents/AP-04/traces"))
    assert f'href="/traces/{otlp.TRACE}"' in of_agent
    assert "pay an invoice" in of_agent
    assert 'href="/agents/AP-04/traces"' in words(maria.get("/agents/AP-04"))


def test_an_agent_that_is_not_registered_is_flagged(told: Any, sign_in: Any) -> None:
    told(**{"gen_ai.agent.name": "ghost<script>"})

    page = words(sign_in("maria").get(f"/traces/{otlp.TRACE}"))

    assert "which is no registered agent" in page
    assert "ghost&lt;script&gt;" in page


def test_who_does_not_see_the_unit_does_not_see_its_traces(told: Any, sign_in: Any) -> None:
    told()
    tomasz = sign_in("tomasz")

    assert tomasz.get(f"/traces/{otlp.TRACE}").status_code == 404
    assert tomasz.get("/agents/AP-04/traces").status_code == 404
    assert tomasz.get("/traces/nothing").status_code == 404


PRICE = {"model": "small-*", "provider": "", "kind": "input", "per_million": "2.5", "currency": "EUR",
         "valid_from": "2026-01-01", "why": "The provider's list of January."}  # fmt: skip


def test_the_council_sets_prices_and_the_next_calls_cost(told: Any, sign_in: Any) -> None:
    priya = sign_in("ingrid")
    for kind, amount in (("input", "2.5"), ("output", "10")):
        assert priya.post("/prices", PRICE | {"kind": kind, "per_million": amount}).status_code == 302

    told()

    assert Span.objects.get(span_id=CHILD).cost == Decimal("0.0038")
    event = Event.objects.filter(verb="price.set").order_by("id").first()
    assert event is not None
    assert (event.subject_name, event.data["per_million"], event.why) == (
        "Input of small-*", "2.5", PRICE["why"],
    )  # fmt: skip
    page = words(priya.get(f"/traces/{otlp.TRACE}"))
    assert "0.0038 EUR" in page
    assert 'href="/prices#v2"' in page
    assert 'id="v2"' in words(priya.get("/prices"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", ""), ("model", "a*b"), ("kind", "dreams"), ("per_million", "-1"), ("currency", "euro"),
     ("valid_from", "soon"), ("why", " ")],
)  # fmt: skip
def test_a_wrong_price_is_refused_by_its_field(sign_in: Any, field: str, value: str) -> None:
    page = sign_in("ingrid").post("/prices", PRICE | {field: value})

    assert page.status_code == 400
    assert f'href="#id_{field}"' in page.content.decode()
    assert not ModelPrice.objects.exists()


def test_others_read_prices_and_set_none(sign_in: Any) -> None:
    maria = sign_in("maria")

    assert "Set a price" not in words(maria.get("/prices"))
    assert maria.post("/prices", PRICE).status_code == 403
    assert not ModelPrice.objects.exists()
