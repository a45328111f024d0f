"""A folder in which the work of one run is kept as it gets done, so that the same run goes on after it was cut off.

Invariant: a part is there whole or not at all: it is written beside its place, brought to the disk and then renamed.
What another table, other options or another version left is never taken over, nor what fails its checksum. One run
uses a folder at a time, and nothing in it is deleted that a run did not write.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import attrs

from crmcore.errors import UnusableCheckpoint
from crmcore.identity.batch.checkpoint_part import Part, part_of, written
from crmcore.identity.batch.folder_lock import locked, released

FORMAT = 1
_MARK, _LOCK = "checkpoint.json", "lock"
_OURS = re.compile(r"(?:checkpoint\.json|(?:candidates|learned|patterns-[0-9]{6})\.part)(?:\.tmp)?|lock")
_TAG = "crmcore.checkpoint"


@attrs.frozen(kw_only=True)
class Key:
    """What work belongs to: the digests of the *table* and of the *options*, and the *version* of crmcore."""

    table: str
    options: str
    version: str

    @property
    def digest(self) -> str:
        """The key as one text, which every part bears."""
        words = "\x1f".join((str(FORMAT), self.table, self.options, self.version))
        return blake2b(words.encode(), digest_size=16).hexdigest()


class Checkpoint:
    """The checkpoint in a *folder*, which is made if it is not there, and is held until `close` or `finish`.

    *resumed* says whether anything was taken over, *notes* what a person should know.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.resumed = False
        self.notes: list[str] = []
        self._key = ""
        self._made = False
        try:
            self._prepare()
            self._lock: int | None = locked(self.folder / _LOCK)
        except OSError as error:
            raise self._unusable(error) from None

    def _prepare(self) -> None:
        """See that the folder is there and holds nothing but a checkpoint."""
        if not self.folder.exists():
            # Others may read the folder's owner's files; what is kept of a table is for its owner alone.
            self.folder.mkdir(mode=0o700)
            self._made = True
        names = {path.name for path in self.folder.iterdir()}
        foreign = any(not _OURS.fullmatch(name) for name in names)
        # Before there is a mark there is nothing but our lock, which is empty, and the mark that is being written.
        bare = names <= {_LOCK, f"{_MARK}.tmp"} and (_LOCK not in names or not self._size(_LOCK))
        if foreign or not (bare or (_MARK in names and self._is_ours(self._mark()))):
            raise UnusableCheckpoint(
                f"{self.folder.name or self.folder} holds other files than a checkpoint, or a damaged one: name a new "
                "folder, or an empty one, or delete it yourself"
            )

    def _size(self, name: str) -> int:
        return (self.folder / name).stat().st_size

    def _is_ours(self, mark: Any) -> bool:
        return isinstance(mark, dict) and mark.get("tag") == _TAG

    def begin(self, key: Key) -> None:
        """Take over what was kept for *key*; delete what was kept for another one, and note it.

        Raises:
            UnusableCheckpoint: if the folder cannot be written.
        """
        self._key = key.digest
        known = self._mark()
        self._made = self._made or (known is not None and known.get("made") is True)
        mark = {"tag": _TAG, "format": FORMAT, "made": self._made, **attrs.asdict(key)}
        if known == mark:
            self._forget(lambda name: name.endswith(".tmp"))
            return
        if known is not None:
            self.notes.append(f"started anew: the checkpoint was {_difference(known, mark)}")
        self._forget(lambda name: name not in (_MARK, _LOCK))
        self._write(_MARK, [json.dumps(mark).encode()])

    def get(self, name: str) -> Part | None:
        """A part that was kept; None where there is none that can be trusted."""
        try:
            raw = (self.folder / f"{name}.part").read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            raw = b""
        part = part_of(raw, self._key, name)
        if part is None:
            note = "a part of the checkpoint was damaged and was worked out anew"
            if note not in self.notes:
                self.notes.append(note)
        else:
            self.resumed = True
        return part

    def put(self, name: str, arrays: Mapping[str, Any], text: str = "") -> None:
        """Keep a part.

        Raises:
            UnusableCheckpoint: if it cannot be written.
        """
        self._write(f"{name}.part", written(self._key, name, arrays, text))

    def finish(self) -> None:
        """The run has ended well: remove the checkpoint, and the folder if a run made it; nothing where none was begun,
        as what lies there is another run's."""
        if not self._key:
            self.close()
            return
        self._forget(lambda name: name not in (_MARK, _LOCK))
        self._forget(lambda name: name != _LOCK)
        with contextlib.suppress(OSError):
            (self.folder / _LOCK).unlink()
        self.close()
        if self._made:
            with contextlib.suppress(OSError):
                self.folder.rmdir()

    def close(self) -> None:
        """Let others use the folder; what was kept stays."""
        if self._lock is not None:
            released(self._lock)
            self._lock = None

    def _mark(self) -> Any:
        try:
            return json.loads((self.folder / _MARK).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            return {}

    def _forget(self, chosen: Any) -> None:
        for path in list(self.folder.iterdir()):
            if _OURS.fullmatch(path.name) and chosen(path.name):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _write(self, name: str, pieces: list[Any]) -> None:
        place, beside = self.folder / name, self.folder / f"{name}.tmp"
        try:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)
            _settle(self.folder)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> UnusableCheckpoint:
        return UnusableCheckpoint(
            f"no checkpoint can be kept in {self.folder.name or self.folder} ({error.strerror}): name another folder"
        )


def _settle(folder: Path) -> None:
    """Bring to the disk that a file has its name, where the system lets folders be opened."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _difference(known: Any, mark: Mapping[str, Any]) -> str:
    """What a checkpoint was of, in words."""
    if (known.get("format"), known.get("version")) != (mark["format"], mark["version"]):
        return "of another version of crmcore or of a library"
    return "of another table" if known.get("table") != mark["table"] else "of other options"
