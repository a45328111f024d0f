"""What is kept of an erasure: that it was done, of what kinds, and what was kept and why.

Invariant: a certificate holds no value and no id of what was erased. What was begun is known by a hash for each thing,
so that an erasure that was cut off goes on with what its plan named, and with nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs

from crmcore.consent.disposition import HELD, Action, Disposal, ErasurePlan, LegalHold
from crmcore.consent.rights_request import RequestId
from crmcore.render import definitions, page, table
from crmcore.serde import Codec, dump
from crmcore.storage.erasure import ErasureReport
from crmcore.values.personal import Document


@attrs.frozen(kw_only=True)
class CertificateLine(Document):
    """How many things of a kind, what became of them, why, and until when what was kept is kept.

    *anyway* is noted beside, as of a `Disposal`, and stands in no certificate.
    """

    kind: str
    action: Action
    count: int
    reason: str
    cite: str
    until: date | None = None
    anyway: date | None = None

    @property
    def held(self) -> bool:
        """Whether a legal hold keeps it."""
        return self.cite == HELD and self.action == "restrict"

    def held_for_nothing(self, holds: Iterable[LegalHold], on: date) -> bool:
        """Whether a hold without an end kept it, and none of *holds* does on a day."""
        return self.held and self.until is None and not any(one.holds(self.kind, on) for one in holds)


@attrs.frozen(kw_only=True)
class Remainder(Document):
    """What remains somewhere, as the store says: where, until when, and what ends it."""

    place: str
    remedy: str
    until: datetime | None = None


@attrs.frozen(kw_only=True)
class ErasureCertificate(Document):
    """The proof that an erasure was done, under the *request* that asked for it."""

    request: str
    done_at: datetime
    plan_sha256: str
    lines: tuple[CertificateLine, ...]
    remains: tuple[Remainder, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest that the request keeps as that of its answer."""
        plain = json.dumps(dump(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()

    def count(self, *actions: Action) -> int:
        """Of how many things this became."""
        return sum(line.count for line in self.lines if line.action in actions)

    def to_json(self) -> dict[str, Any]:
        """The certificate as JSON."""
        return dict(dump(self))

    def to_html(self) -> str:
        """The certificate as one page."""
        lines = [(x.kind, x.action, x.count, x.reason, x.cite, str(x.until or "")) for x in self.lines]
        facts = [
            ("request", self.request),
            ("done", f"{self.done_at:%Y-%m-%d %H:%M} UTC"),
            ("erased", f"{self.count('delete', 'anonymise')} records and entries"),
            ("digest", self.sha256),
        ]
        rest = [(one.place, one.remedy, str(one.until or "not known")) for one in self.remains]
        return page(
            "Certificate of erasure",
            definitions(facts),
            table(["kind", "action", "how many", "why", "law", "until"], lines),
            table(["what remains", "what ends it", "until"], rest) if rest else None,
        )


@attrs.frozen(kw_only=True)
class Restriction(Document):
    """Which records were restricted to what they are kept for, and how the act is marked that says so."""

    mark: str
    members: tuple[str, ...]


@attrs.frozen(kw_only=True)
class ErasureBegun(Document):
    """An erasure that was begun: what its plan said, so that the certificate says it too if it was cut off.

    *places* has for each of *lines* a hash of each thing that it counts, one after the other. What does not fit is in
    *more* further records. *points* are the ids of the ledgers of addresses: by them is found what was kept there.

    *members* are the ids of the records, and *asked* is the day on which the request came or, where nobody asked for it
    and a time ran out, on which the first plan was carried out. *category* is that by which the time ran out, and
    *done* whether all of the last plan was carried out, which a certificate tells of a request. *held* says
    that by a later plan a legal hold keeps all that was left of it. *restricted* are the records that a plan kept
    whole; where it was the first plan there are no *lines*, and nothing was begun. Of whom a
    plan keeps *plan_sha256* is the digest of why, and under that itself is noted which plan said so last, and by which
    mark whoever is kept for that is restricted, be they named or not.

    *number* counts how often it was noted, by which the later of two copies is told; 0: nothing tells that. *beside*
    are digests of what else was noted of them, where it was carried over and has no note of its own.
    """

    request: str
    plan_sha256: str
    lines: tuple[CertificateLine, ...]
    places: tuple[str, ...] = ()
    more: int = 0
    points: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    category: str | None = None
    asked: date | None = None
    done: bool = False
    held: bool = False
    restricted: tuple[Restriction, ...] = ()
    number: int = 0
    beside: tuple[str, ...] = ()

    @property
    def only_kept(self) -> bool:
        """Whether it says no more than that a customer is kept, and nothing of an erasure."""
        return not self.lines and not self.members


@attrs.frozen(kw_only=True)
class KeptTooLong:
    """That something is still kept of an erasure whose last day was *until*; None: that a hold kept, and is no more."""

    request: RequestId
    until: date | None


CERTIFICATE: Codec[ErasureCertificate] = Codec(
    tag="rights.certificate", type=ErasureCertificate, versioned=False
)
BEGUN: Codec[ErasureBegun] = Codec(tag="rights.erasure", type=ErasureBegun, versioned=False)
CODECS: tuple[Codec[Any], ...] = (CERTIFICATE, BEGUN)


_HASH = 8
"""So many letters know a thing again: 48 bits."""
_FITS = 10_000
"""So many things are noted in one record."""


def place_hash(place: str) -> str:
    """By what a thing is known that was begun to be erased."""
    return base64.urlsafe_b64encode(hashlib.sha256(place.encode()).digest()[:6]).decode()


def begun_by(
    plan: ErasurePlan,
    request: str,
    before: Sequence[ErasureBegun] = (),
    points: Iterable[str] = (),
    *,
    done: bool = False,
) -> tuple[ErasureBegun, ...]:
    """What is noted of *plan* before anything is done, with what was begun *before* by an earlier plan.

    If all of that was *done*, what it kept and *plan* does not name is held of the person no more: others may have it,
    as the ledger of an address that they share.
    """
    ledgers = sorted({*points, *(point for part in before for point in part.points)})
    earlier = begun_lines(before)
    if done:
        earlier = {place: _ended(line) for place, line in earlier.items()}
    lines = {**earlier, **{place_hash(one.place): line_of(one) for one in plan.disposals}}
    return with_lines(
        ErasureBegun(request=request, plan_sha256=plan.digest, lines=(), points=tuple(ledgers)), lines
    )


def with_lines(first: ErasureBegun, lines: Mapping[str, CertificateLine]) -> tuple[ErasureBegun, ...]:
    """What is noted, *first* and in further parts, with *lines* in place of its own, by the hashes of their things."""
    found = sorted(lines.items(), key=lambda pair: (repr(pair[1]), pair[0]))
    parts = [found[start : start + _FITS] for start in range(0, len(found), _FITS)] or [[]]
    begun: list[ErasureBegun] = []
    for part in parts:
        said: dict[CertificateLine, list[str]] = {}
        for place, line in part:
            said.setdefault(line, []).append(place)
        further = ErasureBegun(request=first.request, plan_sha256=first.plan_sha256, lines=())
        begun.append(
            attrs.evolve(
                further if begun else first,
                lines=tuple(attrs.evolve(line, count=len(places)) for line, places in said.items()),
                places=tuple(map("".join, said.values())),
                more=0 if begun else len(parts) - 1,
            )
        )
    return tuple(begun)


def begun_lines(begun: Iterable[ErasureBegun]) -> Mapping[str, CertificateLine]:
    """The line of each thing that was begun, by its hash; a line counts one thing."""
    return {
        places[at : at + _HASH]: attrs.evolve(line, count=1)
        for part in begun
        for line, places in zip(part.lines, part.places, strict=False)
        for at in range(0, len(places), _HASH)
    }


def kept_of(begun: Iterable[ErasureBegun], kind: str) -> Iterator[str]:
    """The hashes of what is kept of a kind."""
    for part in begun:
        for line, places in zip(part.lines, part.places, strict=False):
            if line.kind == kind and line.action in ("keep", "restrict"):
                yield from (places[at : at + _HASH] for at in range(0, len(places), _HASH))


def counted(part: ErasureBegun) -> bool:
    """Whether each line has the places of as many things as it counts."""
    return [len(places) for places in part.places] == [line.count * _HASH for line in part.lines]


def line_of(one: Disposal) -> CertificateLine:
    """A line for one thing. Why there is a hold is a text that somebody typed, and stands in the plan alone."""
    reason = one.reason if one.hold is None else "it must not be lost"
    return CertificateLine(
        kind=one.kind,
        action=one.action,
        count=1,
        reason=reason,
        cite=one.cite,
        until=one.until,
        anyway=one.anyway,
    )


def _ended(line: CertificateLine) -> CertificateLine:
    """The line of what was kept, when it is not held of the person any more."""
    if line.action not in ("keep", "restrict"):
        return line
    reason = (
        f"it was kept{' for a time' if line.until else ''}, and nothing of it is held of the person any more"
    )
    return attrs.evolve(line, action="delete", reason=reason, until=None, anyway=None)


def certify(
    begun: Sequence[ErasureBegun],
    reports: tuple[ErasureReport, ...],
    *,
    at: datetime,
    gone: Iterable[str] = (),
) -> ErasureCertificate:
    """The certificate of what was planned and done; what remains is what the store reports.

    *gone* are the hashes of what was to be kept and is there no more: of that it is not said that it was kept.
    """
    remains = {(one.place, one.remedy, one.until) for report in reports for one in report.residual}
    counts: dict[CertificateLine, int] = {}
    for line in (line for part in begun for line in part.lines):
        kind = attrs.evolve(line, count=1, anyway=None)
        counts[kind] = counts.get(kind, 0) + line.count
    told = begun_lines(begun)
    for line in (attrs.evolve(told[place], anyway=None) for place in gone if place in told):
        reason = "it was to be kept and is not there: another erasure took it, or it went with the key of the person"
        lost = attrs.evolve(line, action="delete", reason=reason, until=None)
        counts[line] -= 1
        counts[lost] = counts.get(lost, 0) + 1
    return ErasureCertificate(
        request=begun[0].request,
        done_at=at,
        plan_sha256=begun[0].plan_sha256,
        lines=tuple(attrs.evolve(line, count=count) for line, count in counts.items() if count),
        remains=tuple(
            Remainder(place=place, remedy=remedy, until=until)
            for place, remedy, until in sorted(remains, key=repr)
        ),
    )
