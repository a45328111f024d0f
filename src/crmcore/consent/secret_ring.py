"""The secrets by which addresses and tokens are known without being kept: versions of 32 random bytes and more.

Invariant: what was made with a version is known for as long as that version is in the ring; what is new takes the
newest. No secret is in a `repr`, a message or anything that a store holds.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping

from crmcore.errors import InvalidConsent

SECRET_BYTES = 32
_MOST = 1_000_000
_START = 16


class SecretRing:
    """Secrets by the number of their version, kept by the app apart from the data: whoever has both can try addresses.

    A secret is never changed, since what was made with it could not be known any more: add a version instead, and
    leave the old ones in. One ring may serve for suppression and for links: what one makes is nothing to the other.

    Raises:
        InvalidConsent: if there is none, one is shorter than 32 bytes, or two versions have the same.

    >>> SecretRing({1: bytes(32), 2: b"2" * 32})
    SecretRing(versions=(1, 2))
    """

    def __init__(self, secrets: Mapping[int, bytes]) -> None:
        if not secrets:
            raise InvalidConsent("a ring has one secret at least: make one with secrets.token_bytes(32)")
        for version, secret in secrets.items():
            if not isinstance(version, int) or isinstance(version, bool) or not 0 < version <= _MOST:
                raise InvalidConsent(f"the version of a secret is a number from 1 to {_MOST}")
            if not isinstance(secret, bytes) or len(secret) < SECRET_BYTES:
                raise InvalidConsent(
                    f"a secret has {SECRET_BYTES} random bytes at least: make one with secrets.token_bytes(32)"
                )
        if len(set(secrets.values())) < len(secrets):
            raise InvalidConsent("two versions have the same secret: a new version takes a new secret")
        self._secrets = {version: secrets[version] for version in sorted(secrets)}

    def __repr__(self) -> str:
        return f"SecretRing(versions={self.versions})"

    @property
    def versions(self) -> tuple[int, ...]:
        """Which versions there are, oldest first."""
        return tuple(self._secrets)

    @property
    def newest(self) -> int:
        """The version that new things take."""
        return self.versions[-1]

    def mac(self, version: int, purpose: str, *parts: str | bytes) -> bytes | None:
        """HMAC-SHA-256 of *parts*, under a version, for one *purpose* only; None if that version is not here."""
        secret = self._secrets.get(version)
        if secret is None:
            return None
        digest = hmac.new(secret, digestmod=hashlib.sha256)
        for piece in _framed(purpose, *parts):
            digest.update(piece)
        return digest.digest()

    def sealed(self, purpose: str, raw: bytes, *context: str | bytes) -> bytes:
        """At most 32 bytes made unreadable under the newest version; in another *context* they look another way.

        It keeps nobody from changing them: have a `mac` cover what is sealed.
        """
        start = (self.mac(self.newest, f"{purpose} start", raw, *context) or b"")[:_START]
        return start + self._veiled(self.newest, purpose, start, raw)

    def opened(self, version: int, purpose: str, sealed: bytes) -> bytes:
        """What was `sealed` under a version that is here."""
        return self._veiled(version, purpose, sealed[:_START], sealed[_START:])

    def _veiled(self, version: int, purpose: str, start: bytes, raw: bytes) -> bytes:
        stream = self.mac(version, f"{purpose} veil", start) or b""
        return bytes(one ^ other for one, other in zip(raw, stream, strict=False))


def _framed(*parts: str | bytes) -> Iterator[bytes]:
    """Each part after its length, so that no two lists of parts are one text."""
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        yield len(raw).to_bytes(8, "big")
        yield raw
