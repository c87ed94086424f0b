"""The ways a message takes: mail by the company's server, Slack and Teams by Apprise, webhooks by ourselves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apprise import AppriseAsset, NotifyFormat
from apprise.plugins.slack import NotifySlack
from apprise.plugins.workflows import NotifyWorkflows
from django.conf import settings
from django.core.mail import EmailMessage

from agents.operations.signing import sign_detached
from governance.models import NoticePlace
from governance.operations.notices.devices import push, subscription_of
from observability.operations import NotDelivered, NowhereToSend, Resolve, checked, looked_up, send

LONGEST = 2000
# By the class and not by Apprise's own look-up: no address chooses a plug-in, and only these two can be reached.
SERVICES: Mapping[str, Any] = {NoticePlace.Kind.SLACK: NotifySlack, NoticePlace.Kind.TEAMS: NotifyWorkflows}
PARAMETERS = {
    NoticePlace.Kind.SLACK: frozenset[str](),
    NoticePlace.Kind.TEAMS: frozenset({"api-version", "sp", "sv", "sig"}),
}
WHAT_TO_SEND = {
    NoticePlace.Kind.SLACK: "Send the address of an incoming webhook of Slack: https://hooks.slack.com/services/…",
    NoticePlace.Kind.TEAMS: "Send the address of a workflow of Teams that takes webhook requests, as Teams shows it.",
}


class NoAddress(ValueError):
    """Nobody is told there; the text says why."""


@dataclass(frozen=True)
class Message:
    """What is told: a title, plain text, the link of the first thing, the same for programs, and a line for devices."""

    title: str
    text: str
    link: str
    data: Mapping[str, Any]
    brief: str = ""


def checked_address(kind: str, address: str, resolve: Resolve = looked_up) -> str:
    """The address, if it is one of this kind that may be told something. Raises NoAddress."""
    if not 0 < len(address) <= LONGEST:
        raise NoAddress("Send an address.")
    if kind in SERVICES:
        _service_of(kind, address)
    where = _endpoint(address) if kind == NoticePlace.Kind.DEVICE else address
    try:
        checked(where, allowed=settings.OUTGOING_HOSTS, resolve=resolve)
    except NowhereToSend as refused:
        raise NoAddress(str(refused)) from refused
    return address


def _endpoint(address: str) -> str:
    try:
        return str(subscription_of(address)["endpoint"])
    except (ValueError, RecursionError) as wrong:
        raise NoAddress("This is no subscription of a browser.") from wrong


def masked(kind: str, address: str) -> str:
    """What is shown of an address: enough to know it again, not enough to use it."""
    if kind == NoticePlace.Kind.EMAIL:
        return address
    if kind == NoticePlace.Kind.DEVICE:
        return urlsplit(_endpoint(address)).hostname or ""
    return f"{urlsplit(address).hostname}/…{address[-4:]}"


def tell(kind: str, address: str, message: Message, *, resolve: Resolve = looked_up) -> None:
    """Send the message on its way. Raises NotDelivered or NowhereToSend."""
    if kind == NoticePlace.Kind.EMAIL:
        _mail(address, message)
    elif kind in SERVICES:
        _by_service(kind, address, message, resolve)
    elif kind == NoticePlace.Kind.DEVICE:
        push(address, {"title": message.title, "body": message.brief, "link": message.link}, resolve)
    else:
        _hook(address, message, resolve)


def _mail(address: str, message: Message) -> None:
    try:
        taken = EmailMessage(message.title, message.text, to=[address]).send()
    except OSError as failed:  # the errors of smtplib are such
        raise NotDelivered(f"The mail server did not take it: {type(failed).__name__}.") from failed
    if not taken:
        raise NotDelivered("The mail server did not take it.")


def _by_service(kind: str, address: str, message: Message, resolve: Resolve) -> None:
    # The service's host is looked at before each message. What is connected to afterwards has to show the certificate
    # of that host, so a name that leads elsewhere meanwhile gets nothing.
    checked(address, allowed=settings.OUTGOING_HOSTS, resolve=resolve)
    try:
        service = _service_of(kind, address)
    except NoAddress as wrong:
        raise NotDelivered("This address is none any more.") from wrong
    if not service.notify(title=message.title, body=message.text, body_format=NotifyFormat.TEXT):
        raise NotDelivered(f"{NoticePlace.Kind(kind).label} did not take it.")


def _service_of(kind: str, address: str) -> Any:
    plugin = SERVICES[kind]
    asset = AppriseAsset(app_id="Autonomy OS", http_redirects=False, async_mode=False, image_url_mask="")
    given = plugin.parse_native_url(address)
    if (
        given is None
        or not address.startswith("https://")
        or not _has_only(address, PARAMETERS[NoticePlace.Kind(kind)])
    ):
        raise NoAddress(WHAT_TO_SEND[NoticePlace.Kind(kind)])
    try:
        return plugin(**{**given, "asset": asset, "include_image": False, "redirect": False})
    except TypeError as wrong:  # so Apprise refuses what it cannot use
        raise NoAddress(WHAT_TO_SEND[NoticePlace.Kind(kind)]) from wrong


def _has_only(address: str, names: frozenset[str]) -> bool:
    # A parameter could switch off the look at the certificate, or have a template read from anywhere.
    return {name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)} <= names


def _hook(address: str, message: Message, resolve: Resolve) -> None:
    body = json.dumps({"title": message.title, "text": message.text, **message.data}).encode()
    protected, signature = sign_detached(body, typ="JOSE")
    headers = {
        "Content-Type": "application/json", "User-Agent": "Autonomy-OS", "JWS-Signature": f"{protected}..{signature}",
    }  # fmt: skip
    answer = send(address, body, headers=headers, allowed=settings.OUTGOING_HOSTS, resolve=resolve)
    if not answer.is_taken:
        raise NotDelivered(f"It answered with {answer.status}.")
