"""The activation gate of a policy: what has to be true of a version before it decides, each told in one sentence.

A further check is one more function in `GATE`: it gets what was `Looked` at and gives checks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.models import Principal
from governance.language import Schema
from governance.models import Decision, EscalationPath, PathStep, PolicyVersion, Replay
from governance.operations.policies.documents import said, tests_of
from governance.operations.policies.findings import analyse_version
from governance.operations.policies.schema import decision_schema
from governance.rules import PolicyInvalid, PolicyRules, TestResult, parse_policy
from governance.rules.coverage import not_hit
from governance.rules.documents import covers
from observability import ledger

ASKED = timedelta(days=90)
SHOWN = 3  # so many names stand in a sentence; the page of the version has them all


@dataclass(frozen=True)
class GateCheck:
    """One thing that has to be true: its stable name, what it says now, and where it is mended: `about` names the kind
    of place (document, tests, paths, review, ...) and `key` the row. Shadow wants only what is `for_shadow`."""

    name: str
    label: str
    words: str
    is_met: bool
    about: str
    key: str = ""
    for_shadow: bool = False


@dataclass(frozen=True)
class Looked:
    """What the checks look at: the version, its rules (None when they cannot be read, and `problem` says why), the
    results of its tests."""

    version: PolicyVersion
    schema: Schema
    at: datetime
    rules: PolicyRules | None = None
    problem: str = ""
    results: tuple[TestResult, ...] = field(default=())


class GateClosed(ledger.Refused):
    """Something is missing before this version can be put in force. Nothing was changed."""

    code = "gate_closed"

    def __init__(self, open_checks: Iterable[GateCheck]) -> None:
        super().__init__(fields={check.name: check.words for check in open_checks})


def gate_of(version: PolicyVersion, *, at: datetime) -> list[GateCheck]:
    """Everything that has to be true before the version decides, met or not."""
    looked = _look(version, at)
    return [check for look in GATE for check in look(looked)]


def require_gate(version: PolicyVersion, *, at: datetime, shadow: bool = False) -> None:
    """Raise GateClosed that names every open check; for a shadow version only those that concern it."""
    missing = [check for check in gate_of(version, at=at) if not check.is_met and (check.for_shadow or not shadow)]
    if missing:
        raise GateClosed(missing)


def _look(version: PolicyVersion, at: datetime) -> Looked:
    schema = decision_schema()
    try:
        rules = parse_policy(version.document, schema)
        return Looked(version, schema, at, rules, results=tests_of(version.document))
    except PolicyInvalid as invalid:
        return Looked(version, schema, at, problem=said(invalid.problems[0]))


def _reads(looked: Looked) -> Iterator[GateCheck]:
    words = looked.problem or "Every rule is understood, and its fields are known."
    yield GateCheck("reads", "It can be read", words, not looked.problem, "document", for_shadow=True)


def _tests(looked: Looked) -> Iterator[GateCheck]:
    failed = [result for result in looked.results if not result.passed]
    many = len(looked.results)
    words = f"{many} test{'s' * (many != 1)} pass{'es' * (many == 1)}."
    if looked.rules is None:
        words = "They run when the document can be read."
    elif not many:
        words = "It has no test. Write at least one for every rule."
    elif failed:
        words = " ".join(failure_of(result) for result in failed[:SHOWN]) + _and_more(failed)
    yield GateCheck("tests", "Its tests pass", words, bool(many) and not failed, "tests", for_shadow=True)


def failure_of(result: TestResult) -> str:
    """What is wrong with a test that does not pass, in one sentence."""
    if result.problem:
        return f"“{result.name}” cannot run: {result.problem}."
    return f"“{result.name}” expects {_told(result.expected)} and gets {_told(result.actual)}."


def _told(part: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {'none' if value is None else value}" for name, value in part.items())


def _and_more(found: list[TestResult]) -> str:
    return f" And {len(found) - SHOWN} more." if len(found) > SHOWN else ""


def _coverage(looked: Looked) -> Iterator[GateCheck]:
    rules = looked.rules.rules if looked.rules else ()
    missed = not_hit(looked.rules, looked.results) if looked.rules else ()
    words = f"Each of the {len(rules)} rules applies in at least one test."
    if len(rules) == 1:
        words = "Its rule applies in at least one test."
    if looked.rules is None:
        words = "This is known when the document can be read."
    elif missed:
        words = f"No test makes {', '.join(missed)} apply. Write one for {'it' if len(missed) == 1 else 'each'}."
    is_met = looked.rules is not None and not missed
    yield GateCheck("coverage", "Every rule is tested", words, is_met, "tests")


def _paths(looked: Looked) -> Iterator[GateCheck]:
    wanted: dict[str, int] = {}
    for rule in looked.rules.rules if looked.rules else ():
        if rule.escalate is not None:
            wanted[rule.escalate.path] = max(wanted.get(rule.escalate.path, 1), rule.escalate.approvals)
    found = EscalationPath.objects.filter(key__in=wanted).prefetch_related("steps__people", "steps__group__user_set")
    by_key = {path.key: path for path in found}
    wrong = [words for key, many in wanted.items() if (words := _wrong_with(key, by_key.get(key), many))]
    words = " ".join(wrong) or ("Everybody who is asked is there." if wanted else "No rule asks a person.")
    yield GateCheck("paths", "Somebody answers when it asks", words, not wrong, "paths", next(iter(wanted), ""))


def _wrong_with(key: str, path: EscalationPath | None, approvals: int) -> str:
    if path is None:
        return f"There is no escalation path {key}."
    steps = list(path.steps.all())
    if not steps:
        return f"{path} has no level, so nobody can be asked."
    alone = path.mode == EscalationPath.Mode.PASS_ON  # then each level gives all approvals by itself
    wanted = {step.level: max(step.quorum, approvals if alone else 1) for step in steps}
    short = [str(step.level) for step in steps if len(_deciding(step)) < wanted[step.level]]
    most = max(wanted.values())
    many = f"fewer than {most} people" if most > 1 else "nobody"
    return f"On level {', '.join(short)} of {path} {many} may decide." if short else ""


def _deciding(step: PathStep) -> set[int]:
    asked = {*step.people.all(), *(step.group.user_set.all() if step.group else ())}
    return {person.pk for person in asked if _may_decide(person)}


def _may_decide(person: Principal) -> bool:
    return person.is_active and person.is_person and person.may("governance.settle_escalation")


def _second_person(looked: Looked) -> Iterator[GateCheck]:
    version = looked.version
    is_met = version.approved_at is not None
    words = "Nobody has approved it. Ask for review; somebody else than its author approves."
    if version.status == PolicyVersion.Status.IN_REVIEW:
        words = f"It waits for somebody else than {version.author or 'its author'} to approve it."
    if is_met:
        words = f"{version.approved_by or 'Autonomy OS'} approved it; {version.author or 'Autonomy OS'} wrote it."
    yield GateCheck("second_person", "A second person approved", words, is_met, "review", for_shadow=True)


def _analysis(looked: Looked) -> Iterator[GateCheck]:
    stopping = analyse_version(looked.version).stopping if looked.rules is not None else []
    words = "No rule is dead, shadowed or contradicted that was not so before."
    if looked.rules is None:
        words = "This is known when the document can be read."
    elif stopping:
        told = " ".join(f"{finding.rule}: {finding.message}" for finding in stopping[:SHOWN])
        words = told + (f" And {len(stopping) - SHOWN} more." if len(stopping) > SHOWN else "")
    yield GateCheck(
        "analysis", "The analysis finds nothing wrong", words, looked.rules is not None and not stopping, "analysis"
    )


def _replay(looked: Looked) -> Iterator[GateCheck]:
    seen = Replay.objects.looked_at(looked.version)
    words = "Somebody looked at what it would have changed."
    is_met = seen or not _was_asked(looked)
    if not seen:
        words = "Look at a replay: what it would have answered to the decisions of the last days."
    if is_met and not seen:
        words = f"Nothing was decided about its actions in the last {ASKED.days} days; there is nothing to replay."
    yield GateCheck("replay", "A replay was looked at", words, is_met, "replay")


def _was_asked(looked: Looked) -> bool:
    """Whether there is a decision of the last days that a replay of this version would decide again."""
    lately = Decision.objects.filter(at__gte=looked.at - ASKED).order_by()
    patterns = looked.rules.actions if looked.rules is not None else ("*",)
    actions = lately.values_list("action", flat=True).distinct()
    return any(covers(pattern, action) for action in actions for pattern in patterns)


GATE: tuple[Callable[[Looked], Iterator[GateCheck]], ...] = (
    _reads,
    _tests,
    _coverage,
    _paths,
    _analysis,
    _replay,
    _second_person,
)
"""The checks, in the order in which people read them."""
