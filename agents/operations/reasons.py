"""Reasons that people give for what they do."""

from observability import ledger

WHY_AT_MOST = 2000


def check_length(why: str) -> None:
    """Raise Invalid when a reason is longer than the ledger's readers are asked to read."""
    if len(why) > WHY_AT_MOST:
        raise ledger.Invalid(fields={"why": f"The reason is longer than {WHY_AT_MOST} characters."})
