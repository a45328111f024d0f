"""What an import remembers of what it wrote: a digest of the row, and one of each value that the row supplied.

Invariant: equal values of a field have equal digests, in every import. Records of sources are told apart, so that
a party that stands for two of them remembers both.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import attrs

from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import ImportMark, Party
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.organization_name import OrganizationName
from crmcore.values.person_name import PersonName
from crmcore.values.source import Source

_UNIT = "\x1f"
_SEVERAL = ("email", "phone", "postal", "online", "tag")
"""First words of the fields that hold several values."""


def short_digest(text: str, size: int = 8) -> str:
    """A digest for comparing values of one party.

    >>> short_digest("York") == short_digest("York") != short_digest("Leeds")
    True
    """
    return blake2b(text.encode("utf-8", "replace"), digest_size=size).hexdigest()


def record_code(source: Source) -> str:
    """What tells a record of a source from the other ones of a party.

    >>> record_code(Source("shop", "1")) == record_code(Source("shop", "2"))
    False
    """
    return short_digest(f"{source.system}{_UNIT}{source.record}", 4)


def point_group(point: ContactPoint) -> str:
    """The kind of a contact point; fax numbers are a kind.

    >>> from crmcore.party.contact_point import PhonePoint
    >>> point_group(PhonePoint.of("+46812345678")), point_group(PhonePoint.of("+46812345678", uses={"fax"}))
    ('phone', 'phone.fax')
    """
    return f"{point.kind}.fax" if "fax" in point.uses else point.kind


def point_field(point: ContactPoint) -> str:
    """The field of a contact point: its kind and normal form.

    >>> from crmcore.party.contact_point import EmailPoint
    >>> point_field(EmailPoint.of("Ann@X.org")) == point_field(EmailPoint.of("ann@x.org"))
    True
    """
    return f"{point_group(point)} {short_digest(point.key)}"


def tag_field(tag: str) -> str:
    """The field of a tag.

    >>> tag_field("vip").split()[0]
    'tag'
    """
    return f"tag {short_digest(tag)}"


def digest_of(value: Any) -> str:
    """The digest of a field's value.

    >>> digest_of("red") == digest_of("blue")
    False
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, PersonName):
        text = _UNIT.join((value.full, *(f"{part.kind}={part.text}" for part in value.parts)))
    elif isinstance(value, OrganizationName):
        text = value.text
    elif hasattr(value, "raw"):
        text = _UNIT.join((value.raw, *sorted(value.uses)))
    else:
        # Identifiers, languages and dates; an extra that is no text was put there by somebody.
        text = (
            getattr(value, "key", "")
            or getattr(value, "tag", "")
            or getattr(value, "text", "")
            or repr(value)
        )
    return short_digest(text)


def marked(source: Source, digest: str, said: Mapping[str, Any]) -> ImportMark:
    """The mark of a row with *digest* that says the fields of a party in *said*.

    >>> mark = marked(Source("shop", "1"), "d1", {"occupation": "smith", "tags": frozenset({"vip"})})
    >>> len(mark.rows), len(mark.fields)
    (1, 2)
    """
    code = record_code(source)
    fields = {f"{code} {field}": digest_of(value) for field, value in _by_field(said).items()}
    return ImportMark(rows=FrozenMap({code: digest}), fields=FrozenMap(fields))


def values_of(party: Party) -> dict[str, Any]:
    """What a record says, by the fields that imports know; of names that in use.

    >>> from crmcore.party.party import Person
    >>> sorted(values_of(Person.of("Ann Lee", birth_date="1980-02-29")))
    ['birth_date', 'name']
    """
    said = {field.name: getattr(party, field.name) for field in attrs.fields(type(party)) if field.init}
    name = getattr(party, "name", None)
    return _by_field({**said, "names": () if name is None else (name,)})


def corrections(values: Mapping[str, Any]) -> frozenset[str]:
    """Fields with the digests of their values; of a field whose name says its value, that name.

    >>> len(corrections({"occupation": "smith", "tag 0f0f": "vip"}))
    2
    """
    return frozenset(
        field if _is_several(field) else f"{field} {digest_of(value)}" for field, value in values.items()
    )


def _by_field(said: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in said.get("names", ()):
        values["name"] = name
    for field in ("birth_date", "occupation", "language"):
        if said.get(field):
            values[field] = said[field]
    for identifier in said.get("identifiers", ()):
        values[f"identifier {identifier.scheme}"] = identifier
    for name, text in said.get("extras", {}).items():
        values[f"extra {name}"] = text
    for point in said.get("contact_points", ()):
        values[point_field(point)] = point
    for tag in said.get("tags", ()):
        values[tag_field(tag)] = tag
    return values


class Written:
    """What imports last wrote to a party: for the record of *source*, and for all of its records."""

    def __init__(self, party: Party, source: Source) -> None:
        code = record_code(source)
        self.own: dict[str, str] = {}
        self.others: dict[str, set[str]] = {}
        self._corrected = frozenset[str]() if party.imported is None else party.imported.corrected
        if party.imported is not None:
            for place, digest in party.imported.fields.items():
                record, _, field = place.partition(" ")
                if record == code:
                    self.own[field] = digest
                else:
                    self.others.setdefault(field, set()).add(digest)

    def by_import(self, field: str, value: Any) -> bool:
        """Whether an import wrote the value as it is now."""
        digest = digest_of(value)
        return self.own.get(field) == digest or digest in self.others.get(field, ())

    def unchanged(self, field: str, value: Any) -> bool:
        """Whether the record said the same in the last import, or says what was corrected since."""
        if field in self.own and self.own[field] == digest_of(value):
            return True
        return self.corrected(field, value)

    def corrected(self, field: str, value: Any) -> bool:
        """Whether the value was wrong, and somebody had it corrected."""
        return bool(self._corrected) and not self._corrected.isdisjoint(corrections({field: value}))


def joined(old: ImportMark | None, new: ImportMark) -> ImportMark:
    """The mark after a row was taken over; what it left blank, it said before.

    >>> source = Source("shop", "1")
    >>> first, second = (marked(source, d, {"tags": {t}}) for d, t in (("d1", "vip"), ("d2", "late")))
    >>> joined(first, second) == second
    True
    """
    if old is None:
        return new
    said = {kind for place in new.fields if (kind := _several(place))}
    kept = {place: digest for place, digest in old.fields.items() if _several(place) not in said}
    return attrs.evolve(
        old, rows=FrozenMap({**old.rows, **new.rows}), fields=FrozenMap({**kept, **new.fields})
    )


def _several(place: str) -> tuple[str, str] | None:
    """The record and kind of a place among the fields, if the kind holds several values."""
    record, kind, *_ = place.split(" ", 2)
    return (record, kind) if _is_several(kind) else None


def _is_several(field: str) -> bool:
    """Whether a field is one of several values of a kind, and its name has the digest of its value."""
    return field.split(" ")[0].split(".")[0] in _SEVERAL
