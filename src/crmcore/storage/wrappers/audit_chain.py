"""The chain that audit entries are in: what each is bound to, and the small value that binds all of them.

Invariant: each link is an HMAC over the place of its entry, the hash of what it holds, and the link before, so without
the key none can be changed, left out, put in or put elsewhere without breaking the chain. Links of entries, of seals
and of anchors are made with different first bytes, so that none can stand for another. A chain does not show that its
end was cut off: an anchor does, which is kept elsewhere.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import attrs

from crmcore.errors import InvalidValue
from crmcore.storage.document import decode, write
from crmcore.storage.protocol import Entry
from crmcore.storage.validate import instant, microseconds

AUDIT_TENANT = "crmcore.audit"
AUDIT_SCHEMA = "crmcore.audit/1"
SEAL_SCHEMA = "crmcore.audit.seal/1"
SEALS = "audit:seal"
"""The stream of seals, each of which has the heads of all shards."""

SHARDS, MOST_SHARDS = 16, 256
_LEAF, _NODE, _ANCHOR, _START = b"\x00", b"\x01", b"\x02", b"\x03"
_LINK = "link"
_LEAST_KEY = 32


@attrs.frozen
class Head:
    """The end of a stream: how many entries it has, and the link of the last."""

    seq: int
    link: bytes


@attrs.frozen
class Note:
    """What an entry is to say, before it has a place."""

    schema: str
    at: datetime
    body: Mapping[str, Any]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(write(self.body).encode()) + 200


def shard_name(number: int) -> str:
    """The stream of a shard.

    >>> shard_name(3)
    'audit:003'
    """
    return f"audit:{number:03d}"


def streams(shards: int) -> list[str]:
    """All streams of an audit, that of the seals last.

    >>> streams(2)
    ['audit:000', 'audit:001', 'audit:seal']
    """
    return [*map(shard_name, range(shards)), SEALS]


def audit_key(key: bytes) -> bytes:
    """*key*, if it is one.

    Raises:
        InvalidValue: if it has fewer than 32 bytes.
    """
    if not isinstance(key, bytes) or len(key) < _LEAST_KEY:
        raise InvalidValue(
            "the key of an audit has at least 32 random bytes: make one with secrets.token_bytes(32)"
        )
    return key


def start(key: bytes, stream: str) -> bytes:
    """What stands for the link before the first entry of a stream."""
    return hmac.digest(key, _START + stream.encode(), "sha256")


def link(
    key: bytes, stream: str, seq: int, schema: str, at: int, body: Mapping[str, Any], before: bytes
) -> bytes:
    """The link of an entry; *body* is without it."""
    kind = _NODE if schema == SEAL_SCHEMA else _LEAF
    header = write([stream, seq, schema, at]).encode()
    payload = sha256(write(body).encode()).digest()
    return hmac.digest(key, kind + len(header).to_bytes(4, "big") + header + payload + before, "sha256")


def linked(body: Mapping[str, Any], made: bytes) -> dict[str, Any]:
    """A body with its link."""
    return {**body, _LINK: made.hex()}


def link_of(entry: Entry) -> bytes:
    """The link that an entry says it has; empty if it has none."""
    text = entry.body.get(_LINK)
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def shards_of(entry: Entry) -> int | None:
    """In how many shards an entry says that the audit is. The first of each stream says so, and every seal."""
    number = entry.body.get("shards")
    return number if isinstance(number, int) else None


def is_whole(key: bytes, entry: Entry, before: bytes) -> bool:
    """Whether an entry is what was written there, after one with the link *before*.

    The link binds when it happened; it was recorded at that time and is about nobody, or it was changed.
    """
    if entry.recorded_at != entry.occurred_at or entry.subjects:
        return False
    return same(_expected_link(key, entry, before), link_of(entry))


def _expected_link(key: bytes, entry: Entry, before: bytes) -> bytes:
    body = {name: value for name, value in entry.body.items() if name != _LINK}
    at = microseconds(entry.occurred_at, "the time of an entry")
    return link(key, entry.stream, entry.seq, entry.schema, at, body, before)


@attrs.frozen(kw_only=True)
class Anchor:
    """The heads of all streams at some time, by stream: how many entries, and the last link in hexadecimal.

    *shards* is in how many shards the audit is.
    *proof* shows who has the key that it was made by somebody who has it.
    """

    at: datetime
    shards: int
    heads: tuple[tuple[str, int, str], ...]
    proof: str

    def text(self) -> str:
        """All of it as one line, to be kept where whoever could change the audit cannot."""
        return write([microseconds(self.at, "the time of an anchor"), self.shards, self.heads, self.proof])

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """The inverse of `text`.

        Raises:
            InvalidValue: if *text* is no anchor. Whether it is a true one is for `verify_audit` to say.
        """
        try:
            at, shards, heads, proof = decode(text)
            plain = tuple((str(stream), int(count), str(head)) for stream, count, head in heads)
            return cls(at=instant(int(at)), shards=int(shards), heads=plain, proof=str(proof))
        except (ValueError, TypeError, OverflowError, RecursionError):
            pass
        raise InvalidValue("not an anchor of an audit: give the line that Anchor.text() gave, unchanged")


class AnchorSink(Protocol):
    """Where anchors are kept: another store, a file that can only grow, a letter box."""

    async def keep(self, anchor: Anchor) -> None:
        """Keep *anchor* where whoever could change the audit cannot."""
        ...


def anchor_proof(key: bytes, at: datetime, shards: int, heads: tuple[tuple[str, int, str], ...]) -> str:
    """What shows that an anchor was made with *key*."""
    said = write([microseconds(at, "the time of an anchor"), shards, heads]).encode()
    return hmac.digest(key, _ANCHOR + said, "sha256").hex()


def same(one: bytes | str, other: bytes | str) -> bool:
    """Whether two links are the same, in a time that tells nothing."""
    return hmac.compare_digest(
        one.encode() if isinstance(one, str) else one, other.encode() if isinstance(other, str) else other
    )
