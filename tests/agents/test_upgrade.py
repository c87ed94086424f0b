"""A database from before blueprints: its agents go on as before, and the way back is open."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

BEFORE, AFTER = [("agents", "0002_change_in_system")], [("agents", "0005_blueprint_is_mandatory")]
OLDER = "tests_of_an_older_database"


@pytest.fixture
def older(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """An empty database of its own in the place of the one that other tests share; a migration back and forth there
    is seen by nobody else."""
    kept = connections["default"]
    name = str(tmp_path / "older.sqlite3") if kept.vendor == "sqlite" else f"{OLDER}_{kept.settings_dict['NAME']}"
    _on_the_server(kept, f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
    # Connections are pooled by the name that settings give to a database, which stays the same here.
    options = {option: value for option, value in kept.settings_dict["OPTIONS"].items() if option != "pool"}
    connections["default"] = type(kept)({**kept.settings_dict, "NAME": name, "OPTIONS": options}, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = kept
        _on_the_server(kept, f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_the_server(kept: Any, *statements: str) -> None:
    if kept.vendor == "postgresql":
        with kept._nodb_cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def at_state(targets: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def test_agents_of_an_older_database_get_a_blueprint_that_leaves_all_to_the_policies(older: None) -> None:
    model = at_state(BEFORE).get_model
    unit = model("agents", "Unit").objects.create(code="finance", name="Finance", path="1/")
    role = model("agents", "Role").objects.create(code="clerk", name="Clerk")
    people = model("agents", "Principal").objects
    maria = people.create(username="maria", name="Maria", kind="person", unit=unit)
    model("auth", "Group").objects.create(name="it")
    for number, risk in enumerate((3, 3, 1), 1):
        model("agents", "Agent").objects.create(
            code=f"A-{number}", name="Clerk", purpose="Pays.", unit=unit, role=role, accountable=maria,
            principal=people.create(username=f"agent:A-{number}", name="A", kind="agent"), risk_class=risk,
            autonomy_level=number, status="active", created_at=timezone.now(),
        )  # fmt: skip

    new = at_state(AFTER)

    agents = {agent.code: agent for agent in new.get_model("agents", "Agent").objects.select_related("blueprint")}
    high, low = agents["A-1"].blueprint, agents["A-3"].blueprint
    assert agents["A-2"].blueprint == high != low
    assert (high.autonomy_ceiling, high.risk_class, high.status) == (2, 3, "active")
    assert high.actions == [{"system": "*", "action": "*", "scope": {}}]
    assert {high.code, low.code} == {"clerk-finance", "clerk-finance-2"}
    it = new.get_model("auth", "Group").objects.get(name="it")
    assert it.permissions.filter(codename="add_blueprint").exists()

    newest = at_state(MigrationExecutor(connection).loader.graph.leaf_nodes())
    assert newest.get_model("agents", "Agent").objects.filter(version=1).count() == 3
    assert at_state(BEFORE).get_model("agents", "Agent").objects.count() == 3
