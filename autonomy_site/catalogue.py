"""Every problem that can be told, as a table: what docs/problems.md shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from rest_framework import exceptions

from autonomy_site import problems, rest
from observability.ledger import Refused

FRAMEWORK = (
    exceptions.AuthenticationFailed, exceptions.MethodNotAllowed, exceptions.NotAcceptable, exceptions.NotAuthenticated,
    exceptions.PermissionDenied, exceptions.UnsupportedMediaType, rest.Unreadable,
)  # fmt: skip
OUR_OWN = (
    problems.TOO_LARGE, problems.NOT_FOUND, problems.UNREADABLE, problems.UNAVAILABLE, problems.UNKEEPABLE,
    problems.INTERNAL,
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Told:
    """A code with its status and the sentence that stands for it when nothing more exact is known."""

    code: str
    status: int
    sentence: str


def told() -> list[Told]:
    """Every code once, in the order of the alphabet; all modules of the apps have to be loaded."""
    found: dict[str, Told] = {}
    for each in (*_of_operations(), *_of_the_framework(), *_of_the_site()):
        if each.status != found.setdefault(each.code, each).status:
            raise ValueError(f"The code {each.code} has two statuses: {found[each.code].status} and {each.status}.")
    return sorted(found.values())


def refusals(kind: type[Refused] = Refused) -> Iterator[type[Refused]]:
    """Every kind of refusal."""
    yield kind
    for below in kind.__subclasses__():
        yield from refusals(below)


def table() -> str:
    """The table in Markdown."""
    rows = [f"| `{each.code}` | {each.status} | {each.sentence} |" for each in told()]
    return "\n".join(["| code | status | what it says |", "|---|---|---|", *rows])


def _of_operations() -> Iterator[Told]:
    for kind in sorted(refusals(), key=lambda each: (each.__module__, each.__qualname__)):
        yield Told(kind.code, kind.status, " ".join((kind.__doc__ or "").split()))


def _of_the_framework() -> Iterator[Told]:
    for error in FRAMEWORK:
        status = 400 if error is exceptions.UnsupportedMediaType else error.status_code
        code = str(error.default_code)
        yield Told(code, status, problems.SENTENCES.get(code, str(error.default_detail)))


def _of_the_site() -> Iterator[Told]:
    for problem in OUR_OWN:
        yield Told(problem.code, problem.status, problem.detail)
