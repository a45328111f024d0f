"""Who: one record of a person, organization, household or anonymous visitor, as one source holds it.

Invariant: a party has at least one thing that designates it (a name, a contact point, an identifier, a source or an
anonymous key); no two of its contact points of a kind have the same normal form; at most one has rank 1 for a kind and
use. A party is a value: changing it gives a new one, and `crm.parties.change` stores that with its history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar, get_args

import attrs

from crmcore.errors import InvalidParty, NoDesignation, NotFound
from crmcore.party.contact_point import ContactPoint, EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.party.extra import Extra
from crmcore.values.frozen_map import EMPTY, FrozenMap
from crmcore.values.identifier import Identifier
from crmcore.values.ids import PartyId
from crmcore.values.language import Language
from crmcore.values.moment import Moment, check_moment, optional_moment
from crmcore.values.organization_name import OrganizationName
from crmcore.values.partial_date import PartialDate
from crmcore.values.person_name import PersonName
from crmcore.values.personal import Document, personal
from crmcore.values.postal_address import PostalAddress
from crmcore.values.source import Source

P = TypeVar("P", bound="PartyRecord")
V = TypeVar("V")
Standing = Literal["active", "retracted"]


def _frozen(items: Mapping[str, V]) -> FrozenMap[str, V]:
    return items if isinstance(items, FrozenMap) else FrozenMap(items)


@attrs.frozen(kw_only=True)
class ImportMark(Document):
    """What imports last wrote here. *rows*: for each record, the digest of its row; the same row changes nothing.

    *fields*: for each record and field, the digest of the value that the row supplied, which tells what somebody
    changed since. *corrected*: fields with the digests of values that were wrong, and that no row brings back.
    """

    rows: FrozenMap[str, str] = personal(default=EMPTY, converter=_frozen)
    fields: FrozenMap[str, str] = personal(default=EMPTY, converter=_frozen)
    corrected: frozenset[str] = personal(default=frozenset())


def _tags(tags: Iterable[str]) -> frozenset[str]:
    if isinstance(tags, str):
        raise InvalidParty("tags are several texts: put a single one into a set")
    return frozenset(tags)


def _moments(items: Mapping[str, Moment]) -> FrozenMap[str, Moment]:
    if not items:
        return EMPTY
    return FrozenMap(
        {name: check_moment(moment, "when a field was observed") for name, moment in items.items()}
    )


def _known_standing(instance: object, attribute: attrs.Attribute[Standing], value: Standing) -> None:
    if value not in get_args(Standing):
        raise InvalidParty("a party is active or retracted: use crm.parties.retract(...) and restore(...)")


@attrs.frozen(kw_only=True)
class PartyRecord(Document):
    """What every kind of party has. *observed_at* is when the source said all this; *observed*, per field, if not."""

    _id: PartyId | None = attrs.field(default=None)
    version: int = 0
    sources: tuple[Source, ...] = ()
    contact_points: tuple[ContactPoint, ...] = personal(default=())
    identifiers: tuple[Identifier, ...] = personal(default=())
    language: Language | None = None
    zone: str | None = None
    tags: frozenset[str] = personal(default=frozenset(), converter=_tags)
    extras: FrozenMap[str, Any] = personal(default=EMPTY, converter=_frozen)
    observed_at: Moment | None = attrs.field(default=None, converter=optional_moment)
    observed: FrozenMap[str, Moment] = attrs.field(default=EMPTY, converter=_moments)
    imported: ImportMark | None = None
    standing: Standing = attrs.field(default="active", validator=_known_standing)

    def __attrs_post_init__(self) -> None:
        if not self._designated():
            raise NoDesignation(
                "nothing designates this party: give a name, a contact point, an identifier or a source"
            )
        _check_points(self.contact_points)

    def _designated(self) -> bool:
        return bool(self.contact_points or self.identifiers or self.sources)

    @property
    def id(self) -> PartyId:
        """The id. A draft has none: `crm.parties.add` gives it one."""
        if self._id is None:
            raise NotFound(
                "a draft has no id yet: add it with crm.parties.add(...) and use what that returns"
            )
        return self._id

    @property
    def is_draft(self) -> bool:
        """Whether the party has not been stored yet."""
        return self._id is None

    @property
    def display_name(self) -> str:
        """What to call the party, from whatever designates it."""
        for point in self.contact_points:
            return point.raw
        for identifier in self.identifiers:
            return identifier.value
        return "unnamed"

    # --- reading ---

    @property
    def emails(self) -> tuple[EmailPoint, ...]:
        """The e-mail addresses, in the order given."""
        return tuple(point for point in self.contact_points if isinstance(point, EmailPoint))

    @property
    def phones(self) -> tuple[PhonePoint, ...]:
        """The phone numbers, in the order given."""
        return tuple(point for point in self.contact_points if isinstance(point, PhonePoint))

    @property
    def addresses(self) -> tuple[PostalPoint, ...]:
        """The postal addresses, in the order given."""
        return tuple(point for point in self.contact_points if isinstance(point, PostalPoint))

    def get(self, extra: Extra[V]) -> V | None:
        """The value of a typed extra, or None."""
        return extra.read(self.extras)

    # --- changing: each gives a new party ---

    def with_point(self: P, point: ContactPoint) -> P:
        """With a further contact point; one with the same normal form is replaced as a whole."""
        kept = tuple(p for p in self.contact_points if (p.kind, p.key) != (point.kind, point.key))
        return attrs.evolve(self, contact_points=(*kept, point))

    def _with(self: P, point: ContactPoint, facts: Mapping[str, Any]) -> P:
        """With *point*. Of one that is there already only the spelling and *facts* change: its status, rank and times
        stay, so that hearing of an address again does not clear what was learned of it.
        """
        for old in self.contact_points:
            if (old.kind, old.key) == (point.kind, point.key):
                said = [name for name in ("raw", "value", "problem", "digits", *facts) if hasattr(old, name)]
                return self.with_point(attrs.evolve(old, **{name: getattr(point, name) for name in said}))
        return self.with_point(point)

    def with_email(self: P, text: str, **facts: Any) -> P:
        """With a further e-mail address.

        >>> len(Person.of("Ann Lee").with_email("a@y.org").with_email("A@y.org").emails)
        1
        """
        return self._with(EmailPoint.of(text, **facts), facts)

    def with_phone(self: P, text: str, *, region: str | None = None, **facts: Any) -> P:
        """With a further phone number, read as dialled in *region*."""
        return self._with(PhonePoint.of(text, region=region, **facts), facts)

    def with_address(self: P, address: str | PostalAddress, **facts: Any) -> P:
        """With a further postal address."""
        return self._with(PostalPoint.of(address, **facts), facts)

    def with_online(self: P, text: str, *, service: str = "web", **facts: Any) -> P:
        """With a further web site or handle."""
        return self._with(OnlinePoint.of(text, service=service, **facts), facts)

    def with_identifier(self: P, scheme: str, value: str, *, issuer: str | None = None) -> P:
        """With a further identifier; one with the same scheme, normal form and issuer is replaced."""
        new = Identifier(scheme, value, issuer=issuer)
        same = (new.scheme, new.key, new.issuer)
        kept = tuple(i for i in self.identifiers if (i.scheme, i.key, i.issuer) != same)
        return attrs.evolve(self, identifiers=(*kept, new))

    def with_source(self: P, system: str, record: str) -> P:
        """Standing for a further record of another system."""
        new = Source(system, record)
        if any((source.system, source.record) == (system, record) for source in self.sources):
            return self
        return attrs.evolve(self, sources=(*self.sources, new))

    def with_tag(self: P, *tags: str) -> P:
        """With further tags."""
        return attrs.evolve(self, tags=self.tags | set(tags))

    def without_tag(self: P, *tags: str) -> P:
        """Without these tags."""
        return attrs.evolve(self, tags=self.tags - set(tags))

    def with_extra(self: P, extra: Extra[V], value: V) -> P:
        """With a typed extra set."""
        return attrs.evolve(self, extras=extra.write(self.extras, value))

    def without(self: P, text: str, *, region: str | None = None) -> P:
        """Without the contact point written as *text*, in any spelling that has the same normal form.

        A phone number may be spelled as it is dialled in *region*.

        Raises:
            NotFound: if there is none.

        >>> ann = Person.of("Ann Lee", phone="+44 20 7946 0018")
        >>> ann.without("020 7946 0018", region="GB").phones
        ()
        """
        kept = tuple(point for point in self.contact_points if not is_spelling(point, text, region))
        if len(kept) == len(self.contact_points):
            raise NotFound("the party has no such contact point: compare with party.contact_points")
        return attrs.evolve(self, contact_points=kept)

    def contact_point(self, text: str, *, region: str | None = None) -> ContactPoint | None:
        """The contact point of which *text* is a spelling; None if there is none.

        A phone number may be spelled as it is dialled in *region*.

        >>> Person.of("Ann Lee", phone="+44 20 7946 0018").contact_point("+44 (0)20 7946-0018").key
        '+442079460018'
        """
        return next((point for point in self.contact_points if is_spelling(point, text, region)), None)

    def changed(self: P, **fields: Any) -> P:
        """With other fields replaced, e.g. ``ann.changed(language=Language.parse("cy"))``."""
        return attrs.evolve(self, **fields)


@attrs.frozen(kw_only=True)
class Person(PartyRecord):
    """A natural person.

    >>> Person.of("Ann Lee", email="ann@x.org").name.full
    'Ann Lee'
    """

    kind: Literal["person"] = "person"
    names: tuple[PersonName, ...] = personal(default=())
    birth_date: PartialDate | None = personal(default=None)
    occupation: str | None = personal(default=None)

    def _designated(self) -> bool:
        return bool(self.names) or PartyRecord._designated(self)

    @classmethod
    def of(
        cls,
        name: str | PersonName | None = None,
        *,
        email: str | None = None,
        phone: str | None = None,
        region: str | None = None,
        address: str | PostalAddress | None = None,
        birth_date: str | PartialDate | None = None,
        **fields: Any,
    ) -> Person:
        """A draft. *region* is where *phone* is dialled from; blank texts, as forms send them, are left out.

        Raises:
            InvalidName: if *name* is empty.
            InvalidDate: if *birth_date* is no date.
            NoDesignation: if nothing at all designates the person.
        """
        names = () if name is None else (PersonName.parse(name) if isinstance(name, str) else name,)
        if isinstance(birth_date, str):
            birth_date = PartialDate.parse(birth_date)
        points = (*_points(email, phone, region, address), *fields.pop("contact_points", ()))
        return cls(names=names, birth_date=birth_date, contact_points=points, **fields)

    @property
    def name(self) -> PersonName | None:
        """The name in use, or the first one known."""
        return next(
            (name for name in self.names if name.use == "usual"), self.names[0] if self.names else None
        )

    @property
    def display_name(self) -> str:
        """The name in use, or whatever else designates the person."""
        return self.name.full if self.name is not None else PartyRecord.display_name.__get__(self)

    def renamed(self, name: str | PersonName) -> Person:
        """With another name in use; the name until now is kept as a former one.

        >>> [name.use for name in Person.of("Ann Lee").renamed("Ann Hill").names]
        ['usual', 'former']
        """
        if isinstance(name, str):
            name = PersonName.parse(name)
            if self.name is not None and (self.name.full, self.name.use) == (name.full, name.use):
                return self
        # A name of the same text is the same name: it does not become a former one beside itself.
        again = {(name.full, use) for use in (name.use, "former")}
        kept = (n for n in self.names if (n.full, n.use) not in again)
        old = tuple(attrs.evolve(n, use="former") if n.use == "usual" else n for n in kept)
        return attrs.evolve(self, names=(name, *old))


@attrs.frozen(kw_only=True)
class Organization(PartyRecord):
    """A company, authority, club or any other body."""

    kind: Literal["organization"] = "organization"
    names: tuple[OrganizationName, ...] = ()

    def _designated(self) -> bool:
        return bool(self.names) or PartyRecord._designated(self)

    @classmethod
    def of(
        cls,
        name: str | OrganizationName | None = None,
        *,
        email: str | None = None,
        phone: str | None = None,
        region: str | None = None,
        address: str | PostalAddress | None = None,
        **fields: Any,
    ) -> Organization:
        """A draft. *region* is where *phone* is dialled from. Other fields by name."""
        names = () if name is None else (OrganizationName.parse(name) if isinstance(name, str) else name,)
        points = (*_points(email, phone, region, address), *fields.pop("contact_points", ()))
        return cls(names=names, contact_points=points, **fields)

    @property
    def name(self) -> OrganizationName | None:
        """The name in use, or the first one known."""
        return next(
            (name for name in self.names if name.kind == "usual"), self.names[0] if self.names else None
        )

    @property
    def display_name(self) -> str:
        """The name in use, or whatever else designates the organization."""
        return self.name.text if self.name is not None else PartyRecord.display_name.__get__(self)

    def renamed(self, name: str | OrganizationName) -> Organization:
        """With another name in use; the name until now is kept as a former one."""
        if isinstance(name, str):
            name = OrganizationName.parse(name)
            if self.name is not None and (self.name.text, self.name.kind) == (name.text, name.kind):
                return self
        again = {(name.text, kind) for kind in (name.kind, "former")}
        kept = (n for n in self.names if (n.text, n.kind) not in again)
        old = tuple(attrs.evolve(n, kind="former") if n.kind == "usual" else n for n in kept)
        return attrs.evolve(self, names=(name, *old))


@attrs.frozen(kw_only=True)
class Household(PartyRecord):
    """People who live together; its members are relationships."""

    kind: Literal["household"] = "household"
    label: str | None = personal(default=None)

    def _designated(self) -> bool:
        return bool(self.label) or PartyRecord._designated(self)

    @classmethod
    def of(
        cls, label: str | None = None, *, address: str | PostalAddress | None = None, **fields: Any
    ) -> Household:
        """A draft."""
        points = (*_points(None, None, None, address), *fields.pop("contact_points", ()))
        return cls(label=label, contact_points=points, **fields)

    @property
    def display_name(self) -> str:
        """The label, or whatever else designates the household."""
        return self.label if self.label else PartyRecord.display_name.__get__(self)


@attrs.frozen(kw_only=True)
class Anonymous(PartyRecord):
    """Somebody known only by a key (a cookie, a complaint number) until they are identified, which is a merge."""

    kind: Literal["anonymous"] = "anonymous"
    key: str = personal()

    def _designated(self) -> bool:
        return bool(self.key) or PartyRecord._designated(self)

    @classmethod
    def of(cls, key: str, **fields: Any) -> Anonymous:
        """A draft."""
        return cls(key=key, **fields)

    @property
    def display_name(self) -> str:
        """The word for somebody unknown; the key itself is not for display."""
        return "anonymous"


Party = Person | Organization | Household | Anonymous
Change = Callable[[P], P]


def _points(
    email: str | None, phone: str | None, region: str | None, address: str | PostalAddress | None
) -> tuple[ContactPoint, ...]:
    points: list[ContactPoint] = []
    if email is not None and email.strip():
        points.append(EmailPoint.of(email))
    if phone is not None and phone.strip():
        points.append(PhonePoint.of(phone, region=region))
    if address is not None and (not isinstance(address, str) or address.strip()):
        points.append(PostalPoint.of(address))
    return tuple(points)


def is_spelling(point: ContactPoint, text: str, region: str | None = None) -> bool:
    """Whether *text* is a spelling of the contact point."""
    same: ContactPoint
    if isinstance(point, EmailPoint):
        same = EmailPoint.of(text)
    elif isinstance(point, PhonePoint):
        same = PhonePoint.of(text, region=region)
    elif isinstance(point, PostalPoint):
        same = PostalPoint.of(text)
    else:
        same = OnlinePoint.of(text, service=point.service)
    return point.raw == text or point.key == same.key


def _check_points(points: tuple[ContactPoint, ...]) -> None:
    if len(points) < 2:
        return
    if len({(point.kind, point.key) for point in points}) != len(points):
        raise InvalidParty("two contact points of the party have the same normal form: keep one of them")
    preferred = [(point.kind, use) for point in points if point.rank == 1 for use in point.uses or ("",)]
    if len(set(preferred)) != len(preferred):
        raise InvalidParty("two contact points have rank 1 for the same kind and use: rank one of them lower")
