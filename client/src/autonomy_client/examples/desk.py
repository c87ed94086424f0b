"""What the programs of the four desks share: one process works for all agents of a workflow, each with its own key."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from autonomy_client import Autonomy, Change, Evidence, Work
from autonomy_client.examples.files import file_name, write_whole
from autonomy_client.examples.invoices.work import LONGEST_NOTE, GiveUp, Result, Worker, connect, stop_with_input

log = logging.getLogger(__name__)

# New cases are looked for between two claims, and a program ends between two claims.
CLAIM_SECONDS = 2
# What a program ends with that met something it does not know.
BROKEN = 1
LONGEST_TITLE, LONGEST_STATEMENT = 300, 4000


class Waiting(Exception):
    """A person decides now; the step comes back by itself with the answer."""


@dataclass(frozen=True)
class Case:
    """Something that a run is started for: the run's key and its input."""

    key: str
    input: Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """An action that a rule or a person has to allow first."""

    action: str
    kind: str
    id: str
    properties: Mapping[str, Any]
    context: Mapping[str, Any]
    title: str
    statement: str
    confidence: Decimal
    changes: Sequence[Change] = ()
    evidence: Sequence[Evidence] = ()


@dataclass(frozen=True)
class Answer:
    """Whether the action may be done, and why."""

    allowed: bool
    reason: str


Step = Callable[[Autonomy, Work], Result]


class Desk:
    """The steps of one workflow by their element, on the files in `data`; what is made is written below `out`."""

    workflow = ""

    def __init__(self, data: Path, out: Path) -> None:
        self.data = data
        self.out = out

    def cases(self) -> Iterator[Case]:
        """Everything that a run is to be started for."""
        raise NotImplementedError

    def steps(self) -> Mapping[str, Step]:
        """What is done for each element of the drawing."""
        raise NotImplementedError

    def do(self, client: Autonomy, work: Work) -> Result | None:
        """Do a step; None while a person decides about it."""
        step = self.steps().get(work.element)
        if step is None:
            raise GiveUp(f"Nobody here knows how to do {work.element}.")
        try:
            return step(client, work)
        except Waiting:
            return None

    def keep(self, name: str, content: str) -> str:
        """Write a file below `out`, whole or not at all; its name there."""
        write_whole(self.out / name, content.encode())
        return name


class Beginner:
    """Starts the runs of a desk, each once; the server knows those of an earlier day by their key."""

    def __init__(self, client: Autonomy, desk: Desk, workflow: str) -> None:
        self.client = client
        self.desk = desk
        self.workflow = workflow
        self.begun: set[str] = set()

    def begin(self) -> int:
        """Start what is new; how many that were."""
        try:
            fresh = [case for case in self.desk.cases() if case.key not in self.begun]
        except (OSError, ValueError, LookupError) as unreadable:
            # Somebody may be writing the file just now.
            log.warning("The files cannot be read; they are looked at again: %s", unreadable)
            return 0
        for case in fresh:
            self.client.start_run(self.workflow, case.key, case.input)
            self.begun.add(case.key)
        return len(fresh)


def ask(client: Autonomy, work: Work, question: Question, *, answered: bool = True) -> Answer:
    """Ask whether the action may be done. `answered`: the person's answer that came with the step is about this
    question. Raises Waiting while a person decides."""
    approval = work.approval if answered else None
    if approval is not None and not approval.granted:
        return Answer(False, f"A person said no: {approval.reason or 'no reason was given'}")
    decision = client.ask(
        work, question.action, {"type": question.kind, "id": question.id, "properties": question.properties},
        question.context, title=question.title[:LONGEST_TITLE], statement=question.statement[:LONGEST_STATEMENT],
        confidence=question.confidence, changes=question.changes, evidence=question.evidence,
        approval=approval.id if approval else None,
    )  # fmt: skip
    if decision.waits_for_a_person:
        raise Waiting
    return Answer(decision.allowed, decision.reason or ("Allowed." if decision.allowed else "No rule allows it."))


def as_json(content: Mapping[str, Any]) -> str:
    """The content as JSON that is the same for the same content."""
    return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"


def safe(name: str) -> str:
    """A name that can be a file's."""
    return file_name(name)


def shortened(note: str) -> str:
    """The note, at most as long as one may be."""
    return note[:LONGEST_NOTE]


def main(make: Callable[[Path, Path], Desk], description: str, argv: Sequence[str] | None = None) -> int:
    """Run a desk until it is stopped; 2 when a key is not accepted. The agent of the first key starts the runs."""
    options = _options(description).parse_args(argv)
    desk = make(options.data, options.out)
    workers = list(_workers(desk, options))
    codes: list[int] = []
    threads = [threading.Thread(target=_run, args=(each, workers, codes)) for each in workers]
    _listen(workers, until_input_ends=options.until_input_ends)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.client.close()
    return max(codes, default=2)


def _run(worker: Worker, workers: Sequence[Worker], codes: list[int]) -> None:
    try:
        codes.append(worker.run())
    except Exception:
        # One agent less would do half of the work in silence: all end, and whoever started the program sees it.
        log.exception("The program ends.")
        codes.append(BROKEN)
        _stop(workers)


def _stop(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.stopping.set()
        worker.client.hurry()


def _options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server", default=os.environ.get("AUTONOMY_SERVER", "http://127.0.0.1:8000"))
    parser.add_argument("--key-file", type=Path, action="append", required=True, help="an agent's key; once for each")
    parser.add_argument("--data", type=_folder, required=True, help="folder with the files to work on")
    parser.add_argument("--out", type=Path, required=True, help="folder for what the program writes")
    parser.add_argument("--workflow", default="", help="the workflow's code, where it is not that of the template")
    parser.add_argument("--cost-per-hour", type=Decimal, default=Decimal("4.80"), help="EUR per working hour")
    parser.add_argument("--once", action="store_true", help="stop when no work came for a while")
    parser.add_argument("--idle-seconds", type=float, default=10, help="how long that while is")
    parser.add_argument("--until-input-ends", action="store_true", help="stop when standard input is closed")
    return parser


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder")
    return path


def _workers(desk: Desk, options: argparse.Namespace) -> Iterator[Worker]:
    for number, key_file in enumerate(options.key_file):
        client = connect(argparse.Namespace(server=options.server, key_file=key_file))
        begin = Beginner(client, desk, options.workflow or desk.workflow).begin
        between = begin if number == 0 else _nothing
        yield Worker(client, partial(desk.do, client), options, between, CLAIM_SECONDS)


def _nothing() -> int:
    return 0


def _listen(workers: Sequence[Worker], *, until_input_ends: bool) -> None:
    """Let all workers finish what they have in hand, and end."""
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(number: int, frame: object) -> None:
        _stop(workers)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if until_input_ends:
        threading.Thread(target=stop_with_input, daemon=True).start()


__all__ = [
    "Answer", "Case", "Desk", "GiveUp", "Question", "Result", "Step", "Waiting", "as_json", "ask", "main", "safe",
    "shortened",
]  # fmt: skip
