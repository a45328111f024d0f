"""What a checked batch does to what is stored now: a pure function that both stores carry out.

Invariant: a plan either satisfies every precondition or is never made. Preconditions speak of the state before the
batch (`Append.expect_seq` also counts the entries that the batch itself added before); that an exclusive key has one
holder is judged after the whole batch, so a key can be handed over within it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from crmcore.errors import Fenced, IdempotencyMismatch, KeyConflict, StreamConflict, VersionConflict
from crmcore.storage.protocol import Change, Limits, Position, Receipt, Ref
from crmcore.storage.validate import (
    Addition,
    Address,
    Checked,
    KeyPair,
    SortTriple,
    Write,
    instant,
    too_large,
)
from crmcore.values.source import Actor


class Current(NamedTuple):
    """A record as it is now. A deleted one keeps its *version*, so that a version is never used again."""

    version: int
    live: bool
    keys: Collection[KeyPair] = ()
    sorts: Collection[SortTriple] = ()

    def __repr__(self) -> str:
        return f"Current(version={self.version}, live={self.live}, <hidden>)"


ABSENT = Current(0, live=False)


class Written(NamedTuple):
    """A record as it will be. *after* is what asked for it, *before* what is there now."""

    after: Write
    version: int
    before: Current


class Entered(NamedTuple):
    """An entry as it will be: what asked for it, and its number."""

    addition: Addition
    seq: int


class Event(NamedTuple):
    """A change in the feed. *name* is a kind, or a stream with an empty *id*; *number* a version or a place."""

    op: Literal["put", "delete", "append", "erase"]
    name: str
    id: str
    number: int


class Plan(NamedTuple):
    """What a batch does: records, entries, and its changes in the feed, in order."""

    written: tuple[Written, ...]
    entered: tuple[Entered, ...]
    events: tuple[Event, ...]


def decide(
    checked: Checked,
    current: Mapping[Address, Current],
    lengths: Mapping[str, int],
    holders: Mapping[KeyPair, Address],
) -> Plan:
    """Plan a batch over what it has to look up; what is missing in a mapping is not there.

    Raises:
        VersionConflict: if a record is not at the version expected.
        StreamConflict: if a ledger does not have the length expected.
        KeyConflict: if an exclusive key is, or would be, held by another record.
    """
    for address, expect in checked.checks:
        _at_version(address, current.get(address, ABSENT), expect)
    for stream, expected in checked.stream_checks:
        _at_length(lengths.get(stream, 0), expected)
    for pair, holder in checked.key_checks:
        if holders.get(pair) != holder:
            raise _taken(pair, holders.get(pair))
    plan = _effects(checked, current, dict(lengths))
    _one_holder_each(plan, holders)
    return plan


def _effects(checked: Checked, current: Mapping[Address, Current], lengths: dict[str, int]) -> Plan:
    written: list[Written] = []
    entered: list[Entered] = []
    events: list[Event] = []
    for effect in checked.effects:
        if isinstance(effect, Addition):
            length = lengths.get(effect.stream, 0)
            if effect.expect is not None:
                _at_length(length, effect.expect)
            lengths[effect.stream] = length + 1
            entered.append(Entered(effect, length + 1))
            events.append(Event("append", effect.stream, "", length + 1))
            continue
        before = current.get(effect.address, ABSENT)
        _at_version(effect.address, before, effect.expect)
        version = before.version if effect.op == "rekey" else before.version + 1
        written.append(Written(effect, version, before))
        if effect.op != "rekey":
            events.append(Event(effect.op, *effect.address, version))
    return Plan(tuple(written), tuple(entered), tuple(events))


def rekeyed(written: Iterable[Written]) -> tuple[Address, ...]:
    """The records that a batch only rekeyed, in order: no change in the feed tells of them."""
    return tuple(sorted(one.after.address for one in written if one.after.op == "rekey"))


def _at_version(address: Address, now: Current, expected: int) -> None:
    actual = now.version if now.live else 0
    if actual != expected:
        raise VersionConflict(
            f"a record ({address[0]}) is at version {actual}, not {expected}: read it again and plan again",
            expected=expected,
            actual=actual,
        )


def _at_length(actual: int, expected: int) -> None:
    if actual != expected:
        raise StreamConflict(
            f"a ledger has {actual} entries, not {expected}: read it again and plan again",
            expected=expected,
            actual=actual,
        )


def _one_holder_each(plan: Plan, holders: Mapping[KeyPair, Address]) -> None:
    keeps: dict[Address, Write] = {written.after.address: written.after for written in plan.written}
    claimed: dict[KeyPair, Address] = {}
    for written in plan.written:
        for pair in written.after.claims:
            holder = claimed.setdefault(pair, written.after.address)
            if holder == written.after.address:
                holder = holders.get(pair, holder)
                if holder in keeps and pair not in keeps[holder].keys:
                    continue  # freed in the same batch
            if holder != written.after.address:
                raise _taken(pair, holder)


def _taken(pair: KeyPair, holder: Address | None) -> KeyConflict:
    state = "held by no record" if holder is None else f"held by another record ({holder[0]})"
    return KeyConflict(
        f"a key of the exclusive namespace {pair[0]!r} is {state}: read again and plan again",
        namespace=pair[0],
        holder=None if holder is None else holder[1],
    )


def items(plan: Plan) -> int:
    """How many items a batch writes (`Limits.max_items`)."""
    count = len({entered.addition.stream for entered in plan.entered})
    for after, _, before in plan.written:
        changed = len(set(before.keys) ^ set(after.keys)) + len(set(before.sorts) ^ set(after.sorts))
        count += (after.op != "rekey") + (1 + changed if changed else 0)
    return count


def check_items(plan: Plan, limits: Limits) -> None:
    """Refuse a batch that writes too many items: for the stores for which operations do not say how many these are.

    Raises:
        BatchTooLarge: if it is over the limit.
    """
    if (count := items(plan)) > limits.max_items:
        raise too_large("items in a batch", limits.max_items, count)


def receipt(tenant: str, events: Iterable[Event], position: Position, at: int, *, replayed: bool) -> Receipt:
    """The receipt of a batch, made from its changes, so that it is the same whenever it is asked for."""
    versions: dict[Ref, int] = {}
    seqs: dict[str, int] = {}
    for op, name, id_, number in events:
        if id_:
            versions[Ref(tenant, name, id_)] = number
        elif op == "append":
            seqs[name] = number
    return Receipt(position=position, versions=versions, seqs=seqs, at=instant(at), replayed=replayed)


def change(
    tenant: str, event: Event, *, position: Position, at: int, idem: str, actor: Actor, reason: str | None
) -> Change:
    """A change as the feed gives it."""
    op, name, id_, number = event
    if not id_:
        return Change(
            position=position,
            op=op,
            at=instant(at),
            idem=idem,
            actor=actor,
            reason=reason,
            stream=name,
            seq=number,
        )
    ref = Ref(tenant, name, id_)
    return Change(
        position=position,
        op=op,
        at=instant(at),
        idem=idem,
        actor=actor,
        reason=reason,
        ref=ref,
        version=number,
    )


def replayable(digest: bytes | None, asked: bytes) -> None:
    """Whether a batch whose idempotency key was used before may be answered with the receipt of then.

    Raises:
        Fenced: if `outcome` had said that it was not applied (*digest* is None then), or what it wrote was erased
            (*digest* is empty then).
        IdempotencyMismatch: if the key was used for another batch.
    """
    if digest is None:
        raise Fenced(
            "outcome() has already answered that this batch was not applied, so it is refused for good: "
            "send it under a new idempotency key"
        )
    if not digest:
        raise Fenced(
            "what this batch wrote was erased since, so it is refused for good: nothing of it is written again"
        )
    if digest != asked:
        raise IdempotencyMismatch(
            "this idempotency key was used before for another batch: give every batch a key of its own"
        )
