"""Whose erasures are carried over: as was noted, or as far as the erasures alone tell.

Invariant: of whom something was noted nothing is guessed. What is guessed is whose an erasure was, never that something
was erased which it does not name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date

import attrs

from crmcore.app.erasure_places import Place, all_entries, copy_id
from crmcore.app.past_erasures import ErasureNote
from crmcore.app.resolve import is_id, memberships
from crmcore.app.rights_store import members_of, request_if_there
from crmcore.app.subject_data import SubjectData
from crmcore.app.subject_erasure import via_of
from crmcore.app.unit import Unit
from crmcore.consent.certificate import ErasureBegun, kept_of, place_hash
from crmcore.consent.ledger import party_stream
from crmcore.consent.rights_request import RequestId
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import Erasure
from crmcore.storage.protocol import Ref
from crmcore.values.ids import PartyId

_IDEM = re.compile(r"erasure:(.+):[0-9a-f]{16}")
"""How `subject_erasure` names the parts of an erasure, with its mark."""
_OF_ONE = f"{PARTY.tag}:", party_stream("")
"""How the ledgers are named that are a record's own."""
_OF_TALK = f"{INTERACTION.tag}:"
_RETENTION = re.compile(r"retention:[0-9a-f]+:(.+)")
"""The mark of an erasure that nobody asked for, with the record by which the customer was named."""


@attrs.frozen(kw_only=True)
class CarriedOver:
    """What all that is carried over tells: the *parties* and *places* that went, the talks that are kept (*talks*, by
    their hashes), of which talks *copies* stay, or went in turn, by the ids of both, and how is marked what is written
    beside erasures (*marks*), and that a plan restricted somebody (*restrictions*)."""

    parties: frozenset[str]
    places: Set[Place]
    talks: frozenset[str]
    copies: Mapping[str, str]
    marks: frozenset[str]
    restrictions: frozenset[str]

    @classmethod
    def of(cls, erasures: Collection[Erasure], notes: Iterable[ErasureNote]) -> CarriedOver:
        """The same of *erasures*, and of what was noted of people."""
        notes = tuple(notes)
        firsts = [note.parts[0] for note in notes]
        return cls(
            parties=parties_of(erasures),
            places={place for one in erasures for place in places_of(one)},
            talks=frozenset(place for note in notes for place in kept_of(note.parts, INTERACTION.tag)),
            copies=_copies(erasures),
            marks=frozenset(map(via_of, {*by_mark(erasures), *(first.request for first in firsts)})),
            restrictions=frozenset(one.mark for first in firsts for one in first.restricted),
        )

    def left_out(self, copy: Ref, talk: str) -> frozenset[str]:
        """Who is not named in the *copy* of a talk: whoever went, unless it went then, too, or is kept of them."""
        hashes = [hash_of_talk(copy.id), hash_of_talk(talk), *self.copied_from(talk)]
        return frozenset() if copy in self.places or not self.talks.isdisjoint(hashes) else self.parties

    def copied_from(self, talk: str) -> Iterator[str]:
        """The hashes of the talks of which something stays in this one."""
        while talk in self.copies:
            talk = self.copies[talk]
            yield hash_of_talk(talk)

    def written(self, unit: Unit, data: SubjectData, mark: str) -> Set[Place]:
        """What was written beside by now of what is held of a person, who is erased under a *mark*."""
        marks = {via_of(mark), *self.restrictions}
        begun = {one.id for one in data.interactions if self._is_begun(one)}
        entries = {
            (one.stream, one.seq)
            for one in data.entries
            if one.body.get("via") in marks
            or self.is_of_copy(one.stream)
            or one.stream.removeprefix(_OF_TALK) in begun
        }
        return {*(unit.ref(INTERACTION.tag, id) for id in begun), *entries}

    def _is_begun(self, talk: Interaction) -> bool:
        """Whether it is the copy of a talk that did not go yet."""
        via = (talk.dedupe_key or "").rpartition(":")[0]
        return via in self.marks and talk.id not in self.copies

    def is_of_copy(self, stream: str) -> bool:
        """Whether a ledger is that of the copy of a talk."""
        return stream.startswith(_OF_TALK) and stream.removeprefix(_OF_TALK) in self.copies


def hash_of_talk(id: str) -> str:
    """By what a talk is known among the things that were begun."""
    return place_hash(f"{INTERACTION.tag} {id}")


def _copies(erasures: Iterable[Erasure]) -> dict[str, str]:
    """Of which talk a copy stayed, or may have, and under which id."""
    found: dict[str, str] = {}
    went: set[str] = set()
    for one in erasures:
        talks = [ref.id for ref in one.refs if ref.kind == INTERACTION.tag]
        if (mark := mark_in(one)) is not None:
            found.update((copy_id(via_of(mark), talk, went), talk) for talk in talks)
        went.update(talks)
    return found


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
        if (mark := mark_in(one)) is not None:
            found.setdefault(mark, []).append(one)
    return found


def mark_in(erasure: Erasure) -> str | None:
    """What an erasure was done for, if it is one of a person."""
    named = _IDEM.fullmatch(erasure.idem)
    return None if named is None else named[1]


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
