"""The spaces of shared memory: who may write, which workflows use them, and new ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jsonschema
from django.db import IntegrityError, transaction

from agents.models import Agent, Unit
from agents.operations import require
from governance.language import LanguageError, compile_template
from observability import ledger
from workflows.models import Space, Workflow
from workflows.models.memory import WRITE
from workflows.plan import Graph, NodeKind
from workflows.rules import memory as rules

SCHEMA_AT_MOST = 20_000
ADD = "workflows.add_space"


@dataclass(frozen=True)
class SpaceTerms:
    """A new space: who it is for, and the JSON Schema that its values follow."""

    code: str
    name: str
    unit: Unit
    purpose: str = ""
    scope: str = Space.Scope.UNIT
    agent: Agent | None = None
    workflow: Workflow | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def add_space(terms: SpaceTerms, *, by: ledger.Acts, at: datetime) -> Space:
    """A new space. Raises Invalid for a code that is taken, a scope without whom it is for, or a wrong schema."""
    require(by, ADD)
    wrong = dict(_wrong(terms))
    if wrong:
        raise ledger.Invalid("The space was not added.", fields=wrong)
    try:
        with transaction.atomic():
            space = Space.objects.create(
                code=terms.code, name=terms.name, unit=terms.unit, purpose=terms.purpose, scope=terms.scope,
                agent=terms.agent, workflow=terms.workflow, schema=dict(terms.schema),
            )  # fmt: skip
    except IntegrityError as taken:
        raise ledger.Invalid(fields={"code": f"There is a space {terms.code} already; choose another code."}) from taken
    ledger.record("space.added", space, by=by, at=at, data={"scope": space.scope})
    return space


def _wrong(terms: SpaceTerms) -> Iterator[tuple[str, str]]:
    if terms.scope == Space.Scope.AGENT and terms.agent is None:
        yield "agent", "Name the agent that the space is for."
    if terms.scope == Space.Scope.WORKFLOW and terms.workflow is None:
        yield "workflow", "Name the workflow that the space is for."
    if terms.schema:
        if len(str(terms.schema)) > SCHEMA_AT_MOST:
            yield "schema", f"A schema has at most {SCHEMA_AT_MOST:,} characters."
        elif refers(terms.schema):
            yield "schema", "A schema stands alone; write out what $ref names elsewhere."
        else:
            try:
                jsonschema.Draft202012Validator.check_schema(terms.schema)
            except jsonschema.SchemaError as error:
                yield "schema", f"This is no JSON Schema: {error.message[:300]}"


def refers(schema: Any) -> bool:
    """Whether a schema names another document."""
    if isinstance(schema, Mapping):
        ref = schema.get("$ref", "#")
        return (isinstance(ref, str) and not ref.startswith("#")) or any(refers(each) for each in schema.values())
    return isinstance(schema, list) and any(refers(each) for each in schema)


def why_not_in_schema(space: Space, value: Mapping[str, Any]) -> str:
    """Where the value does not follow the schema of the space, as a sentence; nothing when it does."""
    if not space.schema:
        return ""
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(space.schema).iter_errors(value))
    if error is None:
        return ""
    place = ".".join(str(each) for each in error.absolute_path)
    return f"{f'{place}: ' if place else ''}{error.message[:300]} (the schema of the space {space.code})"


def may_write(agent: Agent, space: Space) -> bool:
    """Whether the agent may put facts into the space: by right, into its own, into that of a workflow it works in."""
    if space.scope == Space.Scope.AGENT and space.agent_id == agent.pk:
        return True
    if space.scope == Space.Scope.WORKFLOW and Workflow.objects.worked_by(agent).filter(pk=space.workflow_id).exists():
        return True
    return agent.principal.may(WRITE, space)


def require_write(agent: Agent, space: Space) -> None:
    """Raise NotAllowed unless the agent may put facts into the space."""
    if not may_write(agent, space):
        raise ledger.NotAllowed(f"{agent} may not put facts into the space {space.code} ({WRITE}).")


# --- steps that name a space ----------------------------------------------------------------------------------
def open_to_workflow(space: Space, *, unit: Unit, workflow: Workflow | None) -> bool:
    """Whether steps of a workflow of this unit may look into the space and keep what they find there."""
    if space.scope == Space.Scope.WORKFLOW:
        return workflow is not None and space.workflow_id == workflow.pk
    return space.scope == Space.Scope.COMPANY or (
        space.scope == Space.Scope.UNIT and unit.path.startswith(space.unit.path)
    )


def problems_of(graph: Graph, *, unit: Unit, workflow: Workflow | None) -> dict[str, str]:
    """What is wrong with how the steps of a drawing use shared memory, by element."""
    wrong = {}
    for node in graph.nodes.values():
        if not node.memory_space and not node.memory_key:
            continue
        space = Space.objects.select_related("unit").filter(code=node.memory_space).first()
        if node.kind is not NodeKind.SERVICE_TASK:
            wrong[node.id] = "Only a step of an agent looks into shared memory first."
        elif not node.memory_key or not node.memory_space:
            wrong[node.id] = "Name both, the space and the key under which the result is kept."
        elif space is None or not open_to_workflow(space, unit=unit, workflow=workflow):
            wrong[node.id] = f"There is no space {node.memory_space} that this workflow may use."
        else:
            wrong |= _wrong_key(graph, node.id, node.memory_key)
    return wrong


def _wrong_key(graph: Graph, element: str, template: str) -> dict[str, str]:
    try:
        compile_template(template, graph.variables_schema(element))
    except LanguageError as error:
        return {element: f"The key cannot be read: {error}"[:400]}
    return {} if rules.canonical_key(template) else {element: "The key is empty."}
