"""Names that can be compared and not be read: what keys, parts and idempotency keys are replaced by.

Invariant: equal values of one tenant and namespace get the same name, all others another one, and without the tenant's
root key a name says nothing about its value. Whoever has that key can test a guess, so it is kept apart from the data.
"""

from __future__ import annotations

from hmac import compare_digest

from crmcore.storage.wrappers.sealing import Mac, derived

_BYTES = 16


class Blinds:
    """The names that one tenant's root key gives.

    >>> blinds = Blinds(bytes(32))
    >>> blinds.key("email", "ann@x.org") == blinds.key("phone", "ann@x.org")
    False
    """

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._index, self._part, self._idem, self._about = (
            Mac(derived(root, purpose)) for purpose in ("index", "part", "idem", "about")
        )
        self.cover = derived(root, "cover")
        """What seals that which concerns nobody."""

    def __repr__(self) -> str:
        return "Blinds(<hidden>)"

    def come_from(self, root: bytes) -> bool:
        """Whether these are the names that *root* gives."""
        return compare_digest(self._root, root)

    def key(self, namespace: str, value: str) -> str:
        """The name of an equality key."""
        return _name(self._index, f"{namespace}\0{value}")

    def about(self, subject: str | None) -> str:
        """The name of somebody whom a record concerns; None: of more than are told one by one."""
        return _name(self._about, "many" if subject is None else f"one\0{subject}")

    def part(self, namespace: str, part: str) -> str:
        """The name of a part of an order."""
        return _name(self._part, f"{namespace}\0{part}")

    def idem(self, text: str) -> str:
        """The name of an idempotency key."""
        return _name(self._idem, f"idem\0{text}")

    def digest(self, text: str) -> str:
        """The name of what a chunk was made from."""
        return _name(self._idem, f"digest\0{text}")


def _name(key: Mac, text: str) -> str:
    return key.digest(text.encode("utf-8", "surrogatepass"))[:_BYTES].hex()
