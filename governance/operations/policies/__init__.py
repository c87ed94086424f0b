"""Policies: what a document says, its life from a draft to what decides, the gate before that, the rule book."""

from governance.operations.policies.comments import add_comment
from governance.operations.policies.comparing import compared
from governance.operations.policies.documents import (
    PolicyRefused,
    check_document,
    document_digest,
    problems_of,
    said,
    same_content,
    tests_of,
)
from governance.operations.policies.drafts import (
    RESERVED,
    ChangedMeanwhile,
    NotYourDraft,
    add_policy,
    go_back,
    may_rewrite,
    may_write,
    require_writer,
    rewrite_draft,
)
from governance.operations.policies.gallery import PolicyTemplate, begun_from, gallery, template
from governance.operations.policies.gate import GATE, GateCheck, GateClosed, failure_of, gate_of, require_gate
from governance.operations.policies.life import (
    OwnVersion,
    TestsFail,
    activate,
    approve,
    ask_review,
    may_approve,
    retire,
    send_back,
    shadow,
    withdraw_review,
)
from governance.operations.policies.rulebook import rules_now, systems_now, turn_page
from governance.operations.policies.schema import OWN_FIELDS, decision_schema, lists_now

__all__ = [
    "GATE",
    "OWN_FIELDS",
    "RESERVED",
    "ChangedMeanwhile",
    "GateCheck",
    "GateClosed",
    "NotYourDraft",
    "OwnVersion",
    "PolicyRefused",
    "PolicyTemplate",
    "TestsFail",
    "activate",
    "add_comment",
    "add_policy",
    "approve",
    "ask_review",
    "begun_from",
    "check_document",
    "compared",
    "decision_schema",
    "document_digest",
    "failure_of",
    "gallery",
    "gate_of",
    "go_back",
    "lists_now",
    "may_approve",
    "may_rewrite",
    "may_write",
    "problems_of",
    "require_gate",
    "require_writer",
    "retire",
    "rewrite_draft",
    "rules_now",
    "said",
    "same_content",
    "send_back",
    "shadow",
    "systems_now",
    "template",
    "tests_of",
    "turn_page",
    "withdraw_review",
]
