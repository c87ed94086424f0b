"""The rules of governance: policy documents in, rulings out; plain values only, no database, no clock.

document -> PolicyRules (documents) -> RuleSet (deciding) -> Ruling; question -> facts (intake)
"""

from governance.rules.deciding import RuleSet
from governance.rules.documents import covers, parse_policy, unreadable_policy, with_standard_fields
from governance.rules.examples import run_tests
from governance.rules.intake import STANDARD_FIELDS, derive, flatten
from governance.rules.reading import PolicyInvalid
from governance.rules.shapes import (
    Effect,
    EscalationTerms,
    Obligation,
    PolicyRules,
    Rule,
    Ruling,
    TestResult,
    Verdict,
)

__all__ = [
    "STANDARD_FIELDS",
    "Effect",
    "EscalationTerms",
    "Obligation",
    "PolicyInvalid",
    "PolicyRules",
    "Rule",
    "RuleSet",
    "Ruling",
    "TestResult",
    "Verdict",
    "covers",
    "derive",
    "flatten",
    "parse_policy",
    "run_tests",
    "unreadable_policy",
    "with_standard_fields",
]
