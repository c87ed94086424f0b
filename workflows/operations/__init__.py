"""What can be done with work, in the order of its life: publish, start, claim, ask, settle, finish, fail, cancel."""

from workflows.operations.actions import request_action
from workflows.operations.definitions import publish
from workflows.operations.people import pass_deadline, settle
from workflows.operations.runs import cancel, fire_timer, start
from workflows.operations.work import claim, fail, finish, heartbeat, reclaim

__all__ = [
    "cancel",
    "claim",
    "fail",
    "finish",
    "fire_timer",
    "heartbeat",
    "pass_deadline",
    "publish",
    "reclaim",
    "request_action",
    "settle",
    "start",
]
