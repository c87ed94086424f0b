"""Bench: how long one decision takes in process, beside a naive chain of Python ifs without an index.

python tests/bench/decide.py
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from governance.language import Field, Kind, Schema
from governance.rules import RuleSet, parse_policy

ROLES = tuple(f"role_{number}" for number in range(20))
SCHEMA = Schema(
    [
        Field("resource.country", Kind.STRING),
        Field("resource.vendor.bank_changed_days", Kind.INT),
        Field("resource.po_matched", Kind.BOOL),
        Field("context.amount", Kind.DECIMAL),
        Field("context.currency", Kind.STRING),
        Field("perm.pay", Kind.BOOL, source="fact"),
        Field("budget.day.left", Kind.DECIMAL, source="fact"),
    ]
)
CONDITIONS = (
    ("deny", 'resource.country in ["RU", "KP"] && context.amount > {limit}'),
    (
        "escalate",
        'subject.role == "{role}" && (context.amount > {limit} || context.amount > budget.day.left)',
    ),
    ("escalate", 'subject.role == "{role}" && resource.vendor.bank_changed_days < {days}'),
    (
        "allow",
        'subject.role == "{role}" && subject.autonomy_level >= 2 && perm.pay && context.currency in ["EUR"]',
    ),
)
ROUNDS = 2_000


def documents(rules: int, actions: int) -> list[dict[str, Any]]:
    """Policies with four rules each, spread evenly over the actions."""
    made = []
    for number in range(rules // 4):
        values = {"role": ROLES[number // actions % 20], "limit": 1000 + number * 7, "days": number % 30}
        made.append(
            {
                "apiVersion": "autonomyos/v1",
                "kind": "Policy",
                "key": f"bench.policy-{number:04}",
                "version": 1,
                "title": "Bench",
                "scope": {"actions": [f"invoice.act_{number % actions}"], "resource": "invoice"},
                "rules": [_rule(index, effect, text, values) for index, (effect, text) in enumerate(CONDITIONS)],
            }
        )
    return made


def _rule(index: int, effect: str, text: str, values: dict[str, Any]) -> dict[str, Any]:
    rule = {"id": f"r{index}", "effect": effect, "reason": "{context.amount} EUR by {subject.role}."}
    rule["when"] = text.replace("{role}", values["role"]).replace("{limit}", str(values["limit"]))
    rule["when"] = rule["when"].replace("{days}", str(values["days"]))
    terms = {"escalate": {"path": "finance-approver", "sla": "4h"}} if effect == "escalate" else {}
    capped = {"obligations": [{"type": "cap", "field": "context.amount", "max": 5000}]} if effect == "allow" else {}
    return {**rule, **terms, **capped}


def questions(actions: int) -> list[dict[str, Any]]:
    """Questions as facts, most of them ordinary, one in ten large."""
    dice = random.Random(7)
    return [
        {
            "subject": {"id": "a", "status": "active", "role": dice.choice(ROLES), "autonomy_level": 2},
            "action": {"name": f"invoice.act_{dice.randrange(actions)}"},
            "resource": {
                "type": "invoice",
                "id": "INV-1",
                "country": "DE",
                "po_matched": True,
                "vendor": {"bank_changed_days": dice.randrange(20, 400)},
            },
            "context": {"amount": Decimal(dice.choice([10] * 9 + [90_000])), "currency": "EUR"},
            "perm": {"pay": True},
            "budget": {"day": {"left": Decimal(20_000)}},
        }
        for _ in range(200)
    ]


def naive(rules: int, actions: int) -> Callable[[dict[str, Any]], list[str]]:
    """The same rules as a plain chain of ifs over every rule."""
    rows = [
        (
            f"invoice.act_{number % actions}",
            ROLES[number // actions % 20],
            Decimal(1000 + number * 7),
            number % 30,
        )
        for number in range(rules // 4)
    ]

    def decide(facts: dict[str, Any]) -> list[str]:
        found = []
        subject, resource, context = facts["subject"], facts["resource"], facts["context"]
        for action, role, limit, days in rows:
            same = facts["action"]["name"] == action and resource["type"] == "invoice"
            if same and resource["country"] in ["RU", "KP"] and context["amount"] > limit:
                found.append("deny")
            if same and subject["role"] == role:
                if context["amount"] > limit or context["amount"] > facts["budget"]["day"]["left"]:
                    found.append("escalate")
                if resource["vendor"]["bank_changed_days"] < days:
                    found.append("escalate")
                if subject["autonomy_level"] >= 2 and facts["perm"]["pay"] and context["currency"] in ["EUR"]:
                    found.append("allow")
        return found

    return decide


def measure(function: Callable[[dict[str, Any]], object], asked: list[dict[str, Any]]) -> tuple[float, float]:
    """p50 and p99 in microseconds."""
    taken = []
    for number in range(ROUNDS):
        facts = asked[number % len(asked)]
        start = time.perf_counter_ns()
        function(facts)
        taken.append((time.perf_counter_ns() - start) / 1000)
    cuts = statistics.quantiles(taken, n=100)
    return cuts[49], cuts[98]


def rows() -> list[tuple[str, int, int, tuple[float, float], tuple[float, float], float]]:
    """One row per size: build time, matching only, whole decision, ratio to the naive chain."""
    result = []
    for rules, actions in ((100, 1), (100, 10), (1_000, 1), (1_000, 50)):
        start = time.perf_counter()
        rule_set = RuleSet([parse_policy(document, SCHEMA) for document in documents(rules, actions)])
        build = f"{(time.perf_counter() - start) * 1000:.0f} ms"
        asked = questions(actions)
        tables = {facts["action"]["name"]: rule_set._table_for(facts["action"]["name"]) for facts in asked}
        match = measure(lambda facts, by=tables: by[facts["action"]["name"]].find_matching(facts), asked)
        whole = measure(rule_set.decide, asked)
        plain = measure(naive(rules, actions), asked)
        result.append((build, rules, actions, match, whole, match[0] / plain[0]))
    return result


def main() -> None:
    print("rules  actions   build     match p50/p99 us   decision p50/p99 us   match : naive ifs")
    for build, rules, actions, match, whole, ratio in rows():
        shown = f"{match[0]:8.1f} /{match[1]:7.1f} {whole[0]:12.1f} /{whole[1]:7.1f}"
        print(f"{rules:5}  {actions:7}  {build:>7}  {shown} {ratio:15.2f}")


if __name__ == "__main__":
    main()
