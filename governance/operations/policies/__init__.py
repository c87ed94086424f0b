"""Policies: check a document, keep it as a version, activate it; and the compiled rules that decide now."""

from governance.operations.policies.documents import PolicyRefused, check_document, document_digest, said
from governance.operations.policies.life import TestsFail, activate, add_policy
from governance.operations.policies.rulebook import PoliciesUnreadable, rules_now
from governance.operations.policies.schema import OWN_FIELDS, decision_schema

__all__ = [
    "OWN_FIELDS",
    "PoliciesUnreadable",
    "PolicyRefused",
    "TestsFail",
    "activate",
    "add_policy",
    "check_document",
    "decision_schema",
    "document_digest",
    "rules_now",
    "said",
]
