"""Runs: start one, let it advance by what happens, end it. Whoever touches a run locks its row first."""

from workflows.operations.runs.going import (
    cancel,
    carry_out,
    check_time,
    end,
    fire_timer,
    fire_together,
    happen,
    let_go,
    step_is_done,
    stop,
)
from workflows.operations.runs.rows import checked_values, locked
from workflows.operations.runs.starting import Begun, Origin, Wanted, begin, start, start_many
from workflows.operations.runs.steps import close_step

__all__ = [
    "Begun",
    "Origin",
    "Wanted",
    "begin",
    "cancel",
    "carry_out",
    "check_time",
    "checked_values",
    "close_step",
    "end",
    "fire_timer",
    "fire_together",
    "happen",
    "let_go",
    "locked",
    "start",
    "start_many",
    "step_is_done",
    "stop",
]
