"""Bench: the same rules and requests through our engine and those of others, each answer checked by an oracle.

python tests/bench/engines.py (installs nothing: `make bench` brings the group `bench`)

Everybody gets an index by action for nothing and whatever can be prepared before the request. Amounts are exact for us
and whole cents for the others, which have no decimals that compare with numbers. Cedar knows permit and forbid only: it
is asked in one call of two requests, may this be done and must a person be asked. agent-os-kernel has one comparison
per rule, so its rules are simpler: one equality each.
"""

import gc
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import cedarpy
from agent_os.policies.evaluator import PolicyEvaluator
from agent_os.policies.schema import PolicyDocument
from cel_expr_python import cel
from decide import ROLES, SCHEMA, documents

from governance.language import Schema
from governance.rules import RuleSet, Ruling, derive, parse_policy, with_standard_fields

SIZES = ((100, 5), (1_000, 10), (10_000, 50))
ASKED = 300
BEST_OF = 7
CHECKED = 5_000
AT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
Request = dict[str, Any]


def requests(actions: int, number: int, *, complete: bool) -> list[Request]:
    """What agents ask and what is known about them; of those that are not `complete` some leave a field out."""
    dice = random.Random(11)
    return [_request(dice, actions, complete) for _ in range(number)]


def _request(dice: random.Random, actions: int, complete: bool) -> Request:
    vendor = {"bank_changed_days": dice.randrange(400)}
    resource = {"type": "invoice", "id": "INV-1", "country": dice.choice(["DE"] * 8 + ["KP"]), "po_matched": True}
    asked = {
        "action": {"name": f"invoice.act_{dice.randrange(actions)}"},
        "resource": {**resource, "vendor": vendor},
        "context": {
            "amount": f"{dice.choice([10, 10, 10, 2_000, 90_000])}.{dice.randrange(100):02}",
            "currency": dice.choice(["EUR", "EUR", "EUR", "USD"]),
        },
    }
    facts = {
        "subject": {
            "status": "active",
            "id": "a",
            "role": dice.choice(ROLES),
            "autonomy_level": dice.choice([1, 2, 3]),
        },
        "perm": {"pay": dice.random() < 0.9},
        "budget": {"day": {"left": Decimal(dice.choice([5, 20_000]))}},
    }
    if not complete:
        for group, name in (
            (asked["resource"], "country"), (asked["context"], "amount"), (asked["context"], "currency"),
            (vendor, "bank_changed_days"), (facts["subject"], "role"), (facts["perm"], "pay"),
            (facts["budget"]["day"], "left"), (facts["subject"], "autonomy_level"), (asked["resource"], "type"),
        ):  # fmt: skip
            if dice.random() < 0.05:
                del group[name]
    return {"asked": asked, "facts": facts, "lot": dice.randrange(10**9)}


# --- the oracle: written from the meaning of the rules, without anything of the engine --------------------------------

UNKNOWN = None


def both(*answers: bool | None) -> bool | None:
    """True when all are, false when one is, else nobody knows."""
    if any(answer is False for answer in answers):
        return False
    return UNKNOWN if any(answer is UNKNOWN for answer in answers) else True


def either(*answers: bool | None) -> bool | None:
    """False when all are, true when one is, else nobody knows."""
    if any(answer is True for answer in answers):
        return True
    return UNKNOWN if any(answer is UNKNOWN for answer in answers) else False


def known(test: Callable[..., bool], *values: Any) -> bool | None:
    """What the test says, or that nobody knows because a value is missing."""
    return UNKNOWN if any(value is None for value in values) else test(*values)


def oracle(rules: int, actions: int) -> Callable[[Request], tuple[str, tuple[str, ...], str | None]]:
    """The verdict, the rules that match in any order, and the amount it is capped to."""

    def answer(request: Request) -> tuple[str, tuple[str, ...], str | None]:
        hits: dict[str, list[str]] = {"deny": [], "escalate": [], "allow": []}
        for number in range(rules // 4):
            if request["asked"]["action"]["name"] == f"invoice.act_{number % actions}":
                for place, (effect, is_hit) in enumerate(_asked_one_by_one(request, number, actions)):
                    if is_hit or (is_hit is UNKNOWN and effect != "allow"):
                        hits[effect].append(f"bench.policy-{number:04}@1#r{place}")
        verdict = "deny" if hits["deny"] or not hits["allow"] else "escalate" if hits["escalate"] else "allow"
        return verdict, tuple(sorted(chain(*hits.values()))), "5000" if verdict == "allow" else None

    return answer


def _asked_one_by_one(request: Request, number: int, actions: int) -> list[tuple[str, bool | None]]:
    resource, context = request["asked"]["resource"], request["asked"]["context"]
    subject, facts = request["facts"]["subject"], request["facts"]
    amount = Decimal(context["amount"]) if "amount" in context else None
    limit, days, role = Decimal(1000 + number * 7), number % 30, ROLES[number // actions % 20]
    is_invoice = known(lambda kind: kind == "invoice", resource.get("type"))
    is_role = known(lambda own: own == role, subject.get("role"))
    is_above = known(lambda asked: asked > limit, amount)
    is_over = known(lambda asked, left: asked > left, amount, facts["budget"]["day"].get("left"))
    is_fresh = known(lambda changed: changed < days, resource["vendor"].get("bank_changed_days"))
    is_barred = known(lambda country: country in ("RU", "KP"), resource.get("country"))
    is_senior = known(lambda level: level >= 2, subject.get("autonomy_level"))
    is_euro = known(lambda currency: currency == "EUR", context.get("currency"))
    return [
        ("deny", both(is_invoice, is_barred, is_above)),
        ("escalate", both(is_invoice, is_role, either(is_above, is_over))),
        ("escalate", both(is_invoice, is_role, is_fresh)),
        ("allow", both(is_invoice, is_role, is_senior, facts["perm"].get("pay"), is_euro)),
    ]


# --- the engines: each gives a function of a request, and of its answer the verdict -----------------------------------


class Ours:
    """The whole decision: intake, facts, ruling with obligations, escalation terms and reason."""

    name = "Autonomy OS, whole decision"

    def __init__(self, rules: int, actions: int) -> None:
        self.schema: Schema = with_standard_fields(SCHEMA)
        self.rules = RuleSet([parse_policy(document, SCHEMA) for document in documents(rules, actions)])

    def decide(self, request: Request) -> Ruling:
        """What the operation does around its statements, see governance/operations/facts.py."""
        facts = self.schema.coerce(request["asked"], only="request")
        for group, supplied in request["facts"].items():
            facts[group] = {**facts.get(group, {}), **supplied}
        facts["context"] = {**facts["context"], "time": AT, "workflow": "invoice-to-payment"}
        return self.rules.decide(derive(facts))

    def verdict(self, answer: Ruling) -> str:
        return answer.verdict.value


def flat(request: Request) -> dict[str, Any]:
    """What the others read: one level, amounts in cents."""
    asked, facts = request["asked"], request["facts"]
    amount = int(Decimal(asked["context"]["amount"]) * 100)
    return {
        "thing": asked["resource"]["type"], "country": asked["resource"]["country"],
        "days": asked["resource"]["vendor"]["bank_changed_days"], "amount": amount,
        "currency": asked["context"]["currency"], "role": facts["subject"]["role"],
        "level": facts["subject"]["autonomy_level"], "pay": facts["perm"]["pay"],
        "left": int(facts["budget"]["day"]["left"] * 100),
    }  # fmt: skip


def written(rules: int, actions: int, in_list: str, root: str) -> dict[str, list[tuple[str, str]]]:
    """Effect and condition of each rule by its action, in the words that Cedar and CEL share but for membership."""
    found: dict[str, list[tuple[str, str]]] = {}
    for number in range(rules // 4):
        limit, days, role = (1000 + number * 7) * 100, number % 30, ROLES[number // actions % 20]
        own = f'{root}thing == "invoice" && {root}role == "{role}"'
        barred = in_list.format(root + "country", '["RU", "KP"]')
        in_euro = in_list.format(root + "currency", '["EUR"]')
        found.setdefault(f"invoice.act_{number % actions}", []).extend(
            [
                ("deny", f'{root}thing == "invoice" && {barred} && {root}amount > {limit}'),
                ("escalate", f"{own} && ({root}amount > {limit} || {root}amount > {root}left)"),
                ("escalate", f"{own} && {root}days < {days}"),
                ("allow", f"{own} && {root}level >= 2 && {root}pay && {in_euro}"),
            ]
        )
    return found


class Cedar:
    """One PolicySet per action; two requests in one call."""

    name = "cedarpy, PolicySet per action"

    def __init__(self, rules: int, actions: int) -> None:
        heads = {"allow": ("permit", "do"), "deny": ("forbid", "do"), "escalate": ("permit", "ask")}
        self.sets = {
            action: cedarpy.PolicySet.from_str(
                "\n".join(
                    '{}(principal, action == Action::"{}", resource) when {{ {} }};'.format(*heads[effect], when)
                    for effect, when in conditions
                )
            )
            for action, conditions in written(rules, actions, "{1}.contains({0})", "context.").items()
        }
        self.entities = cedarpy.Entities.from_json_str("[]")

    def decide(self, request: Request) -> list[Any]:
        """Whether it may be done, and whether a person has to be asked."""
        context = flat(request)
        asked = {"principal": 'Agent::"a"', "resource": 'Invoice::"1"', "context": context}
        both_ways = [{**asked, "action": f'Action::"{word}"'} for word in ("do", "ask")]
        return cedarpy.is_authorized_batch(both_ways, self.sets[request["asked"]["action"]["name"]], self.entities)

    def verdict(self, answer: list[Any]) -> str:
        may, must_ask = answer
        return "deny" if not may.allowed else "escalate" if must_ask.allowed else "allow"


class Cel:
    """Every rule of the action compiled, evaluated with one activation per request."""

    name = "cel-expr-python, index by action"

    def __init__(self, rules: int, actions: int) -> None:
        kinds = {"pay": cel.Type.BOOL, **dict.fromkeys(("days", "amount", "level", "left"), cel.Type.INT)}
        kinds |= dict.fromkeys(("thing", "country", "currency", "role"), cel.Type.STRING)
        self.env = cel.NewEnv(variables=kinds)
        self.rules = {
            action: [(effect, self.env.compile(when)) for effect, when in conditions]
            for action, conditions in written(rules, actions, "{0} in {1}", "").items()
        }

    def decide(self, request: Request) -> set[str]:
        """The effects of the rules that match."""
        activation = self.env.Activation(flat(request))
        conditions = self.rules[request["asked"]["action"]["name"]]
        return {effect for effect, when in conditions if when.eval(activation).value()}

    def verdict(self, answer: set[str]) -> str:
        if "deny" in answer or "allow" not in answer:
            return "deny"
        return "escalate" if "escalate" in answer else "allow"


class Kernel:
    """Simpler rules, as it has only these: as many as the others, each one equality; the first that matches decides."""

    name = "agent-os-kernel, one equality per rule"

    def __init__(self, rules: int, actions: int) -> None:
        self.keys = [
            f"invoice.act_{number % actions}/{ROLES[number // actions % 20]}/{number}" for number in range(rules)
        ]
        made = [
            {"name": key, "action": "deny", "condition": {"field": "key", "operator": "eq", "value": key}}
            for key in self.keys
        ]
        document = {"name": "bench", "rules": made, "defaults": {"action": "allow"}}
        self.engine = PolicyEvaluator(policies=[PolicyDocument.model_validate(document)])

    def key(self, request: Request) -> str:
        """A key that one rule in two requests names, anywhere among the rules."""
        return self.keys[request["lot"] // 2 % len(self.keys)] if request["lot"] % 2 else "nothing"

    def decide(self, request: Request) -> Any:
        """Its own decision."""
        return self.engine.evaluate({"key": self.key(request), "role": request["facts"]["subject"]["role"]})

    def expected(self, request: Request) -> str:
        return "deny" if self.key(request) in self.keys else "allow"

    def verdict(self, answer: Any) -> str:
        return "allow" if answer.allowed else "deny"


# --- measuring ----------------------------------------------------------------------------------------------------


def timed(decide: Callable[[Request], object], asked: list[Request]) -> tuple[list[float], list[float]]:
    """Microseconds for each request: the best of several turns, and all of them but the first, which warms up."""
    every: list[list[float]] = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(BEST_OF + 1):
            turn = []
            for request in asked:
                start = time.perf_counter_ns()
                decide(request)
                turn.append((time.perf_counter_ns() - start) / 1000)
            every.append(turn)
    finally:
        gc.enable()
    best = [min(times) for times in zip(*every[1:], strict=True)]
    return best, [taken for turn in every[1:] for taken in turn]


def cuts(times: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    found = statistics.quantiles(times, n=100, method="inclusive")
    return found[49], found[98]


def wrong_answers(ours: Ours, rules: int, actions: int) -> int:
    """How many of our answers differ from the oracle's in verdict, matching rules, cap or reason, with fields missing;
    each is asked twice, since the second time much is remembered."""
    answer, wrong = oracle(rules, actions), 0
    for request in requests(actions, CHECKED if rules < 10_000 else CHECKED // 5, complete=False):
        expected = answer(request)
        wrong += any(_told(ours.decide(request), request) != (*expected, True) for _ in range(2))
    return wrong


def _told(ruling: Ruling, request: Request) -> tuple[str, tuple[str, ...], str | None, bool]:
    caps = [each["max"] for each in ruling.obligations]
    amount = request["asked"]["context"].get("amount")
    shown = f"{Decimal(amount):,f} EUR by" if amount else "not given EUR by"
    is_said = ruling.reason.startswith((shown, "No rule allows"))
    return ruling.verdict.value, tuple(sorted(ruling.matched)), caps[0] if caps else None, is_said


def compare(rules: int, actions: int) -> None:
    """One size: every engine with the same requests, and how often it is wrong."""
    asked = requests(actions, ASKED, complete=True)
    right = [oracle(rules, actions)(request)[0] for request in asked]
    print(f"\n{rules:,} rules, {actions} actions; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"  {'':<42}{'ready s':>9}{'best p50':>10}{'p99':>9}{'all p50':>10}{'p99':>9}{'ratio':>8}{'wrong':>7}")
    first = 0.0
    for engine in (Ours, Cedar, Cel, Kernel):
        start = time.perf_counter()
        made: Any = engine(rules, actions)
        ready = time.perf_counter() - start
        given = [made.verdict(made.decide(request)) for request in asked]
        expected = [made.expected(request) for request in asked] if engine is Kernel else right
        wrong = sum(own != other for own, other in zip(given, expected, strict=True))
        best, every = timed(made.decide, asked)
        first = first or cuts(best)[0]
        figures = "".join(
            f"{value:{width}.1f}" for value, width in zip((*cuts(best), *cuts(every)), (10, 9, 10, 9), strict=True)
        )
        print(f"  {made.name:<42}{ready:9.2f}{figures}{cuts(best)[0] / first:8.1f}{wrong:7}", flush=True)
        if engine is Ours:
            print(f"    against the oracle, fields missing: {wrong_answers(made, rules, actions)} wrong answers")


def main() -> None:
    """Every size."""
    print("microseconds per decision; best: of 7 turns per request, all: every turn")
    for rules, actions in SIZES:
        compare(rules, actions)


if __name__ == "__main__":
    main()
