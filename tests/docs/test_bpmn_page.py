"""The page about BPMN elements: its example runs, and it names every attribute and type there is."""

from tests.docs.conftest import DOCS
from tests.docs.test_examples import marked
from workflows.plan import Answer, Trial, read_model, simulate
from workflows.plan.extensions import ATTRIBUTES, VALUE_KINDS

INPUTS = {"number": "7", "lines": ["tea", "cups"]}


def test_the_order_of_the_page_is_delivered_when_it_is_paid_and_undone_when_it_is_not():
    model = read_model(marked("bpmn.md", "order").encode())
    assert (model.problems, model.is_executable) == ((), True)

    paid = simulate(model.graph, Trial(INPUTS))
    unpaid = simulate(model.graph, Trial(INPUTS, {"payment": [Answer(never=True)]}))

    assert paid.end == "done"
    assert len(paid.variables["confirm"]["items"]) == 2
    assert unpaid.end == "lost"
    assert [each.element for each in unpaid.visits if each.what == "finished"][-1] == "release"


def test_the_page_names_every_attribute_and_every_type():
    page = (DOCS / "bpmn.md").read_text() + (DOCS / "workflows.md").read_text()

    known = {name for names in ATTRIBUTES.values() for name in names}
    assert [name for name in known if f"`aos:{name}`" not in page and name not in ("element",)] == []
    assert [name for name in VALUE_KINDS if f"`{name}`" not in page] == []
