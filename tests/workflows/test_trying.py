"""Maria tries a drawing before anybody works: with samples, faults and the values of a past run; and compares two."""

import json
from typing import Any

import pytest
from django.urls import reverse

from autonomy_site.demo.company import FOLDER
from observability.models import Event
from tests.invoices import bring
from workflows.models import Run, Step
from workflows.plan.texts import EMPTY

CODE = "invoice-to-payment"
TRY = f"/workflows/{CODE}/try"
BPMN = (FOLDER / "invoice_to_payment.bpmn").read_text()


def tried(person: Any, *, at: str = TRY, **given: str) -> Any:
    """What comes of a try-out in which these fields differ from what the form offers."""
    form = person.get(at).context["form"]
    offered = {name: form.initial.get(name, "") for name in form.fields}
    return person.post(at, offered | {name.replace("__", "-"): value for name, value in given.items()})


def path_of(answer: Any) -> list[tuple[str, str]]:
    return [(line["name"], line["word"]) for line in answer.context["path"]]


def test_samples_bring_a_drawing_to_its_end_and_nothing_is_kept(sign_in: Any) -> None:
    maria = sign_in("maria")
    events = Event.objects.count()

    answer = tried(maria, match__out__matched="yes", anomalies__out__findings="0")

    assert answer.status_code == 200
    assert answer.context["end"] == "Paid"
    assert ("Read the invoice", "is done") in path_of(answer)
    assert (Run.objects.count(), Step.objects.count(), Event.objects.count()) == (0, 0, events)


def test_what_is_said_of_a_step_decides_the_way(sign_in: Any) -> None:
    answer = tried(sign_in("maria"), read__out__readable="no")

    assert answer.context["end"] == "Returned to sender"
    marked = json.loads(answer.context["marks"])["elements"]
    assert marked["handle"]["state"] == "passed"
    assert "pay" not in marked


def test_nobody_decides_and_the_time_limit_takes_over(sign_in: Any) -> None:
    answer = tried(sign_in("maria"), anomalies__out__findings="2", exception__goes="never")

    assert ("Decide as group controller", "begins") in path_of(answer)
    assert any(word == "time is up" for _, word in path_of(answer))


def test_a_step_that_is_not_heard_of_again_leaves_the_run_standing(sign_in: Any) -> None:
    answer = tried(sign_in("maria"), read__goes="never")

    assert answer.context["end"] == ""
    assert "It waits for something that does not come." in answer.content.decode()


def test_a_delay_is_reckoned_and_not_waited_for(sign_in: Any) -> None:
    answer = tried(sign_in("maria"), read__after="3 days")

    assert answer.context["outcome"].seconds > 3 * 86_400


def test_a_past_run_gives_its_values(sign_in: Any, robot: Any) -> None:
    bring(robot, "2026-7", amount="48200.00", findings=1)
    run = Run.objects.get(key="2026-7")
    maria = sign_in("maria")

    answer = tried(maria, at=f"{TRY}?run={run.uid}")

    form = maria.get(f"{TRY}?run={run.uid}").context["form"]
    assert (form.initial["in-document"], form.initial["read-out-total"]) == ("2026-7.xml", "48200.00")
    assert ("Approve the exception", "begins") in path_of(answer)


@pytest.mark.parametrize(
    ("field", "value"), [("read__out__readable", "perhaps"), ("read__out__total", "much"), ("read__after", "soon")]
)
def test_a_value_that_does_not_fit_is_said_beside_its_field(sign_in: Any, field: str, value: str) -> None:
    answer = tried(sign_in("maria"), **{field: value})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field.replace("__", "-")]


def test_the_draft_is_tried_before_the_live_version(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(reverse("workflow-draft-begin", args=[CODE]))
    changed = BPMN.replace('name="Paid"', 'name="Paid in time"')
    assert maria.post(f"/workflows/{CODE}/draft", {"bpmn": changed, "revision": 1}).status_code == 200

    assert tried(maria, anomalies__out__findings="0").context["end"] == "Paid in time"
    assert tried(maria, at=f"{TRY}?of=live", anomalies__out__findings="0").context["end"] == "Paid"


def test_a_drawing_that_does_not_hold_together_says_why_it_is_not_tried(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(reverse("workflow-draft-begin", args=[CODE]))
    broken = EMPTY.replace('targetRef="end"', 'targetRef="nowhere"')
    assert maria.post(f"/workflows/{CODE}/draft", {"bpmn": broken, "revision": 1}).status_code == 200

    page = maria.get(TRY).content.decode()

    assert "The draft cannot be tried yet" in page
    assert "nowhere" in page


@pytest.mark.parametrize("run", ["x", "019a0000-0000-7000-8000-000000000000"])
def test_a_run_that_is_not_there_is_not_found(sign_in: Any, run: str) -> None:
    assert sign_in("maria").get(f"{TRY}?run={run}").status_code == 404


# --- compare --------------------------------------------------------------------------------------------------------
def test_what_a_draft_changes_is_shown_on_both_drawings_and_in_words(sign_in: Any) -> None:
    maria = sign_in("maria")
    maria.post(reverse("workflow-draft-begin", args=[CODE]))
    changed = BPMN.replace('aos:role="invoice-reader"', 'aos:role="payments-clerk"')
    assert maria.post(f"/workflows/{CODE}/draft", {"bpmn": changed, "revision": 1}).status_code == 200

    answer = maria.get(f"/workflows/{CODE}/compare")

    assert (answer.context["old"].key, answer.context["new"].key) == ("1", "draft")
    assert json.loads(answer.context["new_marks"]) == {"elements": {"read": {"state": "changed", "word": "changed"}}}
    assert "the role was invoice-reader, is now payments-clerk" in answer.content.decode()


def test_the_same_twice_differs_in_nothing(sign_in: Any) -> None:
    answer = sign_in("maria").get(f"/workflows/{CODE}/compare?from=1&to=1")

    assert answer.context["changes"] == []
    assert "They do the same." in answer.content.decode()


@pytest.mark.parametrize("query", ["from=9", "to=draft", "from=x&to=1"])
def test_a_drawing_that_is_not_there_is_not_found(sign_in: Any, query: str) -> None:
    assert sign_in("maria").get(f"/workflows/{CODE}/compare?{query}").status_code == 404
