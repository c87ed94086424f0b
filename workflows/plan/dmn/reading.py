"""Workflows, rules: the reader of DMN 1.x files. A file becomes a model, or a full list of problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from workflows.plan.dmn.feel import unknown_functions
from workflows.plan.dmn.grammar import FeelInvalid, read_expression, read_tests
from workflows.plan.dmn.tables import Decision, HitPolicy, Input, Model, Output, Rule
from workflows.plan.dmn.values import KINDS_OF_TYPES
from workflows.plan.document import read_xml
from workflows.plan.problems import BpmnInvalid, ElementProblem

MOST_RULES = 2_000
MOST_DECISIONS = 500
MOST_PROBLEMS = 100
AGGREGATIONS = ("", "SUM", "MIN", "MAX", "COUNT")
# the namespaces of DMN 1.1 to 1.5, and of the drafts that tools wrote before
NAMESPACES = ("http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")


class DmnInvalid(BpmnInvalid):
    """These decisions cannot be executed; `problems` names every element and the reason."""


def read_dmn(xml: bytes, decision: str = "") -> Model:
    """The model of a DMN 1.x file: the decision with this id, or the one that no other requires, and what it requires.

    Raises `DmnInvalid` with every element that cannot be executed and the reason, the first 100 of them.
    """
    try:
        root = read_xml(xml)
    except BpmnInvalid as unreadable:
        raise DmnInvalid(unreadable.problems) from unreadable
    if etree.QName(root).localname != "definitions" or not (etree.QName(root).namespace or "").startswith(NAMESPACES):
        raise DmnInvalid((ElementProblem("document", "", f"The file is not DMN: its first element is {root.tag}."),))
    reader = _Reader(root)
    found = reader.read()
    chosen = _chosen(found, decision, reader.problems)
    if reader.problems or chosen is None:
        raise DmnInvalid(tuple(dict.fromkeys(reader.problems))[:MOST_PROBLEMS])
    return Model(_text(root.get("name")) or chosen.name, _in_order(found, chosen))


def _chosen(found: dict[str, Decision], wanted: str, problems: list[ElementProblem]) -> Decision | None:
    if wanted:
        if wanted not in found:
            problems.append(ElementProblem(wanted, "", f"There is no decision {wanted}; there are {', '.join(found)}."))
        return found.get(wanted)
    required = {name for each in found.values() for name in each.requires}
    tops = [each for each in found.values() if each.id not in required]
    if len(tops) == 1:
        return tops[0]
    names = ", ".join(each.id for each in tops) or "none"
    problems.append(ElementProblem("document", "", f"One decision must be the one that is asked; here it is {names}."))
    return None


def _in_order(found: dict[str, Decision], main: Decision) -> tuple[Decision, ...]:
    """What is required before what requires it; a ring was refused before."""
    order: dict[str, Decision] = {}
    waiting = [(main, False)]
    while waiting:
        each, is_ready = waiting.pop()
        if each.id in order:
            continue
        if is_ready:
            order[each.id] = each
        else:
            waiting += [(each, True), *((found[name], False) for name in each.requires)]
    return tuple(order.values())


@dataclass
class _Reader:
    """One file while it is read."""

    root: etree._Element
    problems: list[ElementProblem] = field(default_factory=list)

    def read(self) -> dict[str, Decision]:
        """All decisions of the file by id; what is wrong stands in `problems`."""
        found = {}
        for element in self._below(self.root, "decision"):
            decision = self._decision(element)
            if decision.id in found:
                self._say(element, "The id is used twice; every decision needs its own.")
            found[decision.id] = decision
        if not found:
            self._say(self.root, "The file holds no decision.")
        if len(found) > MOST_DECISIONS:
            self._say(self.root, f"The file holds more than {MOST_DECISIONS} decisions.")
            return found
        for decision in found.values():
            self._check_requirements(decision, found)
        return found

    def _say(self, element: etree._Element, reason: str) -> None:
        line = f"{etree.QName(element).localname} in line {element.sourceline}"
        self.problems.append(ElementProblem(element.get("id") or line, _text(element.get("name")), reason))

    def _below(self, element: etree._Element, *tags: str) -> Iterator[etree._Element]:
        for child in element:
            if isinstance(child.tag, str) and etree.QName(child).localname in tags:
                yield child

    def _first(self, element: etree._Element, tag: str) -> etree._Element | None:
        return next(self._below(element, tag), None)

    def _words(self, element: etree._Element | None) -> str:
        text = None if element is None else self._first(element, "text")
        return "" if text is None else "".join(map(str, text.itertext())).strip()

    def _decision(self, element: etree._Element) -> Decision:
        if not element.get("id"):
            self._say(element, "The decision has no id.")
        required = [
            href.get("href", "").rpartition("#")[2]
            for each in self._below(element, "informationRequirement")
            for href in self._below(each, "requiredDecision")
        ]
        variable = self._first(element, "variable")
        decision = Decision(
            id=element.get("id") or "", name=_text(element.get("name")) or element.get("id") or "",
            requires=tuple(dict.fromkeys(required)),
            variable="" if variable is None else variable.get("name") or "",
        )  # fmt: skip
        table, literal = self._first(element, "decisionTable"), self._first(element, "literalExpression")
        if table is not None:
            return self._table(table, decision)
        if literal is None:
            self._say(element, "Only a decision table or a literal expression is executed.")
            return decision
        text = self._words(literal)
        self._check(literal, text, is_test=False)
        return replace(decision, expression=text)

    def _table(self, element: etree._Element, decision: Decision) -> Decision:
        policy = element.get("hitPolicy", "UNIQUE").upper()
        if policy not in set(HitPolicy):
            self._say(element, f"The hit policy {policy} is not known; there are {', '.join(HitPolicy)}.")
            policy = "UNIQUE"
        aggregation = (element.get("aggregation") or "").upper()
        if aggregation not in AGGREGATIONS or (aggregation and policy != HitPolicy.COLLECT):
            self._say(element, f"The aggregation {aggregation} is not known here; COLLECT has SUM, MIN, MAX, COUNT.")
        inputs = tuple(self._input(each) for each in self._below(element, "input"))
        outputs = tuple(self._output(each, decision) for each in self._below(element, "output"))
        self._check_columns(element, inputs, outputs, HitPolicy(policy), aggregation)
        rules = [self._rule(each, len(inputs), len(outputs)) for each in self._below(element, "rule")]
        if len(rules) > MOST_RULES:
            self._say(element, f"A table has at most {MOST_RULES:,} rules, this one {len(rules):,}.")
        return replace(
            decision, hit_policy=HitPolicy(policy), aggregation=aggregation, inputs=inputs, outputs=outputs,
            rules=tuple(rules[:MOST_RULES]),
        )  # fmt: skip

    def _check_columns(
        self, element: etree._Element, inputs: tuple[Input, ...], outputs: tuple[Output, ...], policy: HitPolicy,
        aggregation: str,
    ) -> None:  # fmt: skip
        if not outputs:
            self._say(element, "The table has no output.")
        if aggregation and len(outputs) > 1:
            self._say(element, f"{aggregation} needs a table with one output.")
        if policy in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER) and not any(each.values for each in outputs):
            self._say(element, f"{policy} needs the values of an output in their order.")
        names = [each.name for each in outputs]
        if len(outputs) > 1 and ("" in names or len(set(names)) < len(names)):
            self._say(element, "Each output needs a name of its own.")

    def _input(self, element: etree._Element) -> Input:
        expression = self._first(element, "inputExpression")
        text = self._words(expression)
        kind = "" if expression is None else (expression.get("typeRef") or "").rpartition(":")[2]
        if not text:
            self._say(element, "The input has no expression.")
        else:
            self._check(element, text, is_test=False)
        self._check_kind(element, kind)
        return Input(_text(element.get("label")) or text, text, kind, self._words(self._first(element, "inputValues")))

    def _output(self, element: etree._Element, decision: Decision) -> Output:
        kind = (element.get("typeRef") or "").rpartition(":")[2]
        self._check_kind(element, kind)
        given = self._words(self._first(element, "outputValues"))
        values = tuple(each.strip() for each in given.split(",")) if given else ()
        default = self._words(self._first(element, "defaultOutputEntry"))
        for text in (*values, default):
            if text:
                self._check(element, text, is_test=False)
        return Output(_text(element.get("name")) or decision.id, _text(element.get("label")), kind, values, default)

    def _check_kind(self, element: etree._Element, kind: str) -> None:
        if kind and kind not in KINDS_OF_TYPES:
            self._say(element, f"The type {kind} is not known; there are {', '.join(sorted(set(KINDS_OF_TYPES)))}.")

    def _rule(self, element: etree._Element, inputs: int, outputs: int) -> Rule:
        when = tuple(self._entry(each, is_test=True) for each in self._below(element, "inputEntry"))
        then = tuple(self._entry(each, is_test=False) for each in self._below(element, "outputEntry"))
        if (len(when), len(then)) != (inputs, outputs):
            self._say(
                element, f"The rule has {len(when)} and {len(then)} entries for {inputs} inputs and {outputs} outputs."
            )
        note = next((_text("".join(map(str, each.itertext()))) for each in self._below(element, "description")), "")
        return Rule(element.get("id") or "", when, then, note)

    def _entry(self, element: etree._Element, *, is_test: bool) -> str:
        text = self._words(element)
        language = (element.get("expressionLanguage") or "feel").lower().rpartition("/")[2]
        if text and "feel" not in language:
            self._say(element, f"The expression language {language} is not executed; write FEEL.")
        elif text or not is_test:
            self._check(element, text, is_test=is_test)
        return text

    def _check(self, element: etree._Element, text: str, *, is_test: bool) -> None:
        try:
            tree: Any = read_tests(text) if is_test else read_expression(text or "null")
        except FeelInvalid as wrong:
            self._say(element, str(wrong))
            return
        for name in unknown_functions(tree):
            self._say(element, f"There is no function {name}.")

    def _check_requirements(self, decision: Decision, found: dict[str, Decision]) -> None:
        for name in decision.requires:
            if name not in found:
                reason = f"It requires the decision {name}, which does not exist."
                self.problems.append(ElementProblem(decision.id, decision.name, reason))
        reached: set[str] = set()
        waiting = list(decision.requires)
        while waiting:
            name = waiting.pop()
            if name not in reached and name in found:
                reached.add(name)
                waiting.extend(found[name].requires)
        if decision.id in reached:
            self.problems.append(ElementProblem(decision.id, decision.name, "It requires itself in a ring."))


def _text(words: str | None) -> str:
    return " ".join((words or "").split())
