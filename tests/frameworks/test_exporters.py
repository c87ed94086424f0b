"""OpenTelemetry's own exporters, unchanged, against a real server: what they send arrives whole."""

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from observability.models import Reported, Span

CALL = {
    "gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1", "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3, "gen_ai.usage.cost": 0.002,
}  # fmt: skip


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_exporter_of_traces_is_understood(address: str, halden: Any, compression: Compression) -> None:
    headers = {"Authorization": f"Bearer {halden.keys['AP-04']}"}
    exporter = OTLPSpanExporter(f"{address}/v1/traces", headers=headers, compression=compression)
    provider = TracerProvider(resource=Resource.create({"service.name": "clerk"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")

    with tracer.start_as_current_span(
        "invoke_agent clerk", attributes={"gen_ai.operation.name": "invoke_agent"}
    ) as top:
        for number in range(20):
            with tracer.start_as_current_span(f"chat {number}", attributes=CALL):
                pass
    assert provider.force_flush()
    provider.shutdown()

    told = Span.objects.filter(trace_id=f"{top.get_span_context().trace_id:032x}")
    assert told.count() == 21
    assert set(told.values_list("agent", "service")) == {("AP-04", "clerk")}
    parent = f"{top.get_span_context().span_id:016x}"
    assert told.filter(parent_id=parent, kind="model", input_tokens=12).count() == 20


def test_the_exporter_hears_that_its_key_is_wrong(address: str, halden: Any) -> None:
    exporter = OTLPSpanExporter(f"{address}/v1/traces", headers={"Authorization": "Bearer aos_live_nothing"})

    assert exporter.export([]) is not SpanExportResult.SUCCESS
    assert not Span.objects.exists()


def test_the_exporter_of_metrics_is_understood(address: str, halden: Any) -> None:
    headers = {"Authorization": f"Bearer {halden.keys['AP-04']}"}
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{address}/v1/metrics", headers=headers))
    provider = MeterProvider([reader], resource=Resource.create({"service.name": "clerk"}))
    provider.get_meter("tests").create_counter("claude_code.cost.usage", "USD").add(0.5, {"model": "small-1"})

    assert provider.force_flush()
    provider.shutdown()

    told = Reported.objects.filter(what="cost").first()
    assert told is not None
    assert (told.agent, told.model, float(told.amount), told.currency) == ("AP-04", "small-1", 0.5, "USD")
