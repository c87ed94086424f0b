"""What the programs of the desks share: cases are begun once, an answer is for one question, files may be odd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from autonomy_client import Autonomy, Work
from autonomy_client.examples import desk
from autonomy_client.examples.desk import Beginner, Case, Desk, GiveUp, Question, Result, Step, ask
from autonomy_client.shapes import Approval

PAY = Question("invoice.pay", "invoice", "I-1", {}, {"amount": "10.00"}, "Pay", "It is due.", Decimal("0.9"))
DEAR = Question("invoice.pay", "invoice", "I-2", {}, {"amount": "9000.00"}, "Pay", "It is due.", Decimal("0.9"))


class Letters(Desk):
    """Reads the names of a file and does one step."""

    workflow = "letters"

    def cases(self) -> Iterator[Case]:
        for name in (self.data / "letters.txt").read_text("utf-8").split():
            yield Case(name, {"document": name})

    def steps(self) -> Mapping[str, Step]:
        return {"pay": self.pay}

    def pay(self, client: Autonomy, work: Work) -> Result:
        answer = ask(client, work, DEAR)
        return Result({"paid": answer.allowed}, answer.reason)


@pytest.fixture
def letters(tmp_path: Path) -> Letters:
    return Letters(tmp_path, tmp_path / "out")


def work_of(platform: Any, element: str = "pay", approval: Approval | None = None) -> Work:
    platform.start({"key": "K-1", "workflow": "letters", "input": {}})
    step = platform.open("K-1", element)
    body = platform._work(platform.steps[step["step"]])
    return Work.from_wire(body | {"approval": approval and vars(approval)})


def test_each_case_is_begun_once_also_when_more_come_in(platform: Any, client: Autonomy, letters: Letters) -> None:
    file, beginner = letters.data / "letters.txt", Beginner(client, letters, "letters")
    file.write_text("a b")
    assert (beginner.begin(), beginner.begin()) == (2, 0)

    file.write_text("a b c")
    assert beginner.begin() == 1
    assert Beginner(client, letters, "letters").begin() == 3, "after a new start all are asked for again"

    assert set(platform.runs) == {"a", "b", "c"}


def test_files_that_cannot_be_read_now_are_looked_at_again(client: Autonomy, letters: Letters) -> None:
    beginner = Beginner(client, letters, "letters")
    assert beginner.begin() == 0
    (letters.data / "letters.txt").write_bytes(b"\xff\xfe broken")
    assert beginner.begin() == 0
    (letters.data / "letters.txt").write_text("a")
    assert beginner.begin() == 1


def test_while_a_person_decides_nothing_is_reported(platform: Any, client: Autonomy, letters: Letters) -> None:
    work = work_of(platform)

    assert letters.do(client, work) is None

    assert platform.steps[work.step]["status"] == "waiting"


def test_a_no_is_an_answer_and_asks_nothing_again(platform: Any, client: Autonomy, letters: Letters) -> None:
    refused = Approval("a-1", "e-1", "rejected", "Not this month.", "")

    result = letters.do(client, work_of(platform, approval=refused))

    assert result == Result({"paid": False}, "A person said no: Not this month.")
    assert platform.sent("actions") == []


def test_an_answer_is_for_the_question_that_it_was_given_to(platform: Any, client: Autonomy, letters: Letters) -> None:
    granted = Approval("a-1", "e-1", "approved", "", "")
    work = work_of(platform, approval=granted)

    assert ask(client, work, DEAR).allowed
    assert ask(client, work, PAY, answered=False).allowed
    with pytest.raises(desk.Waiting):
        ask(client, work, DEAR, answered=False)

    assert [request[3]["approval"] for request in platform.sent("actions")] == ["a-1", None, None]


def test_a_step_that_nobody_knows_is_given_up(platform: Any, client: Autonomy, letters: Letters) -> None:
    with pytest.raises(GiveUp, match="Nobody here knows"):
        letters.do(client, work_of(platform, element="match"))


def test_what_is_written_is_whole_and_replaces_what_was_there(letters: Letters) -> None:
    letters.keep("a/b.txt", "one")
    letters.keep("a/b.txt", "two")

    assert (letters.out / "a" / "b.txt").read_text() == "two"
    assert [path.name for path in (letters.out / "a").iterdir()] == ["b.txt"]
