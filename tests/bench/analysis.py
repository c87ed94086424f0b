"""Bench: how long 1,000 rules take to read, to compile and to analyse, all of them and with one policy changed, beside
comparing each rule with each other one.

python tests/bench/analysis.py (without the database)
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from decide import SCHEMA, documents
from measuring.times import Times, header, show

from governance.rules import PolicyRules, RuleSet, parse_policy, with_standard_fields
from governance.rules.analysis import Drawn, Surroundings, analyse

RULES, BAR, CHANGED_BAR = 1_000, 20_000, 1_000
SPREADS = (1, 10, 50)
ROUNDS, CHANGES = 3, 9


def changed(document: dict[str, Any], number: int) -> dict[str, Any]:
    """The next version of a policy, stricter by a little."""
    text = json.dumps(document)
    limit = text.partition("context.amount > ")[2].partition('"')[0].split(" ")[0].rstrip(")")
    written = text.replace(f"context.amount > {limit}", f"context.amount > {int(limit) - 1 - number}")
    return {**json.loads(written), "version": 2 + number}


def every_pair(policies: list[PolicyRules]) -> int:
    """What any analysis has to look at if it knows nothing about where rules meet: which pairs share an action."""
    rules = [(set(rule.actions), rule.effect) for policy in policies for rule in policy.rules]
    return sum(bool(mine & its) and effect is not other for mine, effect in rules for its, other in rules)


def around(actions: int) -> Surroundings:
    """A company that has these actions, and people who answer."""
    names = frozenset(f"invoice.act_{number}" for number in range(actions))
    return Surroundings(names, dict.fromkeys(names, ("context.amount",)), {"finance-approver": 3})


def spread(actions: int) -> None:
    """Everything about 1,000 rules of so many actions."""
    schema, written, company = with_standard_fields(SCHEMA), documents(RULES, actions), around(actions)
    header(f"{RULES:,} rules of {actions} actions, in milliseconds")
    pairs, read, compiled = Times("baseline: look at every pair"), Times("read 250 documents"), Times("compile them")
    whole, one = Times("analyse all of them"), Times("analyse one changed policy, before and after")
    policies: list[PolicyRules] = []
    for _ in range(ROUNDS):
        policies = read.take(lambda: [parse_policy(each, schema) for each in written])  # type: ignore[assignment]
        compiled.take(lambda found=policies: RuleSet(found))
        pairs.take(lambda found=policies: every_pair(found))
    found: Any = ()
    for _ in range(ROUNDS if actions > 1 else 1):
        found = whole.take(lambda: analyse(policies, schema, company))
    drawn = Drawn(schema, company.lists)
    first = Times("the first time: nothing was drawn before")
    for number in range(-1, CHANGES):
        (one if number >= 0 else first).take(
            lambda n=number: with_one_changed(policies, written[(n + 7) % len(written)], n, schema, company, drawn)
        )
    show(pairs)
    show(read, beside=pairs)
    show(compiled, beside=pairs)
    show(whole, beside=pairs, bar=BAR)
    show(first, beside=pairs)
    show(one, beside=pairs, bar=CHANGED_BAR)
    print(f"  {len(found):,} findings")


def with_one_changed(
    policies: list[PolicyRules], document: dict[str, Any], number: int, schema: Any, company: Surroundings, drawn: Drawn
) -> None:
    """What the gate asks before a version is put in force: what is found of it now, and what was found before."""
    key = document["key"]
    new = parse_policy(changed(document, number + 1), schema)
    after = [new, *(policy for policy in policies if policy.key != key)]
    analyse(after, schema, company, only=key, drawn=drawn)
    analyse(policies, schema, company, only=key, drawn=drawn)


def main() -> None:
    for actions in SPREADS:
        spread(actions)


if __name__ == "__main__":
    main()
