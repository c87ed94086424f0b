"""Bench: how many spans a second an agent's program can send, and how long a batch of 512 takes.

DATABASE_URL=postgresql://... python tests/bench/otlp.py
"""

import os
import statistics
import sys
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from measuring.database import company, own_database
from measuring.serving import Caller, served

SPANS, BATCHES = 512, 60
BAR_SPANS, BAR_MS = 5_000, 200
WORDS = "The invoice was read, matched with its order and found to be right. " * 9  # about 600 characters


def batch() -> bytes:
    """One request of an exporter, in protobuf."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request: Any = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    trace, now = uuid.uuid4().bytes, time.time_ns()
    for number in range(SPANS):
        span = scope.spans.add(
            trace_id=trace, span_id=os.urandom(8), name="chat small-1", start_time_unix_nano=now - 10**9 + number,
            end_time_unix_nano=now,
        )  # fmt: skip
        for name, value in (("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "small-1"),
                            ("gen_ai.provider.name", "halden"), ("gen_ai.input.messages", WORDS)):  # fmt: skip
            span.attributes.add(key=name).value.string_value = value
        for name, count in (("gen_ai.usage.input_tokens", 1200), ("gen_ai.usage.output_tokens", 80)):
            span.attributes.add(key=name).value.int_value = count
    content: bytes = request.SerializeToString()
    return content


def main() -> None:
    """Send the batches one after the other over one connection, and say how it went."""
    with own_database("otlp"):
        key = company().keys["AP-04"]
        with served() as server:
            caller = Caller(server.port, Authorization=f"Bearer {key}")
            took = [_sent(caller) for _ in range(BATCHES)][5:]
    p95, mean = statistics.quantiles(took, n=20)[-1] * 1000, statistics.mean(took)
    rate = SPANS / mean
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{rate:,.0f} spans/s (bar {BAR_SPANS:,}), p95 {p95:.0f} ms a batch of {SPANS} (bar {BAR_MS}); load {load}")


def _sent(caller: Caller) -> float:
    body = batch()
    began = time.perf_counter()
    answer = caller.call("POST", "/v1/traces", body, **{"Content-Type": "application/x-protobuf"})
    took = time.perf_counter() - began
    if (answer.status, answer.body) != (200, b""):
        raise SystemExit(f"unexpected {answer.status}: {answer.body[:300]!r}")
    return took


if __name__ == "__main__":
    main()
