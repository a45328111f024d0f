"""Of whom an act is that was told: a Yes of one customer, a No by an address of each who has it.

Invariant: no No by ways that reach an address is lost because several have it, and no Yes is taken for that of another.
Of very many who share one the first alone have a No of their own (see `EACH`); whoever hears none of these has one too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, TypeVar

import attrs

from crmcore.app.consent_then import check_reference
from crmcore.app.customers import load_parties
from crmcore.app.point_meant import Said, points_named, said_about
from crmcore.app.resolve import Membership, Reference, address_in, resolve, search, search_retracted
from crmcore.app.unit import Unit
from crmcore.consent.event import Scope
from crmcore.consent.known import points_of
from crmcore.consent.reach import kinds_reached
from crmcore.consent.words import NOES, ActKind, Channel
from crmcore.errors import AmbiguousReference, BatchTooLarge, InvalidConsent
from crmcore.party.party import Party
from crmcore.values.ids import PartyId

R = TypeVar("R")

EACH = 20
"""So many customers, the first by their ids, each have an act of their own of a No that was told by one address.

Whoever else has the address hears it there, by the channels that reach it, as a No of others: it holds for them until
each of those first has taken it back by a Yes of their own, also if they said nothing themselves; it is theirs to take
back only when nobody who said it has the address any more. Who gives the address up takes it along as far as it holds
then. By ways that do not reach the address, such as a note in an app, they are told nothing: name them by an id.

Where a number without its extension was told, each has another address: then each has an act, be they thousands.
"""


class Teller(NamedTuple):
    """A customer with its records, who told something *about* a contact point or the person, in its *scope*."""

    customer: Membership
    parties: Sequence[Party]
    about: Said
    scope: Scope

    def __repr__(self) -> str:
        return "Teller(<hidden>)"


async def tellers(
    unit: Unit, kind: ActKind, ref: Reference, point: str | None, scope: Scope
) -> Sequence[Teller]:
    """Whose act of this *kind* it is that was told by *ref* and about *point*: one customer's, or that of each who has
    the address where it is a No.

    Raises:
        NotFound: if nothing answers to *ref*.
        AmbiguousReference: if it fits several customers and is no address of each, or the act is no No.
        InvalidConsent: if *ref* is neither a text nor a `Source`, or as `said_about`.
    """
    check_reference(ref)
    customers = await search(unit, ref)
    if kind in NOES:  # a record that was taken back may be restored, with its No
        customers += tuple(one for one in await search_retracted(unit, ref) if one not in customers)
    # All of many have the very address that was told; of a number without its extension each may have another, and of a
    # point that is named each is asked who has that.
    number = address_in(ref)
    alike = point is None and (number is None or "@" in number or "x" in number)
    found = await _with_parties(unit, customers[: EACH + 1] if alike else customers)
    by_address = all(any(points_named(ref, points_of(party)) for party in parties) for _, parties in found)
    if not found or (len(found) > 1 and not by_address):
        await resolve(unit, ref)
    if len(found) > 1 and kind not in NOES:
        raise AmbiguousReference(
            f"{len(customers)} customers have this address, and a {kind} is what one of them did: name that one by an "
            "id, or merge them if they are one and the same",
            candidates=tuple(customer.id for customer in customers),
        )
    told, refused = list[Teller](), list[InvalidConsent]()
    for customer, parties in found:
        try:
            about = said_about(kind, ref, point, scope.channels, parties)
            told.append(Teller(customer, parties, about, scope))
        except InvalidConsent as error:  # whoever has not the point that is named is not meant
            refused.append(error)
    if not told:
        raise refused[0]
    if point is not None and any(one.about.point is None for one in told):
        return told
    return [*told[:EACH], *_not_hearing(kind, ref, told)]


async def _with_parties(unit: Unit, customers: Sequence[Membership]) -> list[tuple[Membership, list[Party]]]:
    """These customers, each with its records."""
    wanted = dict.fromkeys(id for one in customers for id in one.members)
    known: dict[PartyId, Party] = {party.id: party for party in await load_parties(unit, wanted)}
    return [(one, [known[id] for id in one.members if id in known]) for one in customers]


def _not_hearing(kind: ActKind, ref: Reference, told: Sequence[Teller]) -> list[Teller]:
    """What those after the first tell: each at whose address nobody before has told anything, by the channels that
    reach it."""
    heard = {one.about.point for one in told[:EACH]}
    more: list[Teller] = []
    for one in told[EACH:]:
        named = [point for party in one.parties for point in points_named(ref, points_of(party))]
        own = {normal for _, normal in named} if one.about.point is None else {one.about.point}
        teller = None if own <= heard else _there(kind, ref, one, {kind for kind, _ in named})
        if teller is not None:
            heard.add(teller.about.point)
            more.append(teller)
    return more


def _there(kind: ActKind, ref: Reference, one: Teller, kinds: AbstractSet[str]) -> Teller | None:
    """What *one* tells about an address of one of *kinds*; None where the channels do not reach it."""
    # It is about that one already, or about several numbers.
    if one.about.point is not None or not one.scope.channels:
        return one
    channels: set[Channel] = {way for way in one.scope.channels if kinds & kinds_reached(way)}
    if not channels:
        return None
    about = said_about(kind, ref, None, channels, one.parties)
    return one._replace(about=about, scope=attrs.evolve(one.scope, channels=channels))


@attrs.define(eq=False)
class Portions:
    """Those who tell something: all of them at once, or half as many, again and again, where one batch holds no more.

    Each time everybody is read: so few batches are made of many. Within a batch of the app it is *at_once*.
    """

    at_once: bool
    _most: int | None = attrs.field(default=None, init=False)
    _now: list[Teller] = attrs.field(factory=list[Teller], init=False, repr=False)
    _left: bool = attrs.field(default=False, init=False)
    _done: set[tuple[str | None, tuple[str, ...]]] = attrs.field(
        factory=set[tuple[str | None, tuple[str, ...]]], init=False, repr=False
    )

    def next(self, told: Sequence[Teller]) -> Sequence[Teller]:
        """Those of *told* who are next. A plan asks for them, perhaps several times."""
        waiting = [one for one in told if _key(one) not in self._done]
        self._now = waiting[: self._most]
        self._left = len(waiting) > len(self._now)
        return self._now

    async def each(self, commit: Callable[[], Awaitable[R]]) -> R:
        """*commit* those who are next until nobody is left; what came of the first.

        Raises:
            BatchTooLarge: if one alone is too much for the store.
            StoreError: if it fails; what was recorded before stands.
        """
        results: list[R] = []
        while not results or self._left:
            try:
                results.append(await commit())
            except BatchTooLarge:
                if len(self._now) < 2 or self.at_once:
                    raise
                self._most = len(self._now) // 2
            else:
                self._done.update(map(_key, self._now))
        return results[0]


def _key(one: Teller) -> tuple[str | None, tuple[str, ...]]:
    """By the records: should two become one customer meanwhile, that one tells it again."""
    return one.about.point, one.customer.members
