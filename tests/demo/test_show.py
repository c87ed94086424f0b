"""The demo as people start, stop and kill it: documents are not lost, programs do not outlive it, it goes on."""

from __future__ import annotations

import os
import queue
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from autonomy_site.demo.documents import generate

# These demos bring their own database, so once is enough where the tests run on both.
pytestmark = pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the demo starts on SQLite here")

ROOT = Path(__file__).parents[2]
# Only what never happens runs into it; a busy machine may take its time.
PATIENCE_SECONDS = 600
# Four programs for invoices, and one for each of the four workflows from templates.
ALL = 8
WITHOUT_A_BROWSER = ("--headless", "--minutes", "9", "--invoices")
HOSTILE = {
    "xxe.xml": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "laughs.xml": '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;&y;</a>',
    "torn.xml": "<Invoice><cbc:ID>1</cb",
    "empty.xml": "",
    "deep/odd\x07name.xml": "<html/>",
}


class Demo:
    """`manage.py demo` in a process of its own; everything it says is in `said` in the end."""

    def __init__(self, data: Path, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.said = ""
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(self.port), *options],
            cwd=ROOT, env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            self.lines.put(line)
        self.process.stdout.close()
        self.lines.put(None)

    def hear(self, words: str) -> str:
        """The next line that holds these words."""
        while (line := self.lines.get(timeout=PATIENCE_SECONDS)) is not None:
            if words in line:
                return line
        raise AssertionError(f"The demo ended without {words!r}; it said:\n{self.said}")

    def end(self, number: signal.Signals | None = None) -> int:
        """Its exit code, after a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        self.reading.join(PATIENCE_SECONDS)
        return code

    def programs(self) -> dict[str, int]:
        """The process ids of its agent programs, by the code of an agent, the last of several."""
        told = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        found = re.findall(r"^ *(\d+) .*--key-file \S*/keys/(\S+)", told, re.MULTILINE)
        return {code: int(process_id) for process_id, code in found}

    def hear_programs(self, many: int) -> dict[str, int]:
        """The programs as soon as there are so many of them."""
        pause = threading.Event()
        for _ in range(PATIENCE_SECONDS * 20):
            if len(found := self.programs()) == many:
                return found
            pause.wait(0.05)
        raise AssertionError(f"There are not {many} programs; the demo said:\n{self.said}")

    def figures(self) -> dict[str, str]:
        """The table that it printed."""
        return {label.strip(): value for label, value in re.findall(r"^( *\S.*?) {2,}(\S.*)$", self.said, re.MULTILINE)}


def environment(data: Path) -> dict[str, str]:
    """Ours without the databases of other tests, and with a data folder of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return kept | {"DATA_FOLDER": str(data)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def end_of(process_id: int) -> Callable[[], bool]:
    """A question to ask later: has this process, which is not our child, ended within our patience?"""
    watched = os.pidfd_open(process_id)

    def has_ended() -> bool:
        ready, _, _ = select.select([watched], [], [], PATIENCE_SECONDS)
        os.close(watched)
        return bool(ready)

    return has_ended


@contextmanager
def signed_in(demo: Demo, name: str, password: str) -> Iterator[httpx.Client]:
    """A browser in which this person is signed in."""
    address = f"http://127.0.0.1:{demo.port}"
    with httpx.Client(base_url=address, follow_redirects=True, timeout=PATIENCE_SECONDS) as browser:
        browser.get("/sign-in")
        given = {"username": name, "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("/sign-in", data=given).url.path == "/"
        yield browser


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six invoices with their papers, and files that nobody should open carelessly."""
    inbox = tmp_path_factory.mktemp("inbox")
    generate(inbox, count=6)
    for name, text in HOSTILE.items():
        (inbox / name).parent.mkdir(exist_ok=True)
        (inbox / name).write_text(text)
    (inbox / "huge.xml").write_bytes(b" " * 10_000_001)
    return inbox


@dataclass(frozen=True)
class Beginning:
    """A data folder and what happened in it: a first start that was stopped by Ctrl-C while the company was built, and
    a second one without a browser that went on to its end."""

    data: Path
    stopped: Demo
    finished: Demo

    @property
    def password(self) -> str:
        """What Priya signs in with."""
        return re.findall(r"^ +priya +(\S+)", self.stopped.said + self.finished.said, re.MULTILINE)[-1]


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory, inbox: Path) -> Beginning:
    """The beginning that all tests here share."""
    data = tmp_path_factory.mktemp("beginning")
    stopped = Demo(data)
    stopped.hear("lukas")
    stopped.end(signal.SIGINT)
    finished = Demo(data, *WITHOUT_A_BROWSER, str(inbox))
    finished.end()
    return Beginning(data, stopped, finished)


@pytest.fixture(scope="module")
def at_work(beginning: Beginning, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Demo]]:
    """A demo at work in a copy of that data folder, for tests that only look; in the end Ctrl-C stops it quietly."""
    data = Path(shutil.copytree(beginning.data, tmp_path_factory.mktemp("at-work") / "data"))
    demo = Demo(data)
    demo.hear("Autonomy OS is at")
    yield data, demo
    assert demo.end(signal.SIGINT) == 0
    assert "Traceback" not in demo.said


@pytest.fixture
def data(beginning: Beginning, tmp_path: Path) -> Path:
    """A copy of that data folder for one test."""
    return Path(shutil.copytree(beginning.data, tmp_path / "data"))


@pytest.fixture
def start(data: Path) -> Iterator[Callable[..., Demo]]:
    """Start a demo in the copied data folder; whatever still runs in the end is killed."""
    started: list[Demo] = []

    def start(*options: str, port: int | None = None) -> Demo:
        started.append(Demo(data, *options, port=port))
        return started[-1]

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.end(signal.SIGKILL)


def test_without_a_browser_it_works_everything_off_and_says_so(beginning: Beginning, inbox: Path) -> None:
    demo = beginning.finished
    files = sum(1 for path in inbox.rglob("*.xml") if path.parent.name not in ("orders", "receipts"))

    assert demo.process.returncode == 0, demo.said
    figures = demo.figures()
    assert (figures["Files"], figures["Runs"], figures["without a run"]) == (str(files), str(files), "0")
    assert (figures["failed"], figures["stuck"]) == ("0", "0")
    assert int(figures["done"]) + int(figures["waiting for a person"]) == files
    assert int(figures["Escalations"]) >= len(HOSTILE) + 1


def test_files_that_hide_an_attack_or_are_broken_wait_for_priya(
    beginning: Beginning, at_work: tuple[Path, Demo]
) -> None:
    with signed_in(at_work[1], "priya", beginning.password) as browser:
        seen = browser.get("/escalations").text
        runs = browser.get("/runs").text

    names = ["xxe.xml", "laughs.xml", "torn.xml", "empty.xml", "odd\ufffdname.xml", "huge.xml"]
    assert [name for name in names if name not in seen] == []
    assert "xxe-" in runs


def test_an_agent_program_that_is_killed_is_started_again_but_not_for_ever(start: Any) -> None:
    demo = start()
    demo.hear("Autonomy OS is at")

    for _ in range(3):
        os.kill(demo.hear_programs(ALL)["AP-04"], signal.SIGKILL)
        demo.hear("AP-04 has ended with -9 and is started again")
    os.kill(demo.hear_programs(ALL)["AP-04"], signal.SIGKILL)
    demo.hear("AP-04 has ended with -9; see")

    left = demo.programs()
    assert (len(left), "AP-04" in left) == (ALL - 1, False)
    assert demo.end(signal.SIGTERM) == 0


def test_nothing_outlives_a_demo_that_is_killed_and_the_next_start_goes_on(start: Any, data: Path, inbox: Path) -> None:
    demo = start("--invoices", str(inbox))
    demo.hear("Autonomy OS is at")
    ends = [end_of(process_id) for process_id in demo.hear_programs(ALL).values()]

    assert demo.end(signal.SIGKILL) == -signal.SIGKILL
    assert all(has_ended() for has_ended in ends)

    # Meanwhile the keys were lost, or overwritten by a start on another database.
    keys = data / "demo" / "keys"
    (keys / "AP-01").write_text("aos_live_0123456789ab_of-another-database")
    (keys / "AP-02").unlink()
    (keys / "RK-01").write_text("")
    kept = (keys / "AP-04").read_text()
    again = start(*WITHOUT_A_BROWSER, str(inbox))

    assert again.end() == 0, again.said
    assert again.figures()["without a run"] == "0"
    assert (keys / "AP-04").read_text() == kept
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}


def test_a_second_demo_is_told_why_it_cannot_start(at_work: tuple[Path, Demo], tmp_path: Path) -> None:
    data, demo = at_work

    same_folder = Demo(data)
    same_port = Demo(tmp_path / "other", port=demo.port)

    assert (same_folder.end(), same_port.end()) == (1, 1)
    assert "Another demo is at work in" in same_folder.said
    assert f"Port {demo.port} cannot be used" in same_port.said
    assert "Traceback" not in same_folder.said + same_port.said


def test_ctrl_c_while_the_company_is_built_leaves_nothing_half_done(beginning: Beginning) -> None:
    assert beginning.finished.process.returncode == 0, beginning.finished.said
    assert beginning.stopped.process.returncode in (0, 130)
    assert "Traceback" not in beginning.stopped.said


def test_an_empty_folder_is_told_at_once_when_nobody_could_fill_it(start: Any) -> None:
    demo = start("--headless", "--invoices", "tests/demo")

    assert demo.end() == 1
    assert "There is no .xml file in" in demo.said
    assert "Traceback" not in demo.said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--invoices", "nowhere"], "nowhere is not a folder"),
        (["--headless", "--minutes", "nan"], "--minutes must be more than 0"),
        (["--headless", "--minutes", "-1"], "--minutes must be more than 0"),
        (["--port", "0"], "0 is not a port; name one from 1 to 65535"),
        (["--port", "65536"], "65536 is not a port"),
        (["--port", "http"], "http is not a port"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("demo", *options)
