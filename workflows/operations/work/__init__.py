"""The work queue: an agent claims steps under a lease, keeps it alive, finishes or fails them, gives them back or hands
them off; silence gives them back."""

from workflows.operations.work.assigning import able_to_take, assign
from workflows.operations.work.batches import (
    ITEMS_AT_MOST,
    Answered,
    Batch,
    Report,
    finish_and_claim,
    report_together,
)
from workflows.operations.work.claiming import CLAIMS_AT_MOST, Claimed, claim, claim_many, has_work
from workflows.operations.work.handing import Given, HandOffAltered, Reference, hand_off, read_hand_offs
from workflows.operations.work.leases import StaleLease, heartbeat, held, held_for_report, release
from workflows.operations.work.reporting import Failure, Result, fail, finish, pass_time_limit, reclaim
from workflows.operations.work.telling import Heard, choose_task, escalate, tasks_beside
from workflows.operations.work.waiting import hurry

__all__ = [
    "CLAIMS_AT_MOST",
    "ITEMS_AT_MOST",
    "Answered",
    "Batch",
    "Claimed",
    "Failure",
    "Given",
    "HandOffAltered",
    "Heard",
    "Reference",
    "Report",
    "Result",
    "StaleLease",
    "able_to_take",
    "assign",
    "choose_task",
    "claim",
    "claim_many",
    "escalate",
    "fail",
    "finish",
    "finish_and_claim",
    "hand_off",
    "has_work",
    "heartbeat",
    "held",
    "held_for_report",
    "hurry",
    "pass_time_limit",
    "read_hand_offs",
    "reclaim",
    "release",
    "report_together",
    "tasks_beside",
]
