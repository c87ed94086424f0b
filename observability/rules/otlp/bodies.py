"""The body of a request before anybody reads it: its media type, its compression, and its size on both sides of it."""

import zlib
from dataclasses import dataclass

from observability.rules.otlp.records import Encoding

PIECE = 64 * 1024
GZIP = 16 + zlib.MAX_WBITS


class WrongBody(ValueError):
    """The whole request is refused with this HTTP status; sending it again will not help."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Body:
    """A body as it can be read, with the encoding that the answer gets too."""

    encoding: Encoding
    content: bytes


def encoding_of(media_type: str) -> Encoding:
    """The encoding that a Content-Type names. Raises WrongBody (415)."""
    name = media_type.partition(";")[0].strip().lower()
    try:
        return Encoding(name)
    except ValueError:
        raise WrongBody(415, "Send application/x-protobuf or application/json.") from None


def opened(content: bytes, *, media_type: str, compression: str, at_most: int) -> Body:
    """The body without its compression, at most `at_most` bytes long before and after. Raises WrongBody."""
    encoding = encoding_of(media_type)
    if len(content) > at_most:
        raise too_large(at_most)
    name = compression.strip().lower()
    if name in ("", "identity"):
        return Body(encoding, content)
    if name != "gzip":
        raise WrongBody(415, "Compress with gzip, or not at all.")
    return Body(encoding, _unzipped(content, at_most))


def too_large(at_most: int) -> WrongBody:
    """What is said of a body over the limit."""
    return WrongBody(
        413, f"The body is larger than {at_most:,} bytes, counted after decompression. Send smaller batches."
    )


def _unzipped(content: bytes, at_most: int) -> bytes:
    pieces: list[bytes] = []
    size, rest = 0, content
    while rest:
        opener = zlib.decompressobj(GZIP)
        while not opener.eof:
            try:
                piece = opener.decompress(rest, PIECE)
            except zlib.error:
                raise WrongBody(400, "The body says that it is gzip and is not.") from None
            rest = opener.unconsumed_tail
            size += len(piece)
            if size > at_most:
                raise too_large(at_most)
            pieces.append(piece)
            if not piece and not rest and not opener.eof:
                raise WrongBody(400, "The gzip body ends too early.")
        rest = opener.unused_data
    return b"".join(pieces)
