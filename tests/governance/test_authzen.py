"""The decision point: what AuthZEN 1.0 asks of it, who may ask about whom, and that nothing broken ever allows."""

from copy import deepcopy
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, override_settings

from agents import operations as agents
from agents.models import Unit
from governance.models import ControlState, Decision, Escalation, PolicyVersion, RuleBook
from governance.operations import facts
from observability import ledger
from observability.models import Event
from tests.governance.authzen import asked, post, said


@pytest.fixture
def clerk(robot: Any) -> Any:
    """The payments clerk at the decision point."""
    return robot("AP-04")


# --- one question ---------------------------------------------------------------------------------------------
def test_an_allowed_question_is_answered_with_its_rule_and_version_and_leaves_the_record(clerk: Any) -> None:
    told = said(clerk, asked("4999.99"))

    assert told["decision"] is True
    context = told["context"]
    assert (context["effect"], context["rule"], context["policy"]) == ("allow", "ip-allow", "finance.invoice-payment@1")
    decision = Decision.objects.get()
    assert (str(decision.uid), decision.agent.code, decision.asked_by) == (context["evaluation_id"], "AP-04", None)
    assert (decision.action, decision.resource_kind, decision.resource_id) == ("invoice.pay", "invoice", "2026-1187")
    assert decision.facts["context"]["amount"] == "4999.99"
    assert "finance.invoice-payment@1#ip-allow" in decision.matched
    assert len(decision.rule_set) == 64
    assert Event.objects.get(verb="decision.made").actor_id == "AP-04"


def test_a_deny_is_an_answer_and_not_an_error(clerk: Any) -> None:
    body = asked("1")
    body["resource"]["properties"]["findings"] = 1

    told = said(clerk, body)

    assert (told["decision"], told["context"]["rule"]) == (False, "ip-exception")


def test_the_question_to_people_is_offered_and_nobody_is_asked_yet(clerk: Any) -> None:
    told = said(clerk, asked())["context"]

    assert (told["effect"], told["rule"]) == ("escalate", "ip-limit")
    assert told["access_request"]["endpoint"] == "http://testserver/access/v1/requests"
    assert told["access_request"]["template"] == told["escalation"]["path"] == "finance-approver"
    assert told["access_request"]["expires_at"] > str(Decision.objects.get().at)
    assert set(told["escalation"]) == {"path", "sla", "approvals", "also", "on_timeout"}
    assert told["missing"] == []
    assert not Escalation.objects.exists()


MISSING = object()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (path, value)
        for path in ("subject", "subject.type", "subject.id", "action", "action.name", "resource", "resource.type",
                     "resource.id")
        for value in (MISSING, 123, True, None, [], "" if "." in path else "text")
    ]
    + [(path, value) for path in ("subject.properties", "action.properties", "resource.properties", "context",
                                  "context.approval", "context.supported_obligations")
       for value in (123, "text", None, True)]
    + [("subject.id", {"a": 1}), ("action.name", 1.5), ("resource.id", "x" * 201), ("context.approval", {"id": 5})],
)  # fmt: skip
def test_a_part_that_is_missing_or_of_the_wrong_type_is_400_and_named(clerk: Any, path: str, value: Any) -> None:
    body = asked("1")
    group, _, name = path.partition(".")
    holder, last = (body[group], name) if name else (body, group)
    if value is MISSING:
        del holder[last]
    else:
        holder[last] = value

    answer = post(clerk, "evaluation", body)

    assert answer.status_code == 400, answer.content
    assert any(error["field"].startswith(path) for error in answer.json()["errors"]), answer.json()
    assert not Decision.objects.exists()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_content_type_is_400(clerk: Any, kind: str) -> None:
    headers = {"Authorization": f"Bearer {clerk.key}"}
    answer = clerk.post("/access/v1/evaluation", "{}", content_type=kind, headers=headers)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", "null", '"x"', '{"subject": {"type": "agent", "type": "x"}}', '{"context": {"amount": NaN}}',
     '{"context": {"amount": 1e999}}', b"\xff"],
)  # fmt: skip
def test_a_body_that_is_no_question_is_400(clerk: Any, text: Any) -> None:
    assert post(clerk, "evaluation", text).status_code == 400


def test_members_that_nobody_knows_are_ignored_and_the_request_id_comes_back(clerk: Any) -> None:
    body = {**asked("1"), "colour": "red", "options": {"a": 1}}
    body["subject"]["nickname"] = "Clerk"

    answer = post(clerk, "evaluation", body, X_Request_ID="bfe9eb29-ab87")

    assert (answer.json()["decision"], answer["X-Request-ID"]) == (True, "bfe9eb29-ab87")


def test_a_number_is_exact(clerk: Any) -> None:
    assert said(clerk, asked(5000.00))["decision"] is True
    over = post(clerk, "evaluation", '{"subject":{"type":"agent","id":"AP-04"},"action":{"name":"invoice.pay"},'
                '"resource":{"type":"invoice","id":"1","properties":{"seller":"K","order_matched":true,"findings":0,'
                '"bank_changed_days":412}},"context":{"currency":"EUR","amount":5000.000000000000000001}}')  # fmt: skip
    assert over.json()["context"]["rule"] == "ip-limit"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"context": {"amount": "1", "currency": "EUR", "colour": "red"}}, "context.colour"),
        ({"context": {"amount": "nine", "currency": "EUR"}}, "context.amount"),
        ({"context": {"time": "2020-01-01T00:00:00Z"}}, "context.time"),
        ({"subject": {"type": "agent", "id": "AP-04", "properties": {"autonomy_level": 4}}}, "subject.autonomy_level"),
        ({"subject": {"type": "agent", "id": "AP-04", "properties": {"role": "boss"}}}, "subject.role"),
        ({"action": {"name": "invoice.pay", "properties": {"speed": 1}}}, "action.speed"),
    ],
)
def test_what_no_rule_knows_or_only_we_know_is_refused_by_name(clerk: Any, change: Any, field: str) -> None:
    told = said(clerk, asked("1", **change))

    assert told["decision"] is False
    assert [error["field"] for error in told["context"]["errors"]] == [field]
    assert not Decision.objects.exists()


def test_the_same_key_gets_the_same_decision_and_another_question_is_422(clerk: Any) -> None:
    first = said(clerk, asked("1"), Idempotency_Key="k")

    assert said(clerk, asked("1"), Idempotency_Key="k") == first
    assert post(clerk, "evaluation", asked("2"), Idempotency_Key="k").status_code == 422
    assert Decision.objects.count() == 1
    said(clerk, asked("1"))
    assert Decision.objects.count() == 2, "without a key each question is a new one"


def test_who_has_no_key_is_401_and_told_how_to_sign_in(halden: Any) -> None:
    for path in ("evaluation", "evaluations", "search/subject", "requests"):
        answer = post(Client(), path, asked())
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer ")


def test_only_who_may_see_every_policy_is_told_what_else_matched(clerk: Any, sign_in: Any, halden: Any) -> None:
    assert "reason_admin" not in said(clerk, asked("1"))["context"]

    entitle(halden.people["priya"], halden.units["finance"])
    entitle(halden.people["daniel"], halden.units["finance"])

    assert "reason_admin" not in said(sign_in("priya"), asked("1"))["context"]
    told = said(sign_in("daniel"), asked("1"))["context"]
    assert "finance.invoice-payment@1#ip-allow" in told["reason_admin"]["en"]


# --- who may ask about whom -----------------------------------------------------------------------------------
def entitle(to: Any, unit: Unit) -> None:
    agents.grant("agents.ask_for_unit", to, unit, by=ledger.SYSTEM, at=ledger.database_now(), reason="A gateway")


def test_an_agent_asks_about_itself_and_another_one_is_as_unknown_as_one_that_there_is_not(
    clerk: Any, robot: Any
) -> None:
    other, nobody = said(robot("AP-01"), asked("1")), said(robot("AP-01"), asked("1", agent="AP-99"))

    assert other == nobody
    assert (other["decision"], other["context"]["code"]) == (False, "unknown_subject")
    assert not Decision.objects.exists()
    assert Event.objects.filter(verb="agent.refused", actor_id="AP-01").count() == 2


@pytest.mark.parametrize(
    ("who", "unit", "about", "answered"),
    [
        ("AP-01", None, "AP-01", True), ("AP-01", None, "AP-04", False), ("AP-01", "finance", "AP-04", True),
        ("AP-01", "procurement", "AP-04", False), ("AP-01", "halden", "AP-04", True),
        ("AP-01", "finance", "X-1", False),
        ("priya", None, "AP-04", False), ("priya", "finance", "AP-04", True), ("daniel", None, "AP-04", False),
        ("daniel", "procurement", "AP-04", False), ("daniel", "finance", "AP-04", True),
    ],
)  # fmt: skip
def test_who_may_ask_about_whom(
    robot: Any, sign_in: Any, halden: Any, who: str, unit: str | None, about: str, answered: bool
) -> None:
    is_agent = who.startswith("AP")
    if unit:
        top = Unit.objects.get(parent=None) if unit == "halden" else halden.units[unit]
        entitle(halden.agents[who].principal if is_agent else halden.people[who], top)

    told = said(robot(who) if is_agent else sign_in(who), asked("1", agent=about))

    assert ("code" not in told["context"]) == answered, told
    if answered:
        asker = None if who == about else who
        made = Decision.objects.get()
        by = made.asked_by and made.asked_by.username.removeprefix("agent:")
        assert (made.agent.code, by) == (about, asker)
        assert Event.objects.get(verb="decision.made").actor_id.removeprefix("agent:") == who
    else:
        assert Event.objects.filter(verb__in=("agent.refused", "person.refused")).count() == 1


def test_another_kind_of_subject_is_unknown(clerk: Any) -> None:
    told = said(clerk, asked("1", subject={"type": "user", "id": "AP-04"}))

    assert (told["decision"], told["context"]["code"]) == (False, "unknown_subject")


def test_a_paused_agent_is_denied_with_a_record_when_somebody_else_asks(sign_in: Any, halden: Any, now: Any) -> None:
    entitle(halden.people["priya"], halden.units["finance"])
    agents.pause(halden.agents["AP-04"], by=halden.people["daniel"], at=now, why="Strange payments")

    told = said(sign_in("priya"), asked("1"))

    assert (told["decision"], told["context"]["rule"]) == (False, "not-at-work")
    assert Decision.objects.get().effect == "deny"


# --- several questions ----------------------------------------------------------------------------------------
def test_a_batch_keeps_order_and_number_and_takes_what_is_left_out_as_a_whole(clerk: Any) -> None:
    body = asked("1")
    other = {"type": "invoice", "id": "7"}  # replaces the whole resource: its properties are not those beside
    answer = post(
        clerk, "evaluations", {**body, "evaluations": [{}, {"resource": other}, {"context": {"amount": "9000.00",
        "currency": "EUR"}}, {"subject": {"type": "agent", "id": 5}}, 3, {"action": {"name": "invoice.burn"}}]},
    )  # fmt: skip

    told = answer.json()["evaluations"]
    assert [each["decision"] for each in told] == [True, False, False, False, False, False]
    assert told[1]["context"]["missing"], "the properties beside the list do not reach into another resource"
    assert told[2]["context"]["rule"] == "ip-limit"
    assert told[3]["context"]["errors"][0]["field"] == "subject.id"
    assert told[4]["context"]["code"] == "invalid"
    assert Decision.objects.count() == 4
    assert Event.objects.filter(verb="decision.made").count() == 4


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [("execute_all", [True, False, True]), ("deny_on_first_deny", [True, False]), ("permit_on_first_permit", [True])],
)
def test_the_three_semantics(clerk: Any, semantic: str, decisions: list[bool]) -> None:
    amounts = [{"context": {"amount": each, "currency": "EUR"}} for each in ("1", "9000.00", "2")]
    body = {**asked(), "evaluations": amounts, "options": {"evaluations_semantic": semantic, "more": 1}}

    told = post(clerk, "evaluations", body).json()["evaluations"]

    assert [each["decision"] for each in told] == decisions
    assert Decision.objects.count() == len(decisions), "what was not answered left no record"


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
def test_without_a_list_it_is_one_question(clerk: Any, more: Any) -> None:
    assert post(clerk, "evaluations", {**asked("1"), **more}).json()["decision"] is True


@pytest.mark.parametrize(
    "more",
    [{"evaluations": {}}, {"evaluations": "x"}, {"evaluations": None}, {"evaluations": [{}] * 101},
     {"evaluations": [{}], "options": 1}, {"evaluations": [{}], "options": {"evaluations_semantic": "some"}},
     {"evaluations": [{}], "subject": 7}, {"evaluations": [{}], "context": []}],
)  # fmt: skip
def test_a_body_that_is_no_batch_is_400(clerk: Any, more: Any) -> None:
    assert post(clerk, "evaluations", {**asked("1"), **more}).status_code == 400
    assert not Decision.objects.exists()


def test_a_batch_is_repeated_by_its_key(clerk: Any) -> None:
    body = {**asked("1"), "evaluations": [{}, {"context": {"amount": "2", "currency": "EUR"}}]}

    first = post(clerk, "evaluations", body, Idempotency_Key="k").json()

    assert post(clerk, "evaluations", body, Idempotency_Key="k").json() == first
    assert Decision.objects.count() == 2


def test_a_key_that_is_too_long_is_wrong_for_the_whole_batch(clerk: Any) -> None:
    body = {**asked("1"), "evaluations": [{}]}

    assert post(clerk, "evaluations", body, Idempotency_Key="k" * 191).status_code == 400
    assert not Decision.objects.exists()
    assert post(clerk, "evaluations", body, Idempotency_Key="k" * 190).json()["evaluations"][0]["decision"] is True


# --- obligations ----------------------------------------------------------------------------------------------
def test_an_obligation_that_cannot_be_done_makes_a_deny_and_the_record_says_so(clerk: Any) -> None:
    free = said(clerk, asked("1"))
    types = {each["type"] for each in free["context"]["obligations"]}
    assert types, "the policy of the demo obliges"
    assert all(set(each) == {"id", "type", "properties"} for each in free["context"]["obligations"])

    able, unable = asked("1"), asked("2")
    able["context"]["supported_obligations"] = [*types, "mask"]
    unable["context"]["supported_obligations"] = []

    assert said(clerk, able)["decision"] is True
    told = said(clerk, unable)
    assert (told["decision"], told["context"]["rule"]) == (False, "obligation-not-supported")
    assert sorted(types)[0] in told["context"]["reason"]
    assert Decision.objects.latest("pk").effect == "deny"


# --- broken ---------------------------------------------------------------------------------------------------
class Broken:
    """Every statement that names this text fails, as with a lost connection."""

    def __init__(self, text: str, error: type[Exception] = OperationalError) -> None:
        self.text, self.error, self.met = text, error, 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.text in sql:
            self.met += 1
            raise self.error("lost")
        return execute(sql, params, many, context)


STEPS = ("governance_rulebook", "agents_system", "governance_escalation", "governance_controlstate",
         "agents_principal_user_permissions", 'INSERT INTO "governance_decision"',
         'INSERT INTO "observability_event"')  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [OperationalError, ZeroDivisionError, TimeoutError, MemoryError])
def test_whatever_breaks_at_whichever_step_the_answer_is_no_and_it_is_written_down(
    clerk: Any, step: str, error: type[Exception]
) -> None:
    broken = Broken(step, error)
    with connection.execute_wrapper(broken):
        told = said(clerk, asked("1"))

    assert broken.met
    assert told["decision"] is False
    if "INSERT" not in step:
        made = Decision.objects.get()
        assert (made.effect, made.rule) == ("deny", "not-evaluated")
        assert Event.objects.get(verb="decision.made").after == "deny"
    assert said(clerk, asked("1"))["decision"] is True, "what broke has passed"


@pytest.mark.parametrize("step", STEPS)
def test_a_batch_in_which_something_breaks_allows_nothing_that_it_broke(clerk: Any, step: str) -> None:
    body = {**asked("1"), "evaluations": [{}, {}, {}]}
    with connection.execute_wrapper(Broken(step)):
        told = post(clerk, "evaluations", body).json()["evaluations"]

    assert [each["decision"] for each in told] == [False] * 3


def test_a_question_that_was_undone_with_its_batch_is_recorded_once(clerk: Any) -> None:
    """The second INSERT of a decision fails once: all are asked again one by one."""
    seen = []

    def second(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if 'INSERT INTO "governance_decision"' in sql:
            seen.append(sql)
            if len(seen) == 2:
                raise OperationalError("lost")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(second):
        told = post(clerk, "evaluations", {**asked("1"), "evaluations": [{}, {}, {}]}).json()["evaluations"]

    assert [each["decision"] for each in told] == [True] * 3
    assert Decision.objects.count() == 3


def test_a_policy_that_cannot_be_read_any_more_denies_and_leaves_an_event(clerk: Any) -> None:
    version = PolicyVersion.objects.active().get(policy__key="finance.invoice-payment")
    document = deepcopy(version.document)
    document["rules"][0]["when"] = "context.nothing > 1"
    PolicyVersion.objects.filter(pk=version.pk).update(document=document)
    RuleBook.objects.update(edition=99)

    told = said(clerk, asked("1"))

    assert (told["decision"], told["context"]["rule"]) == (False, "cannot-be-read")
    assert "cannot be read" in Event.objects.get(verb="decision.made").why


def test_a_supplier_of_facts_that_breaks_denies(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(asking: Any) -> Any:
        raise KeyError("nothing there")

    monkeypatch.setattr(facts, "SUPPLIERS", {"perm": breaks})

    assert said(clerk, asked("1"))["context"]["rule"] == "not-evaluated"
    answer = clerk.call("post", "actions", {
        "action": "invoice.pay", "resource": asked()["resource"], "context": asked("1")["context"],
    })  # fmt: skip
    assert answer.json()["effect"] == "deny", "through the other door as well"


def test_a_missing_attribute_never_allows(clerk: Any) -> None:
    full = asked("1")
    for group, name in [("context", "amount"), ("context", "currency"), *[("resource", each) for each in (
            "order_matched", "findings", "bank_changed_days")]]:  # fmt: skip
        body = deepcopy(full)
        (body["resource"]["properties"] if group == "resource" else body["context"]).pop(name)
        told = said(clerk, body)
        assert told["decision"] is False, name
        assert f"{group}.{name}" in told["context"]["missing"], name


def test_a_paused_company_denies(clerk: Any, now: Any) -> None:
    ControlState.objects.update_or_create(scope="everything", defaults={"status": "paused", "why": "A drill"})

    assert said(clerk, asked("1"))["context"]["rule"] == "control-state"


# --- what tells of it -----------------------------------------------------------------------------------------
def test_the_metadata_names_only_what_there_is_under_the_name_of_the_server(clerk: Any) -> None:
    told = Client().get("/.well-known/authzen-configuration").json()

    assert told["policy_decision_point"] == "http://testserver"
    endpoints = {name: url for name, url in told.items() if name.endswith("_endpoint")}
    assert len(endpoints) == 6
    for url in endpoints.values():
        path = url.removeprefix("http://testserver/access/v1/")
        assert post(clerk, path, {}).status_code == 400, url
    assert not [name for name, value in told.items() if not value]
    assert "cap" in told["supported_obligations"]


def test_a_server_below_a_path_has_its_metadata_behind_that_path(db: None) -> None:
    with override_settings(PUBLIC_URL="https://os.example/autonomy"):
        told = Client().get("/.well-known/authzen-configuration/autonomy").json()
        assert told["policy_decision_point"] == "https://os.example/autonomy"
        assert told["access_evaluation_endpoint"] == "https://os.example/autonomy/access/v1/evaluation"
        assert Client().get("/.well-known/authzen-configuration").status_code == 404
        assert Client().get("/.well-known/authzen-configuration/other").status_code == 404


def test_a_key_without_the_scope_opens_nothing(robot: Any, halden: Any, now: Any) -> None:
    clerk = robot("AP-04")
    clerk.key = agents.issue_key(halden.agents["AP-04"], by=ledger.SYSTEM, at=now, scopes=["read"])

    answer = post(clerk, "evaluation", asked())

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
