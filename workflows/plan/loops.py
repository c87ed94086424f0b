"""Workflows, rules: how often an activity is done, read from its loop characteristics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lxml import etree

from workflows.plan.document import children, foreign, is_true, own, text_of
from workflows.plan.graph import LoopKind, Node, NodeKind
from workflows.plan.problems import ProblemKind

REPEATED = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")


def with_loop(element: etree._Element, node: Node, say: Callable[..., None]) -> Node:
    """The node with how often it is done, as it says."""
    for characteristics in children(element, *REPEATED):
        if node.kind in (NodeKind.RECEIVE_TASK, NodeKind.EVENT_SUB_PROCESS, NodeKind.AD_HOC):
            say(element, "Only a task, a call or a sub-process can be repeated.", ProblemKind.UNSUPPORTED)
        elif characteristics.tag.endswith("standardLoopCharacteristics"):
            return _standard(characteristics, node)
        else:
            return _many(element, characteristics, node, say)
    return node


def _standard(characteristics: etree._Element, node: Node) -> Node:
    return replace(
        node,
        loop=LoopKind.STANDARD,
        loop_condition=_text(characteristics, "loopCondition"),
        loop_count=(characteristics.get("loopMaximum") or "").strip(),
        loop_tests_before=is_true(characteristics.get("testBefore")),
    )


def _many(element: etree._Element, characteristics: etree._Element, node: Node, say: Callable[..., None]) -> Node:
    count = _text(characteristics, "loopCardinality")
    collection = stated(element, characteristics, "collection", "inputCollection")
    if not count and not collection:
        reason = "Nothing says how often it is done: give a loopCardinality or aos:collection."
        say(element, reason, ProblemKind.UNASSIGNED)
    return replace(
        node,
        loop=LoopKind.SEQUENTIAL if is_true(characteristics.get("isSequential")) else LoopKind.PARALLEL,
        loop_count="" if collection else count or "1",
        loop_condition=_text(characteristics, "completionCondition"),
        collection=collection,
        element=stated(element, characteristics, "element", "elementVariable", "inputElement"),
    )


def stated(element: etree._Element, characteristics: etree._Element, name: str, *elsewhere: str) -> str:
    """What is said under our name, on the characteristics or on the element, else under those of other products."""
    mine = own(characteristics, name) or own(element, name)
    others = (foreign(characteristics, each, "loopCharacteristics") for each in (name, *elsewhere))
    return mine or next(filter(None, others), "")


def _text(element: etree._Element, tag: str) -> str:
    return next((text_of(each) for each in children(element, tag)), "")
