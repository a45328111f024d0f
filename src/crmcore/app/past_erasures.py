"""What was erased of people, as it is carried over into a store that an older backup is restored into.

Invariant: whose an erasure was, what it kept, why, and until when, is told by what was noted when it was begun, and not
guessed. It holds ids, dates and hashes, the reasons of erasures, and nothing of what was erased.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import attrs

from crmcore.app.erasures_begun import begun_of
from crmcore.app.flow import Flow
from crmcore.app.resolve import is_id
from crmcore.app.rights_erasing import certificates_of
from crmcore.app.rights_store import members_of, request_if_there
from crmcore.app.unit import Unit
from crmcore.consent.certificate import BEGUN, ErasureBegun, counted
from crmcore.consent.checking import listed
from crmcore.consent.rights_request import RequestId
from crmcore.consent.suppression import SUPPRESSION
from crmcore.errors import CrmError, InvalidDocument, InvalidRightsRequest
from crmcore.storage.carried_over import erasures_of
from crmcore.storage.document import encode, joined
from crmcore.storage.erasure import Erasure
from crmcore.storage.erasures_file import erasure_document, erasures_in
from crmcore.storage.validate import check_name
from crmcore.values.ids import Id, has_id_form

_TOLD = "erasures are what crm.requests.erasures() gives: several Erasure(...), and what was noted, in parts"
_FIRST = date(1970, 1, 1)
"""The first day of which there are ids."""


def _erasures(values: Iterable[Erasure]) -> tuple[Erasure, ...]:
    return listed(values, Erasure, _TOLD, InvalidRightsRequest)


def _parts(values: Iterable[ErasureBegun]) -> tuple[ErasureBegun, ...]:
    if found := listed(values, ErasureBegun, _TOLD, InvalidRightsRequest):
        return found
    raise InvalidRightsRequest(_TOLD)


@attrs.frozen(kw_only=True)
class ErasureNote:
    """What was noted of the erasure of one person when it was begun: under which *id*, and in which *parts*.

    The first part has the ids of the records, the day from which periods count, and whether all was done; or only that
    a plan of retention kept them.
    """

    id: Id
    parts: tuple[ErasureBegun, ...] = attrs.field(converter=_parts)


def _noted(values: Iterable[ErasureNote]) -> tuple[ErasureNote, ...]:
    return listed(values, ErasureNote, _TOLD, InvalidRightsRequest)


@attrs.frozen(kw_only=True)
class PastErasures:
    """What was ever erased of a *tenant*, in the order in which that was done, with what was *noted* of people.

    *suppressed* says whether addresses are suppressed there; None: that is not known.
    """

    tenant: str
    erasures: tuple[Erasure, ...] = attrs.field(converter=_erasures)
    notes: tuple[ErasureNote, ...] = attrs.field(default=(), converter=_noted)
    suppressed: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object, to be kept apart from the store and its backups."""
        return {
            "tenant": self.tenant,
            "erasures": [erasure_document(one) for one in self.erasures],
            "notes": [
                {"id": one.id, "parts": [BEGUN.dump(part) for part in one.parts]} for one in self.notes
            ],
            "suppressed": self.suppressed,
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> PastErasures:
        """What `to_json` gave.

        Raises:
            InvalidDocument: if it is something else, or something in it is. Of such a file nothing is carried over.
        """
        try:
            tenant, erasures, notes, suppressed = _values(
                document, "tenant", "erasures", "notes", "suppressed"
            )
            check_name(tenant, "a tenant")
            if not isinstance(suppressed, bool | None):
                raise TypeError("true, false or null was expected")
            return cls(
                tenant=tenant,
                erasures=tuple(map(_erasure, _array(erasures))),
                notes=tuple(map(_note, _array(notes))),
                suppressed=suppressed,
            )
        except (CrmError, ValueError, TypeError, RecursionError):
            pass  # what is raised here may quote what is in the file
        raise InvalidDocument(
            "this is not what crm.requests.erasures().to_json() gives: give that, as it was kept, or the erasures alone"
        )


def _values(document: Any, *names: str) -> list[Any]:
    """The values of an object with these names and no others: what a newer crmcore says beside is not left out."""
    if not isinstance(document, Mapping) or document.keys() != set(names):
        raise ValueError("an object with other names was expected")
    return [document[name] for name in names]


def _array(items: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(items, (list, tuple)):
        raise TypeError("an array was expected")
    return items


def _erasure(document: Any) -> Erasure:
    (erasure,) = erasures_in([json.dumps(document)])
    _values(document, *erasure_document(erasure))
    return erasure


def _note(document: Any) -> ErasureNote:
    """What was noted of one person, in all its parts, each of which a store can hold."""
    id, parts = _values(document, "id", "parts")
    first, *rest = map(BEGUN.load, _array(parts))
    ids = [id, *first.members, *(member for one in first.restricted for member in one.members)]
    ids += [point for part in (first, *rest) for point in part.points]
    if first.more != len(rest) or not all(map(has_id_form, ids)):
        raise ValueError("a part is missing, or what should be an id is none")
    if first.number < 0 or not all(map(counted, (first, *rest))):
        raise ValueError("a number does not fit what it counts")
    if first.asked is not None and first.asked < _FIRST:
        raise ValueError("it was asked for before there were records")
    joined([encode(BEGUN.dump(part)) for part in (first, *rest)])
    return ErasureNote(id=Id(id), parts=(first, *rest))


async def past_erasures(flow: Flow) -> PastErasures:
    """What was erased of this tenant so far."""
    erasures, unit = await erasures_of(flow.store, flow.tenant), flow.reader()
    suppressed = bool((await unit.scan(SUPPRESSION.tag, limit=1)).items)
    return PastErasures(
        tenant=flow.tenant, erasures=erasures, notes=await _notes(unit), suppressed=suppressed
    )


async def _notes(unit: Unit) -> tuple[ErasureNote, ...]:
    found: list[ErasureNote] = []
    after: str | None = None
    while True:
        page = await unit.scan(BEGUN.tag, after=after)
        for record in page.items:
            first = BEGUN.load(record.body, record.schema)
            id = Id(record.ref.id)
            if first.members or first.only_kept or first.request == id:  # others are further parts
                parts = await begun_of(unit, id)
                found.append(ErasureNote(id=id, parts=(await _told(unit, id, parts[0]), *parts[1:])))
        after = page.next
        if after is None:
            return tuple(found)


async def _told(unit: Unit, id: Id, first: ErasureBegun) -> ErasureBegun:
    """What the request and its certificate tell of an erasure that somebody asked for."""
    if first.request != id or not is_id(id):
        return first
    request = await request_if_there(unit, RequestId(id))
    members = first.members
    if not members and request is not None:
        members = tuple(map(str, await members_of(unit, request)))
    done = await certificates_of(unit, RequestId(id))
    over = bool(done) and done[-1].plan_sha256 == first.plan_sha256
    return attrs.evolve(first, members=members, done=over)
