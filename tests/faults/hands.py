"""Those who work through the installation while it falls over: they repeat what was not answered, with the same key."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

AGAIN_SECONDS = 0.05
# What a server that is coming up again answers, or a proxy before it: the same request may be sent again.
TRY_AGAIN = (429, 500, 502, 503, 504)


@dataclass
class Counted:
    """How many requests were sent so far; whoever waits for a number is woken by it."""

    sent: int = 0
    condition: threading.Condition = field(default_factory=threading.Condition)

    def one_more(self) -> None:
        """Another request is about to be sent."""
        with self.condition:
            self.sent += 1
            self.condition.notify_all()

    def wait_for(self, number: int, ended: threading.Event) -> None:
        """Wait until so many were sent, or the work has ended."""
        with self.condition:
            while self.sent < number and not ended.is_set():
                self.condition.wait(0.1)


@dataclass
class World:
    """What lies outside: an effect happens once for each idempotency key, however often it is asked for."""

    effects: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def act(self, key: str) -> None:
        """Do it, unless it was done under this key before."""
        with self.lock:
            self.asked[key] += 1
            if not self.effects[key]:
                self.effects[key] += 1


@dataclass
class Caller:
    """Somebody with an HTTP connection, who never gives up before there is an answer."""

    address: str
    headers: Mapping[str, str]
    counted: Counted
    ended: threading.Event
    errors: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.address, headers=dict(self.headers), timeout=10)

    def post(self, path: str, body: Any) -> httpx.Response | None:
        """The answer, once there is one; None when everything has ended meanwhile."""
        key = str(uuid.uuid4())
        while not self.ended.is_set():
            self.counted.one_more()
            try:
                answer = self.http.post(f"/api/v1/{path}", json=body, headers={"Idempotency-Key": key})
            except httpx.HTTPError as lost:
                self.errors[type(lost).__name__] += 1
            else:
                if answer.status_code not in TRY_AGAIN:
                    return answer
                self.errors[str(answer.status_code)] += 1
            time.sleep(AGAIN_SECONDS)
        return None

    def get(self, path: str, **query: Any) -> Any:
        """What is read, None while nobody answers."""
        try:
            answer = self.http.get(f"/api/v1/{path}", params=query)
        except httpx.HTTPError as lost:
            self.errors[type(lost).__name__] += 1
            return None
        return answer.json() if answer.status_code == 200 else None


def work(caller: Caller, world: World) -> None:
    """An agent: claim, act on the world under the step's own key, finish; whoever lost the lease lets the step go."""
    while not caller.ended.is_set():
        answer = caller.post("work/claim", {"wait_seconds": 1})
        held = answer.json().get("work") if answer is not None and answer.status_code == 200 else None
        if held is None:
            time.sleep(AGAIN_SECONDS)
            continue
        world.act(held["step"])
        done = caller.post(f"steps/{held['step']}/finish", {"lease_token": held["lease_token"], "output": {}})
        if done is not None and done.status_code not in (200, 404, 409):
            caller.errors[f"finish {done.status_code} {done.text[:200]}"] += 1


def sign_in(address: str, name: str, password: str) -> Mapping[str, str]:
    """The headers of somebody who has signed in through the page."""
    with httpx.Client(base_url=address, timeout=30) as http:
        http.get("/sign-in")
        token = http.cookies["csrftoken"]
        form = {"login": name, "username": name, "password": password, "csrfmiddlewaretoken": token}
        http.post("/sign-in", data=form, headers={"Referer": f"{address}/sign-in"})
        cookies = "; ".join(f"{key}={value}" for key, value in http.cookies.items())
        return {"Cookie": cookies, "X-CSRFToken": http.cookies["csrftoken"], "Referer": address}


def decide(caller: Caller) -> None:
    """A reviewer: approve whatever is open, bound to what was read."""
    while not caller.ended.is_set():
        listed = caller.get("escalations", status="open") or {"results": []}
        for asked in listed["results"]:
            answer = {"request_sha256": asked["request_sha256"], "reason": "Looked at it."}
            told = caller.post(f"escalations/{asked['id']}/approve", answer)
            if told is not None and told.status_code not in (200, 409):
                caller.errors[f"approve {told.status_code} {told.text[:200]}"] += 1
        time.sleep(AGAIN_SECONDS)
