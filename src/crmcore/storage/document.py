"""Bodies as canonical JSON text: the form that is stored, hashed and copied.

Invariant: two equal bodies have the same text, whatever the order of their keys; a text decodes to a body equal
to the one it was made from, and shares nothing with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from crmcore.errors import InvalidRecord

MAX_DEPTH = 64
MAX_INT = (1 << 53) - 1
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


_encoder = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,  # the depth is limited before
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
    default=dict,  # of the mappings that are no dicts; anything else was refused before
)

write = _encoder.encode
"""The canonical text of a value that is known to be good JSON."""


_DECODER = json.JSONDecoder()


def decode(text: str) -> Any:
    """A fresh copy of what was written.

    Raises:
        ValueError: if that cannot be read, also where it is only too deep.
    """
    try:
        value, end = _DECODER.raw_decode(text)
        return value if end == len(text) else json.loads(text)
    except RecursionError:
        raise ValueError("what is to be read is nested too deep") from None


class Json(str):
    """The canonical text of a JSON object. `of` checks and encodes, the constructor trusts.

    >>> print(Json.of({"b": 1, "a": ["x", None]}))
    {"a":["x",null],"b":1}
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Json(<{len(self)} hidden>)"

    @classmethod
    def of(cls, body: Mapping[str, Any], *, levels: int = MAX_DEPTH) -> Json:
        """The text of *body*, which is to be a document by itself, or, with fewer *levels*, a part of one.

        Raises:
            InvalidRecord: as `encode`.
        """
        return cls(encode(body, levels=levels))


def encode(body: Mapping[str, Any], *, levels: int = MAX_DEPTH) -> str:
    """The canonical text of a JSON object.

    NUL and lone surrogates are looked for elsewhere, in the text of the whole batch (`joined`).

    Raises:
        InvalidRecord: if *body* holds anything but text, integers within +-(2**53 - 1), booleans, null, arrays
            and objects, or is more than *levels* deep.

    >>> encode({"b": 1, "a": ["x", None]})
    '{"a":["x",null],"b":1}'
    """
    if not isinstance(body, Mapping):
        raise InvalidRecord(f"a body is a JSON object, not a {type(body).__name__}")
    _look(body, levels)
    return write(body)


_PLAIN = frozenset({str, bool, type(None)})


def _look(node: Any, depth: int) -> None:
    """Refuse what JSON, or another store, would not give back. The hot path of an import: exact types come first."""
    if depth == 0:
        raise InvalidRecord(f"a body is at most {MAX_DEPTH} levels deep: store a flatter document")
    items: Any = node
    kind = type(node)
    if kind is not list and (kind is dict or isinstance(node, Mapping)):
        try:
            "".join(node)  # the quickest way to ask whether all names are texts
        except TypeError:
            raise InvalidRecord("the names in a body are texts: convert other keys to text first") from None
        items = node.values()
    if _PLAIN.issuperset(map(type, items)):
        return
    for item in items:
        kind = type(item)
        if kind is str:
            continue
        if kind is dict or kind is list:
            _look(item, depth - 1)
        elif isinstance(item, int):
            if not -MAX_INT <= item <= MAX_INT:
                raise InvalidRecord(
                    "an integer in a body is within +-(2**53 - 1): store a larger one as text"
                )
        elif isinstance(item, (dict, list, tuple, Mapping)):
            _look(item, depth - 1)
        elif item is not None and not isinstance(item, str):
            raise InvalidRecord(f"a body cannot hold a {kind.__name__}: store it as text")


def joined(texts: Sequence[str]) -> bytes:
    """Canonical texts as the bytes of their lines.

    Raises:
        InvalidRecord: if one of them holds U+0000 or a lone surrogate; the message has its place in *texts*.
    """
    whole = "\n".join(texts)
    try:
        data = whole.encode()
    except UnicodeEncodeError:
        data = None
    if data is None:  # outside of the handler, since the error that it handled has the whole text in it
        place = next(place for place, text in enumerate(texts) if not _encodes(text))
        raise InvalidRecord(f"operation {place} of the batch holds a lone surrogate: repair the text first")
    if "\\u0000" in whole:  # rare, so only then the slow look: the six characters may also be somebody's text
        for place, text in enumerate(texts):
            if _NUL.search(text):
                raise InvalidRecord(
                    f"operation {place} of the batch holds the character U+0000: remove it first"
                )
    return data


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
