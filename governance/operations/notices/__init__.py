"""Notices: what people want to be told of, what happened that they are to be told of, and how it leaves this server."""

from governance.operations.notices.collecting import collect_notices
from governance.operations.notices.devices import application_key
from governance.operations.notices.opening import LinkOfAnother, LinkOld, link_token, open_link
from governance.operations.notices.sending import Message, Outcome, deliver, note_sent, take_notices
from governance.operations.notices.wishes import (
    NoAddress,
    add_place,
    kinds_for,
    places_of,
    remove_place,
    save_wish,
    wish_of,
)

__all__ = [
    "LinkOfAnother",
    "LinkOld",
    "Message",
    "NoAddress",
    "Outcome",
    "add_place",
    "application_key",
    "collect_notices",
    "deliver",
    "kinds_for",
    "link_token",
    "note_sent",
    "open_link",
    "places_of",
    "remove_place",
    "save_wish",
    "take_notices",
    "wish_of",
]
