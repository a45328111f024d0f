"""Fields of rows as arrays of different texts, and columns of codes that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np

from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.texts import (
    Flags,
    Ints,
    Numbers,
    Texts,
    distinct,
    each,
    flags,
    ids_of,
    numbers_of,
    texts_of,
)
from crmcore.identity.features import ROLES
from crmcore.identity.normal_forms import LONGEST


@attrs.frozen(eq=False, repr=False)
class Coded:
    """A column of all rows: the *values* by code, None first, the *codes*, and the values as texts."""

    values: Sequence[Any]
    codes: Ints
    content: Any

    @cached_property
    def numbers(self) -> Numbers:
        """The number of each value, 0 for none."""
        content = self.content
        if content is None:
            content = texts_of(["", *(" ".join(value) for value in self.values[1:])])
        numbers = numbers_of(content)
        numbers[0] = 0
        return numbers


class Fields:
    """The fields of rows, by role; each is an array of texts, and all are as long."""

    def __init__(self, arrays: Mapping[str, Any], rows: int) -> None:
        self.rows = rows
        self._texts: dict[str, tuple[Any, Ints]] = {}
        read = dict(zip(arrays, each(distinct, arrays.values(), rows), strict=True))
        for role in ROLES:
            if role in arrays:
                known, which = read[role]
                if (pc.max(pc.utf8_length(known)).as_py() or 0) > LONGEST:
                    known = pc.utf8_slice_codeunits(known, 0, LONGEST)
                self._texts[role] = (known, which)

    def __contains__(self, role: str) -> bool:
        return role in self._texts

    def texts(self, role: str) -> tuple[Any, Ints]:
        """The different texts of a field, and which of them each row has."""
        nothing = (texts_of([""]), np.zeros(self.rows, dtype=np.int32))
        return self._texts.get(role, nothing)

    def all_texts(self) -> Collection[tuple[Any, Ints]]:
        """The different texts of each field, and which of them each row has."""
        return self._texts.values()

    def row(self, position: int) -> dict[str, str]:
        """One row, by role."""
        return {role: known[which[position]].as_py() for role, (known, which) in self._texts.items()}

    def filled(self, role: str) -> Flags:
        """Which rows have more than white space in a field."""
        known, which = self.texts(role)
        found = flags(pc.match_substring_regex(known, "[A-Za-z0-9]")).copy()
        odd = np.nonzero(~found)[0]
        found[odd] = [bool(text.strip()) for text in known.take(pa.array(odd)).to_pylist()]
        return found[which]

    def plain(self, role: str, form: Callable[[str], str], regular: str, but: str) -> Coded:
        """A field of which each text has a form; texts that match *regular*, *but* not that, are their own."""
        known, which = self.texts(role)
        return coded(_formed(known, form, regular, but), which)


def _formed(known: Any, form: Callable[[str], str], regular: str, but: str) -> Any:
    fits = pc.match_substring_regex(known, regular)
    if but:
        fits = pc.and_(fits, pc.invert(pc.match_substring_regex(known, but)))
    odd = np.nonzero(~flags(fits))[0]
    if not len(odd):
        return known
    forms = texts_of(map(form, known.take(pa.array(odd)).to_pylist()))
    return pc.replace_with_mask(known, pc.invert(fits), forms)


def coded(forms: Any, which: Ints) -> Coded:
    """The column of rows that have these forms."""
    ids, _, known = ids_of(forms)
    return Coded(Texts(known), ids[which], known)
