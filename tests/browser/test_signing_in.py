"""In a real browser: a second factor by app and by passkey, single sign-on, the end of sessions elsewhere."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import oidc_provider_mock
import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from agents import operations
from agents.models import Principal
from autonomy_site.environment import Oidc
from observability.models import Event
from tests.browser.conftest import PHONE
from tests.browser.test_all_pages import RULES
from tests.conftest import PASSWORD, let_in


@pytest.fixture
def page(site: str, browser: Browser) -> Iterator[Page]:
    """A page of nobody, under the name that browsers let passkeys work for; an error on it fails the test."""
    errors: list[str] = []
    context = browser.new_context(base_url=site.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    page.on("pageerror", lambda wrong: errors.append(str(wrong)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert not errors


def type_password(page: Page, username: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def plug_in(page: Page) -> None:
    """Give the browser a device that keeps passkeys and is always touched."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def faults(page: Page) -> list[str]:
    return [fault["id"] for fault in Axe().run(page, options={"runOnly": RULES}).response["violations"]]


def code(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def test_the_risk_officer_sets_up_an_app_and_signs_in_with_it(page: Page, halden: Any) -> None:
    type_password(page, "daniel")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    assert faults(page) == []
    page.goto("/control")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.get_by_role("link", name="Use an authenticator app").click()
    assert faults(page) == []
    assert page.get_by_role("img", name="Picture for your authenticator app").evaluate("it => it.naturalWidth > 0")
    secret = page.get_by_label("Key").input_value()
    page.get_by_label("Code").fill(code(secret))
    page.get_by_role("button", name="Set up the app").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Daniel Okafor, your menu").click()
    page.get_by_role("button", name="Sign out").click()

    type_password(page, "daniel")
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("Code").fill("12")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("This code is not right")
    page.get_by_label("Code").fill(code(secret, 1))
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Workforce at a glance")).to_be_visible()


def test_a_passkey_is_added_signs_in_alone_and_confirms(page: Page, halden: Any) -> None:
    plug_in(page)
    type_password(page, "ingrid")
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_label("Name of the passkey").fill("My laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    page.goto("/second-factor/passkeys")
    expect(page.get_by_text("My laptop").first).to_be_visible()
    page.get_by_role("button", name="Ingrid Halden, your menu").click()
    page.get_by_role("button", name="Sign out").click()

    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Workforce at a glance")).to_be_visible()
    assert Event.objects.filter(verb="person.signed_in").latest("pk").data["method"] == "passkey"

    page.goto("/confirm/passkey?next=/control")
    assert faults(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("^[^?]*/control$"))
    page.context.clear_cookies()
    type_password(page, "ingrid")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Workforce at a glance")).to_be_visible()


def test_without_a_passkey_the_page_says_so(page: Page, halden: Any) -> None:
    plug_in(page)
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_text("No passkey was used")).to_be_visible(timeout=30_000)
    assert Event.objects.filter(verb="person.signed_in").count() == 0


def test_single_sign_on_goes_there_and_comes_back(page: Page, halden: Any, settings: Any) -> None:
    claims = {
        "email": "anna@halden.example",
        "name": "Anna Berg",
        "preferred_username": "anna",
        "groups": ["reviewers"],
    }
    user = oidc_provider_mock.User(sub="anna", claims=claims)
    with oidc_provider_mock.run_server_in_thread(user_claims=(user,)) as server:
        issuer = f"http://localhost:{server.server_port}"
        settings.OIDC = Oidc(
            issuer=issuer, client_id="os", client_secret="x", name="Halden ID", group_map={"reviewers": "reviewer"},
            unit="finance",
        )  # fmt: skip
        page.goto("/escalations")
        assert faults(page) == []
        page.get_by_role("button", name="Sign in with Halden ID").click()
        page.get_by_role("button", name="anna", exact=True).click()
        expect(page).to_have_url(re.compile("/escalations"))
        expect(page.get_by_role("button", name="Anna Berg, your menu")).to_be_visible()

    assert Principal.objects.get(username="anna").role_names == {"reviewer"}


def test_the_sessions_elsewhere_end(page: Page, visitor: Callable[..., Page], halden: Any) -> None:
    phone = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18) Safari/604.1"})
    phone.post("/sign-in", {"username": "priya", "password": PASSWORD})
    type_password(page, "priya")
    page.goto("/sessions")
    expect(page.get_by_text("Safari on iPhone").first).to_be_visible()

    page.get_by_role("button", name="Sign out everywhere else").click()

    expect(page.locator("#main").get_by_text("You are signed out everywhere else")).to_be_visible()
    expect(page.get_by_text("Safari on iPhone")).to_have_count(0)
    assert phone.get("/runs").status_code == 302


def test_a_form_goes_on_after_the_question_who_it_is(page: Page, halden: Any, settings: Any, site: str) -> None:
    client = Client()
    let_in(client, "daniel")
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() - 3600}]
    session.save()
    value = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": value, "url": site.replace("127.0.0.1", "localhost")}])
    page.goto("/control")
    page.get_by_label("Why", exact=True).fill("Strange payments since noon.")
    page.get_by_role("button", name="Pause all work").click()
    expect(page.locator("#main").get_by_text("Paused from now on.")).to_be_visible()
    page.get_by_label("Why", exact=True).fill("The bank confirmed all of them.")
    page.get_by_role("button", name="Return to normal operation").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    assert faults(page) == []

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()

    expect(page.locator("#main").get_by_text("Normal operation from now on.")).to_be_visible()
    expect(page.get_by_text("The bank confirmed all of them.").first).to_be_visible()


def test_the_pages_of_it_are_accessible_and_fit(visitor: Callable[..., Page], halden: Any, now: Any) -> None:
    operations.open_break_glass(why="A drill.", opened_by="root", at=now)
    page = visitor("jonas", size=PHONE)
    for path in ("/people/admit", "/people/daniel?ask=roles", "/people/daniel?ask=disable", "/people/emergencies"):
        page.goto(path)
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
    expect(page.get_by_text("The emergency account is open until").first).to_be_visible()
    page.goto("/people/admit")
    page.get_by_label("Name", exact=True).fill("Nina Ott")
    page.get_by_label("Name to sign in with").fill("nina")
    page.get_by_role("button", name="Admit the person").click()
    link = page.get_by_label("Link").input_value()
    assert faults(page) == []
    page.context.clear_cookies()
    page.goto(link)
    assert faults(page) == []
