"""A party with what a row says, field by field.

Invariant: a blank erases nothing. A value that somebody changed stays as it is while the row says what it said
before, and is a conflict once the row changes it too. What the row does not speak of stays, and what a person had
corrected does not come back.
"""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from crmcore.errors import InvalidParty
from crmcore.exchange.mark import Written, point_field, point_group, tag_field
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import Organization, Person
from crmcore.values.frozen_map import FrozenMap

R = TypeVar("R", Person, Organization)


class _Conflict(Exception):
    """Somebody changed a value since the last import, and the row changes it too."""


def take_over(old: R, new: R) -> R | None:
    """*old* with what the row of *new* says, or None if it contradicts what somebody changed since.

    >>> from crmcore.exchange.mark import marked
    >>> from crmcore.values.source import Source
    >>> shop = Source("shop", "1")
    >>> ann = Person.of("Ann Lee", sources=(shop,), imported=marked(shop, "d1", {"occupation": "smith"}))
    >>> take_over(ann.changed(occupation="smith"), ann.changed(occupation="judge")).occupation
    'judge'
    >>> take_over(ann.changed(occupation="cook"), ann.changed(occupation="judge")) is None
    True
    """
    written = Written(old, new.sources[0])
    try:
        return attrs.evolve(old, **_changes(written, old, new))
    except (_Conflict, InvalidParty):
        # Invalid: the points as the row has them do not go with ranks that somebody gave.
        return None


def _changes(written: Written, old: Any, new: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "sources": tuple(dict.fromkeys((*old.sources, *new.sources))),
        "contact_points": _points(written, old.contact_points, new.contact_points),
        "identifiers": _identifiers(written, old.identifiers, new.identifiers),
        "language": _single(written, "language", old.language, new.language),
        "tags": _tags(written, old.tags, new.tags),
        "extras": _extras(written, old.extras, new.extras),
        "observed_at": new.observed_at or old.observed_at,
        "names": _names(written, old, new),
    }
    if isinstance(old, Person):
        changes["birth_date"] = _single(written, "birth_date", old.birth_date, new.birth_date)
        changes["occupation"] = _single(written, "occupation", old.occupation, new.occupation)
    return changes


def _single(written: Written, field: str, old: Any, new: Any, *, same: bool = False) -> Any:
    """The value of a field that holds one; *same* says that two different ones say the same."""
    if new is None or new == old or written.unchanged(field, new):
        return old
    if old is None and field not in written.own:
        return new
    if old is not None and written.by_import(field, old):
        return new
    if same:
        return old
    raise _Conflict


def _names(written: Written, old: Any, new: Any) -> tuple[Any, ...]:
    """The names, with that in use as the row has it; former and other names stay."""
    before, says = old.name, new.name
    same = before is not None and says is not None and old.display_name == new.display_name
    after = _single(written, "name", before, says, same=same)
    if after is before:
        return tuple(old.names)
    kept = (name for name in old.names if name is not before and name != after)
    return (after, *kept)


def _identifiers(written: Written, old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    found = {(identifier.scheme, identifier.issuer, identifier.key): identifier for identifier in old}
    for says in new:
        before = next((i for i in old if (i.scheme, i.issuer) == (says.scheme, says.issuer)), None)
        same = (says.scheme, says.issuer, says.key) in found
        after = _single(written, f"identifier {says.scheme}", before, says, same=same)
        if after is says and before is not None:
            del found[before.scheme, before.issuer, before.key]
        if after is not None:
            found[after.scheme, after.issuer, after.key] = after
    return tuple(found.values())


def _extras(written: Written, old: FrozenMap[str, Any], new: FrozenMap[str, Any]) -> FrozenMap[str, Any]:
    taken = {name: _single(written, f"extra {name}", old.get(name), text) for name, text in new.items()}
    return FrozenMap({**old, **{name: value for name, value in taken.items() if value is not None}})


def _tags(written: Written, old: frozenset[str], new: frozenset[str]) -> frozenset[str]:
    new = frozenset(tag for tag in new if not written.corrected(tag_field(tag), tag))
    if not new:
        return old
    gone = {
        tag for tag in old - new if (field := tag_field(tag)) in written.own and field not in written.others
    }
    return (old - gone) | {tag for tag in new if tag_field(tag) not in written.own}


def _points(
    written: Written, old: tuple[ContactPoint, ...], new: tuple[ContactPoint, ...]
) -> tuple[ContactPoint, ...]:
    """The points with those of the row's last version replaced by those of this one; kinds stay in their order."""
    row, new = new, tuple(point for point in new if not written.corrected(point_field(point), point))
    if not new:
        return old
    says = {(point.kind, point.key): point for point in new}
    here = {(point.kind, point.key) for point in old}
    further: dict[str, list[ContactPoint]] = {}
    for name, point in says.items():
        if name not in here and point_field(point) not in written.own:
            further.setdefault(point_group(point), []).append(point)
    # A point that was corrected away stands for the one that came in its place, which stays.
    groups = {point_group(point) for point in new} - {point_group(one) for one in row if one not in new}
    _check_replaced(written, old, row, further)
    found: list[ContactPoint] = []
    for point in old:
        field, now = point_field(point), says.get((point.kind, point.key))
        if now is not None:
            found.append(_respelled(point, now) if written.by_import(field, point) else point)
        elif point_group(point) in groups and field in written.own and field not in written.others:
            found += further.pop(point_group(point), [])
        else:
            found.append(point)
    found += [point for points in further.values() for point in points]
    order = list(dict.fromkeys(point_group(point) for point in (*old, *new)))
    return tuple(sorted(found, key=lambda point: order.index(point_group(point))))


def _check_replaced(
    written: Written,
    old: tuple[ContactPoint, ...],
    new: tuple[ContactPoint, ...],
    further: dict[str, list[ContactPoint]],
) -> None:
    """Refuse a row with another point in place of one that somebody replaced by a third."""
    here, says = {point_field(point) for point in old}, {point_field(point) for point in new}
    lost = {field.split(" ")[0] for field in written.own if field not in here and field not in says}
    for point in old:
        field, group = point_field(point), point_group(point)
        by_hand = field not in written.own and field not in written.others and field not in says
        if by_hand and group in lost and group in further:
            raise _Conflict


def _respelled(old: ContactPoint, new: ContactPoint) -> ContactPoint:
    """A point as the row writes it now, with all that was learned of it since."""
    changes: dict[str, Any] = {"raw": new.raw, "problem": new.problem, "uses": new.uses}
    for name in ("value", "digits", "service"):
        if hasattr(new, name):
            changes[name] = getattr(new, name)
    return attrs.evolve(old, **changes)
