"""The pages about keys, tokens and acting for a person: each example runs against the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from autonomy_client import Autonomy, TokenRefused, Unauthorized
from autonomy_client.oauth import PrivateKeyCredentials
from joserfc.jwk import ECKey

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
def registered(halden: Any, connect: Any, run_block: Any, sign_in: Any) -> dict[str, Any]:
    """The key pair of the page, its public half registered for AP-04 by Jonas of IT."""
    run_block("connect/keys-and-tokens.md", "pair")
    assert Path("agent.pem").stat().st_mode & 0o077 == 0
    public = ECKey.import_key(Path("agent.pem").read_bytes()).as_dict(private=False)
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


def test_an_agent_acts_for_a_person_until_she_withdraws_it(
    registered: Any, connect: Any, run_block: Any, sign_in: Any
) -> None:
    connect("AP-01").start_run("invoice-to-payment", key="2026-1187", input={"document": "1187.xml"})
    sofia = sign_in("sofia")
    given = sofia.call("post", "me/delegated-tokens", {"agent": "AP-04"})
    assert given.status_code == 201, given.content
    credentials = PrivateKeyCredentials("AP-04", Path("agent.pem").read_text(), token_url=f"{SERVER}/oauth/token")
    names = {"Autonomy": Autonomy, "credentials": credentials, "consent": given.json()["subject_token"]}

    names = run_block("connect/act-for-a-person.md", "for", **names)
    assert names["run"].key == "2026-1187"

    assert sofia.call("post", f"me/delegated-tokens/{given.json()['id']}/withdraw", {}).status_code == 200
    with names["autonomy"].on_behalf_of(names["consent"]) as for_sofia, pytest.raises(TokenRefused):
        next(for_sofia.runs())
