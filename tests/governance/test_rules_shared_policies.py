"""The four example policies beside the repository: they load, and every test they carry passes."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.language import Field, Kind, Schema
from governance.rules import RuleSet, TestResult, parse_policy, run_tests

POLICIES = Path(__file__).parents[2].parent / "shared" / "policies"
LISTS = {"sanctioned": ["RU", "KP", "IR"], "core_carriers": ["DHL", "DSV", "Kuehne"]}

FIELDS = (
    Field("resource.data_class", Kind.STRING),
    Field("resource.created_by", Kind.STRING),
    Field("resource.duplicate_of", Kind.STRING),
    Field("resource.po_matched", Kind.BOOL),
    Field("resource.po_amount", Kind.DECIMAL, unit="EUR"),
    Field("resource.vendor.id", Kind.STRING),
    Field("resource.vendor.bank_changed_days", Kind.INT),
    Field("resource.vendor.country", Kind.STRING),
    Field("resource.vendor.risk", Kind.STRING, enum=("low", "medium", "high")),
    Field("resource.vendor.sanctions_hit", Kind.BOOL),
    Field("resource.vendor.documents", Kind.LIST, item=Kind.STRING),
    Field("resource.value", Kind.DECIMAL),
    Field("resource.hazmat", Kind.BOOL),
    Field("resource.eta_slip", Kind.DURATION),
    Field("resource.incoterm", Kind.STRING),
    Field("resource.order_total", Kind.DECIMAL),
    Field("resource.order_age_days", Kind.INT),
    Field("resource.refunds_90d", Kind.INT),
    Field("resource.customer.tier", Kind.STRING),
    Field("context.amount", Kind.DECIMAL, "Amount", "EUR"),
    Field("context.currency", Kind.STRING),
    Field("context.confidence", Kind.DECIMAL),
    Field("context.extra_cost", Kind.DECIMAL),
    Field("context.new_carrier", Kind.STRING),
    Field("budget.day.left", Kind.DECIMAL, source="fact"),
    Field("budget.case.left", Kind.DECIMAL, source="fact"),
    Field("rate.hour.count", Kind.INT, source="fact"),
    Field("perm.pay", Kind.BOOL, source="fact"),
    Field("perm.change", Kind.BOOL, source="fact"),
    Field("lists.sanctioned", Kind.LIST, source="fact", item=Kind.STRING),
    Field("lists.core_carriers", Kind.LIST, source="fact", item=Kind.STRING),
)


class ExactLoader(yaml.SafeLoader):
    """YAML with exact numbers: 0.85 is a decimal."""


ExactLoader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: Decimal(loader.construct_scalar(node)))


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(POLICIES.glob("*.yaml")):
        yield path.stem, yaml.load(path.read_text(), ExactLoader)


def all_results() -> Iterator[tuple[str, TestResult]]:
    for stem, document in documents():
        for result in run_tests(document, Schema(FIELDS), lists=LISTS):
            yield f"{stem}: {result.name}", result


needs_policies = pytest.mark.skipif(not POLICIES.is_dir(), reason="the example policies are not beside the repository")


@needs_policies
@pytest.mark.parametrize("result", [pytest.param(result, id=name) for name, result in all_results()])
def test_each_example_gives_what_it_expects(result: TestResult) -> None:
    assert result.passed, (result.problem, result.expected, result.actual)


@needs_policies
def test_the_examples_form_one_set_that_knows_what_each_action_needs() -> None:
    policies = [parse_policy(document, Schema(FIELDS)) for _, document in documents()]

    rule_set = RuleSet(policies)

    assert len(policies) == 4
    assert "budget.day.left" in rule_set.needs("invoice.pay")
    assert "budget.day.left" not in rule_set.needs("refund.issue")
