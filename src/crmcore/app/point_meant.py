"""Which contact point is meant, by a reference, by a point that is named, and by a channel.

Invariant: whoever asks and whoever records means the same point by the same words, and one that the channel does not
reach is never meant: a number by which somebody is named says whose e-mail it is about, and not which. No No is kept
where it denies nothing, and no Yes where it was not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from crmcore.app.resolve import Reference, address_in
from crmcore.consent.known import points_of
from crmcore.consent.reach import ReachedPoint, kinds_reached, reach_of
from crmcore.consent.usable import points_held, usable
from crmcore.consent.words import CHANNELS_OF, NOES, YESES, ActKind, Channel
from crmcore.errors import InvalidConsent
from crmcore.party.party import Party, is_spelling
from crmcore.party.party_keys import turned_names
from crmcore.values.source import Source
from crmcore.values.text import fold

P = TypeVar("P", bound=tuple[str, str] | ReachedPoint)
"""A contact point, of which the first two parts are its kind and its normal form."""


def points_meant(ref: Reference | None, channel: str, points: Iterable[P]) -> Sequence[P]:
    """Of *points* those that *channel* reaches, and of these those that *ref* is, if it is any of them.

    None of them where the channel reaches no contact point: then it is about the person.
    """
    kinds = kinds_reached(channel)
    fits = [point for point in points if point[0] in kinds]
    return fits if ref is None else points_named(ref, fits) or fits


def points_named(ref: Reference, points: Iterable[P]) -> list[P]:
    """Those of *points* that *ref* is: the very one, else the numbers that are spelled so without their extension."""
    normal = address_in(ref)
    if normal is None:
        return []
    kind = _kind_of(ref)
    fits = [point for point in points if point[0] == kind]
    return [point for point in fits if point[1] == normal] or [
        point for point in fits if kind == "phone" and point[1].partition("x")[0] == normal
    ]


def point_asked(
    ref: Reference, point: str | None, channel: Channel, parties: Sequence[Party], at: datetime
) -> str | None:
    """The normal form of the one point that a request is about; None where the channel needs none, or there is none.

    Of several that nobody named those are meant that may be used at *at*; it is none of them where none may be.

    Raises:
        InvalidConsent: if it may be several, or the one that is named is none of theirs, or none that the channel
            reaches.
    """
    if point is not None:
        return point_named(point, (channel,), parties)
    held = held_by(parties)
    meant = points_meant(ref, channel, held)
    found = {one.normal for one in meant}
    if _kind_of(ref) in kinds_reached(channel) and not points_named(ref, held):
        _check_theirs(ref, parties)
    if len(found) > 1 and not points_named(ref, meant):
        found = {one.normal for one in usable(meant, at)}
    if len(found) > 1:
        raise InvalidConsent(
            f"the customer has {len(found)} contact points for {channel}: name the point that is meant"
        )
    return next(iter(found), None)


def held_by(parties: Iterable[Party]) -> Sequence[ReachedPoint]:
    """The contact points of these records, with whether they may be used."""
    return points_held([reach_of(party) for party in parties])


class Said(NamedTuple):
    """What an act is about: a *point*, by its normal form, or the person.

    A Yes about the person goes to the points that they have, or to the *only* one.
    """

    point: str | None = None
    only: str | None = None

    def __repr__(self) -> str:
        return "Said(<hidden>)"


def said_about(
    kind: ActKind, ref: Reference, point: str | None, channels: Iterable[Channel], parties: Sequence[Party]
) -> Said:
    """What an act of this *kind* is about.

    A *ref* that is an address or a number stands for itself as far as it is reached by the *channels*. A No by others,
    too, is one of the person, so that it holds there as well, and so is one about what may be several points. A Yes by
    others holds at no point but that one, and by what needs no point.

    Raises:
        InvalidConsent: if the point that is named is none of theirs, or none for the channels, or a Yes may be about
            several.
    """
    if point is not None:
        fits = _points_fitting(point, channels, parties, whole=kind in NOES)
        return Said() if len(fits) > 1 and kind in NOES else Said(_the_only(fits))
    named = points_named(ref, _points(parties))
    if not named:
        _check_theirs(ref, parties)
        return Said()
    if not _reached(named[0][0], channels, whole=kind in NOES):
        return Said()
    if len(named) > 1 and kind in NOES:
        return Said()
    only = _the_only([normal for _, normal in named])
    beside = kind in YESES and not all(map(kinds_reached, channels))
    return Said(only=only) if beside else Said(only)


def point_named(said: str, channels: Iterable[Channel], parties: Iterable[Party]) -> str:
    """The normal form of the point that somebody named, in whatever spelling.

    Raises:
        InvalidConsent: if the customer has it not, or several of it, or it is none that the channels reach.
    """
    return _the_only(_points_fitting(said, channels, parties, whole=False))


def _the_only(fits: Sequence[str]) -> str:
    if len(fits) > 1:
        raise InvalidConsent(
            f"the customer has {len(fits)} contact points that it may be, such as numbers that differ by their "
            "extension or country: name the one that is meant in full"
        )
    return fits[0]


def _points_fitting(
    said: str, channels: Iterable[Channel], parties: Iterable[Party], *, whole: bool
) -> list[str]:
    """The normal forms of the points that somebody may have named: the very one, if it is.

    *whole*: it must be one that all of the channels reach, but for those that reach no contact point at all.

    Raises:
        InvalidConsent: if the customer has none of them, or it is none that the channels reach.
    """
    if not isinstance(said, str):
        raise InvalidConsent("a contact point is named by its text")
    parties, text, wanted = list(parties), said.strip(), frozenset(channels)
    spelled: list[tuple[str, str]] = [
        (one.kind, one.key)
        for party in parties
        for one in party.contact_points
        if text and is_spelling(one, text)
    ]
    found = dict.fromkeys(spelled or points_named(text, _points(parties)))
    if not found:
        raise InvalidConsent("no record of this customer has that contact point: add it to one first")
    fits = list(dict.fromkeys(normal for kind, normal in found if _reached(kind, wanted, whole=whole)))
    if not fits:
        raise InvalidConsent(
            f"that contact point is not reached by {' and '.join(sorted(wanted))}: name one that is, "
            "or leave out what does not reach it"
        )
    return [text] if text in fits else fits


def record_named(ref: Reference, parties: Sequence[Party]) -> Party:
    """The record that *ref* names by its id, by its source or by an address that it has, or the first one.

    Of those that have the address it is one that was not taken back, if any is: no other is found by it.
    """
    said = f"{ref.system}#{ref.record}" if isinstance(ref, Source) else ref.strip()
    having = list[Party]()
    for party in parties:
        names = (str(party.id), *(f"{source.system}#{source.record}" for source in party.sources))
        if said in names:
            return party
        if points_named(ref, points_of(party)):
            having.append(party)
    return min(having, key=lambda party: party.standing != "active", default=parties[0])


def _points(parties: Iterable[Party]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(pair for party in parties for pair in points_of(party)))


def _kind_of(ref: Reference) -> str | None:
    """Of which kind a contact point is that *ref* may be."""
    if address_in(ref) is None:
        return None
    return "email" if "@" in str(ref) else "phone"


def _reached(kind: str, channels: Iterable[Channel], *, whole: bool) -> bool:
    """Whether a point of this kind is reached by any of *channels*, or by all that there are if none is named.

    *whole*: and by every one of them that reaches any contact point.
    """
    wanted = frozenset(channels)
    own = CHANNELS_OF.get(kind, frozenset[str]())
    if not wanted:
        return True
    return not wanted.isdisjoint(own) and not (
        whole and any(kinds_reached(channel) for channel in wanted - own)
    )


def _check_theirs(ref: Reference, parties: Iterable[Party]) -> None:
    """Refuse an address or a number that leads to somebody who had it not then; no source, nor a name that looks so."""
    if isinstance(ref, Source) or _kind_of(ref) is None or "#" in ref:
        return
    folded = fold(ref)
    if "@" in ref or not any(name.startswith(folded) for party in parties for name in turned_names(party)):
        raise InvalidConsent("no record of this customer has that contact point: add it to one first")
