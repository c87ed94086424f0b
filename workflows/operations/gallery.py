"""The gallery: common workflows as complete drawings, from which a new one starts."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workflows.plan.editing import set_own
from workflows.plan.outlining import PERSON, outline_of
from workflows.plan.sheet import Sheet, children, text_of

FOLDER = Path(__file__).resolve().parents[1] / "workflow_templates"


@dataclass(frozen=True)
class WorkflowTemplate:
    """A drawing to start from: its name and title, what it does in one sentence, the roles whose agents it needs."""

    name: str
    title: str
    about: str
    steps: int
    roles: tuple[str, ...]
    bpmn: str

    def lacking(self, known: Collection[str]) -> list[str]:
        """The roles that it needs and that the company does not have."""
        return [role for role in self.roles if role not in known]


@cache
def gallery() -> tuple[WorkflowTemplate, ...]:
    """All templates, in the order of their titles."""
    return tuple(sorted((_read(path) for path in FOLDER.glob("*.bpmn")), key=lambda each: each.title))


def template(name: str) -> WorkflowTemplate | None:
    """The template with this name, None without one."""
    return next((each for each in gallery() if each.name == name), None)


def _read(path: Path) -> WorkflowTemplate:
    text = path.read_text(encoding="utf-8")
    sheet = Sheet(text)
    process, lines = sheet.processes[0], outline_of(sheet)
    about = next((" ".join(text_of(each).split()) for each in children(process, "documentation")), "")
    roles = dict.fromkeys(line.given["role"] for line in lines if "role" in line.given)
    return WorkflowTemplate(path.stem, process.get("name", path.stem), about, len(lines), tuple(roles), text)


def begun_from(chosen: WorkflowTemplate, *, known_paths: Collection[str], path: str) -> str:
    """The template's drawing; where it asks people on a path that the company does not have, `path` is asked."""
    sheet = Sheet(chosen.bpmn)
    strange = [
        line.id for line in outline_of(sheet) if line.kind == PERSON and line.given.get("path", "") not in known_paths
    ]
    for step in strange:
        set_own(sheet, step, {"path": path})
    return sheet.text() if strange else chosen.bpmn
