"""Analysis: what is wrong with the rules in force, and what a version would bring with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.models import Principal, System
from governance.language import Kind, Schema
from governance.models import EscalationPath, PolicyVersion
from governance.operations.policies.documents import check_document
from governance.operations.policies.rulebook import rules_now
from governance.operations.policies.schema import lists_now
from governance.rules import PolicyRules, RuleSet
from governance.rules.analysis import WRONG, Drawn, Finding, Surroundings, analyse

_MONEY = ("amount", "cost", "price", "total", "value")


@dataclass(frozen=True)
class Analysis:
    """The findings about one version, and those of them that the version in force does not have."""

    findings: tuple[Finding, ...]
    new: frozenset[tuple[str, str, str, str]]

    @property
    def stopping(self) -> list[Finding]:
        """What keeps the version from being put in force."""
        return [finding for finding in self.findings if finding.sort in WRONG and finding.identity in self.new]


def analyse_all() -> tuple[Finding, ...]:
    """The findings about all rules in force, and the lists that none of them reads."""
    rules, schema = rules_now()
    around = surroundings()
    return analyse(_readable(rules), schema, around, drawn=_drawn_before(schema, around))


def unreadable() -> dict[str, str]:
    """Why each policy in force that cannot be read any more cannot, by its key."""
    return {policy.key: policy.problem for policy in rules_now()[0].policies if policy.problem}


def _readable(rules: RuleSet) -> list[PolicyRules]:
    return [policy for policy in rules.policies if not policy.problem]


def analyse_version(version: PolicyVersion) -> Analysis:
    """The findings about a version beside all other policies in force. Raises PolicyRefused when it cannot be read."""
    rules, schema = rules_now()
    around, key = surroundings(), version.policy.key
    drawn = _drawn_before(schema, around)
    beside = [policy for policy in _readable(rules) if policy.key != key]
    findings = analyse([*beside, check_document(version.document)], schema, around, only=key, drawn=drawn)
    before = {finding.identity for finding in analyse(_readable(rules), schema, around, only=key, drawn=drawn)}
    return Analysis(findings, frozenset(finding.identity for finding in findings) - before)


_last: list[Drawn] = []


def _drawn_before(schema: Schema, around: Surroundings) -> Drawn:
    """What the last analysis in this process drew, where the schema and the lists are still the same."""
    if not (_last and _last[0].fits(schema, around.lists)):
        _last[:] = [Drawn(schema, around.lists)]
    return _last[0]


def surroundings() -> Surroundings:
    """What the company has beside its rules: actions and their money, people on the escalation paths, lists."""
    systems = list(System.objects.all())
    money = {action["name"]: _money(system) for system in systems for action in system.actions}
    return Surroundings(frozenset(money), money, _reviewers(), lists_now())


def _money(system: System) -> tuple[str, ...]:
    """The decimal fields of a request that say how much money leaves: those that have a currency beside them."""
    paths = {field["path"] for field in system.fields}
    return tuple(
        field["path"] for field in system.fields
        if field["kind"] == Kind.DECIMAL and field["path"].startswith("context.")
        and field["path"].rpartition(".")[2].rpartition("_")[2] in _MONEY and "context.currency" in paths
    )  # fmt: skip


def _reviewers() -> Mapping[str, int]:
    """How many people stand on each path, on all its levels together."""
    found: dict[str, int] = {}
    paths = EscalationPath.objects.prefetch_related("steps__people", "steps__group")
    members: dict[int, set[int]] = {}
    for group, person in Principal.objects.people().filter(is_active=True).values_list("groups", "pk"):
        members.setdefault(group, set()).add(person)
    for path in paths:
        people = {person.pk for step in path.steps.all() for person in step.people.all() if person.is_active}
        for step in path.steps.all():
            people |= members.get(step.group_id or 0, set())
        found[path.key] = len(people)
    return found
