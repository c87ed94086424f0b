"""What can be done in governance: write policies, decide, ask people, stop."""

from governance.operations.boundaries import ActionBounds, bounds_of
from governance.operations.control import Paused, change_control, control_now, require_running
from governance.operations.decisions import Question, answer_again, decide
from governance.operations.delegations import (
    Circular,
    DelegationRefused,
    Terms,
    delegate,
    end_delegation,
    end_overdue,
    may_delegate_for,
)
from governance.operations.escalations import (
    Asked,
    Level,
    NotAReviewer,
    Place,
    ReasonNeeded,
    RequestChanged,
    add_path,
    close,
    delegation_of,
    expire,
    may_settle,
    open_escalation,
    stands_in_for,
    withdraw,
)
from governance.operations.policies import activate, add_policy, check_document, decision_schema, rules_now

__all__ = [
    "ActionBounds",
    "Asked",
    "Circular",
    "DelegationRefused",
    "Level",
    "NotAReviewer",
    "Paused",
    "Place",
    "Question",
    "ReasonNeeded",
    "RequestChanged",
    "Terms",
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
    "delegate",
    "delegation_of",
    "end_delegation",
    "end_overdue",
    "expire",
    "may_delegate_for",
    "may_settle",
    "open_escalation",
    "require_running",
    "rules_now",
    "stands_in_for",
    "withdraw",
]
