"""The policy language: typed conditions (a subset of CEL with exact decimals) and sentences.

text -> tokens and tree (reading) -> typed terms (checking)
     -> Python function (compiling) or exact meaning (interpreting)
"""

from governance.language.explaining import Condition
from governance.language.expressions import Expression, all_of, compile_expression, compile_tree
from governance.language.interpreting import Facts
from governance.language.problems import (
    EvaluationFailed,
    LanguageError,
    Missing,
    Problem,
    RequestInvalid,
    did_you_mean,
)
from governance.language.schema import Field, Schema, find
from governance.language.templates import Template, compile_template
from governance.language.values import (
    Kind,
    WrongValue,
    format_duration,
    parse_duration,
    parse_timestamp,
    show,
)

__all__ = [
    "Condition",
    "EvaluationFailed",
    "Expression",
    "Facts",
    "Field",
    "Kind",
    "LanguageError",
    "Missing",
    "Problem",
    "RequestInvalid",
    "Schema",
    "Template",
    "WrongValue",
    "all_of",
    "compile_expression",
    "compile_template",
    "compile_tree",
    "did_you_mean",
    "find",
    "format_duration",
    "parse_duration",
    "parse_timestamp",
    "show",
]
