"""Bench: how many recorded decisions a replay works out in a second under two sets of rules.

python tests/bench/replay.py (reading facts back from JSON text, both rulings, counting; without the database)
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from decide import SCHEMA, documents, questions

from governance.rules import RuleSet, parse_policy, with_standard_fields
from governance.rules.replaying import Replaying, Tally, band_of, cell_of

DECISIONS = 20_000
BAR = 15_000
ROUNDS = 3


def recorded(actions: int) -> list[tuple[str, str]]:
    """Decisions as the database keeps them: the action, and the facts as JSON text."""
    dice = random.Random(3)
    at = datetime(2026, 11, 22, 10, 0, 0, 123456, UTC)
    made = []
    for number in range(DECISIONS):
        facts = dice.choice(questions_of(actions))
        more = {
            **facts, "resource": {**facts["resource"], "id": f"INV-{number}"},
            "context": {**facts["context"], "time": at, "hour": 10, "workflow": "invoice-to-payment"},
            "case": {"approved": []},
        }  # fmt: skip
        made.append((facts["action"]["name"], json.dumps(more, default=str)))
    return made


_QUESTIONS: dict[int, list[dict[str, Any]]] = {}


def questions_of(actions: int) -> list[dict[str, Any]]:
    """The questions of the bench of decisions, made once."""
    return _QUESTIONS.setdefault(actions, questions(actions))


def tried(rules: int, actions: int) -> Replaying:
    """The rules, and the same with one policy stricter."""
    schema = with_standard_fields(SCHEMA)
    written = documents(rules, actions)
    before = RuleSet([parse_policy(document, SCHEMA) for document in written])
    first = json.loads(json.dumps(written[0]).replace("context.amount > 1000", "context.amount > 5"))
    after = RuleSet([parse_policy(document, SCHEMA) for document in ({**first, "version": 2}, *written[1:])])
    return Replaying(before, after, schema, key=first["key"])


def replay(replaying: Replaying, rows: list[tuple[str, str]]) -> Tally:
    """All rows through both sets, counted as the task counts them."""
    tally = Tally()
    for action, text in rows:
        facts = json.loads(text)
        pair = replaying.recorded(action, facts)
        tally.add(cell_of(pair, agent=1, band=band_of(facts)), pair, given="allow")
    return tally


def fastest(act: Callable[[], object], rows: int) -> float:
    """How many rows are done in a second, in the best of a few rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        best = max(best, rows / (time.perf_counter() - start))
    return best


def main() -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; the baseline only reads the facts back from JSON")
    print("rules  actions  decisions   a second   baseline   ratio   flips")
    for rules, actions in ((4, 1), (100, 10), (1_000, 50)):
        replaying, rows = tried(rules, actions), recorded(actions)
        best = fastest(lambda r=replaying, known=rows: replay(r, known), len(rows))
        baseline = fastest(lambda known=rows: [json.loads(text) for _, text in known], len(rows))
        flips = sum(many for cell, many in replay(replaying, rows).cells.items() if cell.is_flip)
        kept = "keeps" if best > BAR else "MISSES"
        print(
            f"{rules:5}  {actions:7}  {len(rows):9,}  {best:9,.0f}  {baseline:9,.0f}  "
            f"{baseline / best:6.1f}  {flips:6,}  {kept} the bar of {BAR:,}"
        )


if __name__ == "__main__":
    main()
