"""The processes of a grown-up installation, each of which can be killed: PostgreSQL, Redis, web, worker and beat."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
NOBODY = "postgres"  # PostgreSQL does not run as root


def postgresql() -> Path | None:
    """The folder of PostgreSQL's programs, if there is one here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) if Path("/usr/lib/postgresql").is_dir() else []
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def until(true: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is true; fail with the words when that takes too long."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, f"{what} takes too long"
        time.sleep(0.02)


@dataclass
class Process:
    """One process that can be killed at any moment and started again."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool]
    user: str | None = None
    keeps: tuple[int, ...] = ()
    running: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        """Start it and wait until it answers; a database may need another try while its old self is being buried."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not self._came_up():
            assert time.monotonic() < ends, f"{self.name} does not start, see {self.log}"
            time.sleep(0.1)

    def _came_up(self) -> bool:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, cwd=ROOT, env=dict(self.env), stdout=log, stderr=log, user=self.user,
                start_new_session=True, pass_fds=self.keeps,
            )  # fmt: skip
        ends = time.monotonic() + PATIENCE_SECONDS
        while self.running.poll() is None and time.monotonic() < ends:
            if self.is_ready():
                return True
            time.sleep(0.02)
        return False

    def kill(self) -> None:
        """As kill -9 does, with everything that it started."""
        self._end(signal.SIGKILL)
        self.kills += 1

    def stop(self) -> None:
        """Let it end by itself; what does not is killed."""
        if self.running is None or self.running.poll() is not None:
            return
        self.running.send_signal(signal.SIGINT if self.name == "postgresql" else signal.SIGTERM)
        try:
            self.running.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, how)
            self.running.wait(timeout=PATIENCE_SECONDS)


@dataclass
class Installation:
    """All processes of one installation, in a folder of its own, on loopback ports of its own."""

    folder: Path
    programs: Path
    settings: Mapping[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=512))

    def __post_init__(self) -> None:
        self.ports = {name: free_port() for name in ("postgresql", "redis")}
        server = f"postgresql://autonomy@127.0.0.1:{self.ports['postgresql']}"
        self.server_url, self.database_url = f"{server}/postgres", f"{server}/autonomy"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.env = {
            **kept, "DATABASE_URL": self.database_url, "REDIS_URL": f"redis://127.0.0.1:{self.ports['redis']}/0",
            "DATA_FOLDER": str(self.folder), "PYTHONPATH": str(ROOT), **self.settings,
        }  # fmt: skip
        self._make_database()
        log, ready = self.folder / "log", lambda: True
        python, fd = sys.executable, self.listening.fileno()
        web = [python, "-m", "uvicorn", "autonomy_site.asgi:application", "--fd", str(fd), "--log-level", "warning"]
        celery = [python, "-m", "celery", "-A", "autonomy_site"]
        worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"]
        beat = [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(self.folder / "beat"), "--pidfile="]
        self._add(Process("postgresql", self._postgres, self.env, log, self._answers, user=self._user))
        self._add(Process("redis", self._redis, self.env, log, self._redis_answers))
        self._add(Process("web", web, self.env, log, ready, keeps=(fd,)))
        self._add(Process("worker", worker, self.env, log, ready))
        self._add(Process("beat", beat, self.env, log, ready))

    def _add(self, process: Process) -> None:
        self.processes[process.name] = process

    @property
    def address(self) -> str:
        """Where the web process takes requests; while it is down they wait for it."""
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    @property
    def _user(self) -> str | None:
        return NOBODY if os.geteuid() == 0 else None

    @property
    def _cluster(self) -> Path:
        return self.folder / "database"

    @property
    def _postgres(self) -> list[str]:
        given = {"port": self.ports["postgresql"], "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self._cluster), *options]

    @property
    def _redis(self) -> list[str]:
        port = str(self.ports["redis"])
        return ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"]

    def _make_database(self) -> None:
        self._cluster.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self._cluster, self._user)
            self.folder.chmod(0o755)
        made = [str(self.programs / "initdb"), "-D", str(self._cluster), "-U", "autonomy", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*made, "--no-sync"], check=True, stdout=subprocess.DEVNULL, user=self._user, cwd="/")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.server_url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _redis_answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.ports["redis"]), timeout=1) as asked:
                asked.sendall(b"PING\r\n")
                return asked.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def prepare(self, program: Path) -> str:
        """Start the database and Redis, run this program once with the installation's settings; what it prints."""
        self.processes["postgresql"].start()
        self.processes["redis"].start()
        with psycopg.connect(self.server_url, autocommit=True) as server:
            server.execute("CREATE DATABASE autonomy")
        done = subprocess.run(
            [sys.executable, str(program)], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start what is not running yet."""
        for process in self.processes.values():
            if process.running is None:
                process.start()

    def stop(self) -> None:
        """End everything."""
        for name in ("beat", "worker", "web", "redis", "postgresql"):
            self.processes[name].stop()
        self.listening.close()
