"""What a system may declare, by its table."""

from typing import Any

import pytest

from agents.rules.systems import wrong_with_fields

OTHERS = {"resource.order": "Accounts payable", "context.trip.hours": "Travel"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ([], ""),
        ([{"path": "resource.order", "kind": "string"}], ""),  # the same field as in another system
        ([{"path": "resource.order_total", "kind": "decimal"}], ""),
        ([{"path": "context.trip.cost", "kind": "decimal"}], ""),
        ([{"path": "resource.lines", "kind": "list", "item": "decimal", "most": 50}], ""),
        ([{"path": "resource.order.total", "kind": "decimal"}], "resource.order is a field"),
        ([{"path": "context.trip", "kind": "string"}], "context.trip.hours of Travel"),
        ([{"path": "resource.a", "kind": "int"}, {"path": "resource.a.b", "kind": "int"}], "resource.a of this system"),
        ([{"path": "resource.id.old", "kind": "string"}], "resource.id of Autonomy OS"),
        ([{"path": "budget.day", "kind": "decimal"}], "no path of a field"),
        ([{"path": "resource", "kind": "string"}], "no path of a field"),
        (["resource.order"], "no path of a field"),
        ([{"path": "resource.a", "kind": "map"}], "needs a kind"),
        ([{"path": "resource.a", "kind": "int", "most": 3}], "is no list"),
        ([{"path": "resource.a", "kind": "list", "item": "list"}], "The items of resource.a"),
        ([{"path": "resource.a", "kind": "list", "most": 0}], "at most 1 to 1,000"),
        ([{"path": "resource.a", "kind": "list", "most": True}], "at most 1 to 1,000"),
        ("resource.a", "a list of fields"),
    ],
)
def test_what_is_wrong_with_the_fields_of_a_system(fields: Any, wrong: str) -> None:
    told = wrong_with_fields(fields, OTHERS)

    assert wrong in told if wrong else told == ""
