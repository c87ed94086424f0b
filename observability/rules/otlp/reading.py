"""A body to records: by hand for JSON, since the general reader of it makes wrong ids and refuses what is new."""

from observability.rules.otlp import binary, written
from observability.rules.otlp.bodies import Body, WrongBody
from observability.rules.otlp.records import Batch, Encoding, Record, Signal

HOUR = 3_600 * 10**9
NO_IDS = "a trace id has 32 hex digits and a span id 16, and neither is all zeros."
NO_TIME = "a span needs its beginning and its end, and the end is not before the beginning."
FUTURE = "its time lies more than an hour in the future."


def read(signal: Signal, body: Body, *, now: int) -> Batch:
    """The records of a body, `now` in nanoseconds since 1970. Raises WrongBody for what is no such request."""
    reader = binary if body.encoding is Encoding.PROTOBUF else written
    found = reader.records(signal, body.content)
    batch = Batch()
    for record in found:
        why = _why_not(signal, record, now)
        if signal is Signal.LOGS:
            _without_wrong_ids(record)
        if why:
            batch.refused[why] += 1
        else:
            batch.records.append(record)
    if found and batch.refused[NO_IDS] == len(found):
        raise WrongBody(400, f"No span in here has ids as they should be: {NO_IDS} Is this the address for {signal}?")
    return batch


def _why_not(signal: Signal, record: Record, now: int) -> str:
    if max(record.started, record.ended) > now + HOUR:
        return FUTURE
    if signal is Signal.TRACES:
        if not (is_id(record.trace_id, 32) and is_id(record.span_id, 16)):
            return NO_IDS
        if record.parent_id and not is_id(record.parent_id, 16):
            return NO_IDS
        if not 0 < record.started <= record.ended:
            return NO_TIME
    return ""


def _without_wrong_ids(record: Record) -> None:
    # A line of a log needs no trace; one that cannot be a trace is none.
    if not is_id(record.trace_id, 32):
        record.trace_id = ""
    if not is_id(record.span_id, 16):
        record.span_id = ""


def is_id(text: str, length: int) -> bool:
    """Whether this is `length` hex digits in lower case, not all of them zero."""
    return len(text) == length and text.strip("0") != "" and not text.strip("0123456789abcdef")
