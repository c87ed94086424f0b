"""The kinds of typed values, as people choose them and as the drawing holds them: a list says what its items are."""

from collections.abc import Iterable

TYPES = (
    ("string", "Text"), ("decimal", "Amount"), ("int", "Whole number"), ("bool", "Yes or no"),
    ("timestamp", "Date and time"), ("duration", "Length of time"), ("list", "List of texts"),
    ("list of decimal", "List of amounts"), ("list of int", "List of whole numbers"),
    ("list of json", "List of objects"), ("json", "Object"),
)  # fmt: skip
_OF = " of "


def chosen(kind: str, of: str) -> str:
    """The choice that stands for a kind and, of a list, what its items are."""
    return f"{kind}{_OF}{of}" if of and f"{kind}{_OF}{of}" != "list of string" else kind


def kind_and_items(choice: str) -> tuple[str, str]:
    """The kind and what its items are, as the drawing has them."""
    kind, _, of = choice.partition(_OF)
    return kind, of


def with_found(choices: Iterable[tuple[str, str]], found: str) -> list[tuple[str, str]]:
    """The choices, with one that another tool wrote, so that it stays."""
    known = list(choices)
    return known if not found or found in dict(known) else [*known, (found, found)]
