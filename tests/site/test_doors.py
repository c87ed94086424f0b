"""What every route of the API promises by what it is (tests/site/routes.py): pages, tags, repeats, strict input."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import hypothesis
import hypothesis.strategies as st
import pytest
from django.apps import apps
from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.models import (
    ClientKey,
    Consent,
    ForeignCard,
    GivenAnswer,
    Grant,
    Principal,
    Review,
    Version,
)
from governance.models import (
    Budget,
    ControlDrill,
    Decision,
    Delegation,
    Escalation,
    Incident,
    Inquiry,
    LearntRule,
    PlantedCase,
    Policy,
    PromotionRequest,
    Replay,
    SavedView,
    Training,
)
from observability import ledger
from observability.models import Event
from tests.site import things
from tests.site.routes import (
    BOUND,
    CALLERS,
    CHANGE,
    CHECK,
    CREATE,
    DOORS,
    END,
    LEASE,
    LIST,
    METHODS,
    ONE,
    PAGES,
    api_doors,
    methods,
    routes,
)
from tests.site.test_matrix import table
from tests.site.world import World
from workflows.models import (
    DecisionTable,
    Fact,
    Follow,
    Hook,
    Message,
    Push,
    Run,
    Schedule,
    Step,
    Workflow,
)

ACTING = (CREATE, LEASE, END, BOUND, CHANGE)
ONLY_ONCE = ("key", "subject_token", "invitation", "secret")  # a secret is shown once
# What a door asks for by the name of a column.
ASKED_FOR = {
    "api-blueprint": {"status"}, "api-grants": {"id"}, "api-control": {"id"}, "api-control-drills": {"id"},
    "api-messages": {"id"}, "api-signals": {"id"}, "api-follows": {"status"},
}  # fmt: skip
RIGHT = table()


def entitled(name: str, method: str) -> str:
    """A caller who may do this with a thing of the own unit; what only a story can do, the agent tries."""
    statuses = RIGHT.get((name, method, "own")) or RIGHT[name, method, "-"]
    able = (caller for caller, status in zip(CALLERS, statuses, strict=True) if status.startswith("2"))
    return next(able, "agent")


def readers(name: str) -> list[str]:
    """Everybody who may read this list, the one who sees most first."""
    by = dict(zip(CALLERS, RIGHT.get((name, "get", "own")) or RIGHT[name, "get", "-"], strict=True))
    return [caller for caller in ("auditor", "it", "council") if by[caller] == "200"]


class Asking:
    """One door and somebody who may use it."""

    def __init__(self, world: World, name: str, method: str) -> None:
        self.world, self.name, self.method, self.door = world, name, method, DOORS[name, method]
        self.caller = entitled(name, method)
        names, self.given = self.door.asked(world.own)
        self.given = dict(self.given or {})
        self.path = reverse(name, args=names)

    def ask(self, given: Any = None, **headers: str) -> Any:
        return self.world.ask(self.caller, self.method, self.path, self.given if given is None else given, **headers)

    def raw(self, body: bytes | str, content_type: str = "application/json") -> Any:
        """The answer to a body as it is."""
        headers = {"Idempotency-Key": "raw"}
        self.world.client.cookies.clear()
        if self.caller in self.world.keys:
            headers["Authorization"] = f"Bearer {self.world.keys[self.caller]}"
        else:
            self.world.client.cookies[settings.SESSION_COOKIE_NAME] = self.world.sessions[self.caller]
        return getattr(self.world.client, self.method)(self.path, body, content_type=content_type, headers=headers)


def doors(world: World, *kinds: str) -> Iterator[Asking]:
    """Every door of these kinds, each in a transaction of which nothing stays."""
    for (name, method), door in DOORS.items():
        if door.kind in kinds:
            with transaction.atomic():
                yield Asking(world, name, method)
                transaction.set_rollback(True)


def problem(answer: Any) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    return body


def test_every_route_of_the_api_is_classified() -> None:
    missing = [door for door in api_doors() if door not in DOORS]
    assert not missing, f"Say in DOORS of tests/site/routes.py what these are, and how a good request looks: {missing}"


def test_a_method_that_a_route_has_not_is_405_and_says_which_it_has(world: World) -> None:
    for name, path, pattern in routes():
        if not path.startswith("api/"):
            continue
        has = methods(pattern)
        asking = Asking(world, name, has[0]) if (name, has[0]) in DOORS else None
        for method in {*METHODS, "options"} - set(has):
            caller, address = (asking.caller, asking.path) if asking else ("member", reverse(name))
            answer = world.ask(caller, method, address)
            assert (answer.status_code, problem(answer)["code"]) == (405, "method_not_allowed"), (name, method)
            assert {each.strip().lower() for each in answer["Allow"].split(",")} - {"head"} == set(has), name


# --- one thing ------------------------------------------------------------------------------------------------
def test_one_thing_has_a_strong_tag_and_is_not_sent_twice(world: World) -> None:
    for asking in doors(world, ONE):
        first = asking.ask()
        assert first.status_code == 200, (asking.name, first.content)
        assert "ETag" in first.headers, f"{asking.name}: answer with Door.tagged"
        tag = first["ETag"]
        assert tag.startswith('"'), f"{asking.name}: answer with Door.tagged"
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = asking.ask(If_None_Match=known)
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag), (asking.name, known)
        other = asking.ask(If_None_Match='"other"')
        assert (other.status_code, other.json()) == (200, first.json()), asking.name


def test_a_tag_changes_with_what_is_shown(world: World) -> None:
    path = reverse("api-run", args=[world.own.run.uid])
    before = world.ask("owner", "get", path)["ETag"]

    Run.objects.filter(pk=world.own.run.pk).update(outcome="other")

    assert world.ask("owner", "get", path)["ETag"] != before


# --- lists ----------------------------------------------------------------------------------------------------
def walk(world: World, caller: str, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Page after page as a caller reads them, by the address that each page gives."""
    answer = world.ask(caller, "get", path, query)
    while True:
        assert answer.status_code == 200, answer.content
        body = answer.json()
        yield body
        if body["next"] is None:
            assert "Link" not in answer.headers
            return
        assert answer["Link"] == f'<{body["next"]}>; rel="next"'
        answer = world.ask(caller, "get", body["next"])


def test_a_list_read_page_by_page_is_the_whole_list(world: World) -> None:
    ledger.seal()
    grown(world, 2)
    for asking in doors(world, LIST):
        reader = readers(asking.name)[0]
        whole = [row for page in walk(world, reader, asking.path, limit="200") for row in page["results"]]
        assert len(whole) > 1, f"{asking.name}: the world has too few of these to see pages"
        for size in (1, 2, 3):
            pages = list(walk(world, reader, asking.path, limit=str(size)))
            assert [row for page in pages for row in page["results"]] == whole, asking.name
            assert max(len(page["results"]) for page in pages) == min(size, len(whole))


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.0", " 5", "٣", ""])
def test_a_page_has_between_1_and_200_rows(world: World, limit: str) -> None:
    for asking in doors(world, LIST):
        answer = asking.ask({"limit": limit})
        assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (400, "limit"), asking.name


def test_a_cursor_holds_for_its_caller_its_list_and_its_filters_alone(world: World) -> None:
    grown(world, 2)
    cursors = {}
    for asking in doors(world, LIST):
        reader, *rest = readers(asking.name)
        url = world.ask(reader, "get", asking.path, {"limit": "1"}).json()["next"]
        cursors[asking.path] = cursor = parse_qs(urlsplit(url).query)["cursor"][0]
        filters = [{name: value} for name, value in asking.given.items() if name != "after" or value != "0"]
        forged = signing.dumps(["x", [1]], salt="another")
        others = [
            *((other, cursor, {}) for other in rest[-1:]), *((reader, cursor, each) for each in filters),
            (reader, cursor[:-1], {}), (reader, f"{cursor}x", {}), (reader, "x", {}), (reader, forged, {}),
            *((reader, each, {}) for path, each in cursors.items() if path != asking.path),
        ]  # fmt: skip
        for caller, text, more in others:
            answer = world.ask(caller, "get", asking.path, {"cursor": text, **more})
            assert (answer.status_code, problem(answer)["code"]) == (400, "cursor_invalid"), (asking.name, caller, more)
        assert world.ask(reader, "get", asking.path, {"cursor": cursor}).status_code == 200


@hypothesis.given(
    rows=st.integers(0, 12), size=st.integers(1, 5), between=st.lists(st.integers(0, 4), max_size=8),
    filters=st.sampled_from([{}, {"status": "running"}, {"workflow": "invoice-to-payment"}]),
)  # fmt: skip
@hypothesis.settings(
    max_examples=25, deadline=None, database=None, derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_rows_that_come_between_two_pages_move_no_other(
    world: World, now: Any, rows: int, size: int, between: list[int], filters: dict[str, str]
) -> None:
    def more(prefix: str, count: int) -> None:
        run = world.own.run
        Run.objects.bulk_create(
            Run(key=f"{prefix}{n}", workflow=run.workflow, version=run.version, unit=run.unit, started_at=now)
            for n in range(count)
        )

    with transaction.atomic():
        more("early", rows)
        seen, come = [], iter(between)
        for number, page in enumerate(walk(world, "owner", reverse("api-runs"), limit=str(size), **filters)):
            seen += [run["key"] for run in page["results"]]
            assert len(page["results"]) <= size
            more(f"late{number}-", next(come, 0))
        transaction.set_rollback(True)

    assert seen == [f"early{n}" for n in reversed(range(rows))] + ["finance-2", "finance-1"]


def test_questions_keep_the_order_of_the_first_page_whatever_time_it_gets(world: World, now: Any) -> None:
    asked = world.own.escalation
    for number, hours in enumerate((5, 1, -1, 3, -2)):
        asked.pk, asked.uid, asked.title = None, None, f"question {number}"
        asked.uid = Escalation._meta.get_field("uid").get_default()
        asked.due_at, asked.risk = now + timedelta(hours=hours), 1 + number % 3
        asked._state.adding = True
        asked.save(force_insert=True)
    right = [row.title for row in Escalation.objects.open().filter(unit=world.own.unit).most_urgent_first(now)]

    pages = walk(world, "owner", reverse("api-escalations"), limit="1")
    read = [row["title"] for page in pages for row in page["results"]]

    assert read == right
    assert len(read) == 6


def copied(row: Any, count: int, **unique: Any) -> None:
    """`count` more rows like this one; `unique` says how a number makes the columns that tell them apart."""
    model = type(row)
    names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    columns = {name: getattr(row, name) for name in names}
    model.objects.bulk_create(
        [model(**columns | {name: make(number) for name, make in unique.items()}) for number in range(count)]
    )


def fresh(model: Any, name: str) -> Any:
    return lambda number: model._meta.get_field(name).get_default()


def grown(world: World, count: int) -> None:
    """That many more rows in every list."""
    copied(world.own.run, count, uid=fresh(Run, "uid"), key=lambda n: f"grown-{count}-{n}")
    copied(world.own.escalation, count, uid=fresh(Escalation, "uid"))
    copied(world.own.policy, count, key=lambda n: f"grown.{count}.{n}")
    copied(world.own.policy.versions.get(number=1), count, number=lambda n: 10 * count + n)
    draft = world.own.policy.versions.get(number=things.version(world.own, "draft")[1])
    copied(draft.comments.earliest("pk"), count)
    copied(world.own.space, count, code=lambda n: f"grown-{count}-{n}")
    copied(things.fact(world.own), count, uid=fresh(Fact, "uid"), key=lambda n: f"grown-{count}-{n}")
    copied(Event.objects.latest("pk"), count, uid=fresh(Event, "uid"), position=lambda n: None)
    principal = world.own.agent.principal
    copied(principal, count, username=lambda n: f"grown-{count}-{n}")
    accounts = list(type(principal).objects.filter(username__startswith=f"grown-{count}-").values_list("pk", flat=True))
    copied(
        world.own.agent, count, uid=fresh(type(world.own.agent), "uid"), code=lambda n: f"G{count}-{n}",
        principal_id=lambda n: accounts[n],
    )  # fmt: skip
    copied_for_people(world, count)
    copied_of_work(world, count)
    while ledger.seal():
        pass


def copied_for_people(world: World, count: int) -> None:
    """That many more of what people look after: each list gets rows that its readers see."""
    own, edith = world.own, Principal.objects.get(username="edith")
    clerk, number = things.person(own), str
    copied(own.agent.blueprint, count, code=lambda n: f"grown-{count}-{n}")
    copied(clerk, count, username=lambda n: f"clerk-{count}-{n}")
    accounts = list(Principal.objects.filter(username__startswith=f"clerk-{count}-").values_list("pk", flat=True))
    copied(Version.objects.of(own.agent)[0], count, number=lambda n: 10 * count + n)
    copied(things.key(own), count, prefix=lambda n: f"{count}.{n}"[:12])
    copied(things.client_key(own), count, uid=fresh(ClientKey, "uid"), kid=lambda n: f"{count}-{n}")
    copied(things.consent(own), count, uid=fresh(Consent, "uid"), prefix=lambda n: f"{count}.{n}",
           person_id=lambda n: edith.pk)  # fmt: skip
    copied(things.card(own), count, uid=fresh(ForeignCard, "uid"), url=lambda n: f"https://{count}-{n}.example")
    copied(things.grant(own), count, uid=fresh(Grant, "uid"), user_id=lambda n: accounts[n])
    seen = Grant.objects.filter(user=own.agent.principal, permission__codename="work_in_workflow")[0]
    workflows = _workflows(world, count)
    copied(seen, count, uid=fresh(Grant, "uid"), object_pk=lambda n: number(workflows[n]))
    copied(things.review(own), count, uid=fresh(Review, "uid"))
    copied(things.item(own), count, grant=lambda n: uuid.uuid4())
    copied(things.delegation(own), count, uid=fresh(Delegation, "uid"))
    copied(things.control(own), count, scope=lambda n: f"agent:{count}-{n}", drill_id=lambda n: None)
    copied(things.drill(own), count, uid=fresh(ControlDrill, "uid"))
    copied(things.replay(own), count, uid=fresh(Replay, "uid"), status=lambda n: "cancelled")
    decisions = _decisions(world, count)
    copied(things.flip(own), count, decision_id=lambda n: decisions[n])
    copied(things.shadow_ruling(own), count, decision_id=lambda n: decisions[n])
    rule, system = things.safeguard(own), things.system(own)
    copied(things.incident(own), count, uid=fresh(Incident, "uid"), about=lambda n: f"run:{count}-{n}")
    copied(rule, count, role=lambda n: f"grown-{count}-{n}")
    copied(system, count, code=lambda n: f"grown-{count}-{n}")
    copied(things.promotion(own), count, uid=fresh(PromotionRequest, "uid"), status=lambda n: "withdrawn")
    copied(things.budget(own), count, uid=fresh(Budget, "uid"))
    copied(things.value_list(own), count, name=lambda n: f"grown_{count}_{n}")
    for listing in SavedView.Table.values:
        view = things.saved_view(own, listing)
        copied(view, count, uid=fresh(SavedView, "uid"), name=lambda n: f"grown-{count}-{n}")
    copied(things.learnt(own), count, uid=fresh(LearntRule, "uid"), group=lambda n: f"grown-{count}-{n}")
    copied(things.planted(own), count, uid=fresh(PlantedCase, "uid"))
    asked, _ = things.asked_agent(own)
    answered = Inquiry.objects.exclude(answered_at=None).filter(escalation__uid=asked)[0]
    copied(answered, count, uid=fresh(Inquiry, "uid"))
    copied(own.workflow.incident_path, count, key=lambda n: f"grown-{count}-{n}")
    copied(things.office(own), count, key=lambda n: f"grown-{count}-{n}")
    copied(Training.objects.filter(person=clerk)[0], count, person_id=lambda n: accounts[n])


def copied_of_work(world: World, count: int) -> None:
    """That many more steps, messages, ways in which runs begin, and what is kept of a workflow."""
    own, named = world.own, lambda n: f"grown-{count}-{n}"
    copied(own.step, count, uid=fresh(Step, "uid"), token=lambda n: 0, status=lambda n: "done")
    copied(things.message(own), count, uid=fresh(Message, "uid"))
    copied(things.schedule(own), count, uid=fresh(Schedule, "uid"), name=named)
    copied(things.hook(own), count, uid=fresh(Hook, "uid"), name=named)
    copied(things.follow(own), count, uid=fresh(Follow, "uid"), outcome=named)
    copied(things.endpoint(own).pushes.all()[0], count, uid=fresh(Push, "uid"))
    copied(things.decision_table(own), count, uid=fresh(DecisionTable, "uid"), code=named)
    copied(own.workflow.versions.get(number=1), count, number=lambda n: 10 * count + n)


def _decisions(world: World, count: int) -> list[int]:
    copied(world.own.decision, count, uid=fresh(Decision, "uid"), request_key=lambda n: f"grown-{count}-{n}")
    return list(Decision.objects.filter(request_key__startswith=f"grown-{count}-").values_list("pk", flat=True))


def _workflows(world: World, count: int) -> list[int]:
    copied(world.own.workflow, count, code=lambda n: f"grown-{count}-{n}")
    return list(Workflow.objects.filter(code__startswith=f"grown-{count}-").values_list("pk", flat=True))


def statements(world: World, asking: Asking) -> int:
    """How many statements the longest page of this list takes the database."""
    with CaptureQueriesContext(connection) as taken:
        answer = world.ask(readers(asking.name)[0], "get", asking.path, {"limit": "200"})
    assert answer.status_code == 200
    assert len(answer.json()["results"]) >= 10, asking.name
    return len(taken)


def test_a_list_takes_as_many_statements_for_1000_rows_as_for_10(world: World) -> None:
    grown(world, 10)
    few = {asking.name: statements(world, asking) for asking in doors(world, LIST)}

    grown(world, 990)

    assert {asking.name: statements(world, asking) for asking in doors(world, LIST)} == few
    for name, count in few.items():
        assert count <= (15 if name.startswith("api-access") else 9), f"{name}: {count}"  # rights: one for each kind


# --- acts -----------------------------------------------------------------------------------------------------
def test_an_act_needs_a_key_and_a_repeat_of_it_is_harmless(world: World) -> None:
    for asking in doors(world, *ACTING):
        if asking.method != "post":
            continue  # who changes something says what was read: a repeat finds another state
        assert problem(asking.ask(Idempotency_Key="", If_Match="*"))["code"] == "idempotency_key_missing", asking.name
        first = asking.ask(Idempotency_Key="once", If_Match="*")
        happened = Event.objects.count()
        again = asking.ask(Idempotency_Key="once", If_Match="*")
        assert 200 <= first.status_code < 300, (asking.name, first.content)
        assert (again.status_code, but_secrets(again)) == (first.status_code, but_secrets(first)), asking.name
        assert Event.objects.count() == happened, asking.name


def but_secrets(answer: Any) -> dict[str, Any]:
    """The body without what is shown only once."""
    return {name: value for name, value in answer.json().items() if name not in ONLY_ONCE}


def test_what_is_ended_is_ended_once(world: World) -> None:
    for asking in doors(world, END):
        first, second = asking.ask(), asking.ask()
        assert (first.status_code, second.status_code) == (200, 409), (asking.name, second.content)
        assert problem(second)["code"] in ("wrong_status", "too_late"), asking.name


def test_a_change_has_to_say_what_was_read(world: World) -> None:
    for asking in doors(world, CHANGE, BOUND):
        given = {name: value for name, value in asking.given.items() if name != "request_sha256"}
        happened = Event.objects.count()

        missing, stale = asking.ask(given), asking.ask(given, If_Match='"another"')

        assert (missing.status_code, problem(missing)["code"]) == (428, "if_match_missing"), asking.name
        assert (stale.status_code, problem(stale)["code"]) == (412, "changed_since"), asking.name
        assert Event.objects.count() == happened, asking.name


@pytest.mark.parametrize("name", ["api-approve", "api-reject"])
def test_an_answer_to_what_was_read_by_its_tag_counts_once(world: World, name: str) -> None:
    read = world.ask("reviewer", "get", reverse("api-escalation", args=[world.own.escalation.uid]))
    path, given = reverse(name, args=[world.own.escalation.uid]), {"reason": "Looked at it.", "reason_code": "other"}

    settled = world.ask("reviewer", "post", path, given, If_Match=read["ETag"])
    late = world.ask("owner", "post", path, given, If_Match=read["ETag"])

    assert settled.status_code == 200, settled.content
    assert (late.status_code, problem(late)["code"]) == (412, "changed_since")
    weak = world.ask("owner", "post", path, given, If_Match=f"W/{read['ETag']}")
    assert weak.status_code == 412, "a weak tag never counts for a change"


def test_of_two_who_put_a_version_in_force_the_second_has_to_read_again(world: World) -> None:
    key = world.own.policy.key
    path, activate = reverse("api-policy", args=[key]), reverse("api-policy-activate", args=[key])
    tag = world.ask("council", "get", path)["ETag"]

    number = things.version(world.own, "approved")[1]
    first = world.ask("council", "post", activate, {"version": number}, If_Match=tag)
    second = world.ask("risk", "post", activate, {"version": number}, If_Match=tag)

    assert (first.status_code, second.status_code) == (200, 412), first.content
    assert world.ask("council", "get", path).json()["in_force"] == number


# --- strict input ---------------------------------------------------------------------------------------------
def test_no_address_takes_a_query_that_nobody_knows_or_one_twice(world: World) -> None:
    for asking in doors(world, *ACTING, ONE, LIST, CHECK, "read"):
        known = asking.given if asking.method in ("get", "delete") else {}
        query = "&".join(f"{name}={value}" for name, value in {**known, "colour": "red", "format": "json"}.items())
        address = asking.path
        asking.path = f"{address}?{query}"
        answer = asking.ask({} if asking.method in ("get", "delete") else None, If_Match="*")
        named = {error["field"] for error in problem(answer)["errors"]}
        assert (answer.status_code, named) == (400, {"colour", "format"}), asking.name
        for name, value in known.items():
            asking.path = f"{address}?{name}={value}&{name}={value}"
            assert problem(asking.ask({}))["errors"] == [{"field": name, "message": "This is given twice."}]


def test_no_field_of_any_row_can_be_set_that_the_door_does_not_ask_for(world: World) -> None:
    fields = {name for model in apps.get_models() for name in names_of(model)}
    for asking in doors(world, *ACTING, CHECK):
        if asking.method == "delete":
            continue  # it has no body
        before, sent = stored(), dict.fromkeys(fields, 1) | asking.given
        answer = asking.ask(sent, If_Match="*")
        assert answer.status_code == 400, asking.name
        errors = problem(answer)["errors"]
        unknown = {error["field"] for error in errors if error["message"].startswith("Unknown field")}
        never = {"status", "id", "unit_id", "principal_id", "is_staff"} - ASKED_FOR.get(asking.name, set())
        assert never <= unknown, asking.name
        assert stored() == before, asking.name


def names_of(model: Any) -> set[str]:
    """The names by which the columns and relations of a row can be called."""
    fields = model._meta.get_fields()
    return {field.name for field in fields} | {getattr(field, "attname", field.name) for field in fields}


def stored() -> dict[str, int]:
    """How many rows each table has."""
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


HARD = [
    ("not JSON", b"{", 400),
    ("a list", b"[]", 400),
    ("not UTF-8", b'{"a": "\xff"}', 400),
    ("a name twice", b'{"a": 1, "a": 2}', 400),
    ("NaN", b'{"a": NaN}', 400),
    ("Infinity", b'{"a": -Infinity}', 400),
    ("33 levels", b'{"a":' * 33 + b"1" + b"}" * 33, 400),
    ("200,000 levels", b"[" * 200_000, 400),
    ("a NUL", b'{"a": "\\u0000"}', 400),
    ("half a character", b'{"a": "\\ud800"}', 400),
    ("a number of 5,000 digits", b'{"a": ' + b"9" * 5000 + b"}", 400),
    ("a megabyte and more", b'{"a": "' + b"x" * 1024 * 1024 + b'"}', 413),
]  # fmt: skip


def test_no_door_takes_json_that_is_not_exactly_json(world: World) -> None:
    for asking in doors(world, *ACTING, CHECK):
        if asking.method == "delete":
            continue  # it has no body
        for name, body, status in HARD:
            assert problem(asking.raw(body))["status"] == status, (asking.name, name)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            assert problem(asking.raw(b"{}", kind))["status"] == 400, (asking.name, kind)
        assert not GivenAnswer.objects.exists(), asking.name


# --- cookies --------------------------------------------------------------------------------------------------
def test_no_cookie_opens_a_door_without_the_token_of_a_page(world: World) -> None:
    world.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    acting = [(key, True) for key, door in DOORS.items() if key[1] != "get"]
    for (name, method), is_api in [*acting, *((key, False) for key in PAGES if key[1] != "get")]:
        row = RIGHT.get((name, method, "own")) or RIGHT[name, method, "-"]
        able = [caller for caller, status in zip(CALLERS, row, strict=True) if status[0] in "23"]
        for caller in [caller for caller in able if caller in world.sessions][:1]:
            names, given = (DOORS if is_api else PAGES)[name, method].asked(world.own)
            answer = world.ask(caller, method, reverse(name, args=names), given or {}, is_api=is_api, If_Match="*")
            assert answer.status_code == 403, (name, answer.status_code)
            assert not is_api or problem(answer)["code"] == "csrf_failed", name


def test_a_cookie_is_nothing_where_only_a_key_counts(world: World) -> None:
    for (name, method), statuses in ((row[:2], cells) for row, cells in RIGHT.items() if row[:2] in DOORS):
        by = dict(zip(CALLERS, statuses, strict=True))
        agents_only = by["agent"].startswith("2") and not any(by[caller].startswith("2") for caller in world.sessions)
        if agents_only and name != "api-runs" and not name.startswith("authzen-"):
            assert {by[caller] for caller in world.sessions} <= {"401", "403"}, (name, method)


def test_a_policy_has_a_tag_for_agents_too(world: World) -> None:
    answer = world.ask("agent", "get", reverse("api-policy", args=[world.own.policy.key]))

    assert answer.json() == {
        "key": "finance.orders", "title": "Orders", "unit": "finance", "owner": "Maria Lindqvist", "in_force": None,
        "in_shadow": None, "in_review": 3, "newest": 4,
    }  # fmt: skip
    assert Policy.objects.count() == len(world.ask("auditor", "get", reverse("api-policies")).json()["results"])
