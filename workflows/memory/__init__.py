"""Shared memory: a result found once is kept under a canonical key and found by all who may read its space; in the
order of its life: claim, keep, look, search, confirm, invalidate, purge."""

from workflows.memory.counting import Reuse, Reuses, count_reuses, day_of, reuses
from workflows.memory.flights import Begun, StaleClaim, begin, give_up, held_flight, landed, may_begin, take
from workflows.memory.graphs import derived_from, editions_of, near_keys, origins_of
from workflows.memory.judging import confirm, invalidate, may_confirm, may_curate, may_invalidate
from workflows.memory.keeping import FILE_AT_MOST_BYTES, VALUE_AT_MOST_BYTES, FileGiven, Finding, keep, put
from workflows.memory.looking import (
    MemoryRefused,
    canonical_key,
    count_reuse,
    current,
    get,
    permit,
    permit_search,
    search,
)
from workflows.memory.purging import Purge, may_purge, purge, purge_if
from workflows.memory.spaces import SpaceTerms, add_space, may_write, open_to_workflow, problems_of

__all__ = [
    "FILE_AT_MOST_BYTES",
    "VALUE_AT_MOST_BYTES",
    "Begun",
    "FileGiven",
    "Finding",
    "MemoryRefused",
    "Purge",
    "Reuse",
    "Reuses",
    "SpaceTerms",
    "StaleClaim",
    "add_space",
    "begin",
    "canonical_key",
    "confirm",
    "count_reuse",
    "count_reuses",
    "current",
    "day_of",
    "derived_from",
    "editions_of",
    "get",
    "give_up",
    "held_flight",
    "invalidate",
    "keep",
    "landed",
    "may_begin",
    "may_confirm",
    "may_curate",
    "may_invalidate",
    "may_purge",
    "may_write",
    "near_keys",
    "open_to_workflow",
    "origins_of",
    "permit",
    "permit_search",
    "problems_of",
    "purge",
    "purge_if",
    "put",
    "reuses",
    "search",
    "take",
]
