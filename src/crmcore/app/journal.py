"""What a batch with an idempotency key asked for and got, so that the same batch run again writes nothing.

Invariant: the journal of a batch is written with it, under an id that follows from its key, or not at all. A run that
finds one answers each verb with what it named then, read as it stands now, and refuses a verb that was not asked then.
Where there are secrets, what was asked is kept as a keyed hash, which nobody can try guesses on; where there are none,
nothing is kept of whom it was asked about.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from crmcore.app.unit import Unit, load_record
from crmcore.app.whom import Whom
from crmcore.consent.event import ConsentEvent
from crmcore.consent.ledger import wish_stream
from crmcore.consent.rights_request import RIGHTS_REQUEST, RightsRequest
from crmcore.consent.suppression import SUPPRESSION, Suppression
from crmcore.consent.wishes import WISH, Wish
from crmcore.errors import IdempotencyMismatch, NotFound
from crmcore.identity.identity_keys import JUDGEMENT
from crmcore.identity.judgement import Judgement
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party import PartyRecord
from crmcore.party.party_keys import PARTY, RELATIONSHIP
from crmcore.party.relationship import Relationship
from crmcore.serde import Codec, dump
from crmcore.values.frozen_map import freeze
from crmcore.values.ids import Id
from crmcore.values.personal import Document

if TYPE_CHECKING:
    from crmcore.consent.secret_ring import SecretRing

Asked = tuple[Any, ...]
"""A verb and what it was given: equal for two calls that ask for the same."""


@attrs.frozen(kw_only=True)
class Call(Document):
    """One verb: the *digest* of what was asked, and what came of it: ``"kind:id"``, a number, or an array of these."""

    digest: str
    result: Any = attrs.field(default=None, converter=freeze)


@attrs.frozen(kw_only=True)
class Written(Document):
    """What a batch did, verb by verb."""

    calls: tuple[Call, ...]


JOURNAL: Codec[Written] = Codec(tag="batch", type=Written)
CODECS: tuple[Codec[Any], ...] = (JOURNAL,)

_KINDS: tuple[tuple[Any, Codec[Any]], ...] = (
    (PartyRecord, PARTY),
    (Relationship, RELATIONSHIP),
    (Interaction, INTERACTION),
    (Judgement, JUDGEMENT),
    (Suppression, SUPPRESSION),
    (RightsRequest, RIGHTS_REQUEST),
)

_ACT = "consent.event"
_FOR = "crmcore.asked/1"


class Journal:
    """The journal of one run of a batch under the key *idem*."""

    def __init__(self, idem: str, secrets: SecretRing | None = None) -> None:
        self.id = _id(idem)
        self._secrets = secrets
        self._calls: list[Call] = []
        self._before: dict[str, deque[Any]] | None = None

    @property
    def replaying(self) -> bool:
        """Whether the batch was written by an earlier run."""
        return self._before is not None

    async def open(self, unit: Unit) -> None:
        """Look whether an earlier run has written the batch; if not, none may until this one does."""
        ref = unit.ref(JOURNAL.tag, self.id)
        record = (await unit.get([ref])).get(ref)
        if record is None:
            return
        self._before = {}
        for call in JOURNAL.load(record.body, record.schema).calls:
            self._before.setdefault(call.digest, deque()).append(call.result)

    async def recall(self, unit: Unit, asked: Asked) -> Any:
        """What came of the same call in the earlier run.

        Raises:
            IdempotencyMismatch: if the earlier run did not ask for this.
            NotFound: if what it recorded was erased since.
        """
        before, gone = self._before or {}, None
        for digest in self._digests(asked):
            results = before.get(digest, deque())
            for named in results:
                try:
                    result = await _recalled(unit, named)
                except NotFound as error:
                    gone = gone or error
                    continue
                people = [part for part in asked if isinstance(part, Whom) and "." not in digest]
                if all([await part.fits(unit, result) for part in people]):
                    results.remove(named)
                    return result
        raise gone or IdempotencyMismatch(
            "this idempotency key was used before for a batch that did something else: give every batch a key of its "
            "own"
        )

    def note(self, asked: Asked, result: Any) -> None:
        """Remember a call and what came of it."""
        self._calls.append(Call(digest=next(self._digests(asked)), result=_named(result)))

    async def put(self, unit: Unit) -> None:
        """Write the journal with the batch."""
        await unit.put(JOURNAL, self.id, Written(calls=tuple(self._calls)), expect=0)

    def _digests(self, asked: Asked) -> Iterator[str]:
        """By what a call is known: the newest first, then what a run with older secrets, or none, has written."""
        if self._secrets is not None:
            whole = _plain(asked, secret=True)
            for version in reversed(self._secrets.versions):
                keyed = self._secrets.mac(version, _FOR, whole) or b""
                yield f"{version}.{keyed.hex()}"
        yield hashlib.sha256(_plain(asked, secret=False).encode()).hexdigest()

    async def overtaken(self, unit: Unit) -> bool:
        """Whether another run has written a batch under this key by now."""
        ref = unit.ref(JOURNAL.tag, self.id)
        return ref in await unit.get([ref])


def _id(idem: str) -> Id:
    """An id in the form of all ids, made from the key alone: its time and shard say nothing."""
    text = (
        f"{int.from_bytes(hashlib.sha256(idem.encode('utf-8', 'surrogatepass')).digest()[:16], 'big'):032x}"
    )
    return Id(f"{text[:8]}-{text[8:12]}-7{text[13:16]}-8{text[17:20]}-{text[20:]}")


def _plain(asked: Asked, *, secret: bool) -> str:
    """What was asked, as a text. If it is not kept *secret*, it says of people only whether a point was named."""
    said: list[Any] = []
    for part in asked:
        if not isinstance(part, Whom):
            said.append(dump(part))
        else:
            said += [str(part.ref), part.point] if secret else [part.point is not None]
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)


def _named(result: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return [_named(item) for item in result]
    if isinstance(result, ConsentEvent):
        return f"{_ACT}:{result.ledger}#{result.id}"
    if isinstance(result, Wish):
        return f"{WISH.tag}:{wish_stream(result.record)}#{result.id}"
    for type_, codec in _KINDS:
        if isinstance(result, type_):
            return f"{codec.tag}:{result.id}"
    return result


async def _recalled(unit: Unit, named: Any) -> Any:
    if isinstance(named, (list, tuple)):
        return tuple([await _recalled(unit, item) for item in named])
    if not isinstance(named, str):
        return named
    tag, _, id = named.partition(":")
    if tag in (_ACT, WISH.tag):
        return await _entry(unit, tag, *id.split("#", 1))
    codec = next(codec for _, codec in _KINDS if codec.tag == tag)
    ref = unit.ref(tag, id)
    return load_record(codec, (await unit.get([ref], check=False))[ref])


async def _entry(unit: Unit, tag: str, ledger: str, id: str) -> ConsentEvent | Wish:
    """An act or a wish, which stands in a ledger and is no record."""
    codec: Codec[ConsentEvent | Wish] = unit.codecs[tag]
    for _, body in await unit.entries(ledger):
        event = codec.load(body)
        if event.id == id:
            return event
    raise NotFound("what this batch recorded was erased since")
