"""Four workflows from templates in the demo: what their files must come to is known before, and comes."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from autonomy_client.examples.supply.freight import Freight
from autonomy_client.examples.support.analysis import language_of, understand
from autonomy_client.examples.support.tickets import Shop, meant
from autonomy_client.examples.vendors.checks import check_account, rate
from autonomy_client.examples.vendors.papers import Cabinet
from autonomy_client.examples.vendors.screening import hits

from agents import operations as agents
from agents.models import Agent
from autonomy_site.demo import departments
from autonomy_site.demo.desks import applications, crew, data, freight, tickets
from autonomy_site.demo.desks.plan import DESKS, WORKFLOWS
from autonomy_site.demo.documents import generate
from observability import ledger
from observability.models import Baseline, Target
from tests.demo.test_show import Demo
from workflows.models import Workflow


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desks")
    data.generate(folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_files_are_the_same_each_time_and_many_enough(files: Path, tmp_path: Path) -> None:
    data.generate(tmp_path)

    assert content(tmp_path) == content(files)
    told = data.answers(files)
    assert [len(told[each]) for each in WORKFLOWS] == [41, 25, 4, 2]
    lists = Freight(files / "supply")
    assert sum(len(lists.stock(region)) + len(lists.shipments(region)) for region in lists.regions()) > 60


def test_what_is_there_is_not_written_again(files: Path, tmp_path: Path) -> None:
    data.generate(tmp_path)
    mine = tmp_path / "support" / "tickets.json"
    mine.write_text("[]")

    data.generate(tmp_path)

    assert mine.read_text() == "[]"


def test_each_ticket_is_understood_as_it_was_meant(files: Path) -> None:
    shop = Shop(files / "support")
    for told in data.answers(files)["customer-support"]:
        ticket = shop.ticket(told["ticket"])
        assert ticket is not None
        found = understand(ticket.text, meant(ticket.text, shop.orders_of(ticket.customer)), ticket.received)
        assert (found.topic, language_of(ticket.text)) == (told["topic"], told["language"]), ticket
        assert f"{found.refund:.2f}" == told["refund"], ticket


def test_each_vendor_is_seen_for_what_it_is(files: Path) -> None:
    cabinet = Cabinet(files / "vendors")
    for told, application in zip(data.answers(files)["vendor-onboarding"], cabinet.applications(), strict=True):
        found = len(hits(application.vendor, cabinet.listed()))
        assert (found, rate(application).word) == (told["hits"], told["risk"]), application
        assert check_account(application).matches is (told["matches"] and "bank_letter" in application.papers)


def test_the_desks_are_built_once_with_their_agents_and_yardsticks(halden: Any, now: datetime) -> None:
    departments.build(now)
    assert not crew.are_built()

    crew.build(now)

    assert crew.are_built()
    for desk in DESKS:
        workflow = Workflow.objects.get(code=desk.template)
        assert (workflow.unit.code, workflow.owner.username) == (desk.unit, desk.head)
        assert Baseline.objects.filter(workflow=desk.template).exists()
        assert Target.objects.filter(workflow=desk.template).count() == 4
        assert {agent.status for agent in Agent.objects.filter(code__in=desk.crew)} == {Agent.Status.ACTIVE}


def test_a_company_that_was_changed_too_much_stays_as_it_is(halden: Any, now: datetime) -> None:
    departments.build(now)
    agents.retire(Agent.objects.get(code="CS-02"), by=ledger.SYSTEM, at=now, why="It is not needed.")

    with pytest.raises(ledger.Refused):
        crew.build(now)

    assert not Workflow.objects.filter(code__in=WORKFLOWS).exists()
    assert not Agent.objects.filter(code="CS-01").exists()


@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the demo starts on SQLite here")
def test_all_desks_work_to_their_ends_and_what_comes_is_what_had_to_come(tmp_path: Path) -> None:
    desks, out = tmp_path / "demo" / "desks", tmp_path / "demo" / "out"
    each_kind = {(case.topic, case.paid, case.asks, case.language): case for case in tickets.CASES}
    tickets.generate(desks / "support", tuple(each_kind.values()))
    applications.generate(desks / "vendors", applications.CASES[10:])
    generate(tmp_path / "inbox", count=1)

    demo = Demo(tmp_path, "--headless", "--all", "--minutes", "9", "--invoices", str(tmp_path / "inbox"))

    assert demo.end() == 0, demo.said
    told = data.answers(desks)
    paid = {each["ticket"] for each in told["customer-support"] if each["paid"]}
    answered = {each["ticket"] for each in told["customer-support"] if each["ends"] == tickets.CLOSED}
    assert {path.stem for path in (out / "support" / "refunds").iterdir()} == paid
    assert {path.stem for path in (out / "support" / "replies").iterdir()} == answered
    entries = [json.loads(path.read_text()) for path in (out / "vendors" / "file").iterdir()]
    taken = {each["application"] for each in told["vendor-onboarding"] if each["ends"] == applications.TAKEN_ON}
    assert {f"A-{each['number'][2:]}" for each in entries if each["status"] == "active"} == taken
    bookings = [json.loads(path.read_text()) for path in (out / "supply" / "bookings").rglob("*.json")]
    booked = {each["shipment"] for each in bookings if each["booked"]}
    assert booked == {number for each in freight.ANSWERS for number in each.booked}
    assert [each["shipment"] for each in bookings if not each["booked"]] == ["S-90103"], (
        "hazardous, and no core carrier"
    )
    for month in told["monthly-report"]:
        report = json.loads((out / "report" / "reports" / f"{month['month']}.json").read_text())
        assert {name: report[name] for name in ("revenue", "result", "difference", "orders", "on_time")} == {
            name: month[name] for name in ("revenue", "result", "difference", "orders", "on_time")
        }
        assert (out / "report" / "sent" / f"{month['month']}.json").exists()
