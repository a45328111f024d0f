"""Boxes: a text that only its keys open, and that opens only in the place that it was sealed for.

Invariant: a box is AES-256-GCM under a key of its own, which is derived from the data keys and a salt; salt and nonce
are together 224 bits of HMAC-SHA256 over all that goes into the box: the place, the occasion, the plain text. So two
boxes share key and nonce only when they are the same box. No random numbers are drawn: a batch that is sent again is
sealed to the same bytes, and the store below knows it again.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import digest as _hmac
from typing import TYPE_CHECKING, NamedTuple

from crmcore.errors import Corrupt, MissingExtra

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_SALT, _NONCE = 16, 12
_OWN = b"key"  # what the key of a box is derived with


class DataKey(NamedTuple):
    """The key of what concerns one subject. *id* names it, so that a later key of the same subject is another one."""

    id: str
    subject: str
    secret: bytes

    def __repr__(self) -> str:
        return f"DataKey(id={self.id!r}, <hidden>)"


class DestroyedKey(NamedTuple):
    """What is left of a data key: that it was destroyed, whose it was, and when (microseconds since 1970)."""

    id: str
    subject: str
    at: int


_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Mac:
    """HMAC-SHA-256 (RFC 2104) of many texts under one key, of which its beginnings are worked out once.

    >>> Mac(bytes(32)).digest(b"text") == _hmac(bytes(32), b"text", "sha256")
    True
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            raise ValueError("a key of at most 64 bytes")
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = sha256(padded.translate(_INNER))
        self._outer = sha256(padded.translate(_OUTER))

    def __repr__(self) -> str:
        return "Mac(<hidden>)"

    def digest(self, text: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()


def cipher() -> tuple[type[AESGCM], type[Exception]]:
    """What is needed of the extra ``crypto``: the cipher, and its error.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtra("encryption needs cryptography: pip install 'crmcore[crypto]'") from None
    return AESGCM, InvalidTag


def derived(secret: bytes, purpose: str) -> bytes:
    """A key for one *purpose*, from which neither *secret* nor the key for another purpose can be told."""
    return _hmac(secret, b"crmcore.derive/1\0" + purpose.encode(), "sha256")


_TOGETHER = Mac(b"crmcore.seal/1")


def together(secrets: Iterable[bytes]) -> bytes:
    """The key that all *secrets* give, in this order, and none but all of them.

    >>> together([bytes(32), bytes(32)]) == together([bytes(32)])
    False
    """
    return _TOGETHER.digest(b"".join(secrets))


def place(*parts: str | int) -> bytes:
    """What a box is bound to, as bytes. None of *parts* but the last may hold U+0000, which no name does.

    >>> place("ab", "c") == place("a", "bc")
    False
    """
    return "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")


def random_pieces(count: int, size: int) -> list[bytes]:
    """So many pieces of so many random bytes, asked of the system in one call, which is what they cost."""
    drawn = secrets.token_bytes(count * size)
    return [drawn[start : start + size] for start in range(0, count * size, size)]


class Sealer:
    """Seals and opens. Made once, since it looks for the extra ``crypto``."""

    def __init__(self) -> None:
        self._cipher, self._invalid = cipher()

    def seal(self, key: Mac, where: bytes, occasion: bytes, plain: bytes) -> str:
        """The box of *plain*. *where* must be given again to open it; *occasion* makes equal texts unlike."""
        made = key.digest(b"nonce%d %d %b%b%b" % (len(where), len(occasion), where, occasion, plain))
        salt, nonce = made[:_SALT], made[_SALT : _SALT + _NONCE]
        sealed = self._cipher(key.digest(_OWN + salt)).encrypt(nonce, plain, where)
        return b64encode(salt + nonce + sealed).decode()

    def open(self, key: bytes, where: bytes, box: object) -> bytes:
        """What was sealed.

        Raises:
            Corrupt: if it was sealed under another key or for another place, or was changed.
        """
        try:
            raw = b64decode(str(box), validate=True)
            salt, nonce, sealed = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
            own = _hmac(key, _OWN + salt, "sha256")
            opened: bytes = self._cipher(own).decrypt(nonce, sealed, where)
            return opened
        except (ValueError, self._invalid):
            pass
        raise Corrupt(
            "something that is sealed does not open with its key in its place: it was changed, or moved here from "
            "another record; restore it from a backup"
        )

    def wrap(self, key: bytes, placed: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Secrets, each with its place, sealed with random nonces: a key never has to come out the same."""
        under = self._cipher(key)
        return [
            nonce + under.encrypt(nonce, secret, where)
            for nonce, (where, secret) in zip(random_pieces(len(placed), _NONCE), placed, strict=True)
        ]

    def unwrap(self, key: bytes, where: bytes, wrapped: bytes) -> bytes | None:
        """The inverse of `wrap`; None if it was wrapped with another key or for another place, or was changed."""
        try:
            opened: bytes = self._cipher(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], where)
            return opened
        except (ValueError, self._invalid):
            return None
