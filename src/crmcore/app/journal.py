"""What a batch with an idempotency key asked for and got, so that the same batch run again writes nothing.

Invariant: the journal of a batch is written with it, under an id that follows from its key, or not at all. A run that
finds one answers each verb with what it named then, read as it stands now, and refuses a verb that was not asked then.
Where there are secrets, what was asked is kept as a keyed hash, which nobody can try guesses on; where there are none,
only what is about nobody is kept of it, with the ids of the records that were meant, and the rest is compared with
what was written and how these records were then. What does not fit is refused: nobody is given what is somebody else's.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from crmcore.app.asked import Asked
from crmcore.app.journal_entries import ERASED_SINCE, as_written, found_again, is_so, named, records_of
from crmcore.app.unit import Unit
from crmcore.app.whom import Meant, Pasts, meant, was_meant
from crmcore.consent.rights_request import RightsRequest
from crmcore.errors import IdempotencyMismatch, NotFound
from crmcore.party.party_keys import PARTY
from crmcore.serde import Codec
from crmcore.values.frozen_map import freeze
from crmcore.values.ids import Id
from crmcore.values.personal import Document

if TYPE_CHECKING:
    from crmcore.consent.secret_ring import SecretRing


@attrs.frozen(kw_only=True)
class Call(Document):
    """One verb: the *digest* of what was asked, and what came of it: ``"kind:id"``, a number, or an array of these.

    *whom* are the records that each of the references meant, where there are no secrets.
    """

    digest: str
    whom: tuple[tuple[Meant, ...], ...] = ()
    result: Any = attrs.field(default=None, converter=freeze)


@attrs.frozen(kw_only=True)
class Written(Document):
    """What a batch did, verb by verb."""

    calls: tuple[Call, ...]


JOURNAL: Codec[Written] = Codec(tag="batch", type=Written)
CODECS: tuple[Codec[Any], ...] = (JOURNAL,)

_FOR = "crmcore.asked/2"

_UNKNOWN = (
    "the batch that was written under this idempotency key was not asked for this, or it cannot be told any more: give "
    "every batch a key of its own, keep the secrets under which it was written in the ring, and where there were none "
    "ask with the same references as then; what an earlier version of crmcore wrote may not be known again"
)


@attrs.define(eq=False)
class _Earlier:
    """A *call* of the earlier run that has no keyed hash. *result* is what came of it, once it was looked for.

    *held* is that as it was written.
    """

    call: Call
    looked: bool = False
    result: Any = None
    held: tuple[Any, ...] | None = None
    gone: NotFound | None = None

    async def look(self, unit: Unit) -> None:
        """Look for what came of it, once."""
        if self.looked:
            return
        self.looked = True
        try:
            self.result = await found_again(unit, self.call.result)
        except NotFound as error:
            self.gone = error
        if isinstance(self.result, RightsRequest):
            refs = [unit.ref(PARTY.tag, id) for id in records_of(self.result)]
            if not await unit.get(refs, check=False):
                self.gone = NotFound(ERASED_SINCE)

    async def fits(self, unit: Unit, asked: Asked, past: Pasts) -> bool:
        """Whether it was asked for the same, by what was written and how whoever was meant was then."""
        if (self.gone is not None and self.result is None) or len(self.call.whom) != len(asked.whom):
            return False
        for whom, then in zip(asked.whom, self.call.whom, strict=True):
            if not await was_meant(unit, whom, then, past):
                return False
        if not asked.written:
            return True
        if self.held is None:
            self.held = await as_written(unit, self.result)
        return is_so(self.result, self.held, asked.written)


class Journal:
    """The journal of one run of a batch under the key *idem*."""

    def __init__(self, idem: str, secrets: SecretRing | None = None) -> None:
        self.id = _id(idem)
        self._secrets = secrets
        self._calls: list[Call] = []
        self._before: dict[str, deque[Any]] | None = None
        self._open: dict[str, list[_Earlier]] = {}
        self._past = Pasts()

    @property
    def replaying(self) -> bool:
        """Whether the batch was written by an earlier run."""
        return self._before is not None

    @property
    def empty(self) -> bool:
        """Whether no verb was called."""
        return not self._calls

    async def open(self, unit: Unit) -> None:
        """Look whether an earlier run has written the batch; if not, none may until this one does."""
        ref = unit.ref(JOURNAL.tag, self.id)
        record = (await unit.get([ref])).get(ref)
        if record is None:
            return
        self._before = {}
        written = JOURNAL.load(record.body, record.schema)
        for call in written.calls:
            if "." in call.digest:
                self._before.setdefault(call.digest, deque()).append(call.result)
            else:
                self._open.setdefault(call.digest, []).append(_Earlier(call))

    async def recall(self, unit: Unit, asked: Asked) -> Any:
        """What came of the same call in the earlier run.

        Raises:
            IdempotencyMismatch: if the earlier run did not ask for this, or nobody can tell.
            NotFound: if what it recorded was erased since.
        """
        before = self._before or {}
        for digest in self._keyed(asked):
            if before.get(digest):
                return await found_again(unit, before[digest].popleft())
        return await self._compared(unit, asked)

    async def _compared(self, unit: Unit, asked: Asked) -> Any:
        """What an earlier call wrote that was asked for the same: the first of those that are left."""
        left = self._open.get(_digest(asked), [])
        gone: NotFound | None = None
        for earlier in left:
            await earlier.look(unit)
            if await earlier.fits(unit, asked, self._past):
                left.remove(earlier)
                return earlier.result
            gone = gone or earlier.gone
        raise gone or IdempotencyMismatch(_UNKNOWN)

    async def note(self, unit: Unit, asked: Asked, result: Any) -> None:
        """Remember a call and what came of it."""
        keyed = next(self._keyed(asked), None)
        whom = () if keyed is not None else tuple([await meant(unit, one, result) for one in asked.whom])
        self._calls.append(Call(digest=keyed or _digest(asked), whom=whom, result=named(result)))

    async def put(self, unit: Unit) -> None:
        """Write the journal with the batch."""
        await unit.put(JOURNAL, self.id, Written(calls=tuple(self._calls)), expect=0)

    def _keyed(self, asked: Asked) -> Iterator[str]:
        """By what a call is known under each secret, the newest first."""
        if self._secrets is not None:
            whole = asked.as_a_whole()
            for version in reversed(self._secrets.versions):
                keyed = self._secrets.mac(version, _FOR, whole) or b""
                yield f"{version}.{keyed.hex()}"

    async def overtaken(self, unit: Unit) -> bool:
        """Whether another run has written a batch under this key by now."""
        ref = unit.ref(JOURNAL.tag, self.id)
        return ref in await unit.get([ref])


def _digest(asked: Asked) -> str:
    """By what a call is known without secrets, and what is about nobody."""
    return hashlib.sha256(asked.in_the_open().encode("utf-8", "surrogatepass")).hexdigest()


def _id(idem: str) -> Id:
    """An id in the form of all ids, made from the key alone: its time and shard say nothing."""
    text = (
        f"{int.from_bytes(hashlib.sha256(idem.encode('utf-8', 'surrogatepass')).digest()[:16], 'big'):032x}"
    )
    return Id(f"{text[:8]}-{text[8:12]}-7{text[13:16]}-8{text[17:20]}-{text[20:]}")
