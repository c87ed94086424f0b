"""The first drawing of a process says what its ways say, can be laid out and read, and every case comes to its end."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from workflows.plan import read_model
from workflows.plan.discovering import BPMN, drawing_of
from workflows.plan.laying import drawn
from workflows.plan.texts import checked

pytestmark = pytest.mark.same_everywhere
WAYS = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=6), min_size=1, max_size=6, unique_by=tuple)


def flows(bpmn: str) -> list[tuple[str, str]]:
    root = etree.fromstring(bpmn.encode())
    return [(each.get("sourceRef", ""), each.get("targetRef", "")) for each in root.iter(f"{{{BPMN}}}sequenceFlow")]


def names(bpmn: str) -> dict[str, str]:
    root = etree.fromstring(bpmn.encode())
    return {each.get("name", ""): each.get("id", "") for each in root.iter(f"{{{BPMN}}}task")}


def reached(ways: list[tuple[str, str]], start: str) -> set[str]:
    seen, left = {start}, [start]
    while left:
        here = left.pop()
        new = {target for source, target in ways if source == here} - seen
        seen |= new
        left += new
    return seen


@settings(deadline=None, max_examples=40)
@given(WAYS)
def test_each_way_is_in_the_drawing_and_from_everywhere_the_end_is_reached(ways: list[list[str]]) -> None:
    found = drawing_of([(way, 1 / len(ways)) for way in ways], name="Any", share=1.0)
    lines, tasks = flows(found.bpmn), names(found.bpmn)

    assert found.tasks == len({each for way in ways for each in way})
    for way in ways:
        for before, after in pairwise(["start", *(tasks[each] for each in way), "end"]):
            hops = reached([pair for pair in lines if not _is_task(pair[0]) or pair[0] == before], before)
            assert after in hops, (before, after)
    everywhere = {node for pair in lines for node in pair}
    assert everywhere == reached(lines, "start")
    assert all("end" in reached(lines, node) for node in everywhere)
    checked(found.bpmn)


def _is_task(node: str) -> bool:
    return node.startswith("t") and "_" not in node


def test_what_is_wrong_with_the_drawing_is_only_that_nobody_is_named() -> None:
    ways = [(["Read", "Match", "Pay"], 0.6), (["Read", "Ask", "Match", "Pay"], 0.3), (["Read", "Read", "Refuse"], 0.1)]
    found = drawing_of(ways, name="Invoices & more", share=0.95, about="From a log.")

    model = read_model(found.bpmn.encode())

    assert (found.ways, found.share) == (3, 1.0)
    stops = [problem for problem in model.problems if str(getattr(problem, "severity", "error")) == "error"]
    assert {problem.element_id for problem in stops} <= set(names(found.bpmn).values()), stops
    assert "BPMNShape" in drawn(found.bpmn)


def test_rare_ways_are_left_out() -> None:
    found = drawing_of([(["a", "b"], 0.7), (["a", "c"], 0.2), (["a", "d"], 0.1)], name="x", share=0.8)

    assert (found.ways, found.tasks, found.share) == (2, 3, 0.9)


def test_names_that_xml_does_not_take_are_written_without() -> None:
    found = drawing_of([(["<a>&\"'\x01", "b\u0000"], 1.0)], name="\x02", share=1)

    assert set(names(found.bpmn)) == {"<a>&\"'", "b"}
