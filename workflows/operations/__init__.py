"""What can be done with work, in the order of its life: publish, start, claim, ask, settle, finish, fail, cancel,
and let an agent retire."""

from workflows.operations.actions import request_action
from workflows.operations.definitions import publish
from workflows.operations.follows import add_follow, drop_follow, find_follow
from workflows.operations.handling import amend, answer_inquiry, ask_agent, hand_over
from workflows.operations.hooks import Way, add_hook, find_hook, revoke_hook, take_call
from workflows.operations.messages import Letter, UnknownMessage, deliver, send_message
from workflows.operations.people import pass_deadline, settle, take_effect, undo
from workflows.operations.retiring import Leaves, NoSuccessor, leaves, possible_successors, retire_agent
from workflows.operations.runs import cancel, check_time, fire_timer, fire_together, start
from workflows.operations.schedules import (
    Plan,
    add_schedule,
    end_schedule,
    find_schedule,
    pause_schedule,
    resume_schedule,
    start_scheduled,
)
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
from workflows.operations.tables import (
    DMN_AT_MOST_BYTES,
    DmnRefused,
    NothingDecided,
    publish_table,
    tables_named,
    try_table,
)
from workflows.operations.together import TOGETHER_AT_MOST, Item, NotTogether, Outcome, settle_together
from workflows.operations.work import claim, fail, finish, has_work, heartbeat, pass_time_limit, reclaim

__all__ = [
    "DMN_AT_MOST_BYTES",
    "TOGETHER_AT_MOST",
    "DmnRefused",
    "Item",
    "LeaseVoid",
    "Leaves",
    "Letter",
    "NoSuccessor",
    "NotTogether",
    "NothingDecided",
    "Outcome",
    "Plan",
    "Stops",
    "UnknownMessage",
    "Way",
    "add_follow",
    "add_hook",
    "add_schedule",
    "amend",
    "answer_inquiry",
    "ask_agent",
    "cancel",
    "check_time",
    "claim",
    "deliver",
    "drop_follow",
    "end_schedule",
    "fail",
    "find_follow",
    "find_hook",
    "find_schedule",
    "find_scope",
    "finish",
    "fire_timer",
    "fire_together",
    "hand_over",
    "has_work",
    "heartbeat",
    "leaves",
    "may_be_stopped_by",
    "pass_deadline",
    "pass_time_limit",
    "pause_schedule",
    "possible_successors",
    "practise",
    "publish",
    "publish_table",
    "reclaim",
    "request_action",
    "resume_schedule",
    "retire_agent",
    "revoke_hook",
    "scope_of",
    "send_message",
    "set_control",
    "settle",
    "settle_together",
    "start",
    "start_scheduled",
    "stops_if",
    "tables_named",
    "take_call",
    "take_effect",
    "try_table",
    "undo",
    "void_leases",
]
