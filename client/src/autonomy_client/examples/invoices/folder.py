"""The folders that the four programs share: documents that come in, books to look up, files that go out."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from autonomy_client.examples.files import file_name, write_whole
from autonomy_client.examples.invoices.orders import Order, Receipt, read_order, read_receipt
from autonomy_client.examples.invoices.vendors import VendorMaster
from autonomy_client.examples.invoices.work import GiveUp
from autonomy_client.examples.invoices.xml import LARGEST_BYTES, Unreadable

log = logging.getLogger(__name__)

BOOKS = frozenset({"orders", "receipts"})
# A file that changed a moment ago may still be being written.
SETTLING_SECONDS = 1.0

Paper = TypeVar("Paper", bound=Order | Receipt)


class Lost(GiveUp):
    """The document of this run is no longer there, or it is not the same any more."""


@dataclass(frozen=True)
class Arrival:
    """An invoice file as it was when it was seen: its name inside the folder and its digest."""

    document: str
    sha256: str

    @property
    def key(self) -> str:
        """The run's key: stable for this name and content, another for any other content."""
        digest = hashlib.sha256(f"{self.document}\0{self.sha256}".encode()).hexdigest()
        return f"{file_name(Path(self.document).stem)}-{digest[:10]}"


class Folder:
    """The invoice files in `documents`; copies of what was read are kept below `out`, where a document is found again
    by its digest when its name cannot be sent as it is, or when it was moved."""

    def __init__(self, documents: Path, out: Path) -> None:
        self.documents = documents
        self.received = out / "received"
        self.known: dict[Path, tuple[int, int]] = {}
        self.warned: set[str] = set()

    def arrivals(self, now: float, limit: int) -> Iterator[Arrival]:
        """Up to `limit` invoice files that are new or changed since the last look."""
        for path in sorted(self._files()):
            if limit <= 0:
                return
            state = _state(path)
            if state is None or self.known.get(path) == state or _is_settling(state, now):
                continue
            yield Arrival(self._name(path), self._keep(path))
            self.known[path] = state
            limit -= 1

    def names(self) -> Iterator[str]:
        """The names of all invoice files that are here now."""
        return (self._name(path) for path in self._files())

    def _name(self, path: Path) -> str:
        return _printable(path.relative_to(self.documents).as_posix())

    def open(self, document: str, sha256: str) -> bytes:
        """The bytes of a document with exactly this digest; raises Lost."""
        for path in (self.documents / document, self.received / f"{sha256}.xml"):
            data = self._bytes(path)
            if data is not None and hashlib.sha256(data).hexdigest() == sha256:
                return data
        raise Lost(f"{document} is no longer there as it was when it arrived.")

    def size(self, document: str) -> int:
        """How many bytes the file of this name has; 0 when there is none."""
        try:
            return (self.documents / document).stat().st_size
        except (OSError, ValueError):
            return 0

    def _files(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self.documents, onerror=self._warn_once):
            if Path(folder) == self.documents:
                folders[:] = [name for name in folders if name not in BOOKS]
            for name in names:
                if name.lower().endswith(".xml") and not Path(folder, name).is_symlink():
                    yield Path(folder, name)

    def _warn_once(self, closed: OSError) -> None:
        if str(closed) not in self.warned:
            self.warned.add(str(closed))
            log.warning("A folder cannot be looked into: %s", closed)

    def _keep(self, path: Path) -> str:
        data = self._bytes(path)
        if data is None:
            return _digest_of_file(path)
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.received / f"{sha256}.xml"
        if not target.exists():
            write_whole(target, data)
        return sha256

    def _bytes(self, path: Path) -> bytes | None:
        try:
            inside = any(path.resolve().is_relative_to(root.resolve()) for root in (self.documents, self.received))
            return path.read_bytes() if inside and path.stat().st_size <= LARGEST_BYTES else None
        except (OSError, ValueError):
            return None


class Shelf(Generic[Paper]):
    """The orders or the receipts of one folder, read when they are new and found by order number."""

    def __init__(self, folder: Path, read: Callable[[bytes], Paper], number: Callable[[Paper], str]) -> None:
        self.folder = folder
        self.read = read
        self.number = number
        self.papers: dict[Path, tuple[tuple[int, int], Paper | None, str]] = {}

    def find(self, number: str) -> list[tuple[Paper, str, str]]:
        """Every paper of this number, each with its file name and digest."""
        self._refresh()
        return [
            (paper, path.name, sha256)
            for path, (_, paper, sha256) in sorted(self.papers.items())
            if paper is not None and self.number(paper) == number
        ]

    def _refresh(self) -> None:
        found = {path: state for path in self.folder.glob("*.xml") if (state := _state(path))}
        self.papers = {
            path: known if (known := self.papers.get(path)) and known[0] == state else (state, *self._open(path))
            for path, state in found.items()
        }

    def _open(self, path: Path) -> tuple[Paper | None, str]:
        try:
            data = path.read_bytes()
            return self.read(data), hashlib.sha256(data).hexdigest()
        except (OSError, Unreadable) as broken:
            log.warning("%s is left out: %s", path.name, broken)
            return None, ""


class Books:
    """The buyer's own records beside the invoices: orders, receipts and the vendor master."""

    def __init__(self, documents: Path) -> None:
        self.orders = Shelf(documents / "orders", read_order, lambda order: order.number)
        self.receipts = Shelf(documents / "receipts", read_receipt, lambda receipt: receipt.order)
        self.master_path = documents / "vendors.json"

    def vendors(self) -> VendorMaster:
        """The vendor master as it is now; empty when the folder has none."""
        if not self.master_path.exists():
            return VendorMaster({})
        return VendorMaster.from_json(self.master_path.read_text("utf-8"))


def _printable(name: str) -> str:
    """The name without what no text may hold: bytes that are not UTF-8, and control characters."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _is_settling(state: tuple[int, int], now: float) -> bool:
    # A time stamp of the future says nothing about when the file was written, and must not hold it back.
    return 0 <= now - state[1] / 1e9 < SETTLING_SECONDS


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _digest_of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
