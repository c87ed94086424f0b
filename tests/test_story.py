"""The product in one page: an invoice on its way from an agent's question to a payment, with people by name."""

from typing import Any

from observability import ledger
from observability.models import Event
from workflows.models import Run

READ = {
    "readable": True, "number": "2026-1187", "seller": "Kessler Maschinenbau GmbH", "total": "9000.00",
    "currency": "EUR",
}  # fmt: skip


def ask(work: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The clerk's question about the payment in hand."""
    properties = {"seller": READ["seller"], "order_matched": True, "findings": 0, "bank_changed_days": 412}
    return {
        "step": work["step"], "lease_token": work["lease_token"], "action": "invoice.pay",
        "resource": {"type": "invoice", "id": "2026-1187", "properties": properties},
        "context": {"amount": "9000.00", "currency": "EUR"}, "title": "Pay EUR 9,000.00 to Kessler Maschinenbau GmbH",
        "statement": "The order matches and nothing is unusual.", "confidence": "0.98", **more,
    }  # fmt: skip


def test_an_invoice_above_the_limit_is_paid_after_priya_approved(halden: Any, robot: Any, sign_in: Any) -> None:
    reader, matcher, scout, clerk = (robot(code) for code in ("AP-01", "AP-02", "RK-01", "AP-04"))
    priya = sign_in("priya")

    # The invoice arrives: AP-01 starts the run and reads it, AP-02 and RK-01 look at it side by side.
    started = reader.call(
        "post", "runs", {"workflow": "invoice-to-payment", "key": "2026-1187", "input": {"document": "1187.xml"}}
    )
    assert started.status_code == 201, started.content
    assert reader.finish(reader.claim(), **READ).status_code == 200
    assert scout.finish(scout.claim(), findings=0, kinds="").status_code == 200
    assert clerk.claim() is None, "the payment waits until both have finished"
    assert matcher.finish(matcher.claim(), matched=True, status="matched").status_code == 200

    # AP-04 asks before it pays. 9,000 is above what it may pay alone: a person is asked, the step waits.
    work = clerk.claim()
    answer = clerk.call("post", "actions", ask(work)).json()
    assert answer["effect"] == "escalate"
    assert answer["rule"] == "ip-limit"
    assert clerk.claim() is None, "the step waits for a person"

    # Priya approves exactly the request that she read.
    asked = priya.call("get", f"escalations/{answer['escalation']['id']}").json()
    assert asked["title"] == "Pay EUR 9,000.00 to Kessler Maschinenbau GmbH"
    approved = priya.call("post", f"escalations/{asked['id']}/approve", {"request_sha256": asked["request_sha256"]})
    assert approved.json()["status"] == "approved", approved.content

    # The step comes back with her approval; AP-04 asks again, is allowed, and pays.
    work = clerk.claim()
    assert work["approval"]["status"] == "approved"
    answer = clerk.call("post", "actions", ask(work, approval=work["approval"]["id"])).json()
    assert answer["effect"] == "allow", answer
    assert clerk.finish(work, paid=True, message_id="M-1", file="1187.xml").status_code == 200

    run = Run.objects.get()
    assert (run.status, run.outcome) == ("done", "Paid")
    assert run.people_asked == 1

    # Audit, live view and figures read the same events, gapless once they are sealed.
    ledger.seal()
    told = list(Event.objects.order_by("position").values_list("position", "verb"))
    assert [position for position, _ in told] == list(range(1, len(told) + 1))
    verbs = [verb for _, verb in told]
    assert verbs.index("decision.made") < verbs.index("escalation.opened") < verbs.index("escalation.approved")
    finished = Event.objects.get(verb="run.finished")
    assert finished.data["touchless"] is False


def test_when_priya_rejects_the_clerk_reads_her_reason_and_nothing_is_paid(
    halden: Any, robot: Any, sign_in: Any
) -> None:
    reader, matcher, scout, clerk = (robot(code) for code in ("AP-01", "AP-02", "RK-01", "AP-04"))
    reader.call(
        "post", "runs", {"workflow": "invoice-to-payment", "key": "2026-1187", "input": {"document": "1187.xml"}}
    )
    reader.finish(reader.claim(), **READ)
    matcher.finish(matcher.claim(), matched=True)
    scout.finish(scout.claim(), findings=0)
    answer = clerk.call("post", "actions", ask(clerk.claim())).json()
    priya = sign_in("priya")
    asked = priya.call("get", f"escalations/{answer['escalation']['id']}").json()

    body = {"request_sha256": asked["request_sha256"], "reason": "Paid by card in March.", "reason_code": "duplicate"}
    assert priya.call("post", f"escalations/{asked['id']}/reject", body).json()["status"] == "rejected"

    work = clerk.claim()
    assert work["approval"]["reason"] == "Paid by card in March."
    assert clerk.call("post", "actions", ask(work)).json()["effect"] == "deny", "asking again does not help"
    clerk.finish(work, paid=False, reason="Rejected: Paid by card in March.")
    assert Run.objects.get().outcome == "Not paid"
