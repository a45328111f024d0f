"""Stores that say of themselves what is not so, or too much.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from crmcore.errors import (
    InvalidRecord,
    KeyConflict,
)
from crmcore.storage import (
    Batch,
    Capability,
    Description,
    Page,
    Put,
    Receipt,
    Record,
    Ref,
    Sort,
)
from crmcore.testing.zoo.mutant import Mutant, each_put


class EnforcesNoLimit(Mutant):
    """Declares a limit and goes on above it."""

    caught_by = "a_batch_over_its_limits_is_refused"

    def describe(self) -> Description:
        described = super().describe()
        return attrs.evolve(described, limits=attrs.evolve(described.limits, max_ops=200))


class BelowTheFloor(Mutant):
    """Takes fewer keys than every store must."""

    caught_by = "a_store_takes_at_least_what_every_store_must"

    def describe(self) -> Description:
        described = super().describe()
        return attrs.evolve(described, limits=attrs.evolve(described.limits, max_keys=10))


class OneKeyTooMany(Mutant):
    """Takes one key more than it says."""

    caught_by = "what_is_at_a_limit_is_kept_and_one_more_is_refused"

    def describe(self) -> Description:
        described = super().describe()
        return attrs.evolve(described, limits=attrs.evolve(described.limits, max_key_bytes=600))


class ShortSorts(Mutant):
    """Cuts the values of sorts to what it has room for."""

    caught_by = "a_sort_at_the_limit_is_kept_and_one_more_byte_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def cut(op: Put) -> Put:
            return attrs.evolve(
                op,
                sorts=frozenset(
                    Sort(name, part, value[:64] if isinstance(value, bytes) else value)
                    for name, part, value in op.sorts
                ),
            )

        return self.again(batch, each_put(cut), timeout)


class ReadsTooMuch(Mutant):
    """Answers any number of questions at once."""

    caught_by = "a_read_over_its_limits_is_refused"

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        asked = list(refs)
        return {**super().get(asked[:1000]), **(self.get(asked[1000:]) if len(asked) > 1000 else {})}


class ClaimsWhatItHasNot(Mutant):
    """Claims a part of which a call is missing."""

    caught_by = "every_call_has_the_signature_of_the_protocol"

    erasures = None  # type: ignore[assignment]  # on purpose


class RenamesAnArgument(Mutant):
    """Takes the limit of a scan by another name."""

    caught_by = "every_call_has_the_signature_of_the_protocol"

    def scan(self, tenant: str, kind: str, *, size: int = 500, **more: Any) -> Page[Record]:
        return super().scan(tenant, kind, **{"limit": size, **more})


class WeakerThanItSays(Mutant):
    """Loads in bulk, batch by batch, though it does not claim to."""

    caught_by = "what_is_not_claimed_is_refused"

    def describe(self) -> Description:
        described = super().describe()
        lacking = Capability(name="bulk", support="unsupported", reason="the database has no such thing")
        return attrs.evolve(
            described, capabilities=(*(one for one in described.capabilities if one.name != "bulk"), lacking)
        )


class LacksWithoutAReason(Mutant):
    """Does not say why it cannot erase."""

    caught_by = "a_store_says_what_it_is"

    def describe(self) -> Description:
        described = super().describe()
        return attrs.evolve(
            described, capabilities=tuple(one for one in described.capabilities if one.name != "eraser")
        )


class ShowsTheKey(Mutant):
    """Names the key in the message of a conflict, as PostgreSQL does."""

    caught_by = "no_error_shows_a_value"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except KeyConflict as error:
            held = [key.value for op in batch.ops if isinstance(op, Put) for key in op.keys]
            raise KeyConflict(
                f"key {held} already exists", namespace=error.namespace, holder=error.holder
            ) from None


class ShowsTheCause(Mutant):
    """Raises a clean error from one that is not."""

    caught_by = "no_error_shows_a_value"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except InvalidRecord as error:
            raise error from ValueError([op.body for op in batch.ops if isinstance(op, Put)])


class LogsWhatItWrites(Mutant):
    """Logs every body for whoever debugs."""

    caught_by = "no_error_shows_a_value"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        logging.getLogger("toy").debug("applying %s", [op.body for op in batch.ops if isinstance(op, Put)])
        return super().apply(batch, timeout=timeout)


class PrintsWhatItWrites(Mutant):
    """Prints every body for whoever debugs, past all logs."""

    caught_by = "no_error_shows_a_value"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        for op in batch.ops:
            sys.stderr.write(f"{ascii(op.body)[:200]}\n" if isinstance(op, Put) else "")
        return super().apply(batch, timeout=timeout)


class ShowsBodies(Mutant):
    """Gives records that show what they hold."""

    caught_by = "no_repr_of_an_answer_shows_a_value"

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        class Shown(dict[Ref, Record]):
            def __repr__(self) -> str:
                return str([one.body for one in self.values()])

        return Shown(super().get(refs))


class CountsNoKeys(Mutant):
    """Says that keys and sorts count as items of a batch, and counts operations alone."""

    caught_by = "a_batch_of_too_many_items_is_refused"

    def describe(self) -> Description:
        described = super().describe()
        return attrs.evolve(described, limits=attrs.evolve(described.limits, max_items=90))
