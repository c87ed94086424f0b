"""Maria looks at the figures of her department, opens the runs behind them, and sees only her own."""

import html
import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import plotly.graph_objects as go
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability import kpis, ledger
from observability.charts import CHARTS
from observability.models import Event
from workflows.models import Run


def finished(halden: Any, at: datetime, key: str, **more: Any) -> Run:
    """A run that came to its end, as the engine leaves it: the row and its last event."""
    how = more.pop("how", "finished")
    people, seconds = more.get("people", 0), more.get("seconds", 90)
    status = {"finished": "done"}.get(how, how)
    run = Run.objects.create(
        key=key, workflow=halden.workflow, version=halden.workflow.versions.first(), unit=halden.workflow.unit,
        status=status, started_at=at - timedelta(seconds=seconds), ended_at=at, people_asked=people,
        cost=Decimal("0.04"),
    )  # fmt: skip
    Event.objects.create(
        verb=f"run.{how}", at=at, actor_kind="agent", actor_id="AP-04", actor_name="AP-04 Payments clerk",
        subject_kind="run", subject_id=str(run.uid), subject_name=key, before="running", after=status, run=str(run.uid),
        workflow=halden.workflow.code, unit=str(halden.workflow.unit_id), cost=Decimal("0.04"),
        seconds=Decimal(seconds), data={"people": people, "touchless": not people, "outcome": "Paid", "version": 1},
    )  # fmt: skip
    return run


def asked(halden: Any, at: datetime, unit: str = "finance") -> None:
    """A question to people of the unit, as the ledger keeps it."""
    Event.objects.create(
        verb="escalation.opened", at=at, actor_kind="agent", actor_id="AP-04", actor_name="AP-04 Payments clerk",
        subject_kind="escalation", subject_id="e-1", subject_name="Pay it", after="open",
        workflow=halden.workflow.code, unit=str(halden.units[unit].pk),
    )  # fmt: skip


@pytest.fixture
def history(halden: Any, now: datetime) -> None:
    """Twelve runs over six days: one needed a person, one failed."""
    for place in range(12):
        how = "failed" if place == 5 else "finished"
        finished(halden, now - timedelta(hours=12 * place), f"INV-{place}", how=how, people=int(place == 3))
    for hours in (1, 1, 30):
        asked(halden, now - timedelta(hours=hours))


def tiles(page: str) -> dict[str, tuple[str, str]]:
    """Label -> (figure, address) of each tile."""
    found = re.findall(r'<a class="os-card os-kpi" href="([^"]+)">(.*?)</a>', page, re.DOTALL)
    plain = [(html.unescape(url), " ".join(re.sub(r"<[^>]+>", " ", inner).split())) for url, inner in found]
    return {text: (text, url) for url, text in plain}


def opened(person: Any, url: str) -> int:
    """How many runs the list behind an address shows."""
    return person.get(url).content.decode().count('href="/runs/0')


def test_maria_reads_five_figures_beside_target_and_baseline(halden: Any, sign_in: Any, history: None) -> None:
    page = sign_in("maria").get("/performance").content.decode()

    told = " | ".join(tiles(page))
    assert "Median cycle time target 2 h 1 m 30 s" in told
    assert "−99.7 % vs manual 7 h 45 m" in told
    assert "Throughput 11 runs" in told
    assert "Agent cost per run target €2 €0.04" in told
    assert "Error rate limit 1 % 8.3 %" in told
    assert "Touchless rate target 85 % 90.9 %" in told
    assert "Half of the 11 finished runs took at most 1 m 30 s" in page
    assert "1 of 12; the limit is 1 %" in page


def test_every_tile_opens_exactly_its_runs(halden: Any, sign_in: Any, history: None) -> None:
    maria = sign_in("maria")

    counts = [opened(maria, url) for _, url in tiles(maria.get("/performance").content.decode()).values()]

    assert counts == [11, 11, 11, 1, 10]


def test_kept_days_say_the_same_as_the_runs_and_open_them(
    halden: Any, sign_in: Any, history: None, monkeypatch: Any
) -> None:
    maria = sign_in("maria")
    exact = maria.get("/performance").content.decode()
    while ledger.seal():
        pass
    while kpis.count_ended():
        pass
    monkeypatch.setattr("observability.kpis.reporting.EXACT_AT_MOST", 0)

    page = maria.get("/performance").content.decode()
    rows = maria.get("/performance/charts/throughput.json").json()["layout"]["meta"]["table"]["rows"]

    assert "lengths of time to 1%" in page
    assert "lengths of time" not in exact
    assert [text for text in tiles(page) if "cycle" not in text] == [
        text for text in tiles(exact) if "cycle" not in text
    ]
    assert [opened(maria, url) for _, url in tiles(page).values()] == [11, 11, 11, 1, 10]
    assert [int(row["cells"][-1]) for row in rows] == [opened(maria, row["url"]) for row in rows]


def test_every_row_of_a_table_opens_exactly_its_runs(halden: Any, sign_in: Any, history: None) -> None:
    maria = sign_in("maria")

    figure = maria.get("/performance/charts/throughput.json").json()

    rows = figure["layout"]["meta"]["table"]["rows"]
    assert [int(row["cells"][-1]) for row in rows] == [opened(maria, row["url"]) for row in rows]
    assert sum(int(row["cells"][-1]) for row in rows) == 11


def test_a_click_on_minutes_opens_the_runs_of_those_minutes(halden: Any, sign_in: Any, now: datetime) -> None:
    for place in range(9):
        finished(halden, now - timedelta(minutes=place), f"INV-{place}")
    maria = sign_in("maria")

    figure = maria.get("/performance/charts/throughput.json").json()

    bars = figure["data"][0]
    assert sum(bars["y"]) == 9
    assert [opened(maria, url) for url in bars["customdata"]] == bars["y"]


def test_the_links_of_the_last_24_hours_open_exactly_their_runs(halden: Any, sign_in: Any, history: None) -> None:
    maria = sign_in("maria")
    found = tiles(maria.get("/?period=24h").content.decode())

    counts = [opened(maria, url) for _, url in found.values()]

    assert any("Throughput 2 runs" in text for text in found)
    assert counts == [2, 2, 2, 0, 2]
    assert not any("was left out" in maria.get(url).content.decode() for _, url in found.values())


def test_runs_that_end_within_moments_are_shown_by_ten_seconds(halden: Any, sign_in: Any, now: datetime) -> None:
    for place in range(6):
        finished(halden, now - timedelta(seconds=15 * place), f"INV-{place}")
    maria = sign_in("maria")

    figure = maria.get("/performance/charts/throughput.json").json()

    bars, rows = figure["data"][0], figure["layout"]["meta"]["table"]["rows"]
    assert bars["width"] == 6500, "a bar without a width of its own is thinner than a pixel when it stands alone"
    assert len(rows) == 6
    assert [opened(maria, row["url"]) for row in rows] == [1] * 6


def test_a_release_stands_in_the_cycle_time_with_its_name(halden: Any, sign_in: Any, history: None) -> None:
    published = Event.objects.filter(verb="workflow.published").latest("id")
    Event.objects.bulk_create([_again(published, days=20, data={"version": 7})])

    figure = sign_in("maria").get("/performance/charts/cycle-time.json").json()

    told = [note["text"] for note in figure["layout"]["annotations"]]
    assert "Invoice to payment v7" in told
    assert any(shape.get("yref") == "paper" for shape in figure["layout"]["shapes"])


def test_releases_at_the_same_time_share_one_name(halden: Any, sign_in: Any, history: None) -> None:
    published = Event.objects.filter(verb="workflow.published").latest("id")
    Event.objects.bulk_create([_again(published, days=3, data={"version": 7})])

    figure = sign_in("maria").get("/performance/charts/cycle-time.json").json()

    told = [note["text"] for note in figure["layout"]["annotations"]]
    assert told[2:] == ["Invoice to payment v7 and 2 more"], "the first version and the policy came three days later"


def test_each_hour_in_which_people_were_asked_opens_exactly_its_questions(
    halden: Any, sign_in: Any, history: None, now: datetime
) -> None:
    asked(halden, now - timedelta(hours=1), unit="procurement")
    ingrid, finance = sign_in("ingrid"), halden.units["finance"].pk

    figures = {query: ingrid.get(f"/performance/charts/asked.json{query}").json() for query in ("", f"?unit={finance}")}

    for figure, total in zip(figures.values(), (4, 3), strict=True):
        rows = figure["layout"]["meta"]["table"]["rows"]
        assert [int(row["cells"][1]) for row in rows] == [questions(ingrid, row["url"]) for row in rows]
        assert sum(int(row["cells"][1]) for row in rows) == total == sum(map(sum, figure["data"][0]["z"]))
        assert f"People were asked {total} questions" in figure["layout"]["meta"]["takeaway"]


def questions(person: Any, url: str) -> int:
    """How many questions the audit trail lists behind an address."""
    return person.get(url).content.decode().count(">asks a person: Pay it<")


def _again(event: Event, *, days: int, **more: Any) -> Event:
    """The same, so many days earlier."""
    kept = {field.name: getattr(event, field.name) for field in Event._meta.fields}
    return Event(**kept | {"id": None, "uid": uuid4(), "position": None, "at": event.at - timedelta(days=days)} | more)


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_every_figure_is_one_that_plotly_accepts(halden: Any, sign_in: Any, history: None, name: str) -> None:
    answer = sign_in("maria").get(f"/performance/charts/{name}.json?period=7")

    described = json.loads(answer.content)
    assert go.Figure(described).data
    assert "var(--os-c1)" in answer.content.decode()
    assert described["layout"]["meta"]["table"]["rows"]


def test_the_page_says_the_same_without_script(halden: Any, sign_in: Any, history: None) -> None:
    page = sign_in("maria").get("/performance").content.decode()

    assert page.count('<details class="os-twin">') == 6
    assert page.count('role="img" aria-label="Cycle time. Half of the 11') == 1
    assert "<script>" not in page


def test_tomasz_sees_nothing_of_finance(halden: Any, sign_in: Any, history: None) -> None:
    tomasz = sign_in("tomasz")

    page = tomasz.get("/performance").content.decode()

    assert "No run ended in this choice" in page
    assert "Throughput 0 runs" in " | ".join(tiles(page))
    assert tomasz.get("/performance/charts/cost.json").json()["data"] == []


def test_filters_stand_in_the_address_and_narrow_the_figures(
    halden: Any, sign_in: Any, history: None, now: datetime
) -> None:
    day = (now - timedelta(days=2)).date().isoformat()

    page = sign_in("ingrid").get(f"/performance?workflow=invoice-to-payment&period=custom&from={day}&to={day}")

    _, url = tiles(page.content.decode()).popitem()[1]
    query = parse_qs(urlsplit(url).query)
    assert query["workflow"] == ["invoice-to-payment"]
    assert (query["from"], query["to"]) == ([day], [day])


@pytest.mark.parametrize(
    "query",
    [
        "workflow=secret", "unit=99999", "unit=x", "period=-1", "from=2026-13-45&period=custom",
        "from=2026-02-01&to=2026-01-01&period=custom", "from=0001-01-01&to=0001-01-02&period=custom",
        "from=9999-12-31&to=9999-12-31&period=custom", "to=1999-01-01",
    ],
)  # fmt: skip
def test_a_wrong_address_is_answered_with_words(halden: Any, sign_in: Any, history: None, query: str) -> None:
    maria = sign_in("maria")

    assert maria.get(f"/performance?{query}").status_code == 200
    assert maria.get(f"/performance/charts/cycle-time.json?{query}").status_code == 200


def test_an_unknown_figure_is_not_found_and_strangers_sign_in_first(halden: Any, sign_in: Any, client: Any) -> None:
    assert sign_in("maria").get("/performance/charts/secrets.json").status_code == 404
    assert client.get("/performance").status_code == 302
    assert client.get("/performance/charts/cost.json").status_code == 302


def test_runs_that_all_failed_are_still_a_page(halden: Any, sign_in: Any, now: datetime) -> None:
    finished(halden, now, "INV-1", how="failed")
    maria = sign_in("maria")

    assert "No run finished." in maria.get("/performance").content.decode()
    assert all(maria.get(f"/performance/charts/{name}.json").status_code == 200 for name in CHARTS)


def test_more_runs_need_no_more_queries(halden: Any, sign_in: Any, now: datetime) -> None:
    maria = sign_in("maria")
    finished(halden, now, "INV-0")
    with CaptureQueriesContext(connection) as few:
        maria.get("/performance")
    for place in range(1, 30):
        finished(halden, now - timedelta(days=place / 2), f"INV-{place}")

    with CaptureQueriesContext(connection) as many:
        maria.get("/performance")

    assert len(many) == len(few)
