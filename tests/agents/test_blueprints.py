"""Job descriptions: written, changed and disabled by those with the right, and governing all their agents at once."""

from typing import Any

import pytest

from agents.models import Agent, Blueprint, Version
from governance.models import Decision
from observability.models import Event

CLERK = "blueprints/payments-clerk"
JOB = {
    "code": "reminder", "name": "Reminder", "purpose": "Reminds late payers.", "role": "payments-clerk",
    "unit": "finance", "owner": "maria", "autonomy_ceiling": 2, "risk_class": 2,
    "actions": [{"system": "payables", "action": "invoice.pay", "scope": {"Amount": "up to 100 EUR"}}],
    "rates": {"run": "0.04"},
}  # fmt: skip


def tag(person: Any, path: str) -> str:
    return str(person.call("get", path).headers["ETag"])


def named(answer: Any) -> set[str]:
    assert answer.status_code == 400, answer.content
    return {error["field"] for error in answer.json()["errors"]}


def change(person: Any, path: str, **changes: Any) -> Any:
    return person.call("patch", path, {"why": "Because.", **changes}, match=tag(person, path))


def test_jonas_writes_a_job_description_and_puts_it_in_force(sign_in: Any) -> None:
    jonas = sign_in("jonas")

    written = jonas.call("post", "blueprints", JOB)
    assert written.status_code == 201, written.content
    assert written.json()["status"] == "draft"
    assert change(jonas, "blueprints/reminder", status="active").json()["status"] == "active"

    assert sign_in("maria").call("get", "blueprints/reminder").json()["actions"] == JOB["actions"]
    verbs = Event.objects.filter(subject_kind="blueprint", subject_id="reminder").values_list("verb", flat=True)
    assert list(verbs.order_by("id")) == ["blueprint.drafted", "blueprint.activated"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "payments-clerk"}, {"code": "Has Space"}, {"code": "new"}, {"name": " "}, {"role": "nobody"},
        {"unit": "moon"}, {"owner": "agent:AP-01"}, {"autonomy_ceiling": 5}, {"risk_class": 0}, {"currency": "eur"},
        {"rates": {"run": "-1"}}, {"rates": {"month": "1"}}, {"rates": {"run": "NaN"}},
        {"actions": [{"system": "*", "action": "*", "scope": {}}]},
        {"actions": [{"system": "payables", "action": "invoice.burn", "scope": {}}]},
        {"actions": JOB["actions"] * 2}, {"actions": [{**JOB["actions"][0], "scope": {"Amount": " "}}]},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_the_name_of_its_field(sign_in: Any, wrong: Any) -> None:
    fields = named(sign_in("jonas").call("post", "blueprints", JOB | wrong))

    assert {field.partition(".")[0].partition("[")[0] for field in fields} == set(wrong)
    assert not Blueprint.objects.filter(code="reminder").exists()


def test_only_those_with_the_right_write_and_change(sign_in: Any) -> None:
    for name in ("maria", "priya", "edith", "daniel"):
        assert sign_in(name).call("post", "blueprints", JOB).status_code == 403
        assert change(sign_in(name), CLERK, autonomy_ceiling=1).status_code == 403

    assert change(sign_in("ingrid"), CLERK, autonomy_ceiling=1).status_code == 200


def test_job_descriptions_of_another_unit_are_not_found(sign_in: Any) -> None:
    tomasz = sign_in("tomasz")

    codes = {each["code"] for each in tomasz.call("get", "blueprints").json()["results"]}
    assert codes == {"vendor-screener"}
    assert tomasz.call("get", CLERK).status_code == 404
    assert tomasz.call("patch", CLERK, {"why": "x"}, match="*").status_code == 404


def test_a_disabled_blueprint_refuses_its_agents_at_the_very_next_request(sign_in: Any, robot: Any) -> None:
    jonas, clerk = sign_in("jonas"), robot("AP-04")
    assert clerk.call("get", "me").status_code == 200

    assert change(jonas, CLERK, status="disabled").json()["status"] == "disabled"

    refused = clerk.call("post", "work/claim", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "agent_not_active")
    assert robot("AP-01").call("get", "me").status_code == 200
    change(jonas, CLERK, status="active")
    assert clerk.call("get", "me").status_code == 200


def test_an_action_that_is_taken_from_the_job_is_denied_before_any_policy(
    sign_in: Any, robot: Any, question: Any
) -> None:
    clerk = robot("AP-04")
    assert clerk.call("post", "actions", question(amount="10.00")).json()["effect"] == "allow"

    assert change(sign_in("jonas"), CLERK, actions=[]).status_code == 200

    answer = clerk.call("post", "actions", question(amount="10.00")).json()
    assert (answer["effect"], answer["rule"]) == ("deny", "outside-the-job")
    assert "not in the job description “Payments clerk”" in answer["reason"]
    assert Decision.objects.filter(rule="outside-the-job").count() == 1
    access = sign_in("maria").get("/agents/AP-04").context["access"]
    assert not access.alone or all("Pay" not in line.words for line in access.alone)


def test_agents_above_a_lowered_ceiling_act_at_the_ceiling(sign_in: Any, robot: Any, question: Any) -> None:
    change(sign_in("jonas"), CLERK, autonomy_ceiling=1)

    answer = robot("AP-04").call("post", "actions", question(amount="10.00")).json()

    assert answer["effect"] == "deny", "the policy lets only level 2 pay"
    assert Decision.objects.get().facts["subject"]["autonomy_level"] == 1
    agent = Agent.objects.get(code="AP-04")
    assert (agent.autonomy_level, agent.effective_autonomy) == (2, 1)


def test_role_and_risk_class_of_the_agents_follow(sign_in: Any) -> None:
    change(sign_in("jonas"), CLERK, risk_class=2, role="invoice-reader")

    agent = Agent.objects.select_related("role").get(code="AP-04")
    assert (agent.risk_class, agent.role.code) == (2, "invoice-reader")


def test_nobody_overwrites_what_he_has_not_read(sign_in: Any) -> None:
    jonas, ingrid = sign_in("jonas"), sign_in("ingrid")
    old = tag(jonas, CLERK)
    change(ingrid, CLERK, purpose="Pays.")

    body = {"why": "Mine.", "purpose": "Mine."}
    assert jonas.call("patch", CLERK, body).status_code == 428
    assert jonas.call("patch", CLERK, body, match=old).status_code == 412
    assert change(jonas, CLERK, purpose="Pays.").json()["code"] == "nothing_changed"
    assert named(change(jonas, CLERK, why="")) == {"why"}
    assert Blueprint.objects.get(code="payments-clerk").purpose == "Pays."
    assert Version.objects.filter(subject_id="payments-clerk").count() == 2
