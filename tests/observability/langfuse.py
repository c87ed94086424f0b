"""Traces of agent frameworks as Langfuse exported them, made requests of OpenTelemetry again."""

import hashlib
import json
from datetime import datetime
from typing import Any

from tests.observability import otlp

FOLDER = otlp.DATA / "langfuse_framework_traces"
NAMES = sorted(path.name for path in FOLDER.glob("*.trace.json")) if FOLDER.exists() else []


def answers(name: str) -> dict[str, Any]:
    """What is known about a trace."""
    told: dict[str, Any] = json.loads((otlp.DATA / "answers.json").read_text())
    return told[f"langfuse_framework_traces/{name}"]


def request(name: str) -> dict[str, Any]:
    """The trace as its framework sent it: Langfuse keeps the attributes, and moved some of them into columns."""
    whole = json.loads((FOLDER / name).read_text())
    return otlp.spans(*[_span(each) for each in whole["observations"]])


def _span(seen: dict[str, Any]) -> dict[str, Any]:
    parent = {"parentSpanId": _hex(seen["parentObservationId"], 16)} if seen["parentObservationId"] else {}
    return {
        "traceId": _hex(seen["traceId"], 32), "spanId": _hex(seen["id"], 16), "name": seen["name"],
        "startTimeUnixNano": _nanos(seen["startTime"]), "endTimeUnixNano": _nanos(seen["endTime"]),
        "status": {"code": 2, "message": seen.get("statusMessage") or ""} if seen["level"] == "ERROR" else {},
        "attributes": otlp.pairs(_attributes(seen)), **parent,
    }  # fmt: skip


def _attributes(seen: dict[str, Any]) -> dict[str, Any]:
    kept = seen.get("metadata") or {}
    kept = json.loads(kept) if isinstance(kept, str) else kept
    moved = {"langfuse.observation.type": seen["type"].lower()}
    if seen.get("model"):
        moved["langfuse.observation.model.name"] = seen["model"]
    if seen.get("usageDetails"):
        moved["langfuse.observation.usage_details"] = json.dumps(seen["usageDetails"])
    if seen.get("costDetails"):
        moved["langfuse.observation.cost_details"] = json.dumps(seen["costDetails"])
    return {**(kept.get("attributes") or {}), **moved}


def _hex(text: str, length: int) -> str:
    is_id = len(text) == length and not text.strip("0123456789abcdef")
    return text if is_id else hashlib.sha256(text.encode()).hexdigest()[:length]


def _nanos(moment: str) -> str:
    return str(int(datetime.fromisoformat(moment).timestamp() * 1000) * 10**6)
