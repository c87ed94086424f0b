"""The pages about keys, tokens and acting for a person: each example runs against the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from autonomy_client import Autonomy, TokenRefused, Unauthorized
from autonomy_client.oauth import PrivateKeyCredentials

SERVER = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples write beside themselves."""
    monkeypatch.chdir(tmp_path)


def test_a_key_is_rotated_and_both_are_good(
    halden: Any, connect: Any, run_block: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTONOMY_KEY", halden.keys["AP-04"])
    monkeypatch.delenv("AUTONOMY_SERVER", raising=False)

    run_block("connect/keys-and-tokens.md", "rotate")

    new = Path("key.txt").read_text()
    assert new != halden.keys["AP-04"]
    assert connect("AP-04", new).me().code == connect("AP-04").me().code == "AP-04"


def test_a_rotated_key_without_an_overlap_is_refused_on_the_next_request(halden: Any, connect: Any) -> None:
    old = connect("AP-04")

    new = old.rotate_key(overlap_hours=0)

    with pytest.raises(Unauthorized):
        old.me()
    assert connect("AP-04", new).me().code == "AP-04"


@pytest.fixture
def registered(
    halden: Any, connect: Any, run_block: Any, sign_in: Any, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """The key pair of the page, its public half registered for AP-04 by Jonas of IT."""
    run_block("connect/keys-and-tokens.md", "pair")
    assert Path("agent.pem").stat().st_mode & 0o077 == 0
    public = json.loads(capsys.readouterr().out)
    answer = sign_in("jonas").call("post", "agents/AP-04/client-keys", {"jwk": public})
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_an_agent_with_a_pair_gets_tokens(registered: Any, run_block: Any, capsys: pytest.CaptureFixture[str]) -> None:
    names = run_block("connect/keys-and-tokens.md", "token")

    assert capsys.readouterr().out == "Payments clerk\n"
    assert names["credentials"].kid == registered["kid"]


def test_a_revoked_pair_gets_none(registered: Any, run_block: Any, sign_in: Any) -> None:
    names = run_block("connect/keys-and-tokens.md", "token")
    answer = sign_in("jonas").call("post", f"client-keys/{registered['id']}/revoke", {"why": "Lost."})
    assert answer.status_code == 200, answer.content

    with Autonomy(SERVER, names["credentials"]) as autonomy, pytest.raises(TokenRefused, match="invalid_client"):
        autonomy.me()


@pytest.fixture
def acting(registered: Any, connect: Any) -> PrivateKeyCredentials:
    """AP-04 with its pair, and a run that Sofia may see."""
    connect("AP-01").start_run("invoice-to-payment", key="2026-1187", input={"document": "1187.xml"})
    return PrivateKeyCredentials("AP-04", Path("agent.pem").read_text(), token_url=f"{SERVER}/oauth/token")


def consented(sofia: Any) -> dict[str, Any]:
    given = sofia.call("post", "me/delegated-tokens", {"agent": "AP-04"})
    assert given.status_code == 201, given.content
    body: dict[str, Any] = given.json()
    return body


def test_an_agent_acts_for_a_person(acting: Any, run_block: Any, sign_in: Any) -> None:
    consent = consented(sign_in("sofia"))["subject_token"]

    names = run_block(
        "connect/act-for-a-person.md", "for", Autonomy=Autonomy, credentials=acting, consent=consent
    )  # fmt: skip

    assert names["run"].key == "2026-1187"


def test_a_consent_that_is_withdrawn_ends_at_the_next_request(acting: Any, sign_in: Any) -> None:
    sofia = sign_in("sofia")
    consent = consented(sofia)
    with Autonomy(SERVER, acting) as autonomy, autonomy.on_behalf_of(consent["subject_token"]) as for_sofia:
        assert [run.key for run in for_sofia.runs()] == ["2026-1187"]

        assert sofia.call("post", f"me/delegated-tokens/{consent['id']}/withdraw", {}).status_code == 200

        with pytest.raises(TokenRefused):
            next(for_sofia.runs())
        assert autonomy.me().code == "AP-04"
