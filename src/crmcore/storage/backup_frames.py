"""The bytes of a backup file: frames of compressed text, and a seal over every byte before it.

Invariant: a file is read to its end or refused. A byte that was changed, taken away or added is found, because the seal
covers all of them and nothing may follow it. No frame grows to more than a mebibyte when it is unpacked, so a file that
lies about its size costs no memory.

The file is: the line `MAGIC`; frames, each a letter, the length of what is packed and the length of what is unpacked,
four bytes each, and the packed bytes (zlib); the letter ``E``; and 32 bytes, the SHA-256 of all before, or their
HMAC-SHA-256 where there is a key.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO, Protocol

from crmcore.errors import Corrupt, InvalidRecord

MAGIC = b"crmcore.backup/1\n"
HEADER, ROWS, MANIFEST, _END = b"H", b"R", b"M", b"E"

FRAME = 1 << 20
"""So many bytes of text a frame has at most."""

LONGEST = 32 << 20
"""A row has at most so many bytes; that of a chunk of a bulk load tells all its changes."""

_LENGTHS = struct.Struct(">II")
_LEVEL = 4  # a third larger than the best, and three times as quick


class _Seal(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


SHORTEST_KEY = 16


def check_key(key: bytes | None) -> None:
    """Refuse a key that could be guessed.

    Raises:
        InvalidRecord: if it is no bytes, or fewer than `SHORTEST_KEY`.
    """
    if key is not None and (not isinstance(key, bytes) or len(key) < SHORTEST_KEY):
        raise InvalidRecord(f"the key of a backup is {SHORTEST_KEY} bytes at least: give 32 random ones")


def _seal(key: bytes | None) -> _Seal:
    return sha256() if key is None else hmac.new(key, digestmod=sha256)


class FrameWriter:
    """Writes frames into *sink*, then the seal."""

    def __init__(self, sink: BinaryIO, key: bytes | None) -> None:
        self._sink = sink
        self._seal = _seal(key)
        self._put(MAGIC)

    def frame(self, letter: bytes, text: bytes) -> None:
        """Write *text*, which is not longer than `FRAME`."""
        packed = zlib.compress(text, _LEVEL)
        self._put(letter + _LENGTHS.pack(len(packed), len(text)) + packed)

    def end(self) -> None:
        self._put(_END)
        self._sink.write(self._seal.digest())

    def _put(self, data: bytes) -> None:
        self._seal.update(data)
        self._sink.write(data)


def frames(source: BinaryIO, key: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """The frames of a file, each with its letter.

    Raises:
        Corrupt: if the file is not, byte for byte, what was written with the same *key*. That is known for certain only
            at its end.
    """
    seal = _seal(key)

    def take(size: int) -> bytes:
        data = source.read(size)
        if len(data) != size:
            raise Corrupt("the backup is cut off: take another one")
        seal.update(data)
        return data

    if take(len(MAGIC)) != MAGIC:
        raise Corrupt("this is no backup of crmcore, or of another version of it: check the path")
    while (letter := take(1)) != _END:
        packed, size = _LENGTHS.unpack(take(_LENGTHS.size))
        if letter not in (HEADER, ROWS, MANIFEST) or size > FRAME or packed > FRAME + 1024:
            raise _damaged()
        yield letter, _unpacked(take(packed), size)
    digest = seal.digest()
    if not hmac.compare_digest(source.read(len(digest) + 1), digest):
        raise _damaged() if key is None else Corrupt("the backup is damaged, or was not made with this key")


def _unpacked(packed: bytes, size: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(packed, size + 1)
    except zlib.error:
        raise _damaged() from None
    if len(text) != size or not inflate.eof or inflate.unused_data or inflate.unconsumed_tail:
        raise _damaged()
    return text


def _damaged() -> Corrupt:
    return Corrupt("the backup is damaged: take another one")
