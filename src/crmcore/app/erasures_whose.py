"""Whose erasures are carried over: as was noted, or as far as the erasures alone tell.

Invariant: of whom something was noted nothing is guessed. What is guessed is whose an erasure was, never that something
was erased which it does not name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date

import attrs

from crmcore.app.erasure_places import Place, all_entries
from crmcore.app.past_erasures import ErasureNote
from crmcore.app.resolve import is_id, memberships
from crmcore.app.rights_store import members_of, request_if_there
from crmcore.app.subject_data import SubjectData
from crmcore.app.subject_erasure import via_of
from crmcore.app.unit import Unit
from crmcore.consent.certificate import CertificateLine, ErasureBegun, begun_lines
from crmcore.consent.ledger import party_stream
from crmcore.consent.rights_request import RequestId
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import Erasure
from crmcore.storage.protocol import Ref
from crmcore.values.ids import PartyId

_IDEM = re.compile(r"erasure:(.+):[0-9a-f]{16}")
"""How `subject_erasure` names the parts of an erasure, with its mark."""
_OF_ONE = f"{PARTY.tag}:", party_stream("")
"""How the ledgers are named that are a record's own."""
_RETENTION = re.compile(r"retention:[0-9a-f]+:(.+)")
"""The mark of an erasure that nobody asked for, with the record by which the customer was named."""


@attrs.frozen(kw_only=True)
class CarriedOver:
    """What all that is carried over tells: the *parties* and the *places* that went, of whom talks are kept though they
    went (*talking*), and how that is marked which is written beside it (*marks*)."""

    parties: frozenset[str]
    places: Set[Place]
    talking: frozenset[str]
    marks: frozenset[str]

    @classmethod
    def of(cls, erasures: Collection[Erasure], notes: Iterable[ErasureNote]) -> CarriedOver:
        """The same of *erasures*, and of what was noted of people."""
        told = [(note.parts[0], begun_lines(note.parts).values()) for note in notes]
        marks = {*by_mark(erasures), *(first.request for first, _ in told)}
        restrictions = {one.mark for first, _ in told for one in first.restricted}
        kept = [first.members for first, lines in told if any(map(_keeps_a_talk, lines))]
        return cls(
            parties=parties_of(erasures),
            places={place for one in erasures for place in places_of(one)},
            talking=frozenset(id for members in kept for id in members),
            marks=frozenset([*map(via_of, marks), *restrictions]),
        )

    def stays(self, party: str | None) -> bool:
        """Whether what stays of a talk for others stays for that one of them."""
        return party not in self.parties or party in self.talking

    def written(self, unit: Unit, data: SubjectData) -> Set[Place]:
        """What was written beside by now of what is held of a person."""
        copies = [one for one in data.interactions if (one.dedupe_key or "").rpartition(":")[0] in self.marks]
        streams = {f"{INTERACTION.tag}:{one.id}" for one in copies}
        entries = {
            (one.stream, one.seq)
            for one in data.entries
            if one.stream in streams or one.body.get("via") in self.marks
        }
        return {*(unit.ref(INTERACTION.tag, one.id) for one in copies), *entries}


def _keeps_a_talk(line: CertificateLine) -> bool:
    return line.kind == INTERACTION.tag and line.action in ("keep", "restrict")


@attrs.frozen(kw_only=True)
class Whose:
    """Whose erasure was begun under a *mark*, and when; what it *named* as erased, and what was noted of it, if that is
    known."""

    mark: str
    members: tuple[str, ...]
    day: date | None
    named: Set[Place]
    subjects: frozenset[str]
    note: ErasureNote | None = None

    @property
    def parts(self) -> tuple[ErasureBegun, ...]:
        """What was noted."""
        return self.note.parts if self.note is not None else ()

    @property
    def asked(self) -> bool:
        """Whether somebody asked for it, or that is not known; else a time ran out."""
        return self.note is None or self.note.parts[0].request == self.note.id


def by_mark(erasures: Iterable[Erasure]) -> dict[str, list[Erasure]]:
    """The erasures of people by what they were done for; others have nothing beside them."""
    found: dict[str, list[Erasure]] = {}
    for one in erasures:
        if (named := _IDEM.fullmatch(one.idem)) is not None:
            found.setdefault(named[1], []).append(one)
    return found


def parties_of(erasures: Iterable[Erasure]) -> frozenset[str]:
    """The records that went."""
    return frozenset(
        id
        for one in erasures
        for id in (*one.subjects, *(ref.id for ref in one.refs if ref.kind == PARTY.tag))
    )


def noted_people(notes: Iterable[ErasureNote], marks: Mapping[str, Sequence[Erasure]]) -> list[Whose]:
    """Whose erasure was noted."""
    found: list[Whose] = []
    for note in notes:
        first = note.parts[0]
        some = marks.get(first.request, ())
        found.append(
            Whose(
                mark=first.request,
                members=first.members,
                day=first.asked,
                named={place for one in some for place in places_of(one)},
                subjects=frozenset(id for one in some for id in one.subjects).intersection(first.members),
                note=note,
            )
        )
    return found


async def guessed(unit: Unit, mark: str, erasures: Sequence[Erasure]) -> Whose:
    """Whose erasure was begun under *mark*, as far as it can be told from its *erasures*."""
    named = {place for one in erasures for place in places_of(one)}
    members = sorted(parties_of(erasures)) or await _whose(unit, mark, named)
    return Whose(
        mark=mark,
        members=tuple(members),
        day=erasures[0].at.date(),
        named=named,
        subjects=frozenset(id for one in erasures for id in one.subjects),
    )


def places_of(erasure: Erasure) -> Iterator[Place]:
    yield from erasure.refs
    yield from erasure.entries


async def _whose(unit: Unit, mark: str, named: Collection[Place]) -> list[str]:
    """Whose erasure it was, where their own records were kept: who asked, or whose entries were erased."""
    request = await request_if_there(unit, RequestId(mark)) if is_id(mark) else None
    if request is not None:
        return [str(member) for member in await members_of(unit, request)]
    found = {one[1] for one in [_RETENTION.fullmatch(mark)] if one is not None and is_id(one[1])}
    entries = [place for place in named if not isinstance(place, Ref)]
    for stream in {stream for stream, _ in entries}:
        if stream.startswith(_OF_ONE):
            found.add(stream.rpartition(":")[2])
        elif stream.startswith("consent:"):
            acts = [one for one in await all_entries(unit, stream) if (stream, one.seq) in entries]
            found |= {one.body["record"] for one in acts if one.body.get("record")}
    now = await memberships(unit, map(PartyId, found))
    return sorted(found.union(*(one.members for one in now.values())))
