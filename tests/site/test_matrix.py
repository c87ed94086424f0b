"""Who may do what: every route and method, asked by every kind of caller about the things of its own and another unit.

matrix.txt is the table of what is right; where it differs from what the server answers, the test prints the rows."""

from collections.abc import Iterator

from django.core.cache import cache
from django.db import transaction
from django.urls import reverse

from tests.site.routes import CALLERS, DOORS, MATRIX, PAGES, Door, known, nothing
from tests.site.world import World

Row = tuple[str, str, str]  # route, method, whose thing


def table() -> dict[Row, list[str]]:
    """What each caller shall be answered, by route, method and whose thing it is about."""
    lines = [line.split() for line in MATRIX.read_text().splitlines() if line and not line.startswith("#")]
    heading, *rows = lines
    assert tuple(heading[3:]) == CALLERS
    return {(row[0], row[1], row[2]): row[3:] for row in rows}


def rows(world: World) -> Iterator[tuple[Row, Door, bool]]:
    """Every row that the table needs: two for a route that is about a unit's things, otherwise one."""
    for doors, is_api in ((DOORS, True), (PAGES, False)):
        for (name, method), door in doors.items():
            concerns_a_unit = door.asked(world.own) != door.asked(world.far)
            for whose in ("own", "far") if concerns_a_unit else ("-",):
                yield (name, method, whose), door, is_api


def answered(world: World, caller: str, row: Row, door: Door, is_api: bool) -> str:
    """The status that this caller is answered, as the table has it; nothing of what was done stays."""
    name, method, whose = row
    cache.clear()  # how often one may try to sign in is tested elsewhere
    names, given = door.asked(world.far if whose == "far" else world.own)
    with transaction.atomic():
        answer = world.ask(caller, method, reverse(name, args=names), given, is_api=is_api, If_Match="*")
        transaction.set_rollback(True)
    to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/sign-in")
    return "in" if to_sign_in else str(answer.status_code)


def line(row: Row, statuses: list[str]) -> str:
    """One row as matrix.txt has it."""
    return "{:21} {:6} {:4}".format(*row) + "".join(f"{status:>10}" for status in statuses)


def test_every_route_is_known_here() -> None:
    missing = known() - set(DOORS) - set(PAGES)
    gone = (set(DOORS) | set(PAGES)) - known()

    assert not missing, f"Say in tests/site/routes.py what these are (DOORS for the API, PAGES for pages): {missing}"
    assert not gone, f"These are no routes any more; take them out of tests/site/routes.py: {gone}"


def test_everybody_is_answered_as_the_table_says(world: World) -> None:
    right, wrong, seen = table(), [], set()
    for row, door, is_api in rows(world):
        statuses = [answered(world, caller, row, door, is_api) for caller in CALLERS]
        seen.add(row)
        if right.get(row) != statuses:
            was = f"\n  was: {line(row, right[row])}" if row in right else "\n  it has no row yet"
            wrong.append(f"{line(row, statuses)}{was}")

    assert not wrong, "Look at each of these; if it is right, put the line into matrix.txt:\n" + "\n".join(wrong)
    assert set(right) <= seen, f"matrix.txt has rows of no route: {set(right) - seen}"


def test_the_table_itself_keeps_the_rules() -> None:
    for (name, method, whose), statuses in table().items():
        by = dict(zip(CALLERS, statuses, strict=True))
        where = (name, method, whose)
        assert not any(status.startswith("5") for status in statuses), where
        if (name, method) in DOORS:
            assert {by["nobody"], by["disabled"]} == {"401"}, where
            assert by["paused"] in ("401", "403"), where
            if whose != "-" and DOORS[name, method].names is not nothing:  # limits of a role are of no unit
                strangers = [by["far_agent"], by["far_owner"]] if whose == "own" else [by["agent"], by["owner"]]
                assert set(strangers) <= {"403", "404"}, f"{where}: what one may not see is not found"
                assert set(strangers) & {"404"}, where
