"""People look after running work: pause it, put right what failed, skip, change, move, begin again. Each by right, with
a reason, in the ledger, and refused when it no longer fits."""

from workflows.operations.intervening.choosing import choose, tasks_around
from workflows.operations.intervening.entering import ActedAlready, may_intervene
from workflows.operations.intervening.moving import move_token, places_for
from workflows.operations.intervening.pausing import Reached, called_with, pause_run, resume_run
from workflows.operations.intervening.restarting import restart
from workflows.operations.intervening.steps import reassign, retry, skip
from workflows.operations.intervening.together import ACTS, RUNS_AT_MOST, RunOutcome, act_together
from workflows.operations.intervening.variables import change_variable

__all__ = [
    "ACTS",
    "RUNS_AT_MOST",
    "ActedAlready",
    "Reached",
    "RunOutcome",
    "act_together",
    "called_with",
    "change_variable",
    "choose",
    "may_intervene",
    "move_token",
    "pause_run",
    "places_for",
    "reassign",
    "restart",
    "resume_run",
    "retry",
    "skip",
    "tasks_around",
]
