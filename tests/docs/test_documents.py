"""What the documents name exists: links, commands, paths, variables; and what exists is described."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).parents[2]
OUTSIDE = {".venv", "node_modules", "var", "staticfiles", "test-results"}
PAGES = sorted(
    path for path in ROOT.rglob("*.md") if not OUTSIDE & set(path.parts) and ".pytest_cache" not in path.parts
)  # fmt: skip
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
TOPS = ("autonomy_site", "agents", "governance", "workflows", "observability", "templates", "tests", "docs", "client")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
EXAMPLE = re.compile(r"```.*?\n(.*?)```", re.DOTALL)
FORBIDDEN = re.compile(r"(?<!\w)/(?:work|tmp|root|home)/|TODO|FIXME|pypi\.org|npmjs\.|pythonhosted")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return EXAMPLE.sub("", text)


def code(text: str) -> list[str]:
    """Everything set in code: spans and the lines of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", prose(text)) + [
        line for block in EXAMPLE.findall(text) for line in block.splitlines()
    ]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ +(.+)$", prose(path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text()))
    return [link for link in found if not re.match(r"https?:|mailto:", link)]


# --- links ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("document", PAGES, ids=name)
def test_every_relative_link_and_anchor_leads_somewhere(document: Path) -> None:
    broken = []
    for link in links(document):
        target, _, anchor = link.partition("#")
        file = (document.parent / target).resolve() if target else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)

    assert broken == []


def test_the_index_leads_to_every_document() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}

    assert {path for path in (ROOT / "docs").rglob("*.md") if path != index} <= listed


def test_decisions_are_numbered_without_a_gap() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [file.name[:3] for file in files] == [f"{number:03}" for number in range(1, len(files) + 1)]
    assert all(file.read_text().startswith(f"# {file.name[:3]}: ") for file in files)


# --- words ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("document", [*PAGES, *sorted((ROOT / "deploy").iterdir())], ids=name)
def test_no_document_names_a_machine_a_registry_or_unfinished_work(document: Path) -> None:
    assert FORBIDDEN.findall(document.read_text()) == []


def test_the_changelog_has_an_entry_for_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)


# --- commands -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("document", PAGES, ids=name)
def test_every_make_target_and_manage_command_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = code(document.read_text())
    made = {word for line in said for word in re.findall(r"^make ([a-z]+)", line)}
    managed = {word for line in said for word in re.findall(r"manage\.py ([a-z_]+)", line)}

    assert made <= targets
    assert managed <= {*get_commands(), "help"}


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_every_file_of_the_project_that_is_named_exists(document: Path) -> None:
    spans = re.findall(r"`([^`\n]+)`", prose(document.read_text()))
    named = {span for span in spans if re.fullmatch(rf"(?:{'|'.join(TOPS)})/[\w/.]+", span)}

    assert {file for file in named if not (ROOT / file).exists()} == set()


# --- paths ----------------------------------------------------------------------------------------------------
def routes(resolver: URLResolver | None = None, before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every path of the site with `*` for its parameters, and its pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = before + re.sub(r"<[^>]+>", "*", str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        else:
            yield path, entry


def sockets() -> set[str]:
    return {f"/{path}" for path in re.findall(r'path\("(ws/\w+)"', (ROOT / "autonomy_site" / "servers.py").read_text())}


def methods(pattern: URLPattern) -> set[str]:
    view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
    return {verb.upper() for verb in ("get", "post", "put", "patch", "delete") if view is None or hasattr(view, verb)}


def paths_named(text: str) -> list[tuple[str, str]]:
    """(method, path) of everything in code that looks like a path of the site; the method may be empty."""
    spans = [re.fullmatch(r"(?:([A-Z]+) )?(/(?:[\w<{…][\w/<>{}.…-]*)?)(?:\?\S*)?", span.strip()) for span in code(text)]
    traced = re.findall(r"^(GET|POST) (/\S+)", "\n".join(EXAMPLE.findall(text)), re.MULTILINE)
    return [(match[1] or "", match[2]) for match in spans if match] + traced


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_every_path_and_route_that_is_named_exists(document: Path) -> None:
    known: dict[str, set[str]] = {path: {"GET"} for path in sockets()}
    for path, pattern in routes():
        known.setdefault(path, set()).update(methods(pattern))
    elsewhere = ("/usr/", "/opt/", "/etc/", "/var/")

    unknown = []
    for method, given in paths_named(document.read_text()):
        path = re.sub(r"<[^>]+>|\{[^}]+\}|…", "*", given)
        is_prefix = path.endswith("/") and any(each.startswith(path) for each in known)
        if not (given.startswith(elsewhere) or is_prefix or (path in known and (not method or method in known[path]))):
            unknown.append(f"{method} {given}".strip())
    assert unknown == []


# --- variables ------------------------------------------------------------------------------------------------
def settings_read() -> dict[str, tuple[str, object]]:
    """{variable: (kind, default as written)} of every setting that the source reads from the environment."""
    found: dict[str, tuple[str, object]] = {}
    for file in ("settings.py", "environment.py"):
        for node in ast.walk(ast.parse((ROOT / "autonomy_site" / file).read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) != "read":
                continue
            kind, variable, *default = node.args
            if isinstance(kind, ast.Constant) and isinstance(variable, ast.Constant):
                given = default[0] if default else None
                found[variable.value] = (kind.value, given.value if isinstance(given, ast.Constant) else None)
    return found


def settings_described() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\w+) \| (.+?) \| .+ \|$", OPERATIONS, re.MULTILINE)
    return {variable: (kind, default) for variable, kind, default in rows}


def test_the_table_of_variables_is_complete_and_lists_nothing_else() -> None:
    assert set(settings_described()) == set(settings_read())


@pytest.mark.parametrize("variable", sorted(settings_read()))
def test_a_variable_has_the_kind_and_the_default_that_are_described(variable: str) -> None:
    kind, default = settings_read()[variable]
    described_kind, described_default = settings_described()[variable]

    assert described_kind == kind
    assert default in (None, "") or described_default == f"`{default}`"


@pytest.mark.parametrize("document", [*PAGES, *sorted((ROOT / "deploy").iterdir())], ids=name)
def test_every_variable_that_is_named_is_read_somewhere(document: Path) -> None:
    known = set(settings_read())
    for file in ("Makefile", ".ci/run", ".ci/checks"):
        known |= set(re.findall(r"\b([A-Z][A-Z_]+)\b(?= *\?=|=|\))", (ROOT / file).read_text()))
    for file in (ROOT / "client" / "src").rglob("*.py"):
        known |= set(re.findall(r'environ\.get\("([A-Z_]+)"', file.read_text()))
    # What keeps agent frameworks from calling home is read by them; the tests run them with it.
    known |= set(
        re.findall(r'^    "([A-Z_0-9]+)": "', (ROOT / "tests/frameworks/conftest.py").read_text(), re.MULTILINE)
    )
    text = document.read_text()
    said = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", prose(text)))
    given = re.findall(r"^(?:export )?([A-Z]+(?:_[A-Z]+)+)=", text, re.MULTILINE)

    # What exporters of telemetry send is set by the programs that they are in.
    others = {variable for variable in (*said, *given) if variable.startswith(("OTEL_", "CLAUDE_CODE_", "LANGSMITH_"))}
    assert (said | set(given)) - known - others == set()


def test_the_units_start_what_exists() -> None:
    commands = "\n".join(file.read_text() for file in (ROOT / "deploy").glob("*.service"))
    modules = set(re.findall(r"(autonomy_site\S*?):application|-A (autonomy_site)", commands))

    assert {part for pair in modules for part in pair if part} == {"autonomy_site.asgi", "autonomy_site"}
