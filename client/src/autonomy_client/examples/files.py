"""Names and files that every example writes in the same way."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path


def file_name(text: str) -> str:
    """A name that is safe on every file system and stays readable, at most 80 characters."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:80] or "document"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the whole of it or nothing, over an earlier one if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.part")
    part.write_bytes(data)
    part.replace(path)
