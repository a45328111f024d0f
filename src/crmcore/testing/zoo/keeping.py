"""Stores that do not keep what they were given.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from crmcore.errors import (
    InvalidRecord,
)
from crmcore.storage import (
    Append,
    Batch,
    Hits,
    Key,
    Page,
    Put,
    Receipt,
    Record,
    Ref,
    Sort,
)
from crmcore.testing.zoo.mutant import Mutant, each_append, each_put


class RoundsFloats(Mutant):
    """Keeps floats as integers instead of refusing them."""

    caught_by = "a_body_that_is_no_json_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def rounded(op: Put) -> Put:
            is_float = isinstance(op.body, dict) and op.body.get("x") == 1.5
            return attrs.evolve(op, body={**op.body, "x": 1}) if is_float else op

        return self.again(batch, each_put(rounded), timeout)


class FoldsCase(Mutant):
    """Keeps keys in lower case."""

    caught_by = "keys_are_compared_byte_by_byte"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def folded(op: Put) -> Put:
            return attrs.evolve(op, keys=frozenset(Key(name, value.lower()) for name, value in op.keys))

        return self.again(batch, each_put(folded), timeout)


class StaleIndex(Mutant):
    """Finds whoever has ever carried a key."""

    caught_by = "find_gives_exactly_the_records_that_carry_a_key"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def also(op: Put) -> Put:
            there = self.get([op.ref]).get(op.ref)
            return attrs.evolve(op, keys=op.keys | there.keys) if there else op

        return self.again(batch, each_put(also), timeout)


class NormalisesKeys(Mutant):
    """Keeps keys in the composed form."""

    caught_by = "keys_are_compared_byte_by_byte"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def composed(op: Put) -> Put:
            return attrs.evolve(
                op, keys=frozenset(Key(name, unicodedata.normalize("NFC", value)) for name, value in op.keys)
            )

        return self.again(batch, each_put(composed), timeout)


class TrimsKeys(Mutant):
    """Keeps keys without the blanks at their end."""

    caught_by = "keys_are_compared_byte_by_byte"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def trimmed(op: Put) -> Put:
            return attrs.evolve(op, keys=frozenset(Key(name, value.rstrip(" ")) for name, value in op.keys))

        return self.again(batch, each_put(trimmed), timeout)


class LikePatterns(Mutant):
    """Finds by a pattern, in which a per cent sign stands for anything."""

    caught_by = "keys_are_compared_byte_by_byte"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = dict(super().find(tenant, keys, limit_per_key=limit_per_key, after=after))
        for key in (key for key in keys if key.value == "%"):
            everybody = self.scan(tenant, "party").items
            found[key] = Hits(
                tuple(one.ref for one in everybody if any(own.namespace == key.namespace for own in one.keys))
            )
        return found


class ThreeByteCharacters(Mutant):
    """Drops characters of four bytes."""

    caught_by = "a_body_comes_back_as_it_was_given"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def short(op: Put) -> Put:
            text = op.body.get("four", "") if isinstance(op.body, dict) else ""
            return (
                attrs.evolve(op, body={**op.body, "four": "".join(c for c in text if c <= "\uffff")})
                if text
                else op
            )

        return self.again(batch, each_put(short), timeout)


class BooleansAreNumbers(Mutant):
    """Keeps true and false as 1 and 0."""

    caught_by = "a_body_comes_back_as_it_was_given"

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        def plain(body: Any) -> Any:
            return {name: int(value) if isinstance(value, bool) else value for name, value in body.items()}

        return {ref: attrs.evolve(one, body=plain(one.body)) for ref, one in super().get(refs).items()}


class KeepsTheBeginning(Mutant):
    """Keeps 255 characters of a text."""

    caught_by = "hostile_texts_are_kept_as_bodies_and_keys"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def cut(op: Put) -> Put:
            text = op.body.get("t") if isinstance(op.body, dict) else None
            return attrs.evolve(op, body={**op.body, "t": text[:255]}) if isinstance(text, str) else op

        return self.again(batch, each_put(cut), timeout)


class StripsNames(Mutant):
    """Takes a stream for the one without the blanks around it."""

    caught_by = "hostile_texts_are_kept_as_names_or_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def stripped(op: Append) -> Append:
            return attrs.evolve(op, stream=op.stream.strip() or op.stream)

        return self.again(batch, each_append(stripped), timeout)


class FoldsTenants(Mutant):
    """Takes tenants that look alike for one."""

    caught_by = "hostile_texts_are_tenants_apart"

    def _tenant(self, tenant: str) -> Any:
        alike = [name for name in sorted(self._tenants) if name.casefold() == tenant.casefold()]
        return super()._tenant(alike[0] if alike else tenant)


class BeginsAnew(Mutant):
    """Takes a cursor that it cannot read for none."""

    caught_by = "hostile_texts_are_no_ids_kinds_and_cursors"

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        try:
            return super().scan(tenant, kind, shards=shards, after=after, limit=limit)
        except InvalidRecord:
            return super().scan(tenant, kind, shards=shards, limit=limit)


class DropsMicroseconds(Mutant):
    """Keeps instants to the millisecond."""

    caught_by = "instants_are_kept_to_the_microsecond"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def rough(op: Append) -> Append:
            at = op.entry.occurred_at
            return attrs.evolve(
                op,
                entry=attrs.evolve(
                    op.entry, occurred_at=at.replace(microsecond=at.microsecond // 1000 * 1000)
                ),
            )

        return self.again(batch, each_append(rough), timeout)


class SortsSubjects(Mutant):
    """Keeps the subjects of an entry as a set."""

    caught_by = "instants_are_kept_to_the_microsecond"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def sorted_(op: Append) -> Append:
            subjects = tuple(sorted(set(op.entry.subjects)))
            return attrs.evolve(op, entry=attrs.evolve(op.entry, subjects=subjects))

        return self.again(batch, each_append(sorted_), timeout)


class ListsOnly(Mutant):
    """Keeps maps that cannot change as texts."""

    caught_by = "frozen_bodies_are_kept_like_plain_ones"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def plain(op: Put) -> Put:
            return op if isinstance(op.body, dict) else attrs.evolve(op, body={"text": str(type(op.body))})

        return self.again(batch, each_put(plain), timeout)


class ForgetsParts(Mutant):
    """Keeps the orders of all parts as one."""

    caught_by = "keys_and_sorts_come_back_as_they_were_given"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def bare(op: Put) -> Put:
            return attrs.evolve(
                op, sorts=frozenset(Sort(name, part.strip(), value) for name, part, value in op.sorts)
            )

        return self.again(batch, each_put(bare), timeout)


class TakesNaiveInstants(Mutant):
    """Takes an instant without a zone for one in UTC."""

    caught_by = "an_entry_that_no_store_can_keep_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def aware(op: Append) -> Append:
            at = op.entry.occurred_at
            return attrs.evolve(
                op, entry=attrs.evolve(op.entry, occurred_at=at if at.tzinfo else at.astimezone())
            )

        return self.again(batch, each_append(aware), timeout)


class LowersIds(Mutant):
    """Takes ids in capitals for the same ids."""

    caught_by = "what_no_store_can_keep_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def lower(op: Put) -> Put:
            return attrs.evolve(op, ref=attrs.evolve(op.ref, id=op.ref.id.lower()))

        return self.again(batch, each_put(lower), timeout)


class ForgivesReasons(Mutant):
    """Cuts a reason that is too long."""

    caught_by = "a_heading_that_no_store_can_keep_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return super().apply(
            attrs.evolve(batch, reason=batch.reason and batch.reason[:4096]), timeout=timeout
        )


class StripsSorts(Mutant):
    """Keeps the values of sorts without the zeros at their end."""

    caught_by = "sorts_of_texts_come_back_as_they_were_given"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def bare(op: Put) -> Put:
            cut = [Sort(*one[:2], one.value.rstrip(b"\xff")) for one in op.sorts]
            return attrs.evolve(op, sorts=frozenset(cut))

        return self.again(batch, each_put(bare), timeout)
