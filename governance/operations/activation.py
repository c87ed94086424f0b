"""The activation gate: what has to be in place before an agent begins, checked in one go and told in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from agents import operations as agents
from agents.models import ANY_ACTION, Agent, Blueprint, Principal
from agents.operations import hiring
from governance.models import EscalationPath, PathStep
from governance.operations.policies import rules_now
from governance.rules import Rule, RuleSet
from governance.rules.documents import covers
from observability import ledger

ASSESSED_FROM = Blueprint.Risk.MEDIUM


@dataclass(frozen=True)
class Check:
    """One thing that has to be in place: its stable name, what it says now, and where it is mended: `about` names the
    kind of place (agent, blueprint, assessment, access, policies) and `key` the row."""

    name: str
    label: str
    words: str
    is_met: bool
    about: str
    key: str = ""


class NotReady(ledger.Refused):
    """Something is missing before this agent can begin."""

    code = "not_ready"

    def __init__(self, gaps: list[Check]) -> None:
        super().__init__(fields={gap.name: gap.words for gap in gaps})


def readiness(agent: Agent, *, at: datetime) -> list[Check]:
    """Everything that has to be in place before the agent begins, met or not."""
    rules, _ = rules_now()
    asking = _asking(agent, rules)
    return [
        _sponsor(agent), _blueprint(agent), _boundaries(agent), _autonomy(agent), *_assessment(agent, at),
        *_policies(agent, rules), *_reviewers(agent, asking),
    ]  # fmt: skip


def gaps(agent: Agent, *, at: datetime) -> list[Check]:
    """What is missing before the agent can begin; empty when nothing is."""
    return [check for check in readiness(agent, at=at) if not check.is_met]


@transaction.atomic
def activate_agent(agent: Agent, *, by: ledger.Acts, at: datetime) -> None:
    """Let an agent in review begin, by a second person and only when nothing is missing. Raises NotReady that names
    each gap, and what `agents.operations.activate` raises."""
    hiring.lock_agent(agent)
    missing = gaps(agent, at=at) if agent.status == Agent.Status.IN_REVIEW else []
    if missing and by is not ledger.SYSTEM:
        agents.require(by, "agents.change_agent", agent)
        raise NotReady(missing)
    agents.activate(agent, by=by, at=at)


def _sponsor(agent: Agent) -> Check:
    sponsor, words = agent.accountable, f"{agent.accountable} answers for it."
    is_creator = agent.risk_class == Blueprint.Risk.HIGH and agent.created_by_id == agent.accountable_id
    if not sponsor.is_active:
        words = f"{sponsor} has left. Name another accountable person."
    elif is_creator:
        words = f"{sponsor} created it and cannot answer for an agent of risk class 3. Name somebody else."
    return Check("sponsor", "Accountable person", words, sponsor.is_active and not is_creator, "agent", agent.code)


def _blueprint(agent: Agent) -> Check:
    blueprint = agent.blueprint
    is_met = blueprint.status == Blueprint.Status.ACTIVE
    words = f"{blueprint} is active." if is_met else f"{blueprint} is {blueprint.get_status_display().lower()}."
    return Check("blueprint", "Job description", words, is_met, "blueprint", blueprint.code)


def _boundaries(agent: Agent) -> Check:
    blueprint, named = agent.blueprint, _named_actions(agent)
    if not blueprint.names_its_actions:
        words, is_met = "The job description allows every action. Name those of the job.", False
    elif named:
        words, is_met = f"It may ask for {', '.join(named)} and for nothing else.", True
    elif _takes_steps(agent):
        words, is_met = "It takes steps of workflows and may ask for no action.", True
    else:
        words, is_met = "It may do nothing: name actions in the job description, or let it work in a workflow.", False
    return Check("boundaries", "Boundaries", words, is_met, "blueprint", blueprint.code)


def _named_actions(agent: Agent) -> list[str]:
    return [item["action"] for item in agent.blueprint.actions if item["action"] != ANY_ACTION]


def _takes_steps(agent: Agent) -> bool:
    return bool(agent.principal.rights.rows.get(("workflows", "workflow", "work_in_workflow")))


def _autonomy(agent: Agent) -> Check:
    level, ceiling = agent.autonomy_level, agent.blueprint.autonomy_ceiling
    words = f"Level {level}, and the job description allows at most {ceiling}."
    return Check("autonomy", "Autonomy level", words, level <= ceiling, "agent", agent.code)


def _assessment(agent: Agent, at: datetime) -> Iterator[Check]:
    if agent.risk_class < ASSESSED_FROM:
        return
    found = agent.assessments.valid(at).select_related("by").first()
    words = f"Nobody assessed it within the last year; risk class {agent.risk_class} needs that."
    if found is not None:
        words = f"Assessed by {found.by or 'Autonomy OS'}, valid until {found.valid_until:%Y-%m-%d}."
    yield Check("assessment", "Assessment of risk", words, found is not None, "assessment", agent.code)


def _policies(agent: Agent, rules: RuleSet) -> Iterator[Check]:
    for action in _named_actions(agent):
        keys = sorted({policy.key for policy in rules.policies for rule in policy.rules if _concerns(rule, action)})
        words = f"{', '.join(keys)} decides." if keys else "No policy in force covers it, so it would always be denied."
        yield Check(f"policy:{action}", f"Policy for {action}", words, bool(keys), "policies", keys[0] if keys else "")


def _concerns(rule: Rule, action: str) -> bool:
    return any(covers(pattern, action) for pattern in rule.actions)


def _asking(agent: Agent, rules: RuleSet) -> dict[str, int]:
    """The escalation paths that a question of the agent can take, each with the most approvals a rule wants on it."""
    wanted: dict[str, int] = {}
    actions = _named_actions(agent)
    for rule in (rule for policy in rules.policies for rule in policy.rules):
        if rule.escalate is not None and any(_concerns(rule, action) for action in actions):
            wanted[rule.escalate.path] = max(wanted.get(rule.escalate.path, 1), rule.escalate.approvals)
    return wanted


def _reviewers(agent: Agent, asking: dict[str, int]) -> Iterator[Check]:
    paths = EscalationPath.objects.filter(key__in=asking).prefetch_related("steps__people", "steps__group__user_set")
    may: dict[int, bool] = {}
    for path in paths:
        alone = path.mode == EscalationPath.Mode.PASS_ON  # then each level gives all approvals by itself
        wanted = asking[path.key] if alone else 1
        dead = [step for step in path.steps.all() if _living(step, agent, may) < max(wanted, step.quorum)]
        words = "Everybody on it may decide."
        if dead or not path.steps.all():
            words = _who_is_missing(path, dead, asking[path.key])
        is_met = not dead and bool(path.steps.all())
        yield Check(f"reviewers:{path.key}", f"Reviewers of {path}", words, is_met, "policies", path.key)


def _living(step: PathStep, agent: Agent, may: dict[int, bool]) -> int:
    asked = {person.pk: person for person in step.people.all()}
    if step.group is not None:
        asked |= {person.pk: person for person in step.group.user_set.all()}
    for person in asked.values():
        if person.pk not in may:
            may[person.pk] = _may_decide(person, agent)
    return sum(may[pk] for pk in asked)


def _may_decide(person: Principal, agent: Agent) -> bool:
    settles = person.is_active and person.is_person and person.may("governance.settle_escalation")
    return settles and (person.sees_all_units or agent.unit_id in person.unit_ids())


def _who_is_missing(path: EscalationPath, dead: list[PathStep], approvals: int) -> str:
    if not dead:
        return "It has no level, so nobody can be asked."
    many = f"Fewer than {approvals} people" if approvals > 1 else "Nobody"
    levels = ", ".join(str(step.level) for step in dead)
    return f"{many} on level {levels} of {path} may decide for {path.unit}."
