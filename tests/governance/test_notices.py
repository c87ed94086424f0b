"""Notifications: people are told once, where and when they want, of what concerns them; the link decides nothing."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.test import Client
from joserfc import jws
from joserfc.jwk import KeySet

from agents.models import Principal
from governance import operations, tasks
from governance.models import Escalation, Notice, NoticeMark, NoticePlace, NoticeWish
from governance.operations import notices
from governance.operations.notices.ways import NoAddress, checked_address
from governance.rules.notifying import WORDS, Happening, Hours, Rhythm, when_told
from observability import ledger
from observability.models import Event
from tests.conftest import let_in
from tests.receivers import Receiver, http_receiver, mail_receiver

PAGE = "/settings/notifications"
WISH = {"happenings": [str(each) for each in Happening], "rhythm": "at_once", "daily_at": "08:00", "quiet_from": "",
        "quiet_until": "", "zone": "Europe/Berlin"}  # fmt: skip


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with http_receiver() as receiver:
        settings.OUTGOING_HOSTS = frozenset({receiver.host})
        yield receiver


@pytest.fixture
def ask(bring: Any, robot: Any, question: Any) -> Any:
    """`ask()` has Priya asked whether an invoice may be paid."""

    def asked(key: str = "2026-1187") -> Escalation:
        bring(key)
        clerk = robot("AP-04")
        assert clerk.call("post", "actions", question(clerk.claim())).status_code < 300
        return Escalation.objects.latest("pk")

    return asked


def listens(person: Any, receiver: Receiver) -> NoticePlace:
    """Let somebody be told at the receiver, through the page."""
    answer = person.post(f"{PAGE}/places", {"kind": "webhook", "address": receiver.url})
    assert answer.status_code == 302, answer.content
    return NoticePlace.objects.latest("pk")


def sweep() -> int:
    """Let everything that happened be sealed, and people be told."""
    while ledger.seal():
        pass
    return tasks.tell_people()


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(taken.body) for taken in receiver.taken]


def answer(person: Any, escalation: Escalation, how: str = "approve") -> None:
    body = {"request_sha256": escalation.request_sha256, "reason": "Looked at it."}
    assert person.call("post", f"escalations/{escalation.uid}/{how}", body).status_code == 200


# --- from the question to the card ----------------------------------------------------------------------------
def test_a_question_reaches_the_person_outside_and_the_link_leads_to_the_card(
    sign_in: Any, receiver: Receiver, ask: Any, client: Client
) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    escalation = ask()

    assert (sweep(), sweep()) == (1, 0)

    (message,) = told(receiver)
    assert escalation.title in message["text"]
    assert "Decide by" in message["text"]
    assert "Europe" in message["text"] or "UTC" in message["text"]
    (notice,) = message["notices"]
    assert (notice["kind"], notice["due_at"]) == ("arrived", escalation.due_at.isoformat())
    path = notice["link"].removeprefix("http://testserver")
    opened = priya.get(path)
    assert (opened.status_code, opened["Location"]) == (302, f"/escalations/{escalation.uid}")
    assert priya.get(opened["Location"]).status_code == 200
    protected, signature = receiver.taken[0].headers["JWS-Signature"].split("..")
    keys = KeySet.import_key_set(client.get("/oauth/jwks").json())
    jws.deserialize_compact(f"{protected}..{signature}", keys, algorithms=["ES256"], payload=receiver.taken[0].body)
    assert Event.objects.get(verb="notice.sent").data["to_id"] == "priya"
    assert Escalation.objects.get().is_open, "a link decides nothing"


def test_a_message_holds_no_more_than_title_deadline_and_link(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    listens(sign_in("priya"), receiver)
    escalation = ask()
    sweep()

    body = receiver.taken[0].body.decode()
    beyond = body.replace(escalation.title, "")
    assert "Kessler" not in beyond
    assert escalation.request_sha256 not in body
    assert set(told(receiver)[0]) == {"title", "text", "notices"}
    assert set(told(receiver)[0]["notices"][0]) == {"kind", "title", "due_at", "link"}


def test_an_address_in_the_words_of_an_agent_is_no_link_in_the_message(
    sign_in: Any, receiver: Receiver, ask: Any
) -> None:
    listens(sign_in("priya"), receiver)
    Escalation.objects.filter(pk=ask().pk).update(
        title="Pay EUR 7,950.00: see https://evil.example/a or www.evil.example, bob@evil.example"
    )
    sweep()

    body = told(receiver)[0]["text"]
    assert "Pay EUR 7,950.00: see https: //evil. example/a or www. evil. example, bob@evil. example" in body


def test_what_the_agent_answers_is_told_and_what_a_colleague_answers_is_not(
    sign_in: Any, receiver: Receiver, ask: Any, robot: Any
) -> None:
    priya, maria, escalation = sign_in("priya"), sign_in("maria"), ask()
    NoticeWish.objects.update_or_create(
        person=Principal.objects.get(username="priya"), defaults={"happenings": ["answered"], "zone": "UTC"}
    )
    listens(priya, receiver)
    asked = priya.call("post", f"escalations/{escalation.uid}/ask", {"text": "Why?"}).json()
    path = f"escalations/{escalation.uid}/questions/{asked['id']}/answer"
    assert robot("AP-04").call("post", path, {"answer": "So."}).status_code == 200

    assert sweep() == 1
    assert told(receiver)[0]["notices"][0]["kind"] == "answered"
    body = {"request_sha256": escalation.request_sha256, "undo_seconds": 10}
    assert maria.call("post", f"escalations/{escalation.uid}/approve", body).status_code == 200
    assert sweep() == 0


def link(receiver: Receiver) -> str:
    return str(told(receiver)[-1]["notices"][0]["link"].removeprefix("http://testserver"))


def test_a_link_works_once(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    ask()
    sweep()

    assert priya.get(link(receiver)).status_code == 302
    again = priya.get(link(receiver))

    assert again.status_code == 410
    assert "used already" in again.content.decode()
    assert 'href="/escalations"' in again.content.decode()


def test_who_is_not_signed_in_signs_in_first_and_the_link_is_not_used_up(
    sign_in: Any, receiver: Receiver, ask: Any
) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    escalation = ask()
    sweep()
    stranger, path = Client(), link(receiver)

    first = stranger.get(path)
    let_in(stranger, "priya")
    then = stranger.get(path)

    assert (first.status_code, first["Location"].partition("?")[0]) == (302, "/sign-in")
    assert path.rpartition("/")[2].split(":")[0] in first["Location"]
    assert then["Location"] == f"/escalations/{escalation.uid}"


def test_a_link_of_somebody_else_opens_nothing_and_stays_good(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    ask()
    sweep()

    other = sign_in("ingrid").get(link(receiver))

    assert other.status_code == 403
    assert "for somebody else" in other.content.decode()
    assert priya.get(link(receiver)).status_code == 302


def test_a_link_that_is_forged_or_too_old_leads_to_the_queue(
    sign_in: Any, receiver: Receiver, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    ask()
    sweep()
    good = link(receiver)

    for forged in ("x", good.rpartition("/")[2][:-1], "a:b:c", "%F0%9F"):
        assert priya.get(f"/escalations/open/{forged}").status_code in (404, 410), forged
    monkeypatch.setattr("governance.operations.notices.opening.GOOD_FOR", timedelta(seconds=-1))
    assert priya.get(good).status_code == 410


def test_a_link_gives_no_right_that_was_taken_since(
    sign_in: Any, receiver: Receiver, ask: Any, halden: Any, now: Any
) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    ask()
    sweep()
    person = Principal.objects.get(username="priya")
    Escalation.objects.update(unit=next(unit for unit in halden.units.values() if unit.pk not in person.unit_ids()))
    assert not Escalation.objects.get().is_visible_to(person)

    assert priya.get(link(receiver)).status_code == 404


# --- who is told of what --------------------------------------------------------------------------------------
def test_nobody_is_told_who_added_no_place_or_is_not_asked(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    listens(sign_in("ingrid"), receiver)
    ask()

    assert (sweep(), receiver.taken) == (0, [])


def test_what_the_person_does_not_want_is_not_told(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    assert priya.post(PAGE, {**WISH, "happenings": ["decided"]}).status_code == 302
    ask()

    assert sweep() == 0


def test_what_somebody_else_decided_is_told_to_the_others_who_were_asked_and_not_to_oneself(
    sign_in: Any, receiver: Receiver, ask: Any, halden: Any
) -> None:
    escalation = ask()
    asked = [each for each in Principal.objects.people() if Escalation.objects.for_person(each).exists()]
    for each in asked:
        listens(sign_in(each.username), receiver)
        NoticePlace.objects.filter(person=each).update(address_sha256=each.username)
    sweep()
    receiver.taken.clear()
    first = asked[0]
    answer(sign_in(first.username), escalation)

    sweep()

    decided = Notice.objects.filter(happening="decided")
    assert set(decided.values_list("place__person__username", flat=True)) == {each.username for each in asked[1:]}
    assert len(receiver.taken) == len(asked) - 1
    assert all("Approved." in message["text"] for message in told(receiver))


def test_a_question_that_is_passed_on_reaches_the_next_people(
    sign_in: Any, receiver: Receiver, ask: Any, halden: Any, now: Any
) -> None:
    escalation = ask()
    sweep()
    operations.expire(escalation, at=ledger.database_now())
    nexts = [each for each in Principal.objects.people() if Escalation.objects.for_person(each).exists()]
    listens(sign_in(nexts[0].username), receiver)

    assert sweep() == 1
    assert told(receiver)[0]["notices"][0]["kind"] == "passed_on"


def test_what_was_decided_before_the_message_left_is_not_told_as_waiting(
    sign_in: Any, receiver: Receiver, ask: Any
) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    answer(priya, ask())

    assert (sweep(), receiver.taken) == (0, [])
    assert Notice.objects.get().status == "dropped"


def test_a_person_who_was_disabled_is_told_nothing(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    listens(sign_in("priya"), receiver)
    ask()
    while ledger.seal():
        pass
    notices.collect_notices(at=ledger.database_now())
    Principal.objects.filter(username="priya").update(is_active=False)

    assert (sweep(), receiver.taken) == (0, [])


# --- never lost, never doubled --------------------------------------------------------------------------------
def test_no_event_is_missed_and_none_is_told_twice_however_often_it_is_swept(
    sign_in: Any, receiver: Receiver, ask: Any
) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    wanted = [ask(f"2026-20{number}") for number in range(3)]
    while ledger.seal():
        pass
    at = ledger.database_now()

    made = [notices.collect_notices(at=at) for _ in range(3)]
    NoticeMark.objects.update(position=0)  # as if the mark had been lost
    notices.collect_notices(at=at)

    assert made == [3, 0, 0]
    assert Notice.objects.filter(happening="arrived").count() == len(wanted)
    assert tasks.tell_people() == 1, "many at once are one message"
    assert told(receiver)[0]["title"] == "3 questions for you"
    assert len(told(receiver)[0]["notices"]) == 3


def test_a_place_that_does_not_answer_is_tried_for_a_day_and_keeps_no_other_waiting(
    sign_in: Any, receiver: Receiver, ask: Any
) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    priya.post(f"{PAGE}/places", {"kind": "webhook", "address": f"{receiver.url}/other"})
    receiver.answer = lambda request: (
        request.send_response(503 if request.path == "/hook" else 204),
        request.send_header("Content-Length", "0"),
        request.end_headers(),
    )  # type: ignore[assignment,func-returns-value]
    ask()

    assert sweep() == 1
    assert sorted(Notice.objects.values_list("status", flat=True)) == ["sent", "waiting"]
    assert "503" in NoticePlace.objects.order_by("pk")[0].trouble
    past = ledger.database_now() - timedelta(hours=25)
    Notice.objects.filter(status="waiting").update(made_at=past, wanted_at=past, due_at=past)
    sweep()

    assert sorted(Notice.objects.values_list("status", flat=True)) == ["given_up", "sent"]
    assert "503" in Event.objects.get(verb="notice.given_up").why


def test_a_removed_place_gets_nothing_more(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    priya = sign_in("priya")
    place = listens(priya, receiver)
    ask()
    while ledger.seal():
        pass
    notices.collect_notices(at=ledger.database_now())

    assert priya.post(f"{PAGE}/places/{place.uid}/remove").status_code == 302
    assert (sweep(), receiver.taken) == (0, [])
    assert not Notice.objects.exists()


# --- places ---------------------------------------------------------------------------------------------------
def test_mail_arrives_with_a_real_mail_server(sign_in: Any, settings: Any, ask: Any, halden: Any) -> None:
    Principal.objects.filter(username="priya").update(email="priya@halden.example")
    with mail_receiver() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        settings.EMAIL_USE_SSL, settings.EMAIL_HOST_USER = False, ""
        assert (
            sign_in("priya").post(f"{PAGE}/places", {"kind": "email", "address": "mallory@evil.example"}).status_code
            == 302
        )
        escalation = ask()

        assert sweep() == 1

    letter = server.taken[0].body.decode()
    assert "To: priya@halden.example" in letter
    assert "evil" not in letter
    assert escalation.title.split()[0] in letter
    assert re.search(r"http://testserver/escalations/open/", letter)


def test_an_address_is_kept_sealed_and_never_shown_again(sign_in: Any, receiver: Receiver) -> None:
    priya, secret = sign_in("priya"), "T0SECRET9"
    priya.post(f"{PAGE}/places", {"kind": "webhook", "address": f"{receiver.url}/{secret}"})

    place = NoticePlace.objects.get()
    assert secret not in place.sealed
    assert secret not in priya.get(PAGE).content.decode()
    assert place.shown == "127.0.0.1/…RET9"
    assert not Event.objects.filter(data__icontains=secret).exists()


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "http://127.0.0.1/"), ("webhook", "https://10.0.0.1/"), ("webhook", "https://169.254.169.254/"),
        ("webhook", "json://agent.example/"), ("webhook", ""), ("slack", "https://hooks.slack.example/services/T/B/C"),
        ("slack", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"), ("slack", "https://evil.example/"),
        ("slack", "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?verify=no"),
        ("slack", "http://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"),
        ("teams", "https://logic.azure.com.evil.example/workflows/x/triggers/manual/paths/invoke?sig=abcdefgh"),
        ("teams", "https://a.logic.azure.com/workflows/643e69f83c8944/triggers/manual/paths/invoke?sig=KODuebWbDGYFr0z0eu-"
         "6Rj8aUKz7108W3wrNJZxFE5A&template=file:///etc/passwd"),
        ("file", "file:///etc/passwd"), ("device", "{}"),
    ],
)  # fmt: skip
def test_what_is_no_address_of_its_kind_is_refused(sign_in: Any, kind: str, address: str) -> None:
    page = sign_in("priya").post(f"{PAGE}/places", {"kind": kind, "address": address})

    assert page.status_code == 400
    assert not NoticePlace.objects.exists()


SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = (
    "https://prod-1.westeurope.logic.azure.com:443/workflows/643e69f83c8944/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KODuebWbDGYFr0z0eu-6Rj8aUKz7108W3wrNJZxFE5A"
)


@pytest.mark.parametrize(("kind", "address"), [("slack", SLACK), ("teams", TEAMS)])
def test_addresses_of_slack_and_teams_are_taken_unless_they_lead_inside(kind: str, address: str) -> None:
    assert checked_address(kind, address, lambda *_: ["93.184.215.14"]) == address
    with pytest.raises(NoAddress):
        checked_address(kind, address, lambda *_: ["127.0.0.1"])


def says_ok(request: BaseHTTPRequestHandler) -> None:
    """Answer as Slack does."""
    request.send_response(200)
    request.send_header("Content-Length", "2")
    request.end_headers()
    request.wfile.write(b"ok")


def test_slack_gets_the_message_with_nothing_in_it_that_slack_would_act_on(
    halden: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, now: Any
) -> None:
    # Where Slack listens is Apprise's own constant; here somebody on this machine does.
    monkeypatch.setattr("apprise.plugins.slack.NotifySlack.webhook_url", receiver.url)
    receiver.answer = says_ok
    priya = halden.people["priya"]
    place = notices.add_place(
        "slack", SLACK, base="http://testserver", by=priya, at=now, resolve=lambda *_: ["93.184.215.14"]
    )
    evil = notices.Message("<!channel> *pay* <https://evil.example|here>", "<@U123> & more", "", {})

    outcome = notices.deliver(place, evil, resolve=lambda *_: ["93.184.215.14"])

    assert outcome.trouble == ""
    sent = receiver.taken[0].body.decode()
    assert "<!channel>" not in sent
    assert "<https://evil" not in sent
    assert "<@U123>" not in sent
    assert notices.deliver(place, evil, resolve=lambda *_: ["10.0.0.1"]).trouble


def test_a_test_says_whether_it_arrived(sign_in: Any, receiver: Receiver) -> None:
    priya = sign_in("priya")
    place = listens(priya, receiver)

    good = priya.post(f"{PAGE}/places/{place.uid}/test", follow=True)
    receiver.answer = 500
    bad = priya.post(f"{PAGE}/places/{place.uid}/test", follow=True)

    assert "The test was taken" in good.content.decode()
    assert "did not get through" in bad.content.decode()
    assert "It answered with 500." in bad.content.decode()
    assert told(receiver)[0]["title"] == "A test from Autonomy OS"


def test_places_of_others_are_not_found(sign_in: Any, receiver: Receiver) -> None:
    place = listens(sign_in("priya"), receiver)
    other = sign_in("ingrid")

    assert other.post(f"{PAGE}/places/{place.uid}/remove").status_code == 404
    assert other.post(f"{PAGE}/places/{place.uid}/test").status_code == 404
    assert (receiver.taken, NoticePlace.objects.count()) == ([], 1)


def test_a_place_is_named_once_and_there_are_few(sign_in: Any, receiver: Receiver) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)

    assert priya.post(f"{PAGE}/places", {"kind": "webhook", "address": receiver.url}).status_code == 400
    for number in range(20):
        priya.post(f"{PAGE}/places", {"kind": "webhook", "address": f"{receiver.url}/{number}"})
    assert NoticePlace.objects.count() == 10


def test_a_place_sealed_with_another_key_says_so(sign_in: Any, receiver: Receiver, settings: Any) -> None:
    place = listens(sign_in("priya"), receiver)
    settings.SECRET_KEY = "another " * 10

    assert "another key" in notices.deliver(place, notices.Message("a", "b", "", {})).trouble


# --- when -----------------------------------------------------------------------------------------------------
def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = {"quiet_from": time(22), "quiet_until": time(7)}


@pytest.mark.parametrize(
    ("happened", "hours", "told_at"),
    [
        ("2026-11-30T09:00", Hours(), "2026-11-30T09:00"),
        ("2026-11-30T09:00", Hours(rhythm=Rhythm.HOURLY), "2026-11-30T10:00"),
        ("2026-11-30T09:59:59", Hours(rhythm=Rhythm.HOURLY), "2026-11-30T10:00"),
        ("2026-11-30T09:00", Hours(rhythm=Rhythm.DAILY), "2026-12-01T08:00"),
        ("2026-11-30T07:00", Hours(rhythm=Rhythm.DAILY, zone="Europe/Berlin"), "2026-12-01T07:00"),
        ("2026-11-30T06:59", Hours(rhythm=Rhythm.DAILY, zone="Europe/Berlin"), "2026-11-30T07:00"),
        ("2026-11-30T21:30", Hours(zone="Europe/Berlin", **NIGHT), "2026-12-01T06:00"),
        ("2026-11-30T05:59", Hours(zone="Europe/Berlin", **NIGHT), "2026-11-30T06:00"),
        ("2026-11-30T06:00", Hours(zone="Europe/Berlin", **NIGHT), "2026-11-30T06:00"),
        ("2026-11-30T12:30", Hours(quiet_from=time(12), quiet_until=time(13)), "2026-11-30T13:00"),
        ("2026-11-30T12:30", Hours(quiet_from=time(12), quiet_until=time(12)), "2026-11-30T12:30"),
        ("2026-11-30T20:59", Hours(rhythm=Rhythm.HOURLY, zone="Europe/Berlin", **NIGHT), "2026-12-01T06:00"),
        ("2026-03-28T22:00", Hours(zone="Europe/Berlin", **NIGHT), "2026-03-29T05:00"),  # the clocks go forward
        ("2026-10-24T21:00", Hours(zone="Europe/Berlin", **NIGHT), "2026-10-25T06:00"),  # and back
    ],
)
def test_when_a_person_is_told(happened: str, hours: Hours, told_at: str) -> None:
    assert when_told(at(happened), hours) == at(told_at)


def test_quiet_hours_and_the_daily_message_hold_back_what_happens(sign_in: Any, receiver: Receiver, ask: Any) -> None:
    priya = sign_in("priya")
    listens(priya, receiver)
    assert priya.post(PAGE, {**WISH, "rhythm": "daily"}).status_code == 302
    ask()

    assert (sweep(), receiver.taken) == (0, [])
    notice = Notice.objects.get()
    assert notice.due_at.astimezone().minute == 0
    Notice.objects.update(due_at=ledger.database_now())
    assert sweep() == 1


def test_the_page_keeps_what_was_chosen_and_refuses_what_makes_no_sense(sign_in: Any) -> None:
    priya = sign_in("priya")
    chosen = {**WISH, "happenings": ["arrived"], "quiet_from": "22:00", "quiet_until": "07:00"}

    assert priya.post(PAGE, chosen).status_code == 302
    wish = NoticeWish.objects.get()
    assert (wish.happenings, wish.quiet_from, wish.zone) == (["arrived"], time(22), "Europe/Berlin")
    page = priya.get(PAGE).content.decode()
    assert 'value="22:00"' in page
    assert len(re.findall("checked", page)) >= 1
    for wrong in (
        {"quiet_until": ""},
        {"rhythm": "never"},
        {"zone": "Mars/Olympus"},
        {"happenings": ["x"]},
        {"daily_at": ""},
    ):
        assert priya.post(PAGE, {**chosen, **wrong}).status_code == 400, wrong
    assert Event.objects.filter(verb="person.notices_changed").count() == 1
    assert len(WORDS) == 6


def test_without_a_mail_server_or_an_address_mail_is_not_offered(sign_in: Any, settings: Any) -> None:
    priya = sign_in("priya")
    assert 'value="email"' in priya.get(PAGE).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert 'value="email"' not in priya.get(PAGE).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Principal.objects.filter(username="priya").update(email="")

    assert 'value="email"' not in priya.get(PAGE).content.decode()
    assert priya.post(f"{PAGE}/places", {"kind": "email", "address": "a@b.example"}).status_code == 400
