"""Who still has to approve: levels with a quorum, one after another or all at once. Plain values in and out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PASS_ON, IN_ORDER, PARALLEL = "pass_on", "in_order", "parallel"


@dataclass(frozen=True)
class Progress:
    """Where a question stands after the approvals so far: settled by them, or asked on the level at this place;
    `lacking` is how many are missing altogether, `short` names the places of levels that lack some."""

    is_settled: bool
    place: int
    lacking: int
    short: tuple[int, ...] = ()


def needed_for(mode: str, quorums: Sequence[int], place: int, wanted: int) -> int:
    """How many people have to approve altogether: what the policy wants, and at least what the path does."""
    return max(wanted, quorums[place] if mode == PASS_ON else sum(quorums))


def progress(mode: str, quorums: Sequence[int], place: int, wanted: int, given: Mapping[int, int]) -> Progress:
    """What the approvals `given` on each level, by its place, amount to; `place` is the level that is asked now. The
    last of the levels waits also for what the policy wants beyond their quorums."""
    total = sum(given.values())
    if mode == PASS_ON:
        lacking = max(needed_for(mode, quorums, place, wanted) - total, 0)
        return Progress(lacking == 0, place, lacking)
    short = {each: max(quorum - given.get(each, 0), 0) for each, quorum in enumerate(quorums)}
    lacking = max(sum(short.values()), wanted - total)
    behind = place if mode == IN_ORDER else 0
    ahead = next((each for each in range(behind, len(quorums)) if short[each]), len(quorums) - 1)
    missing = tuple(each for each in short if short[each])
    return Progress(lacking <= 0, ahead, max(lacking, 0), missing)


def level_for(mode: str, quorums: Sequence[int], place: int, given: Mapping[int, int], asking: Sequence[int]) -> int:
    """On which level the approval of somebody counts whom the levels `asking` ask, by their places: where all are asked
    at once the first of theirs that lacks one, otherwise the level that is asked now."""
    if mode != PARALLEL or not asking:
        return place
    return next((each for each in asking if given.get(each, 0) < quorums[each]), asking[0])
