"""Learning from answers: rules that are suggested and revoked, samples of touchless work, planted cases, figures."""

from governance.operations.learning.alerting import watch
from governance.operations.learning.drafting import LearntAlready, NotLearnt, make_rule, may_revoke, revoke
from governance.operations.learning.insights import (
    PERIODS,
    Period,
    agreement,
    catches_by_policy,
    may_see_others,
    pairs,
    people_seen,
    reviewer_figures,
    rule_figures,
)
from governance.operations.learning.planting import (
    NoPattern,
    Planted,
    ask_planted,
    mark_told,
    may_plant,
    note_planted,
    pattern,
    plant,
    to_tell,
    withdraw_case,
)
from governance.operations.learning.rows import SHOWS, Wanted, person_seen, rows_behind
from governance.operations.learning.sampling import note_checks, sample
from governance.operations.learning.suggesting import (
    NoSuggestion,
    Offer,
    in_force,
    offer_for,
    offer_of,
    offers,
    turn_down,
)
from governance.operations.learning.telling import Told, told_on_card

__all__ = [
    "PERIODS",
    "SHOWS",
    "LearntAlready",
    "NoPattern",
    "NoSuggestion",
    "NotLearnt",
    "Offer",
    "Period",
    "Planted",
    "Told",
    "Wanted",
    "agreement",
    "ask_planted",
    "catches_by_policy",
    "in_force",
    "make_rule",
    "mark_told",
    "may_plant",
    "may_revoke",
    "may_see_others",
    "note_checks",
    "note_planted",
    "offer_for",
    "offer_of",
    "offers",
    "pairs",
    "pattern",
    "people_seen",
    "person_seen",
    "plant",
    "reviewer_figures",
    "revoke",
    "rows_behind",
    "rule_figures",
    "sample",
    "to_tell",
    "told_on_card",
    "turn_down",
    "watch",
    "withdraw_case",
]
