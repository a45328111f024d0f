"""What one call seals and opens with: the keys of one tenant, and the forms that records and entries have when sealed.

Invariant: what is opened is what was sealed, in the place that it was sealed for, or an error, or known to be shredded;
never anything between. A sealed body says under which keys it is, by their ids, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs

from crmcore.errors import Corrupt, WrongKey
from crmcore.storage.document import decode, write
from crmcore.storage.erasure import ERASED
from crmcore.storage.protocol import Body, Entry, Key, Record, Ref, Sort
from crmcore.storage.validate import KeyPair, SortTriple, instant, microseconds
from crmcore.storage.wrappers.blinding import Blinds
from crmcore.storage.wrappers.sealing import DataKey, DestroyedKey, Mac, Sealer, place, together

CARRIER = "crmcore.sealed"
"""The namespace in which a record that was rekeyed carries its true keys, sealed, in pieces."""

ABOUT = "crmcore.about"
"""The namespace in which a record carries whom it concerns, so that it can be found when it cannot be read."""

MOST_ABOUT = 6
"""How many are told one by one. Of more a record says that they are many."""

_MARK = "~"  # no name that Blinds gives begins with it
_PIECE = 508
_BOX, _TO = "box", "to"


def ids_of(body: Body) -> Sequence[str]:
    """Under which keys a body is sealed; none: under the tenant's own."""
    if type(body.get(_BOX)) is not str:
        raise Corrupt(
            "this store holds something that was not sealed: write to it through Encrypted only, and load what was "
            "written before into an empty one"
        )
    found: Sequence[str] = body.get(_TO, ())
    return found


@attrs.frozen
class Ring:
    """The keys of *tenant* that a call needs."""

    _sealer: Sealer
    tenant: str
    blinds: Blinds
    _keys: Mapping[str, DataKey | DestroyedKey] = attrs.field(
        factory=dict[str, DataKey | DestroyedKey], repr=False
    )
    _made: dict[str, Mac] = attrs.field(factory=dict[str, Mac], init=False, repr=False)

    def key(self, ids: Iterable[str]) -> bytes | None:
        """The key that all of these give; None if one of them was destroyed.

        Raises:
            WrongKey: if one was never in the key store.
        """
        secrets: list[bytes] = []
        for id in ids:
            one = self._keys.get(id)
            if one is None:
                raise _lost("the heading of a batch")
            if isinstance(one, DestroyedKey):
                return None
            secrets.append(one.secret)
        return together(secrets) if secrets else self.blinds.cover

    # --- sealing ---

    def seal(self, keys: Collection[DataKey], where: bytes, occasion: bytes, plain: str) -> dict[str, Any]:
        """*plain* as a body, under all of *keys*."""
        if not keys:
            return {_BOX: self._sealer.seal(Mac(self.blinds.cover), where, occasion, plain.encode())}
        ids = [key.id for key in keys] if len(keys) == 1 else sorted([key.id for key in keys])
        name = ids[0] if len(ids) == 1 else " ".join(ids)
        secret = self._made.get(name)  # a record and its entry have the same
        if secret is None:
            by_id = {key.id: key.secret for key in keys}
            secret = self._made[name] = Mac(together([by_id[id] for id in ids]))
        return {_BOX: self._sealer.seal(secret, where, occasion, plain.encode()), _TO: ids}

    def seal_record(
        self,
        keys: Collection[DataKey],
        address: tuple[str, str],
        schema: int,
        occasion: bytes,
        body: str,
        carries: str,
    ) -> dict[str, Any]:
        """The body that stands for a record's body, keys and sorts, which are given as canonical texts."""
        where = place("record", self.tenant, *address, schema)
        return self.seal(keys, where, occasion, f'{{"body":{body},"carries":{carries}}}')

    def seal_entry(
        self,
        keys: Collection[DataKey],
        stream: str,
        occurred: int,
        subjects: Iterable[str],
        schema: str,
        occasion: bytes,
        body: str,
    ) -> dict[str, Any]:
        """The body that stands for that of an entry."""
        return self.seal(keys, _entry_place(self.tenant, stream, occurred, subjects, schema), occasion, body)

    def carriers(
        self, keys: Collection[DataKey], ref: Ref, version: int, occasion: bytes, carries: str
    ) -> list[KeyPair]:
        """Keys that carry the true ones of a record whose body stays as it is."""
        box = self.seal(keys, _rekey_place(ref, version), occasion, carries)[_BOX]
        pieces = [box[start : start + _PIECE] for start in range(0, len(box), _PIECE)]
        return [(CARRIER, f"{_MARK}{number:03d}{piece}") for number, piece in enumerate(pieces)]

    def about(self, subject: str | None) -> Key:
        """What records that concern *subject* carry; None: those that concern many."""
        return Key(ABOUT, self.blinds.about(subject))

    def concerning(self, keys: Collection[DataKey], most: int) -> list[Key]:
        """What a record carries that is sealed under *keys*, in *most* keys at most."""
        if not keys or not most:
            return []
        return [self.about(None)] if len(keys) > most else [self.about(key.subject) for key in keys]

    def blinded(self, keys: Iterable[KeyPair]) -> list[Key]:
        """Keys that can be found and not be read."""
        blind = self.blinds.key
        return [Key(namespace, blind(namespace, value)) for namespace, value in keys]

    def ordered(self, sorts: Iterable[SortTriple], namespaces: Collection[str]) -> list[Sort]:
        """Sorts of which the order may be known, with blinded parts; of the others nothing."""
        part_of = self.blinds.part
        return [
            Sort(namespace, part_of(namespace, part), value)
            for namespace, part, value in sorts
            if namespace in namespaces
        ]

    # --- opening ---

    def open(self, body: Body, where: bytes) -> str | None:
        """What a body stands for; None if it was shredded."""
        secret = self.key(ids_of(body))
        return None if secret is None else self._sealer.open(secret, where, body[_BOX]).decode()

    def open_record(self, record: Record) -> Record | None:
        """The record as it was written; None if it was shredded."""
        ref = record.ref
        try:
            plain = self.open(record.body, place("record", self.tenant, ref.kind, ref.id, record.schema))
        except WrongKey:
            raise _lost(f"{ref.kind} {ref.id}") from None
        if plain is None:
            return None
        opened = decode(plain)
        keys, sorts = opened["carries"]
        pieces = sorted(
            value for namespace, value in record.keys if namespace == CARRIER and value.startswith(_MARK)
        )
        if pieces:
            body = {_BOX: "".join([piece[4:] for piece in pieces]), _TO: record.body.get(_TO, ())}
            keys, sorts = decode(self.open(body, _rekey_place(ref, record.version)) or "[[],[]]")
        return Record(
            ref=ref,
            version=record.version,
            schema=record.schema,
            body=opened["body"],
            keys=frozenset([Key(*key) for key in keys]),
            sorts=frozenset(
                [Sort(namespace, part, bytes.fromhex(value)) for namespace, part, value in sorts]
            ),
        )

    def open_entry(self, entry: Entry) -> Entry:
        """The entry as it was written; if it was shredded, what `crmcore.storage.ERASED` leaves of one."""
        if entry.schema == ERASED:
            return entry
        occurred = microseconds(entry.occurred_at, "the time of an entry")
        where = _entry_place(self.tenant, entry.stream, occurred, entry.subjects, entry.schema)
        try:
            plain = self.open(entry.body, where)
        except WrongKey:
            raise _lost(f"entry {entry.seq} of {entry.stream}") from None
        if plain is not None:
            return attrs.evolve(entry, body=decode(plain))
        gone = [key for id in ids_of(entry.body) if isinstance(key := self._keys.get(id), DestroyedKey)]
        at = instant(max(key.at for key in gone))
        whose = {key.subject for key in gone}
        remain = tuple(subject for subject in entry.subjects if subject not in whose)
        return attrs.evolve(entry, occurred_at=at, recorded_at=at, subjects=remain, schema=ERASED, body={})


def _lost(what: str) -> WrongKey:
    return WrongKey(
        f"the key store does not have a key that this store was sealed with ({what}): open it with the key store that "
        "it was written with, in its newest backup; what has no key any more can only be erased"
    )


def text_of(sealed: Mapping[str, Any]) -> str:
    """The canonical text of a sealed body."""
    return write(sealed)


def _entry_place(tenant: str, stream: str, occurred: int, subjects: Iterable[str], schema: str) -> bytes:
    return place("entry", tenant, stream, occurred, schema, *subjects)


def _rekey_place(ref: Ref, version: int) -> bytes:
    return place("rekey", ref.tenant, ref.kind, ref.id, version)
