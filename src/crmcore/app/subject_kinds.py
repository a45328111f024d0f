"""Which kinds of things may be about a person, and what becomes of each when that person asks.

Invariant: every kind that crmcore writes stands here, once. What is not given to the person, or not erased with them,
has a reason; a kind without one is given, and goes by the table of dispositions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

import attrs

from crmcore.consent.certificate import CertificateLine
from crmcore.consent.disposition import LegalHold
from crmcore.errors import InvalidRightsRequest

_SAYS_THE_SAME = "it names records, which are given themselves"
_DERIVED = "it is worked out of the records, which are given themselves"
_HEAD = "it is the head of a ledger, whose acts are given"
_PROOF = "it is the proof that the person was answered (GDPR art. 5(2), 17(3)(e))"
_NOBODY = "it names nobody: {}"


@attrs.frozen(kw_only=True)
class SubjectKind:
    """A kind of record, or the tag of an entry of a ledger. *not_given* and *not_erased* are reasons; None: it is."""

    not_given: str | None = None
    not_erased: str | None = None


def _nobody(what: str) -> SubjectKind:
    reason = _NOBODY.format(what)
    return SubjectKind(not_given=reason, not_erased=reason)


_GIVEN = SubjectKind()
_REFERS = SubjectKind(not_given=_SAYS_THE_SAME)
_MADE = SubjectKind(not_given=_DERIVED)

SUBJECT_KINDS: Mapping[str, SubjectKind] = {
    "party": _GIVEN,
    "party.added": _GIVEN,
    "party.changed": _GIVEN,
    "relationship": _GIVEN,
    "relationship.added": _REFERS,
    "relationship.changed": _GIVEN,
    "interaction": _GIVEN,
    "interaction.recorded": _REFERS,
    "interaction.corrected": _REFERS,
    "interaction.retracted": _REFERS,
    "judgement": _GIVEN,
    "judgement.made": _REFERS,
    "judgement.retracted": _REFERS,
    "customers.merged": _REFERS,
    "customer.split": _REFERS,
    "consent.event": _GIVEN,
    "consent.wish": _GIVEN,
    "contact_point": SubjectKind(not_given=_HEAD),
    "suppression": SubjectKind(
        not_erased="it holds no address, and keeps the person from being written to again (GDPR art. 21(3))"
    ),
    "suppression.met": SubjectKind(not_given="it says when an entry was seen that is given itself"),
    "rights.request": SubjectKind(not_erased=_PROOF),
    "rights.step": SubjectKind(not_given="it is a part of a request, which is given", not_erased=_PROOF),
    "rights.erasure": SubjectKind(
        not_given="it holds kinds, numbers, ids and hashes of ids", not_erased=_PROOF
    ),
    "rights.certificate": SubjectKind(not_given="it is given when it is made", not_erased=_PROOF),
    "features": _MADE,
    "cluster": _MADE,
    "party.more": _MADE,
    "interaction.more": _MADE,
    "batch": _nobody("digests of what was asked, and ids of records"),
    "matching": _nobody("how far matching has come"),
    "match_model.part": _nobody("what columns are worth over all customers, and terms as hashes"),
    "review.queue": _nobody("that there is an order of pairs to look at"),
}
"""Every kind that this crmcore writes."""
_OF_OTHERS = frozenset(kind for kind, one in SUBJECT_KINDS.items() if one.not_given in (_DERIVED, _HEAD))
"""What is made of something else, or is the head of it."""


def held_for_nothing(lines: Iterable[CertificateLine], holds: Collection[LegalHold], on: date) -> bool:
    """Whether a hold kept something of *lines* that none of *holds* does on a day.

    What is made of something else is kept with that, and is asked about where nothing else is held.
    """
    held = [line for line in lines if line.held]
    own = [line for line in held if line.kind not in _OF_OTHERS]
    return any(line.held_for_nothing(holds, on) for line in own or held)


def day_told(on: date | None, today: date) -> date:
    """The day *on* which something is asked; *today* if it is None.

    Raises:
        InvalidRightsRequest: if it is no day.
    """
    if not isinstance(on, date | None) or isinstance(on, datetime):
        raise InvalidRightsRequest("the day is a date, such as date(2030, 1, 1)")
    return today if on is None else on


def check_kinds(kinds: Iterable[str], categories: Collection[str] = ()) -> None:
    """Refuse a word that is none of a kind of data, nor of *categories*: what it means to keep would go.

    Raises:
        InvalidRightsRequest: with the words that nothing is called by.
    """
    wrong = sorted({kind for kind in kinds if kind not in (*SUBJECT_KINDS, *categories, "*")})
    if wrong:
        raise InvalidRightsRequest(
            f"no kind of data is called {', '.join(wrong)}: see crmcore.app.SUBJECT_KINDS for those that are"
        )


def check_refused(items: Iterable[str]) -> None:
    """Refuse decisions that fit nothing that is held: what they mean to keep would go.

    Raises:
        InvalidRightsRequest: if one of *items* is no kind of data, or one that goes with the records it was made of.
    """
    wrong = sum(item not in SUBJECT_KINDS or item in _OF_OTHERS for item in items)
    if wrong:
        raise InvalidRightsRequest(
            f"{wrong} of the items that were refused or withheld fit nothing that could be kept: name a kind of data "
            "(crmcore.app.SUBJECT_KINDS), the id of a record, or a place of the plan; a slip is set right by deciding "
            "to grant it"
        )
