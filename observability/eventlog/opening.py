"""Rules of observability: a log file opened as a stream, unpacked as far as a limit, told apart as CSV or XES."""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import IO, TypeAlias

HEAD_BYTES = 65_536
LINE_AT_MOST = 1_000_000
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_PACKED = {
    _ZIP: "a ZIP archive",
    b"\xfd7zXZ": "an XZ archive",
    b"BZh": "a BZIP2 archive",
    b"7z\xbc\xaf": "a 7z archive",
}
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


Plain: TypeAlias = "io.BufferedReader[_Unpacked]"


class LogUnreadable(Exception):
    """The file cannot be read as an event log; the text says why and what to do."""


class _Unpacked(io.RawIOBase):
    """The bytes of a file, unpacked when it is packed, refused from the limit on."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file, self._left, self._limit = file, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        try:
            piece = self._file.read(min(len(buffer), HEAD_BYTES))
        except (gzip.BadGzipFile, zlib.error, EOFError) as broken:
            raise LogUnreadable("The packed file is damaged. Pack it again with gzip, or send it unpacked.") from broken
        self._left -= len(piece)
        if self._left < 0:
            said = (
                f"Unpacked, the file is larger than {self._limit // 1_000_000:,} MB. Send a shorter period of the log."
            )
            raise LogUnreadable(said)
        buffer[: len(piece)] = piece
        return len(piece)


def opened(file: IO[bytes], *, unpacked_at_most: int) -> Plain:
    """The plain bytes of a file, or of what gzip packed once. Raises LogUnreadable for other archives, at once for what
    is packed twice, and while reading for what is damaged or larger than `unpacked_at_most` bytes."""
    head = file.read(8)
    file.seek(0)
    is_packed = head.startswith(_GZIP)
    source: IO[bytes] = gzip.GzipFile(fileobj=file, mode="rb") if is_packed else file  # type: ignore[assignment]
    plain = io.BufferedReader(_Unpacked(source, unpacked_at_most), HEAD_BYTES)
    start = plain.peek(8)
    for mark, what in _PACKED.items():
        if start.startswith(mark):
            raise LogUnreadable(f"This is {what}. Unpack it and send the CSV or XES file, plain or packed with gzip.")
    if start.startswith(_GZIP):
        raise LogUnreadable("This file is packed twice. Unpack it and send the CSV or XES file.")
    if not start:
        raise LogUnreadable("The file is empty. Export the log again.")
    return plain


def is_xml(plain: Plain) -> bool:
    """Whether the stream begins as XML does; nothing of it is used up."""
    head = plain.peek(HEAD_BYTES)[:200].replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")
    return head.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").lstrip().startswith(b"<")


class Lines:
    """The lines of a text, whatever ends them. A line that is not UTF-8 is read as Windows-1252, the usual Latin-1 of
    exports, and counted in `foreign`."""

    def __init__(self, plain: Plain) -> None:
        self.foreign = 0
        head = plain.peek(HEAD_BYTES)
        self.encoding = _BOMS.get(head[:2], "utf-8")
        if self.encoding == "utf-8" and b"\0" in head[:HEAD_BYTES]:
            raise LogUnreadable("This is no text. Send the log as CSV or XES, in UTF-8 if you can choose.")
        # Latin-1 keeps each byte as one character: so Python finds the ends of lines, and the bytes are had back.
        self._text = io.TextIOWrapper(
            plain, encoding="utf-16" if self.encoding == "utf-16" else "latin-1", newline=None
        )
        self.has_mark = head.startswith(b"\xef\xbb\xbf")

    def __iter__(self) -> Iterator[str]:
        read, decoded = self._text.readline, self._decoded if self.encoding == "utf-8" else None
        is_first = self.has_mark
        try:
            while line := read(LINE_AT_MOST):
                if len(line) >= LINE_AT_MOST:
                    raise LogUnreadable(f"A line has over {LINE_AT_MOST:,} characters. Is this a CSV file?")
                if decoded is not None:
                    line = decoded(line)
                if is_first:
                    line, is_first = line.removeprefix("\ufeff"), False
                yield line
        except UnicodeError as wrong:
            raise LogUnreadable("The text is damaged UTF-16. Export the log in UTF-8.") from wrong

    def _decoded(self, line: str) -> str:
        if line.isascii():
            return line
        raw = line.encode("latin-1")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.foreign += 1
            return raw.decode("cp1252", errors="replace")
