"""Two versions side by side: what changed, in words and as text."""

from governance.models import PolicyVersion
from governance.operations.policies.schema import decision_schema
from governance.rules.changes import Comparison, compare


def compared(before: PolicyVersion, after: PolicyVersion) -> Comparison:
    """What the later version says otherwise than the earlier one."""
    return compare(before.document, after.document, decision_schema())
