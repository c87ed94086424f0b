"""What can be done with work, in the order of its life: publish, start, claim, ask, settle, finish, fail, cancel,
and let an agent retire."""

from workflows.operations.actions import request_action
from workflows.operations.definitions import publish
from workflows.operations.people import pass_deadline, settle
from workflows.operations.retiring import Leaves, NoSuccessor, leaves, possible_successors, retire_agent
from workflows.operations.runs import cancel, fire_timer, start
from workflows.operations.work import claim, fail, finish, heartbeat, reclaim

__all__ = [
    "Leaves",
    "NoSuccessor",
    "cancel",
    "claim",
    "fail",
    "finish",
    "fire_timer",
    "heartbeat",
    "leaves",
    "pass_deadline",
    "possible_successors",
    "publish",
    "reclaim",
    "request_action",
    "retire_agent",
    "settle",
    "start",
]
