"""What can be done in governance: write policies, decide, ask people, stop."""

from governance.operations.boundaries import ActionBounds, bounds_of
from governance.operations.control import Paused, change_control, control_now, loosens, require_running
from governance.operations.decisions import Question, answer_again, decide
from governance.operations.escalations import (
    Asked,
    Level,
    NotAReviewer,
    Place,
    ReasonNeeded,
    RequestChanged,
    add_path,
    close,
    expire,
    may_settle,
    open_escalation,
    withdraw,
)
from governance.operations.policies import activate, add_policy, check_document, decision_schema, rules_now

__all__ = [
    "ActionBounds",
    "Asked",
    "Level",
    "NotAReviewer",
    "Paused",
    "Place",
    "Question",
    "ReasonNeeded",
    "RequestChanged",
    "activate",
    "add_path",
    "add_policy",
    "answer_again",
    "bounds_of",
    "change_control",
    "check_document",
    "close",
    "control_now",
    "decide",
    "decision_schema",
    "expire",
    "loosens",
    "may_settle",
    "open_escalation",
    "require_running",
    "rules_now",
    "withdraw",
]
