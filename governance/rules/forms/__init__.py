"""Rules of governance, forms: a policy as a form that people fill in, and back to its document, without loss.

text <-> tree <-> condition of a form (conditions), document <-> form of a policy (documents), form -> words (sentences)
"""

from governance.rules.forms.checking import Checked, check_form
from governance.rules.forms.conditions import FormInvalid, normal, to_cel, to_form, to_tree
from governance.rules.forms.documents import from_document, to_document
from governance.rules.forms.operators import OPERATORS, Operator, Wants, operators_of
from governance.rules.forms.sentences import condition_words, rule_words
from governance.rules.forms.trees import as_json

__all__ = [
    "OPERATORS",
    "Checked",
    "FormInvalid",
    "Operator",
    "Wants",
    "as_json",
    "check_form",
    "condition_words",
    "from_document",
    "normal",
    "operators_of",
    "rule_words",
    "to_cel",
    "to_document",
    "to_form",
    "to_tree",
]
