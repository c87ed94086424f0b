"""People look after shared memory: where a fact comes from, whether it is right, and what reuse saved."""

import base64
from typing import Any

import pytest

from observability.ledger import database_now
from tests.workflows.test_memory_trust import kept
from workflows import memory
from workflows.models import Fact, Space


@pytest.fixture
def chain(robot: Any) -> list[Any]:
    """A rate, a price derived from it, an offer derived from that; and a rumour that nobody has confirmed."""
    matcher, scout = robot("AP-02"), robot("RK-01")
    rate = kept(matcher, "rate", {"rate": "1.10"}, cost="0.02", seconds="9")
    price = kept(scout, "price", sources=[rate["id"]])
    offer = kept(matcher, "offer", sources=[price["id"]])
    return [rate, price, offer, kept(scout, "rumour", {"note": "It closes."}, read_from=["web"])]


def test_a_fact_shows_what_it_came_from_and_what_came_from_it(chain: Any, sign_in: Any) -> None:
    page = sign_in("priya").get(f"/memory/facts/{chain[1]['id']}")

    body = page.content.decode()
    for text in ("What it came from", f"/memory/facts/{chain[0]['id']}", f"/memory/facts/{chain[2]['id']}"):
        assert text in body
    assert "Say that it is wrong" not in body, "priya only reads"


def test_maria_finds_a_fact_wrong_and_all_that_came_from_it(chain: Any, sign_in: Any) -> None:
    maria, path = sign_in("maria"), f"/memory/facts/{chain[0]['id']}"

    assert maria.post(f"{path}/invalidate", {"why": ""}).status_code == 400
    answer = maria.post(f"{path}/invalidate", {"why": "An old list."}, follow=True)

    assert "and 2 derived from it" in answer.content.decode()
    assert Fact.objects.filter(invalidated_at__isnull=False).count() == 3
    assert [row["fact"].key for row in maria.get("/memory").context["rows"]] == ["rumour"]
    assert len(maria.get("/memory?state=invalid").context["rows"]) == 3


def test_maria_confirms_what_nobody_believed(chain: Any, sign_in: Any) -> None:
    maria, path = sign_in("maria"), f"/memory/facts/{chain[3]['id']}"
    (row,) = maria.get("/memory?state=unconfirmed").context["rows"]
    assert (row["fact"].key, row["state"]) == ("rumour", "unconfirmed")

    assert sign_in("priya").post(f"{path}/confirm", {"why": "x"}).status_code == 403
    maria.post(f"{path}/confirm", {"why": "I asked them."})

    assert Fact.objects.get(key="rumour").trust == "confirmed"
    assert "Confirm the fact" not in maria.get(path).content.decode()


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("q=closes", ["rumour"]), ("author=AP-02", ["offer", "rate"]), ("kind=text", []), ("state=confirmed", []),
        ("space=invoices-seen", []), ("state=nothing&kind=nothing", ["rumour", "offer", "price", "rate"]),
    ],
)  # fmt: skip
def test_the_list_is_narrowed(chain: Any, sign_in: Any, query: str, keys: list[str]) -> None:
    rows = sign_in("priya").get(f"/memory?{query}").context["rows"]

    assert [row["fact"].key for row in rows] == keys


def test_keys_that_look_alike_are_a_hint(chain: Any, robot: Any, sign_in: Any) -> None:
    fact = kept(robot("AP-02"), "kessler maschinenbau gmbh")
    kept(robot("RK-01"), "kessler machinenbau gmbh")

    page = sign_in("priya").get(f"/memory/facts/{fact['id']}").content.decode()

    assert "Keys that look like it" in page and "kessler machinenbau gmbh" in page


def test_what_reuse_saved_is_shown_by_space_and_day(chain: Any, halden: Any, sign_in: Any) -> None:
    space = Space.objects.get(code="orders")
    memory.get(space, "rate", agent=halden.agents["AP-01"], at=database_now())

    page = sign_in("priya").get("/memory/reuse")

    said = page.content.decode().partition("<h1>What reuse saved</h1>")[2][:120]
    assert "Facts were reused 1 time. That saved 9.0 s of work and €0.02." in said
    assert (page.context["lately"], page.context["days"][-1].reuse.uses) == (1, 1)
    assert sign_in("tomasz").get("/memory/reuse").context["total"].uses == 0


def test_the_council_purges_what_an_agent_found(chain: Any, sign_in: Any) -> None:
    ingrid = sign_in("ingrid")
    assert sign_in("maria").get("/memory/purge").status_code == 403
    assert "2 facts of AP-02 and 1 derived" in ingrid.get("/memory/purge?agent=AP-02").content.decode()

    assert ingrid.post("/memory/purge", {"agent": "AP-02", "why": " "}).status_code == 400
    answer = ingrid.post("/memory/purge", {"agent": "AP-02", "why": "Taken over."}, follow=True)

    assert "Purged 3 facts. Certificate:" in answer.content.decode()
    assert "The content is gone." in ingrid.get(f"/memory/facts/{chain[0]['id']}").content.decode()
    assert ingrid.post("/memory/purge", {"agent": "AP-02", "why": "Again."}).status_code == 409


def test_a_text_and_a_file_have_their_pages(robot: Any, sign_in: Any) -> None:
    file = {"name": "a.csv", "content_type": "text/csv", "content": base64.b64encode(b"a;b").decode()}
    text = kept(robot("AP-02"), "note", text="First line\n<b>second</b>")
    sheet = kept(robot("AP-02"), "sheet", file=file)
    priya = sign_in("priya")

    assert "&lt;b&gt;second" in priya.get(f"/memory/facts/{text['id']}").content.decode()
    assert "Download a.csv" in priya.get(f"/memory/facts/{sheet['id']}").content.decode()
    assert priya.get(f"/memory/facts/{sheet['id']}/file").content == b"a;b"
    assert priya.get(f"/memory/facts/{text['id']}/file").status_code == 404
    assert sign_in("tomasz").get(f"/memory/facts/{sheet['id']}/file").status_code == 404


def test_a_source_in_a_space_of_another_unit_is_not_named(robot: Any, halden: Any, sign_in: Any, now: Any) -> None:
    secret = Space.objects.create(code="theirs", name="Theirs", unit=halden.units["procurement"])
    fact = kept(robot("AP-02"), "rate")
    source = Fact.objects.create(
        space=secret, key="hidden key", value={}, value_sha256="0" * 64, author=halden.agents["VO-01"], at=now
    )
    Fact.objects.get(uid=fact["id"]).sources.add(source)

    page = sign_in("priya").get(f"/memory/facts/{fact['id']}").content.decode()

    assert "A fact of another unit" in page and "hidden key" not in page
