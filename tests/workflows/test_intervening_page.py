"""People intervene on the page of a run: each act is a plain form with a reason, and what does not fit is said."""

from typing import Any

from tests.workflows.test_intervening import READ, again, asked, broken, start
from workflows.models import Run


def messages_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_the_page_offers_what_fits_and_nothing_else(robot: Any, sign_in: Any) -> None:
    run = broken(robot).run
    maria, sofia = sign_in("maria"), sign_in("sofia")

    page = maria.get(f"/runs/{run.uid}").content.decode()
    assert ("Pause the run" in page, "Put right" in page, "Begin again" in page) == (True, True, False)
    assert sofia.get(f"/runs/{run.uid}").status_code in (200, 404)
    assert "Put right" not in sofia.get(f"/runs/{run.uid}").content.decode()
    assert "Pause run 1187?" in maria.get(f"/runs/{run.uid}?ask=pause").content.decode()
    assert 'id="hand"' not in maria.get(f"/runs/{run.uid}?ask=resume").content.decode()


def test_a_run_is_paused_and_goes_on(robot: Any, sign_in: Any) -> None:
    run, maria = start(robot), sign_in("maria")

    missing = maria.post(f"/runs/{run.uid}/pause", {"why": ""})
    assert (missing.status_code, again(run).status) == (400, "running")
    assert "Run 1187 is paused." in messages_of(
        maria.post(f"/runs/{run.uid}/pause", {"why": "Stocktaking"}, follow=True)
    )
    assert again(run).status == "paused"
    twice = maria.post(f"/runs/{run.uid}/pause", {"why": "Stocktaking"}, follow=True)
    assert "is paused already" in messages_of(twice)
    page = maria.get(f"/runs/{run.uid}").content.decode()
    assert "Let it go on" in page
    maria.post(f"/runs/{run.uid}/resume", {"why": "Done"})
    assert again(run).status == "running"


def test_a_failed_step_is_put_right_in_every_way(robot: Any, sign_in: Any) -> None:
    step, maria = broken(robot), sign_in("maria")
    run = step.run
    page = maria.get(f"/runs/{run.uid}?ask=step&step={step.uid}").content.decode()
    for words in ("The file is not XML.", "Try again now", "Skip the step", "Give it away"):
        assert words in page, words

    wrong = maria.post(f"/runs/{run.uid}/skip", {"step": step.uid, "why": "By hand", "output.total": "much"})
    assert wrong.status_code == 400
    assert "By hand" in wrong.content.decode(), "what was typed is kept"
    maria.post(f"/runs/{run.uid}/reassign", {"step": step.uid, "to": "agent:AP-02", "why": "Knows it"})
    assert again(step).assigned_to.code == "AP-02"
    typed = {"output.readable": "yes", "output.total": "12.00"}
    typed |= {f"output.{name}": str(READ[name]) for name in ("number", "seller", "currency")}
    maria.post(f"/runs/{run.uid}/skip", {"step": step.uid, "why": "By hand", **typed})
    assert again(run).variables["read"] == {**READ, "total": "12.00"}
    gone = maria.post(f"/runs/{run.uid}/retry", {"step": step.uid, "why": "Again"}, follow=True)
    assert "no longer fits" in messages_of(gone)


def test_a_value_is_changed_and_shows_its_history(robot: Any, sign_in: Any) -> None:
    run, maria = asked(robot), sign_in("maria")
    card = maria.get(f"/runs/{run.uid}?ask=variable&name=read.total").content.decode()
    assert "New value" in card

    change = {"name": "read.total", "value": "900.00", "before": "9000.00", "why": "Misread"}
    assert "The value was changed." in messages_of(maria.post(f"/runs/{run.uid}/variable", change, follow=True))

    page = maria.get(f"/runs/{run.uid}").content.decode()
    assert "2 values" in page
    assert "Misread" in page
    late = maria.post(f"/runs/{run.uid}/variable", {**change, "value": "1.00"}, follow=True)
    assert "changed meanwhile" in messages_of(late)
    assert maria.post(f"/runs/{run.uid}/variable", {**change, "name": "read.none"}, follow=True).status_code == 200
    wrong = maria.post(f"/runs/{run.uid}/variable", {**change, "before": "900.00", "value": "much"})
    assert wrong.status_code == 400


def test_a_run_that_ended_begins_again(robot: Any, sign_in: Any) -> None:
    run, maria = start(robot), sign_in("maria")
    maria.post(f"/runs/{run.uid}/cancel", {"why": "Sent twice"})
    assert "Begin again" in maria.get(f"/runs/{run.uid}").content.decode()

    taken = maria.post(f"/runs/{run.uid}/restart", {"why": "The right file", "key": "1187"})
    assert taken.status_code == 400
    maria.post(f"/runs/{run.uid}/restart", {"why": "The right file", "key": ""})

    new = Run.objects.get(key="1187-2")
    assert "It began again as" in maria.get(f"/runs/{run.uid}").content.decode()
    assert "It began again from" in maria.get(f"/runs/{new.uid}").content.decode()


def test_nobody_intervenes_without_the_right(robot: Any, sign_in: Any) -> None:
    step = broken(robot)
    for who in ("priya", "edith", "tomasz"):
        answer = sign_in(who).post(f"/runs/{step.run.uid}/retry", {"step": step.uid, "why": "Again"})
        assert answer.status_code in (403, 404), who
    assert again(step).status == "failed"
