"""Comments: what people say about a version, in the order of time."""

from datetime import datetime

from django.db import transaction

from agents.models import Principal
from governance.models import PolicyComment, PolicyVersion
from observability import ledger

COMMENT_AT_MOST = 4000


@transaction.atomic
def add_comment(version: PolicyVersion, text: str, *, by: Principal, at: datetime) -> PolicyComment:
    """A remark of a person who may see the policy, for everybody who may."""
    if not (by.is_person and by.is_active and type(version.policy).objects.visible_to(by).filter(pk=version.policy_id)):
        raise ledger.NotAllowed("Only people who may see the policy comment on it.")
    comment = note(version, PolicyComment.Kind.COMMENT, text, by=by, at=at, needed="Write what you want to say.")
    if comment is None:
        raise ValueError("a comment without text was kept")
    ledger.record("policy.commented", version, by=by, at=at, why=comment.text)
    return comment


def note(
    version: PolicyVersion, kind: str, text: str, *, by: ledger.Acts, at: datetime, needed: str = ""
) -> PolicyComment | None:
    """Keep what was said with a step of the version's life; nothing when nothing was said, unless it is `needed`."""
    said = text.strip()
    name = "text" if kind == PolicyComment.Kind.COMMENT else "reason"
    if needed and not said:
        raise ledger.Invalid("Nothing was changed.", fields={name: needed})
    if len(said) > COMMENT_AT_MOST:
        raise ledger.Invalid("Nothing was changed.", fields={name: f"At most {COMMENT_AT_MOST:,} characters."})
    if not said:
        return None
    author = by if isinstance(by, Principal) else None
    return PolicyComment.objects.create(version=version, kind=kind, author=author, at=at, text=said)
