"""Whose turn it is: the place of a step in the queue, fair between units.

Each step gets its turn when it opens: one share behind the last of its unit that stands ready, and never before the
step that is next now. So a unit with 10,000 steps and a unit with one take turns, and no claim has to count."""

from django.conf import settings
from django.db import connection

from workflows.models import Step

_TURNS = """
SELECT (SELECT turn FROM workflows_step WHERE status = 'ready' AND role = %s AND unit_id = %s AND priority = %s
        ORDER BY turn DESC LIMIT 1),
       (SELECT turn FROM workflows_step WHERE status = 'ready' AND role = %s AND priority = %s
        ORDER BY turn LIMIT 1)
"""


def next_turn(step: Step, *, role: str = "") -> float:
    """The turn of a step that comes to the queue now, of its own role or another one."""
    of_role = role or step.role
    place = (of_role, step.run.unit_id, step.priority, of_role, step.priority)
    with connection.cursor() as cursor:
        cursor.execute(_TURNS, place)
        last, first = cursor.fetchone()
    return behind(last, first, share_of(step))


def behind(last: float | None, first: float | None, share: float) -> float:
    """One share behind the last of the unit, and never before the one that is next; None where there is none."""
    return float(max(first or 0.0, last or 0.0) + share)


def share_of(step: Step) -> float:
    """How far one step moves its unit on: the less, the more the unit weighs."""
    return 1.0 / settings.UNIT_WEIGHTS.get(step.run.unit.code, 1)
