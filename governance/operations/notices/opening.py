"""The link in a notice: signed, for one person, good once and for a while. It opens the card and decides nothing."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction

from agents.models import Principal
from governance.models import Escalation, Notice
from observability import ledger

SALT = "governance.notice"
GOOD_FOR = timedelta(days=7)


class LinkOld(ledger.Refused):
    """This link was used already, or is too old. What waits for you stands in the queue."""

    status = 410
    code = "link_old"


class LinkOfAnother(ledger.NotAllowed):
    """This link is for somebody else. What waits for you stands in the queue."""

    code = "link_of_another"


def link_token(notice: Notice) -> str:
    """What the link of this notice ends with."""
    return signing.dumps(str(notice.uid), salt=SALT)


@transaction.atomic
def open_link(token: str, *, by: Principal, at: datetime) -> Escalation:
    """The question that the link leads this person to; nobody else, and no second time. Raises LinkOld,
    LinkOfAnother, or NotFound for what the person may not see any more."""
    try:
        uid = UUID(signing.loads(token, salt=SALT, max_age=GOOD_FOR))
    except (signing.BadSignature, ValueError, TypeError) as wrong:
        raise LinkOld from wrong
    notice = Notice.objects.select_related("place", "escalation").filter(uid=uid).first()
    if notice is None:
        raise LinkOld
    if notice.place.person_id != by.pk:
        raise LinkOfAnother
    if not Notice.objects.filter(pk=notice.pk, opened_at=None).update(opened_at=at):
        raise LinkOld
    if not notice.escalation.is_visible_to(by):
        raise ledger.NotFound
    return notice.escalation
