"""In which encoding a file is written: its byte order mark, else strict UTF-8, else what the caller declares.

Invariant: an encoding is never guessed from the bytes. A file that does not fit is refused as a whole, with the
line where it stops fitting, so no text is ever half read or read wrongly without a word.
"""

from __future__ import annotations

import codecs
import hashlib
from pathlib import Path

import attrs

from crmcore.errors import UnreadableFile

_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)  # UTF-32 before UTF-16, whose mark is its beginning.

_NO_TEXT = (
    (b"PK\x03\x04", "a workbook or archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed"),
    (b"%PDF", "a PDF"),
)
_UNSAFE = frozenset({"utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna"})
"""Codecs that no file is saved in and that can yield characters which no store keeps."""


@attrs.frozen(kw_only=True)
class Scan:
    """What reading a file once as bytes told: its *codec*, its SHA-256 *digest*, its *size* in bytes."""

    codec: str
    digest: str
    size: int

    @property
    def name(self) -> str:
        """The encoding as people call it, without the mark.

        >>> Scan(codec="utf-8-sig", digest="", size=0).name
        'utf-8'
        """
        return self.codec.removesuffix("-sig")


def scan(path: Path, declared: str | None = None) -> Scan:
    """Read the whole file once and settle its encoding.

    Raises:
        UnreadableFile: if the file cannot be read, is no text, or does not fit its mark, UTF-8 or *declared*.
    """
    try:
        if not path.is_file():
            what = "a directory" if path.is_dir() else "not a regular file" if path.exists() else "not there"
            raise UnreadableFile(f"{path.name or path} is {what}: give the path of a CSV file")
        with path.open("rb") as file:
            head = file.read(_CHUNK)
            codec = _codec(path.name, head, declared)
            decoder = codecs.getincrementaldecoder(codec)("strict")
            digest, size, chunk = hashlib.sha256(), 0, head
            while chunk:
                held = len(decoder.getstate()[0])
                _decode(decoder, chunk, final=False, path=path, offset=size - held, declared=declared)
                digest.update(chunk)
                size += len(chunk)
                chunk = file.read(_CHUNK)
            held = len(decoder.getstate()[0])
            _decode(decoder, b"", final=True, path=path, offset=size - held, declared=declared)
    except OSError as error:
        raise UnreadableFile(
            f"{path.name or path} cannot be read ({error.strerror}): check the path and its rights"
        ) from None
    return Scan(codec=codec, digest=digest.hexdigest(), size=size)


def _codec(name: str, head: bytes, declared: str | None) -> str:
    for begin, what in _NO_TEXT:
        if head.startswith(begin):
            raise UnreadableFile(f"{name} is {what}, not a CSV file: save it as CSV (UTF-8) first")
    wanted = None if declared is None else _known(declared)
    for mark, codec, title in _MARKS:
        if head.startswith(mark):
            if wanted is not None and not wanted.startswith(codec.removesuffix("-sig")):
                raise UnreadableFile(
                    f"{name} begins with the mark of {title}, not of {declared}: leave out --encoding"
                )
            return codec
    if wanted is not None:
        return wanted
    if head.count(0) * 4 > len(head):
        raise UnreadableFile(
            f"{name} looks like UTF-16 without its mark: pass --encoding utf-16-le or utf-16-be"
        )
    return "utf-8"


def _known(declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
        b" ".decode(name, "replace")  # refuses what is no encoding of text
    except (LookupError, ValueError):
        name = ""
    if not name or name.replace("_", "-") in _UNSAFE:
        raise UnreadableFile(
            "the declared encoding is not known: use a name such as utf-8, cp1252 or utf-16"
        ) from None
    return name


def _decode(
    decoder: codecs.IncrementalDecoder,
    chunk: bytes,
    *,
    final: bool,
    path: Path,
    offset: int,
    declared: str | None,
) -> None:
    try:
        decoder.decode(chunk, final)
        return
    except UnicodeDecodeError as error:
        place = offset + error.start
        codec = error.encoding
    line, column = _line_of(path, place)
    if codec.startswith("utf-8"):
        raise UnreadableFile(
            f"line {line} of {path.name} is not UTF-8 (byte {column} of the line): "
            "pass --encoding cp1252, or whatever it was saved in"
        )
    raise UnreadableFile(
        f"line {line} of {path.name} does not fit the encoding {declared or codec} (byte {column} of the line): "
        "pass the --encoding that it was saved in"
    )


def _line_of(path: Path, place: int) -> tuple[int, int]:
    """The line and the byte within it, both from 1, of the byte at *place*."""
    line, start, position = 1, 0, 0
    with path.open("rb") as file:
        while position < place:
            chunk = file.read(min(_CHUNK, place - position))
            if not chunk:
                break
            line += chunk.count(b"\n")
            last = chunk.rfind(b"\n")
            start = position + last + 1 if last >= 0 else start
            position += len(chunk)
    return line, place - start + 1
