"""Maria draws with plain forms: every change of the outline is a revision of the draft, and nothing else changes."""

import re
from typing import Any

from lxml import etree

from autonomy_site.demo.company import FOLDER
from workflows.models import WorkflowDraft
from workflows.plan import read_bpmn
from workflows.plan.lengths import bpmn_of, seconds_of, words_of

BPMN = (FOLDER / "invoice_to_payment.bpmn").read_text()
AT = "/workflows/invoice-to-payment"


def drawn() -> WorkflowDraft:
    return WorkflowDraft.objects.with_people().latest("pk")


def canonical(bpmn: str) -> str:
    return etree.canonicalize(bpmn.partition("?>")[2])


def opened(person: Any, step: str) -> dict[str, str]:
    """What the form of a step holds as the page shows it."""
    page = person.get(f"{AT}/outline?step={step}").content.decode()
    assert 'name="act" value="step"' in page, page[-3000:]
    return {"step": step, "revision": str(drawn().revision)}


def send(person: Any, step: str, act: str, **given: Any) -> Any:
    return person.post(f"{AT}/outline", {**opened(person, step), "act": act, **given})


def test_the_outline_of_what_is_live_is_read_and_a_draft_begins_from_it(sign_in: Any) -> None:
    edith, maria = sign_in("edith"), sign_in("maria")
    page = edith.get(f"{AT}/outline").content.decode()
    assert "Approve the exception" in page
    assert "A person decides: Invoice exceptions" in page
    assert "Time: meanwhile, at step 12, after 4 hours" in " ".join(page.split())
    assert "Begin a draft" not in page
    assert ">Change<" not in page

    maria.post(f"{AT}/draft/begin")

    page = maria.get(f"{AT}/outline").content.decode()
    assert page.count(">Change<") == 20
    assert ">Change<" not in edith.get(f"{AT}/outline").content.decode()


def test_a_step_is_changed_in_plain_words(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")

    answer = send(maria, "pay", "step", name="Pay it", role="three-way-match", action="invoice.pay", lease="2 minutes")

    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert answer["Location"] == f"{AT}/outline?step=pay#el-pay"
    node = read_bpmn(drawn().bpmn.encode()).nodes["pay"]
    assert (node.name, node.role, node.lease_seconds, node.attempts) == ("Pay it", "three-way-match", 120, 3)
    meant = BPMN.replace('"Schedule the payment" aos:role="payments-clerk"', '"Pay it" aos:role="three-way-match"')
    meant = meant.replace('aos:action="invoice.pay"', 'aos:action="invoice.pay" aos:lease="PT2M"')
    assert canonical(drawn().bpmn) == canonical(meant)


def test_a_step_saved_as_it_is_changes_nothing(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")
    maria.post(f"{AT}/draft", {"bpmn": BPMN.replace('aos:action="invoice.pay"', 'aos:lease="90"'), "revision": 1})
    page = maria.get(f"{AT}/outline?step=pay").content.decode()
    assert 'value="1 minute 30 seconds"' in page

    send(maria, "pay", "step", name="Schedule the payment", role="payments-clerk", lease="1 minute 30 seconds")

    assert 'aos:lease="90"' in drawn().bpmn


def test_a_timer_waits_as_long_as_people_say(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")

    assert send(maria, "late", "step", name="2 days", wait="soon").status_code == 400
    send(maria, "late", "step", name="2 days", wait="2 days")

    assert read_bpmn(drawn().bpmn.encode()).nodes["late"].duration_seconds == 172_800


def test_values_come_and_go_and_have_names_that_conditions_can_use(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")
    rows = {"value-TOTAL_FORMS": "3", "value-INITIAL_FORMS": "2"}
    first = {"value-0-name": "document", "value-0-type": "string", "value-0-label": "Document"}
    new = {"value-2-name": "urgent", "value-2-type": "bool", "value-2-label": "Urgent"}

    wrong = send(maria, "start", "values", **rows, **first, **(new | {"value-2-name": "so urgent"}))
    right = send(maria, "start", "values", **rows, **first, **new)

    assert wrong.status_code == 400
    assert "Use letters, digits and _" in wrong.content.decode()
    assert right.status_code == 302
    assert [each.name for each in read_bpmn(drawn().bpmn.encode()).inputs] == ["document", "urgent"]


def test_a_whole_branch_is_drawn_with_forms_and_published(sign_in: Any, halden: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")
    answer = send(maria, "pay", "insert", kind="choice", name="Large?")
    choice = re.search(r"step=(\w+)", answer["Location"]).group(1)  # type: ignore[union-attr]
    answer = send(maria, choice, "insert", kind="person", name="Approve it again", way="")
    again = re.search(r"step=(\w+)", answer["Location"]).group(1)  # type: ignore[union-attr]
    send(maria, again, "step", name="Approve it again", path="treasury", risk="high")
    send(maria, again, "connect", target="paid")
    send(maria, again, "timer", duration="4 hours", then="ends")
    send(maria, "late_1", "insert", kind="end", name="Too late")
    page = maria.get(f"{AT}/outline?step={choice}").content.decode()
    assert "leaves the exclusive gateway" in page
    flow = re.search(r'name="flow" value="(flow_\d+)"(?!.*name="flow" value="flow_)', page, re.DOTALL)
    assert flow is not None
    send(maria, choice, "way", flow=flow.group(1), name="yes", condition="vars.read.total > 1000")

    maria.post(f"{AT}/review/ask", {"reason": "Large sums twice."})
    answer = sign_in("jonas").post(f"{AT}/review/publish", {"revision": drawn().revision})

    assert answer.status_code == 302, answer.content.decode()[-2000:]
    assert halden.workflow.versions.first().number == 2


def test_a_step_or_a_way_is_taken_out(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")

    send(maria, "within", "remove", flow="f_outside")
    send(maria, "anomalies", "remove")

    assert 'id="f_outside"' not in drawn().bpmn
    assert 'id="anomalies"' not in drawn().bpmn


def test_what_somebody_else_changed_meanwhile_is_not_lost_and_nor_is_what_was_typed(sign_in: Any) -> None:
    maria, jonas = sign_in("maria"), sign_in("jonas")
    maria.post(f"{AT}/draft/begin")
    before = opened(maria, "pay")
    send(jonas, "pay", "step", name="Pay by Jonas", role="payments-clerk")

    answer = maria.post(f"{AT}/outline", {**before, "act": "step", "name": "Pay by Maria", "role": "payments-clerk"})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Jonas Weber changed the draft meanwhile" in page
    assert 'value="Pay by Maria"' in page
    assert 'name="Pay by Jonas"' in drawn().bpmn
    assert maria.post(
        f"{AT}/outline", {"step": "pay", "revision": 2, "act": "step", "name": "Pay by Maria", "role": "payments-clerk"}
    ).status_code == 302  # fmt: skip


def test_what_does_not_fit_is_refused_in_a_sentence(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(f"{AT}/draft/begin")

    answer = send(maria, "read", "insert", kind="end")

    assert answer.status_code == 400
    assert "follows here already" in answer.content.decode()
    assert send(maria, "read", "dance").status_code == 404
    assert maria.post(f"{AT}/outline", {"step": "gone", "act": "remove"}).status_code == 409
    assert sign_in("priya").post(f"{AT}/outline", {"step": "read", "act": "remove"}).status_code == 403
    assert sign_in("lukas").get(f"{AT}/outline").status_code == 404
    assert drawn().revision == 1


def test_lengths_are_read_and_written_as_people_do() -> None:
    for text, seconds, words in (
        ("4 hours", 14_400, "4 hours"), ("PT4H", 14_400, "4 hours"), ("1h30m", 5_400, "1 hour 30 minutes"),
        ("2 days and 1 minute", 172_860, "2 days 1 minute"), ("90", 90, "1 minute 30 seconds"),
        ("1 Week", 604_800, "7 days"),
    ):  # fmt: skip
        assert seconds_of(text) == seconds, text
        assert words_of(text) == words, text
        assert seconds_of(bpmn_of(seconds)) == seconds
    for text in ("", "soon", "4 apples", "hours", "-1 day", "1e5 days", "P", "١ day"):
        assert seconds_of(text) == 0, text
        assert words_of(text) == text
