"""The files that a command writes.

Invariant: a command never writes over what it reads, and a file that cannot be written is noticed before the work.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import TextIO

from crmcore.errors import UnreadableFile


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse to write where it cannot be written, to a file that is read, or twice to one file.

    Raises:
        UnreadableFile: if a command could not write its results.
    """
    taken = {_place(path) for path in inputs if path is not None}
    for path in outputs:
        if path is None:
            continue
        place = _place(path)
        if place in taken or any(_same(place, other) for other in taken):
            raise UnreadableFile(
                f"{path.name} is used by this command already and would be lost: name another file to write to"
            )
        taken.add(place)
        check_writable(path)


def write(path: Path, text: str) -> None:
    """Write *text* as UTF-8 with its line ends as they are.

    Raises:
        UnreadableFile: if the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A file to write rows to, as they come. It is there when all are: what was there before stays until then.

    A new file can be read by its owner only: rows hold personal data.

    Raises:
        UnreadableFile: if it cannot be written.
    """
    begun: str | None = None
    try:
        if path.exists() and not path.is_file():  # a pipe or a device
            with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
                yield file
            return
        handle, begun = mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with open(handle, "w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        os.replace(begun, path)
        begun = None
    except OSError as error:
        raise _unwritable(path, error.strerror) from None
    finally:
        if begun is not None:
            Path(begun).unlink(missing_ok=True)


def store_files(path: Path | None) -> tuple[Path, ...]:
    """The files of the store in *path*."""
    return () if path is None else (path, Path(f"{path}-wal"), Path(f"{path}-shm"))


def _place(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _same(a: Path, b: Path) -> bool:
    """Whether two paths are one file, by whatever links."""
    try:
        return a.samefile(b)
    except OSError:
        return False


def check_writable(path: Path) -> None:
    """Refuse a place where no file can be written.

    Raises:
        UnreadableFile: if it is a folder, in a folder that is not there, or protected.
    """
    try:
        if path.is_dir():
            raise _unwritable(path, "it is a folder")
        if not path.exists() and not path.parent.is_dir():
            raise _unwritable(path, "there is no such folder")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise _unwritable(path, "permission denied")
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


def _unwritable(path: Path, why: str | None) -> UnreadableFile:
    return UnreadableFile(f"{path.name or path} cannot be written ({why}): name another file")
