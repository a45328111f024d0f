"""Two notes of one erasure, of the store that erasures are carried over into and of the one that they come from.

Invariant: who is restricted or held by either of them is so, and no plan erases anybody that lacks what stands, or what
was noted beside it. Where one was noted more often, it is taken to go on from the other, and stands in its
place; where that tells nothing, each thing is kept as long as by either. Joined once more with either of them, they
stay as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import attrs

from crmcore.consent.certificate import (
    CertificateLine,
    ErasureBegun,
    Restriction,
    begun_lines,
    with_lines,
)
from crmcore.consent.disposition import STRENGTH


def joined(here: Sequence[ErasureBegun], there: Sequence[ErasureBegun]) -> Sequence[ErasureBegun]:
    """What is noted where *here* was, and *there* is carried over.

    That which was noted more often stands. Where that tells nothing, what keeps more of each thing does, as held, under
    a digest of both that no plan knows.
    """
    if not here:
        return there
    first, other = here[0], there[0]
    if other.plan_sha256 == first.plan_sha256:
        stands = there if other.number >= first.number else here
    elif first.plan_sha256 in other.beside:
        stands = there
    elif other.plan_sha256 in first.beside:
        stands = here
    elif other.only_kept and not first.only_kept and other.number >= first.number:
        return _with(here, there, [other.plan_sha256])
    elif other.number != first.number:
        stands = there if other.number > first.number else here
    else:
        return _with(_of_both(here, there), there, [first.plan_sha256, other.plan_sha256], first)
    return _with(stands, here if stands is there else there)


def with_beside(parts: Sequence[ErasureBegun], digest: str) -> Sequence[ErasureBegun]:
    """*parts*, with the *digest* of a plan that was noted elsewhere of the same person."""
    first, *rest = parts
    if digest == first.plan_sha256:
        return parts
    return [attrs.evolve(first, beside=tuple(dict.fromkeys([*first.beside, digest]))), *rest]


def instead_of(parts: Sequence[ErasureBegun], before: Sequence[ErasureBegun]) -> Sequence[ErasureBegun]:
    """*parts* of a request, noted at a record where something else was noted *before*, which counts on.

    How often something was noted of the request tells nothing of what is noted at a record.
    """
    if not before:
        return [attrs.evolve(parts[0], number=0), *parts[1:]]
    told = _with(parts, before, [before[0].plan_sha256])
    return [attrs.evolve(told[0], number=before[0].number), *told[1:]]


def as_no_plan_knows(first: ErasureBegun) -> ErasureBegun:
    """What is noted *first*, after its plan and beside it, so that nothing goes on by that plan."""
    return attrs.evolve(
        first, plan_sha256=_digest(first.plan_sha256), beside=(*first.beside, first.plan_sha256)
    )


def _with(
    stands: Sequence[ErasureBegun],
    other: Sequence[ErasureBegun],
    beside: Iterable[str] = (),
    *more: ErasureBegun,
) -> Sequence[ErasureBegun]:
    """What *stands*, with what keeps anybody by the *other*, too."""
    first, *rest = stands
    both = (first, *more, other[0])
    unknown = [one.plan_sha256 for one in both if not one.number]  # nothing tells what it came before
    digests = dict.fromkeys([*(digest for one in both for digest in one.beside), *unknown, *beside])
    told = attrs.evolve(
        first,
        held=any(one.held for one in both),
        restricted=_restricted(both),
        beside=tuple(digest for digest in digests if digest != first.plan_sha256),
    )
    return [told, *rest]


def _digest(*digests: str) -> str:
    """A digest that is of no plan, but of what is noted of these."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _restricted(notes: Iterable[ErasureBegun]) -> tuple[Restriction, ...]:
    found: dict[str, dict[str, None]] = {}
    for one in (one for note in notes for one in note.restricted):
        found.setdefault(one.mark, {}).update(dict.fromkeys(one.members))
    return tuple(Restriction(mark=mark, members=tuple(ids)) for mark, ids in found.items())


def _of_both(here: Sequence[ErasureBegun], there: Sequence[ErasureBegun]) -> Sequence[ErasureBegun]:
    """A note that neither came before the other: of each thing it says what keeps more of it."""
    first, other = (here[0], there[0]) if there[0].only_kept else (there[0], here[0])
    digests = sorted((first.plan_sha256, other.plan_sha256))
    told = attrs.evolve(
        first,
        plan_sha256=_digest(*digests),
        points=tuple(dict.fromkeys([*first.points, *other.points])),
        members=tuple(dict.fromkeys([*first.members, *other.members])),
        category=first.category or other.category,
        asked=first.asked or other.asked,
        done=first.done and other.done,
        held=first.held or other.held or not (first.only_kept and other.only_kept),
        number=first.number + 1,
    )
    return with_lines(told, _stronger(begun_lines(here), begun_lines(there)))


def _stronger(
    here: Mapping[str, CertificateLine], there: Mapping[str, CertificateLine]
) -> Mapping[str, CertificateLine]:
    lines = {**here, **there}
    for place in here.keys() & there.keys():
        both = there[place], here[place]
        more = max(both, key=_keeps)
        days = [one.anyway for one in both if one.anyway is not None]
        if more.held:  # when the hold is lifted, what keeps it by the other note is not
            days += [one.until or date.max for one in both if not one.held and _keeps(one)[0]]
        lines[place] = attrs.evolve(more, anyway=max(days, default=None))
    return lines


def _keeps(line: CertificateLine) -> tuple[bool, date, bool, int, str]:
    """Whether a thing stays as it is, and how long: a hold without an end outlasts all else."""
    stays = line.action in ("keep", "restrict")
    return stays, line.until or date.max, line.held, STRENGTH[line.action], line.reason
