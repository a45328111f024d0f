"""Cursors and feed positions: sealed texts that only the store that made them can read.

Invariant: a cursor opens only for the call, tenant and arguments that it was made for, by a store with the same
secret; anything else is refused as a whole. A sealed text shows nothing of what it holds, because the place in an
ordering can be a piece of somebody's name.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Sequence
from hashlib import blake2b, shake_256
from typing import Any

from crmcore.errors import InvalidRecord

_TAG = 16
_text = json.JSONEncoder(separators=(",", ":")).encode  # made once: every receipt seals its position


def new_generation() -> str:
    """A random text for a tenant that is made: places in the feed of a tenant of this name before are none of its."""
    return secrets.token_hex(8)


class Cursors:
    """Seals and opens the places that one store hands out. *secret* is 32 random bytes, kept in that store.

    >>> cursors = Cursors(bytes(32))
    >>> cursors.open(("scan", "acme"), cursors.seal(("scan", "acme"), ["some place"]))
    ['some place']
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, scope: Sequence[Any], place: Sequence[str | int]) -> str:
        """Hide *place* in a text that opens only for the same *scope*, a list of JSON values."""
        plain = _text(place).encode()
        tag = self._tag(scope, plain)
        return base64.urlsafe_b64encode(tag + self._mask(tag, plain)).decode().rstrip("=")

    def open(self, scope: Sequence[Any], text: str) -> list[Any]:
        """Read a place back.

        Raises:
            InvalidRecord: if *text* was not sealed by this store for this *scope*.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError, TypeError, AttributeError):
            raw = b""
        tag, plain = raw[:_TAG], self._mask(raw[:_TAG], raw[_TAG:])
        # The last comparison refuses a second spelling of the same bytes (unused bits of the last character).
        if not (
            len(raw) > _TAG
            and hmac.compare_digest(tag, self._tag(scope, plain))
            and base64.urlsafe_b64encode(raw).decode().rstrip("=") == text
        ):
            raise InvalidRecord(
                "not a cursor of this store for this call: pass on unchanged what the previous page gave, "
                "with the same arguments"
            )
        place: list[Any] = json.loads(plain)
        return place

    def _tag(self, scope: Sequence[Any], plain: bytes) -> bytes:
        bound = _text(scope).encode()
        return blake2b(bound + b"\n" + plain, key=self._secret, digest_size=_TAG).digest()

    def _mask(self, tag: bytes, data: bytes) -> bytes:
        # The tag of the plain text doubles as the nonce, so equal places look alike and others share no key stream.
        stream = shake_256(b"mask" + self._secret + tag).digest(len(data))
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")
