"""What was erased of people, as it is carried over into a store that an older backup is restored into.

Invariant: whose an erasure was, what it kept, why, and until when, is told by what was noted when it was begun, and not
guessed. It holds ids, dates and hashes, the reasons of erasures, and nothing of what was erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from crmcore.app.erasures_begun import begun_of
from crmcore.app.flow import Flow
from crmcore.app.resolve import is_id
from crmcore.app.rights_erasing import certificates_of
from crmcore.app.rights_store import members_of, request_if_there
from crmcore.app.unit import Unit
from crmcore.consent.certificate import BEGUN, ErasureBegun
from crmcore.consent.rights_request import RequestId
from crmcore.errors import InvalidDocument
from crmcore.storage.carried_over import erasures_of
from crmcore.storage.erasure import Erasure
from crmcore.storage.erasures_file import erasure_document, erasures_in
from crmcore.values.ids import Id


@attrs.frozen(kw_only=True)
class ErasureNote:
    """What was noted of the erasure of one person when it was begun: under which *id*, and in which *parts*.

    The first part has the ids of the records, the day from which periods count, and whether all was done.
    """

    id: Id
    parts: tuple[ErasureBegun, ...]


@attrs.frozen(kw_only=True)
class PastErasures:
    """What was ever erased of a *tenant*, in the order in which that was done, with what was *noted* of people."""

    tenant: str
    erasures: tuple[Erasure, ...]
    notes: tuple[ErasureNote, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object, to be kept apart from the store and its backups."""
        return {
            "tenant": self.tenant,
            "erasures": [erasure_document(one) for one in self.erasures],
            "notes": [
                {"id": one.id, "parts": [BEGUN.dump(part) for part in one.parts]} for one in self.notes
            ],
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> PastErasures:
        """What `to_json` gave.

        Raises:
            CrmError: if it is something else (`InvalidDocument`, or `Corrupt` at an erasure).
        """
        try:
            lines = [json.dumps(one) for one in document["erasures"]]
            notes = tuple(
                ErasureNote(id=Id(one["id"]), parts=tuple(map(BEGUN.load, one["parts"])))
                for one in document["notes"]
            )
            tenant = str(document["tenant"])
        except (KeyError, TypeError, ValueError):
            raise InvalidDocument("this is not what crm.requests.erasures().to_json() gives") from None
        return cls(tenant=tenant, erasures=tuple(erasures_in(lines)), notes=notes)


async def past_erasures(flow: Flow) -> PastErasures:
    """What was erased of this tenant so far."""
    erasures = await erasures_of(flow.store, flow.tenant)
    return PastErasures(tenant=flow.tenant, erasures=erasures, notes=await _notes(flow.reader()))


async def _notes(unit: Unit) -> tuple[ErasureNote, ...]:
    found: list[ErasureNote] = []
    after: str | None = None
    while True:
        page = await unit.scan(BEGUN.tag, after=after)
        for record in page.items:
            first = BEGUN.load(record.body, record.schema)
            id = Id(record.ref.id)
            if first.members or first.request == id:  # others are further parts
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
