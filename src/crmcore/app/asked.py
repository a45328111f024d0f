"""What a verb of a batch was asked, by which it is known when the batch runs again.

Invariant: what is `open` confirms no guess of a name, an address or a text of anybody: it has the verb, words of closed
vocabularies, ids and in which way people were named. The `whole` leaves this process as a keyed hash alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from crmcore.app.whom import Whom
from crmcore.serde import dump

Fields = Mapping[str, Any]
"""Values by the names of fields of what a verb wrote; those of a value within it as a mapping of their own."""


@attrs.frozen(repr=False)
class Among:
    """In place of the value of a field that holds several: *one* that is among them."""

    one: Any


@attrs.frozen(repr=False)
class ToldAt:
    """In place of the time of a No: when that was *told* to be, which may be recorded as a later time."""

    told: datetime


@attrs.frozen(repr=False)
class Asked:
    """A *verb* and what it was given: equal for two calls that ask for the same.

    *open* are words of closed vocabularies, ids and numbers. *whom* are the references to people. *written* is what
    stands in something that the verb writes, and does not change there. *more* is all else.
    """

    verb: str
    open: tuple[Any, ...] = ()
    whom: tuple[Whom, ...] = ()
    written: tuple[Fields, ...] = ()
    more: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"Asked({self.verb!r}, <hidden>)"

    def in_the_open(self) -> str:
        """What may be kept in a hash that anybody can try guesses on."""
        return _text([self.verb, dump(self.open), [one.manner for one in self.whom]])

    def as_a_whole(self) -> str:
        """All of it."""
        people = [[dump(one.ref), one.point] for one in self.whom]
        return _text([self.verb, dump(self.open), people, dump(self.written), dump(self.more)])


def fields_of(draft: Any, *but: str) -> dict[str, Any]:
    """The values of a draft, but for its id and version and those named in *but*."""
    left = {"_id", "version", "unknown", *but}
    return {one.name: getattr(draft, one.name) for one in attrs.fields(type(draft)) if one.name not in left}


def _text(said: list[Any]) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=_in_order)


def _in_order(one: Any) -> Any:
    """Sets are written in order: each process has another one."""
    if not isinstance(one, (set, frozenset)):
        return str(one)
    return sorted((dump(item) for item in one), key=lambda item: _text([item]))
