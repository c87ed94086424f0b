"""Workflows, rules: expressions of other products (`${...}`, FEEL with a leading `=`) put into our own language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from workflows.plan.graph import INPUT, Flow, Graph, LoopKind, Node, NodeKind, Output
from workflows.plan.problems import ElementProblem, ProblemKind

JUEL = re.compile(r"[$#]\{(.*)\}", re.DOTALL)
WORD = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!=()?:,\[\]])""",
    re.VERBOSE,
)
JUEL_WORDS = {
    "and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=",
    "div": "/", "mod": "%",
}  # fmt: skip
FEEL_WORDS = {"and": "&&", "or": "||", "not": "!", "=": "=="}
KEPT = ("true", "false", "in")
UNTRANSLATED = ("null", "empty", "instanceof", "if", "then", "else", "for", "return", "some", "every", "satisfies")
# what may follow a name that an expression of ours calls
CALLS = frozenset({"size", "int", "decimal", "string", "has", "min", "max"})


class Untranslatable(Exception):
    """This expression says something that our language does not."""


@dataclass(frozen=True)
class Names:
    """What a bare name means: the one value of that name that any step leaves behind, or the item of a loop."""

    values: Mapping[str, str]
    items: Mapping[str, str] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """The path of a name in our language. Raises Untranslatable."""
        head, dot, rest = name.partition(".")
        if head in self.items:
            return self.items[head] + dot + rest
        if name.startswith(("vars.", "loop.")):
            return name
        if name == "loopCounter":
            return "loop.index"
        found = MULTI_INSTANCE.get(name) or self.values.get(name)
        if not found:
            raise Untranslatable(f"nothing says what “{name}” is: let one step leave a value of that name")
        return found


MULTI_INSTANCE = {
    "nrOfInstances": "loop.count",
    "nrOfCompletedInstances": "loop.done",
    "numberOfInstances": "loop.count",
    "numberOfCompletedInstances": "loop.done",
}


def is_foreign(text: str) -> bool:
    """Whether an expression is written the way another product writes it."""
    return text.startswith("=") or bool(JUEL.fullmatch(text))


def translate(text: str, names: Names) -> str:
    """An expression in our language; our own stay as they are. Raises Untranslatable."""
    text = text.strip()
    if juel := JUEL.fullmatch(text):
        return _joined(_words(juel[1], JUEL_WORDS), names)
    if text.startswith("="):
        return _joined(_words(text[1:], FEEL_WORDS), names)
    return text


def _words(text: str, meant: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        match = WORD.match(text, place)
        if match is None:
            raise Untranslatable(f"the character “{text[place]}” has no meaning here")
        place, kind, word = match.end(), match.lastgroup or "", match.group()
        if kind == "name" and place < len(text) and text[place] in ".[":
            raise Untranslatable(f"“{word}” cannot be taken apart")
        if word in UNTRANSLATED:
            raise Untranslatable(f"“{word}” has no counterpart")
        if word in meant:
            kind, word = "sign", meant[word]
        if kind != "space":
            yield kind, word


def _joined(words: Iterator[tuple[str, str]], names: Names) -> str:
    given = list(words)
    if not given:
        raise Untranslatable("it is empty")
    parts: list[str] = []
    for place, (kind, word) in enumerate(given):
        called = kind == "name" and given[place + 1 : place + 2] == [("sign", "(")]
        if called and word not in CALLS:
            raise Untranslatable(f"“{word}(…)” cannot be called")
        if kind == "name" and word not in KEPT and not called:
            word = names.path(word)
        if kind == "sign" and word == "=":
            raise Untranslatable("nothing can be set in an expression")
        parts.append(word)
    return re.sub(r"(!) (?=[\w(])", r"\1", " ".join(parts)).replace("( ", "(").replace(" )", ")")


# whole graphs


def translated(graph: Graph) -> tuple[Graph, list[ElementProblem]]:
    """The graph with every foreign expression translated where it fits, and what could not be."""
    reader = _Translator(graph)
    nodes = {name: reader.node(node) for name, node in graph.nodes.items()}
    flows = {name: reader.flow(flow) for name, flow in graph.flows.items()}
    if not reader.touched:
        return graph, reader.problems
    return replace(graph, nodes=nodes, flows=flows), reader.problems


class _Translator:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.values = _values_by_name(graph)
        self.problems: list[ElementProblem] = []
        self.touched = False

    def names_at(self, node_id: str) -> Names:
        items: dict[str, str] = {}
        node = self.graph.nodes.get(node_id)
        while node is not None:
            if node.loop is not LoopKind.NONE and node.element:
                items.setdefault(node.element, "loop.item")
            node = self.graph.nodes.get(node.parent)
        return Names(self.values, items)

    def text(self, element: Node | Flow, text: str, at: str) -> str:
        """An expression translated; one that cannot be stays as it is drawn, and is told."""
        if not text or not is_foreign(text):
            return text
        self.touched = True
        try:
            return translate(text, self.names_at(at))
        except Untranslatable as wrong:
            reason = f"The expression “{text}” is not understood: {wrong}."
            self.problems.append(ElementProblem(element.id, element.name, reason, ProblemKind.UNASSIGNED))
            return text

    def flow(self, flow: Flow) -> Flow:
        source = self.graph.nodes.get(flow.source)
        condition = self.text(flow, flow.condition, source.parent if source else "")
        return flow if condition == flow.condition else replace(flow, condition=condition)

    def node(self, node: Node) -> Node:
        around: Callable[[str], str] = lambda text: self.text(node, text, node.parent)  # noqa: E731
        within: Callable[[str], str] = lambda text: self.text(node, text, node.id)  # noqa: E731
        values = any(each.value for each in (*node.outputs, *node.passes))
        if not (values or node.condition or node.loop or node.timer_value or node.correlation):
            return node
        return replace(
            node,
            condition=around(node.condition),
            correlation=around(node.correlation),
            timer_value=around(node.timer_value),
            loop_count=around(node.loop_count),
            collection=around(_bare(node.collection, self.values)),
            loop_condition=within(node.loop_condition),
            outputs=tuple(self._output(each, within) for each in node.outputs),
            passes=tuple(self._output(each, within) for each in node.passes),
        )

    def _output(self, output: Output, read: Callable[[str], str]) -> Output:
        return replace(output, value=read(output.value))


def _bare(collection: str, values: Mapping[str, str]) -> str:
    """A list that another product names by its bare name."""
    return values.get(collection, collection)


def _values_by_name(graph: Graph) -> dict[str, str]:
    """The names that exactly one step leaves behind, with their paths."""
    found: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        root = INPUT if node.kind is NodeKind.START and not node.parent else node.id
        for output in node.outputs:
            found.setdefault(output.name, []).append(f"vars.{root}.{output.name}")
    return {name: paths[0] for name, paths in found.items() if len(set(paths)) == 1}
