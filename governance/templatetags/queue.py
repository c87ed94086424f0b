"""The queue of questions in templates."""

from datetime import datetime
from decimal import Decimal

from django import template

from agents.models import Principal
from governance.models import Escalation

register = template.Library()


@register.filter
def looker(escalation: Escalation, at: datetime) -> Principal | None:
    """Who looks at the question at that time."""
    return escalation.looker(at)


@register.filter
def amount_words(amount: Decimal) -> str:
    """A round amount as people read it: 10,000."""
    return f"{amount:,.0f}"
