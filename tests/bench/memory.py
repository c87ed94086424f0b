"""Bench: how long a look into shared memory takes, by key and by words, with 1,000,000 facts in ten spaces.

DATABASE_URL=postgresql://... python tests/bench/memory.py [how many facts, at least 50,000]
"""

import random
import sys
from typing import TYPE_CHECKING

from measuring.database import company, own_database
from measuring.times import header, measured, show

if TYPE_CHECKING:
    from autonomy_site.demo.company import Halden

FACTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
SPACES, SELLERS = 10, 20_000
ROUNDS = 300
BAR_MS = 3
SEED_SPACES = """
INSERT INTO workflows_space (code, name, purpose, unit_id, scope, schema)
SELECT 'bench-' || n, 'Bench ' || n, '', %s, 'unit', '{}' FROM generate_series(1, %s) n
"""
SEED_FACTS = """
INSERT INTO workflows_fact (uid, space_id, key, kind, value, text, words, value_sha256, author_id, evidence,
    trust, marks, sensitivity, cost, seconds, at, invalid_why, reused)
SELECT md5('fact' || n)::uuid, s.id, 'order po-' || n, 'json',
    jsonb_build_object('total', n || '.00', 'seller', 'Seller ' || n %% %(sellers)s), '',
    'order po ' || n || ' total seller seller' || n %% %(sellers)s, repeat('0', 64), %(author)s, '[]', 'usual', '[]',
    'internal', 0.02, 2.5, now() - n * interval '1 second', '', 0
FROM generate_series(1, %(facts)s) n JOIN workflows_space s ON s.code = 'bench-' || (1 + n %% %(spaces)s)
"""


def seed(halden: "Halden") -> None:
    """The facts, written by the database itself."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SEED_SPACES, [halden.units["finance"].pk, SPACES])
        known = {"facts": FACTS, "spaces": SPACES, "sellers": SELLERS, "author": halden.agents["AP-02"].pk}
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'fact_words'")
        (words,) = cursor.fetchone()
        cursor.execute("DROP INDEX fact_words")  # made once for all of them: a tenth of the time
        cursor.execute(SEED_FACTS, known)
        cursor.execute(words)
        cursor.execute("VACUUM ANALYZE workflows_fact")


def reading(halden: "Halden") -> None:
    """Print how long the looks take."""
    from agents.models import Agent
    from observability.ledger import database_now
    from workflows import memory
    from workflows.models import Fact, Space

    choice, spaces = random.Random(7), {space.code: space for space in Space.objects.filter(code__startswith="bench-")}

    def agent(code: str) -> Agent:
        return Agent.objects.select_related("principal", "blueprint", "role", "unit").get(code=code)

    author, other = agent("AP-02"), agent("RK-01")

    def by_key(_: int, who: Agent = author) -> None:
        number = choice.randint(1, FACTS)
        fact = memory.get(spaces[f"bench-{1 + number % SPACES}"], f"Order PO-{number}", agent=who, at=database_now())
        if fact is None:
            raise SystemExit("A fact was not found.")

    def by_words(text: str) -> None:
        if not list(memory.search(halden.people["priya"], text, at=database_now())[:50].values_list("pk", "key")):
            raise SystemExit("Nothing was found.")

    header(f"A look into shared memory with {Fact.objects.count():,} facts, in milliseconds")
    alone = measured("by key, the bare row", lambda _: _bare(choice), ROUNDS)
    show(alone)
    show(measured("memory.get by its author", by_key, ROUNDS), beside=alone, bar=BAR_MS)
    show(measured("memory.get by another, reuse counted", lambda n: by_key(n, other), ROUNDS), beside=alone)
    show(measured("search: two words, one hit", lambda _: by_words(f"order {choice.randint(1, FACTS)}"), ROUNDS))
    show(measured("search: a seller, 50 hits", lambda _: by_words(f"seller{choice.randint(2_000, 19_999)}"), ROUNDS))
    show(measured("search: a word that all facts say", lambda _: by_words("order total"), 20))


def _bare(choice: random.Random) -> None:
    from workflows.models import Fact

    number = choice.randint(1, FACTS)
    space = f"bench-{1 + number % SPACES}"
    Fact.objects.filter(space__code=space, key=f"order po-{number}").values_list("value").first()


def main() -> None:
    with own_database("memory"):
        halden = company()
        seed(halden)
        reading(halden)
        from django.db import connections

        connections.close_all()
        connections["default"].close_pool()


if __name__ == "__main__":
    main()
