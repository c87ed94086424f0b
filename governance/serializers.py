"""Shape of governance: notices as messages in words. They hold titles, deadlines and links, and nothing else."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from governance.models import Escalation, Notice, NoticePlace
from governance.operations.notices import Message, link_token, wish_of
from governance.rules.notifying import Happening
from observability.templatetags.ledger import inert

LISTED = 20
_LINKS = re.compile(r"(?<=[^\s.:])([.:])(?=[^\W\d_]|//)")
BEGINS = {
    Happening.ARRIVED: "Waits for you", Happening.REMINDED: "Due soon", Happening.PASSED_ON: "Passed on to you",
    Happening.HANDED: "Handed to you", Happening.ANSWERED: "Answered", Happening.DECIDED: "Decided by somebody else",
}  # fmt: skip


def message_of(place: NoticePlace, notices: Sequence[Notice]) -> Message:
    """What one place is told of all these at once: each question once, the next deadline first."""
    latest = {notice.escalation_id: notice for notice in sorted(notices, key=lambda each: each.position)}
    told = sorted(latest.values(), key=lambda each: (each.escalation.due_at, each.pk))
    zone = ZoneInfo(wish_of(place.person).zone)
    base = settings.PUBLIC_URL or place.base
    items = [_item(notice, base, zone) for notice in told[:LISTED]]
    text = "\n\n".join(f"{each['begins']}: {each['title']}\n{each['when']}\n{each['link']}" for each in items)
    if len(told) > LISTED:
        text += f"\n\nAnd {len(told) - LISTED} more: {base}{reverse('escalations')}"
    title = f"{items[0]['begins']}: {items[0]['title']}" if len(told) == 1 else f"{len(told)} questions for you"
    data = {"notices": [{name: each[name] for name in ("kind", "title", "due_at", "link")} for each in items]}
    brief = items[0]["when"] if len(told) == 1 else f"{items[0]['title']}: {items[0]['when']}"
    link = items[0]["link"] if len(told) == 1 else f"{base}{reverse('escalations')}"
    return Message(title[:200], f"{text}\n", link, data, brief[:300])


def _item(notice: Notice, base: str, zone: ZoneInfo) -> dict[str, str]:
    escalation, happening = notice.escalation, Happening(notice.happening)
    decided = happening is Happening.DECIDED
    return {
        "kind": str(happening), "begins": BEGINS[happening], "title": _unlinked(escalation),
        "due_at": escalation.due_at.isoformat(),
        "when": f"{escalation.get_status_display()}." if decided else f"Decide by {_clock(escalation.due_at, zone)}.",
        "link": f"{base}{reverse('escalation-open', args=[link_token(notice)])}",
    }  # fmt: skip


def _unlinked(escalation: Escalation) -> str:
    # An agent's words in a message that people trust: no reader of mail or chat makes an address of them. What an
    # action is called looks like one, and is none of its words.
    action = str(escalation.request.get("action", ""))
    words = inert(escalation.title).split()
    return " ".join(word if word == action else _LINKS.sub(r"\1 ", word) for word in words)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M} ({zone.key})"


def trial_message(place: NoticePlace) -> Message:
    """What a person sends to a place to see whether it arrives."""
    link = f"{settings.PUBLIC_URL or place.base}{reverse('settings-notifications')}"
    return Message(
        "A test from Autonomy OS", f"You are told here.\n{link}\n", link, {"notices": []}, "You are told here."
    )
