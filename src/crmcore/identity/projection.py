"""What a store keeps of a record beside its keys, so that the record is compared without being read.

Invariant: a projection has the very values that a model compares, as texts, and nothing else: comparing two projections
gives what comparing the two records gives. It is JSON of lists and texts, and says by which version it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.model.columns import COLUMNS, variants
from crmcore.identity.model.content import text_of

PROJECTED = "features/1"
"""The version of projections and keys. Another one is not read: `crm.identity.reindex()` writes them anew."""

_SPARE = "\x1f"


class Projection(NamedTuple):
    """The values of a record by column of `COLUMNS`, "" where there is none; of several variants of a group the first.

    *more* has, for the groups with several variants, all of them.
    """

    kind: str
    values: tuple[str, ...]
    more: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = ()

    def __repr__(self) -> str:
        return f"Projection(kind={self.kind!r}, <hidden>)"

    @property
    def empty(self) -> bool:
        """Whether there is nothing to compare."""
        return not any(self.values) and not self.more

    def to_body(self) -> list[Any]:
        """The projection as JSON."""
        if not self.more:
            return [self.kind, list(self.values)]
        return [
            self.kind,
            list(self.values),
            [[group, [list(o) for o in options]] for group, options in self.more],
        ]


def from_body(body: list[Any]) -> Projection:
    """The projection of its JSON."""
    kind, values, *rest = body
    if not rest:
        return Projection(kind, tuple(values))
    more = tuple((group, tuple(tuple(option) for option in options)) for group, options in rest[0])
    return Projection(kind, tuple(values), more)


GROUPS: Mapping[str, tuple[int, ...]] = {
    group: tuple(at for at, column in enumerate(COLUMNS) if column.group == group)
    for group in dict.fromkeys(column.group for column in COLUMNS)
}
"""Where the columns of each group stand in a projection."""


def project(features: Features) -> Projection:
    """The projection of a record.

    >>> from crmcore.identity.features import features_of_row
    >>> project(features_of_row({"full_name": "Ann Lee", "email": "ann@x.org"})).values[:5]
    ('ann', 'lee', '', '', 'ann@x.org')
    """
    values = [""] * len(COLUMNS)
    more: list[tuple[str, tuple[tuple[str, ...], ...]]] = []
    found = variants(features)
    for group, places in GROUPS.items():
        if group not in found:
            continue
        options = [tuple(map(_text, option)) for option in found[group]]
        if len(options) > 1 and len(options := sorted(set(options))) > 1:
            more.append((group, tuple(options)))
        for at, text in zip(places, options[0], strict=True):
            values[at] = text
    return Projection(features.kind, tuple(values), tuple(more))


def _text(value: object) -> str:
    return "" if value is None else text_of(value)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(" "))


def _street(text: str) -> AddressForm:
    number, words, kind, direction, unit = (text.split(_SPARE) + [""] * 4)[:5]
    return AddressForm(number, tuple(words.split(" ")) if words else (), kind, direction, unit)


def _same(text: str) -> str:
    return text


_READ: Mapping[str, Callable[[str], Any]] = {
    "given name": _words,
    "family name": _words,
    "organization name": _words,
    "employer": _words,
    "street": _street,
}
READERS: tuple[Callable[[str], Any], ...] = tuple(_READ.get(column.name, _same) for column in COLUMNS)
"""For each column what makes a value of a text; the words of organizations are not weighed yet."""


def texts_at(projection: Projection, at: int) -> tuple[str, ...]:
    """All texts of a record in a column."""
    own = projection.values[at]
    if not projection.more:
        return (own,) if own else ()
    found = dict.fromkeys([own] if own else [])
    for group, options in projection.more:
        places = GROUPS[group]
        if at in places:
            index = places.index(at)
            found.update(dict.fromkeys(option[index] for option in options if option[index]))
    return tuple(found)
