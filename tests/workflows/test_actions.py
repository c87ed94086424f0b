"""Asking before acting: what a person approved on the way is read from the run, never from the agent."""

from typing import Any

from observability import ledger
from workflows import operations
from workflows.models import Run


def bring_to_payment(robot: Any, findings: int) -> None:
    """An invoice, read, matched and looked at with so many findings."""
    reader, matcher, scout = (robot(code) for code in ("AP-01", "AP-02", "RK-01"))
    reader.call("post", "runs", {"workflow": "invoice-to-payment", "key": "1", "input": {"document": "1.xml"}})
    reader.finish(reader.claim(), readable=True, number="1", seller="Orsini", total="100.00", currency="EUR")
    matcher.finish(matcher.claim(), matched=True)
    scout.finish(scout.claim(), findings=findings)


def question(work: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """The clerk's question about a small payment with one finding."""
    known = {"seller": "Orsini", "order_matched": True, "findings": 1, "bank_changed_days": 400, **properties}
    return {
        "step": work["step"], "lease_token": work["lease_token"], "action": "invoice.pay",
        "resource": {"type": "invoice", "id": "1", "properties": known}, "context": {"amount": "100.00",
        "currency": "EUR"},
    }  # fmt: skip


def test_a_payment_with_a_finding_is_allowed_after_priya_approved_the_exception(robot: Any, sign_in: Any) -> None:
    bring_to_payment(robot, findings=1)
    priya, clerk = sign_in("priya"), robot("AP-04")
    assert clerk.claim() is None
    asked = priya.call("get", "escalations").json()["results"][0]
    priya.call("post", f"escalations/{asked['id']}/approve", {"request_sha256": asked["request_sha256"]})

    answer = clerk.call("post", "actions", question(clerk.claim())).json()

    assert (answer["effect"], answer["rule"]) == ("allow", "ip-allow")


def test_a_clerk_that_finds_something_nobody_approved_may_not_pay(robot: Any) -> None:
    bring_to_payment(robot, findings=0)
    clerk = robot("AP-04")

    answer = clerk.call("post", "actions", question(clerk.claim())).json()

    assert (answer["effect"], answer["rule"]) == ("deny", "ip-exception")


def test_a_clerk_cannot_claim_that_somebody_approved(robot: Any) -> None:
    bring_to_payment(robot, findings=0)
    clerk = robot("AP-04")
    work = clerk.claim()

    for name in ("exception_approved", "case", "approved"):
        answer = clerk.call("post", "actions", question(work, **{name: True}))
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == f"resource.{name}"
    assert Run.objects.get().status == "running"


ROUNDS = """
    <startEvent id="start"/><exclusiveGateway id="round"/>
    <userTask id="exception" name="Approve the exception" aos:path="invoice-exceptions"/>
    <serviceTask id="pay" aos:role="payments-clerk"><extensionElements><aos:output name="again" type="bool"/>
    </extensionElements></serviceTask><exclusiveGateway id="more" default="f5"/><endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="round"/>
    <sequenceFlow id="f2" sourceRef="round" targetRef="exception"/>
    <sequenceFlow id="f3" sourceRef="exception" targetRef="pay"/>
    <sequenceFlow id="f4" sourceRef="pay" targetRef="more"/>
    <sequenceFlow id="f5" sourceRef="more" targetRef="end"/><sequenceFlow id="f6" sourceRef="more" targetRef="round">
    <conditionExpression>vars.pay.again</conditionExpression></sequenceFlow>"""


def test_a_yes_in_an_earlier_round_does_not_outlive_a_later_no(drawn: Any, robot: Any, sign_in: Any, now: Any) -> None:
    version = drawn("rounds", ROUNDS, agents_at_work=("AP-04",))
    operations.start(version.workflow, key="1", variables={}, by=ledger.SYSTEM, at=now)
    priya, clerk = sign_in("priya"), robot("AP-04")
    for answer, reason in (("approve", ""), ("reject", "Not this one")):
        asked = priya.call("get", "escalations").json()["results"][0]
        body = {"request_sha256": asked["request_sha256"], "reason": reason}
        assert priya.call("post", f"escalations/{asked['id']}/{answer}", body).status_code == 200
        work = clerk.claim()
        if answer == "approve":
            clerk.finish(work, again=True)

    told = clerk.call("post", "actions", question(work)).json()

    assert (told["effect"], told["rule"]) == ("deny", "ip-exception")
