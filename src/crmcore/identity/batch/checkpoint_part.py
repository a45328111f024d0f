"""One part of a checkpoint as bytes: what it is, arrays of numbers, and a checksum of all that.

Invariant: bytes that were cut off, changed or belong to something else are no part. Nothing in them is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

_SUM = 32
_TYPES = ("<i4", "<i8")
_ALIGN = 8


@attrs.frozen(eq=False, repr=False)
class Part:
    """The *arrays* by name, and a *text*."""

    arrays: Mapping[str, NDArray[Any]]
    text: str


def written(key: str, name: str, arrays: Mapping[str, NDArray[Any]], text: str) -> list[Any]:
    """The bytes of a part, piece by piece: a line that says what it is, the arrays, and the checksum."""
    plain = {one: np.ascontiguousarray(array, dtype=_type(array)) for one, array in arrays.items()}
    described = [[one, array.dtype.str, len(array)] for one, array in plain.items()]
    line = json.dumps({"key": key, "name": name, "arrays": described, "text": text}).encode()
    pieces: list[Any] = [line + b" " * (-(len(line) + 1) % _ALIGN) + b"\n"]
    for array in plain.values():
        pieces += [array.data.cast("B") if len(array) else b"", bytes(-array.nbytes % _ALIGN)]
    checksum = blake2b(digest_size=_SUM)
    for piece in pieces:
        checksum.update(piece)
    return [*pieces, checksum.digest()]


def _type(array: NDArray[Any]) -> str:
    return "<i4" if array.dtype == np.int32 else "<i8"


def part_of(raw: bytes, key: str, name: str) -> Part | None:
    """The part of these bytes; None if it is not whole, or not the one asked for."""
    body = memoryview(raw)[:-_SUM]
    if len(raw) < _SUM or blake2b(body, digest_size=_SUM).digest() != raw[-_SUM:]:
        return None
    end = raw.find(b"\n")
    try:
        said = json.loads(raw[:end])
        if (said["key"], said["name"]) != (key, name):
            return None
        return Part(_arrays(raw, end + 1, said["arrays"]), str(said["text"]))
    except (ValueError, KeyError, TypeError):
        return None


def _arrays(raw: bytes, place: int, described: Any) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for one, kind, count in described:
        if kind not in _TYPES:
            raise ValueError
        found[one] = np.frombuffer(raw, dtype=kind, count=count, offset=place)
        place += -(-found[one].nbytes // _ALIGN) * _ALIGN
    return found
