"""What can be done with work, in the order of its life: publish, start, claim, ask, settle, finish, fail, cancel,
and let an agent retire."""

from workflows.operations.actions import request_action
from workflows.operations.definitions import publish
from workflows.operations.handling import amend, answer_inquiry, ask_agent, hand_over
from workflows.operations.landing import land, over
from workflows.operations.people import pass_deadline, settle, take_effect, undo
from workflows.operations.retiring import Leaves, NoSuccessor, leaves, possible_successors, retire_agent
from workflows.operations.runs import cancel, fire_timer, start
from workflows.operations.stopping import (
    LeaseVoid,
    Stops,
    find_scope,
    may_be_stopped_by,
    practise,
    scope_of,
    set_control,
    stops_if,
    void_leases,
)
from workflows.operations.together import TOGETHER_AT_MOST, Item, NotTogether, Outcome, settle_together
from workflows.operations.work import claim, fail, finish, has_work, heartbeat, reclaim

__all__ = [
    "TOGETHER_AT_MOST",
    "Item",
    "LeaseVoid",
    "Leaves",
    "NoSuccessor",
    "NotTogether",
    "Outcome",
    "Stops",
    "amend",
    "answer_inquiry",
    "ask_agent",
    "cancel",
    "claim",
    "fail",
    "find_scope",
    "finish",
    "fire_timer",
    "hand_over",
    "has_work",
    "heartbeat",
    "land",
    "leaves",
    "may_be_stopped_by",
    "over",
    "pass_deadline",
    "possible_successors",
    "practise",
    "publish",
    "reclaim",
    "request_action",
    "retire_agent",
    "scope_of",
    "set_control",
    "settle",
    "settle_together",
    "start",
    "stops_if",
    "take_effect",
    "undo",
    "void_leases",
]
