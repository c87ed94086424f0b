"""The policy language, compiled: from typed terms to Python functions.

No character of a text ever gets into the source: names are numbered, and every value, path and function is a
constant that the generated code reaches by its number. Generated code may raise anything; whoever calls it then
asks the interpreter, which alone knows the exact meaning of a missing field.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Never

from governance.language.interpreting import Facts
from governance.language.meanings import OPERATIONS
from governance.language.terms import (
    Application,
    Conjunction,
    Constant,
    Disjunction,
    Given,
    Item,
    Listing,
    Loop,
    Mapping,
    Negation,
    Read,
    Selection,
    Term,
    walk,
)
from governance.language.values import Kind, fits

_CLASSES: dict[Kind, type] = {
    Kind.BOOL: bool, Kind.INT: int, Kind.DECIMAL: Decimal, Kind.STRING: str,
    Kind.TIMESTAMP: datetime, Kind.DURATION: timedelta, Kind.LIST: tuple,
}  # fmt: skip
# the few built-in functions that generated code may call
_BUILT_IN = {"any": any, "all": all, "sum": sum, "tuple": tuple, "type": type}
_RAISING_ON_NONE = frozenset({"less", "at_most", "more", "at_least"})


class _Lost(Exception):
    """A field is missing or of a wrong type; the interpreter has to say which."""


def _lost() -> Never:
    raise _Lost


class Source:
    """The source of one function under construction: its constants, the fields it loads, its lines."""

    def __init__(self) -> None:
        self.constants: dict[str, object] = {
            "lost": _lost, "fits": fits, "empty": {}, "error": Exception, **_BUILT_IN,
        }  # fmt: skip
        self._names: dict[int, str] = {}
        self._fields: dict[str, str] = {}
        self._groups: dict[tuple[str, ...], str] = {(): "facts"}
        self._loads: list[str] = []
        self._items: dict[str, str] = {}
        self._loops = 0
        self._checked: set[str] = set()

    def inside(self) -> "Source":
        """Give the source of a function that gets the fields which this one loads as its arguments, see `names`."""
        inner = Source()
        inner._fields, inner._checked = self._fields, self._checked
        return inner

    @property
    def names(self) -> str:
        """The local names of all fields, as the arguments of a call."""
        return ", ".join(self._fields.values())

    def load(self, term: Term) -> None:
        """Load every field that a term reads or asks for."""
        for part in walk(term):
            if isinstance(part, Read):
                self.field(part.path, part.type.kind)
            elif isinstance(part, Given):
                self.field(part.path)

    def constant(self, value: object) -> str:
        """Give the name under which generated code reaches this value."""
        if id(value) not in self._names:
            name = f"c{len(self._names)}"
            self._names[id(value)] = name
            self.constants[name] = value
        return self._names[id(value)]

    def field(self, path: str, kind: Kind | None = None) -> str:
        """Give the local name of a field, which is loaded once at the start; None stands for missing.

        A value that is not of its kind loses the whole function: only the interpreter knows what that means.
        """
        if kind is not None and path not in self._checked:
            name = self.field(path)
            self._checked.add(path)
            foreign = f"type({name}) is not {self.constant(_CLASSES[kind])} and {name} is not None"
            self._loads.append(f"if {foreign} and not fits({name}, {self.constant(kind)}): lost()")
        if path not in self._fields:
            *groups, last = path.split(".")
            group = self._group(tuple(groups))
            name = f"v{len(self._fields)}"
            self._fields[path] = name
            self._loads.append(f"{name} = {group}.get({self.constant(last)})")
        return self._fields[path]

    def _group(self, path: tuple[str, ...]) -> str:
        if path not in self._groups:
            outer = self._group(path[:-1])
            name = f"g{len(self._groups)}"
            self._groups[path] = name
            self._loads.append(f"{name} = {outer}.get({self.constant(path[-1])}) or empty")
        return self._groups[path]

    def expression(self, term: Term) -> str:
        """Give the Python expression of a term."""
        match term:
            case Constant(value=value):
                return str(value) if isinstance(value, bool) else self.constant(value)
            case Read():
                return self._read(term)
            case Given(path=path):
                return f"({self.field(path)} is not None)"
            case Negation(operand=operand):
                return f"(not {self.expression(operand)})"
            case Conjunction(items=items):
                return f"({' and '.join(map(self.expression, items))})"
            case Disjunction(items=items):
                return f"({' or '.join(map(self.expression, items))})"
            case Selection(test=test, yes=yes, no=no):
                return f"({self.expression(yes)} if {self.expression(test)} else {self.expression(no)})"
            case Application():
                return self._application(term)
            case Item(name=name):
                return self._items[name]
            case Loop():
                return self._loop(term)
            case Listing(items=items):
                return self._listing(items)
            case Mapping(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return "{" + ", ".join(f"{self.constant(key)}: {self.expression(value)}" for key, value in pairs) + "}"
        raise TypeError(f"{type(term).__name__} is no term of the language.")

    def _read(self, term: Read) -> str:
        name = self.field(term.path, term.type.kind)
        if term.type.kind is Kind.BOOL:
            return f"({name} is True or {name} is not False and lost())"
        return f"({name} if {name} is not None else lost())"

    def _listing(self, items: tuple[Term, ...]) -> str:
        if all(isinstance(item, Constant) for item in items):
            return self.constant(tuple(item.value for item in items if isinstance(item, Constant)))
        return f"({''.join(self.expression(item) + ',' for item in items)})"

    def _loop(self, term: Loop) -> str:
        """Python stops `any` and `all` at the item that decides, as the language does; an error is left to the
        interpreter, which looks for such an item behind it."""
        inner = self.expression(term.range)
        item, self._loops = f"x{self._loops}", self._loops + 1
        self._items[term.item.name] = item
        test = self.expression(term.test) if term.test is not None else ""
        value = self.expression(term.value) if term.value is not None else item
        del self._items[term.item.name]
        if term.macro in ("all", "exists"):
            return f"{'all' if term.macro == 'all' else 'any'}({test} for {item} in {inner})"
        kept = f"for {item} in {inner} if {test}" if test else f"for {item} in {inner}"
        return f"(sum([1 {kept}]) == 1)" if term.macro == "exists_one" else f"tuple([{value} {kept}])"

    def _application(self, term: Application) -> str:
        operation = OPERATIONS[term.operation]
        operands = [self._operand(operand, term.operation) for operand in term.operands]
        if operation.pattern:
            return f"({operation.pattern.format(*operands)})"
        return f"{self.constant(operation.function)}({', '.join(operands)})"

    def _operand(self, term: Term, operation: str) -> str:
        # Python itself refuses to order None, so the guard against a missing field can be left out
        if operation in _RAISING_ON_NONE and isinstance(term, Read):
            return self.field(term.path, term.type.kind)
        return self.expression(term)

    def function(self, body: list[str], parameters: str = "facts") -> Callable[..., Any]:
        """Compile `body` behind the loading of the fields into a function of the facts, or of other parameters."""
        lines = [*self._loads, *body]
        source = f"def run({parameters}):\n" + "\n".join(f"    {line}" for line in lines)
        namespace: dict[str, Any] = {"__builtins__": {}, **self.constants}
        exec(compile(source, "<rules>", "exec"), namespace)  # noqa: S102 - source holds no foreign text
        run: Callable[..., Any] = namespace["run"]
        return run


def compile_term(term: Term) -> Callable[[Facts], Any]:
    """Give a function of the facts that returns the term's value, or raises anything when it cannot."""
    source = Source()
    value = source.expression(term)
    return source.function([f"return {value}"])


def compile_matching(terms: list[Term | None]) -> Callable[[Facts], list[int]]:
    """Give one function that lists the positions of the terms that are true (None is always true).

    A position that could not be decided comes back as `~position`, for the interpreter to decide. With a fact of a
    wrong kind the function raises, and the interpreter decides all of them.
    """
    source = Source()
    body = ["found = []"]
    for position, term in enumerate(terms):
        if term is None:
            body.append(f"found.append({position})")
        else:
            body += _attempt(source.expression(term), position)
    return source.function([*body, "return found"])


def _attempt(condition: str, position: int) -> list[str]:
    return [
        "try:",
        f"    if {condition}: found.append({position})",
        "except error:",
        f"    found.append(~{position})",
    ]
