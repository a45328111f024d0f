"""Street lines taken apart by what their words can be: few shapes, however many streets.

Invariant: the forms are those that `crmcore.identity.addresses.street_form` gives, word for word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.addresses import (
    DIRECTIONS,
    MOST_WORDS,
    TYPES,
    AddressForm,
    Layout,
    core_word,
    layout,
    street_word,
    word_class,
)  # fmt: skip
from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.texts import (
    Flags,
    Ints,
    Longs,
    compress,
    distinct,
    firsts,
    flags,
    flat,
    ids_of,
    texts_of,
)
from crmcore.identity.latin import latin
from crmcore.identity.normal_forms import LONGEST
from crmcore.values.text import fold

_PLAIN = "^[a-z0-9 ]*$"
_SEPARATOR = "\x1f"
_PARTS = ("number", "street", "type", "direction", "unit")


@attrs.frozen(eq=False, repr=False)
class Streets(Sequence[Any]):
    """The different streets by code, 0 for none: their parts as arrays of texts; each is made when it is asked for."""

    number: Any
    street: Any
    joined: Any
    type: Any
    direction: Any
    unit: Any

    @classmethod
    def of(cls, values: Sequence[AddressForm | None]) -> Streets:
        """The streets of a list."""
        known = [AddressForm() if value is None else value for value in values]
        street = texts_of(" ".join(value.street) for value in known)
        return cls(
            number=texts_of(value.number for value in known), street=street,
            joined=pc.replace_substring(street, " ", ""), type=texts_of(value.type for value in known),
            direction=texts_of(value.direction for value in known), unit=texts_of(value.unit for value in known),
        )  # fmt: skip

    def take(self, codes: Longs) -> Streets:
        """The streets at some codes."""
        at = pa.array(codes)
        parts = (self.number, self.street, self.joined, self.type, self.direction, self.unit)
        return Streets(*(part.take(at) for part in parts))

    def __len__(self) -> int:
        return len(self.number)

    @overload
    def __getitem__(self, code: int) -> Any: ...
    @overload
    def __getitem__(self, code: slice) -> Sequence[Any]: ...
    def __getitem__(self, code: int | slice) -> Any:
        if isinstance(code, slice):
            return [self[at] for at in range(*code.indices(len(self)))]
        if not code:
            return None
        number, street, kind, direction, unit = (getattr(self, part)[code].as_py() for part in _PARTS)
        return AddressForm(number, tuple(street.split()), kind, direction, unit)

    @property
    def content(self) -> Any:
        """The parts of each as one text."""
        return pc.binary_join_element_wise(
            *(getattr(self, part) for part in _PARTS), pa.scalar(_SEPARATOR, pa.large_string())
        )


def streets_of(numbers: Any, lines: Any) -> tuple[Streets, Ints]:
    """The different streets of lines with house numbers given apart, or none; and for each line its code."""
    line_texts, line = distinct(lines)
    house_texts, house = distinct(numbers)
    houses = pa.concat_arrays(
        [texts_of("".join(fold(text[:LONGEST]).split()) for text in house_texts.to_pylist())]
    )
    with_house = flags(pc.not_equal(houses, ""))
    pair = line.astype(np.int64) * len(house_texts) + house
    pairs, which = compress(pair)
    line, house = np.divmod(pairs, len(house_texts))
    words = _Words(line_texts)
    parts = words.parts(line, with_house[house])
    if with_house.any():
        parts["number"] = pc.if_else(
            pa.array(with_house[house]), houses.take(pa.array(house)), parts["number"]
        )
    ids = {name: ids_of(parts[name]) for name in _PARTS}
    packed = np.zeros(len(pairs), dtype=np.int64)
    for name in _PARTS:
        packed = compress(packed * ids[name][1] + ids[name][0])[1].astype(np.int64)
    blank = (ids["number"][0] == 0) & (ids["street"][0] == 0)
    filled = np.nonzero(~blank)[0]
    known, code = compress(packed[filled])
    chosen = pa.array(filled[firsts(code, len(known))])
    nothing = texts_of([""])
    table = {
        name: pa.concat_arrays([nothing, flat(parts[name]).take(chosen)]) for name in (*_PARTS, "joined")
    }
    codes = np.zeros(len(pairs), dtype=np.int32)
    codes[filled] = code + 1
    return Streets(**table), codes[which]


class _Words:
    """Lines as words."""

    def __init__(self, lines: Any) -> None:
        plain = pc.match_substring_regex(lines, _PLAIN)
        short = pc.less_equal(pc.utf8_length(lines), LONGEST)
        regular = pc.and_(plain, short)
        if not pc.all(regular).as_py():
            odd = np.nonzero(~flags(regular))[0]
            folded = texts_of(fold(text[:LONGEST]) for text in lines.take(pa.array(odd)).to_pylist())
            lines = pc.replace_with_mask(lines, pc.invert(regular), folded)
        split = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(lines))
        words, which = distinct(split.flatten())
        usual = [street_word(word) for word in words.to_pylist()]
        core = [" ".join(latin(core_word(word)).split()) if word else "" for word in usual]
        self.offsets = np.asarray(split.offsets, dtype=np.int64) - split.offsets[0].as_py()
        lengths = np.diff(self.offsets)
        # A blank line is split into one empty word.
        empty = (
            np.array([not word for word in usual], dtype=np.bool_)[which]
            if len(which)
            else np.zeros(0, np.bool_)
        )
        self.lengths = (
            np.where(
                (lengths == 1) & empty[np.minimum(self.offsets[:-1], max(len(which) - 1, 0))], 0, lengths
            )
            if len(which)
            else lengths
        )
        self.lengths = np.minimum(self.lengths, MOST_WORDS)
        self.which = which
        self.usual, self.core = texts_of(usual), texts_of(core)
        self.blanks = any(word and not latin_ for word, latin_ in zip(usual, core, strict=True))
        self.joined = texts_of(word.replace(" ", "") for word in core)
        self.types = texts_of(TYPES.get(word, "") for word in usual)
        self.directions = texts_of(DIRECTIONS.get(word, "") for word in usual)
        classes = [word_class(word) if word else word_class("?") for word in usual]
        known = {found: at for at, found in enumerate(dict.fromkeys(classes))}
        self.classes = list(known)
        self.class_of = np.array([known[found] for found in classes], dtype=np.int64)

    def parts(self, line: NDArray[Any], numbered: Flags) -> dict[str, Any]:
        """The parts of some lines, whose numbers were given apart or not."""
        shape, shapes = self._shapes(line, numbered)
        offsets = self.offsets[line]
        places = np.array(
            [[found.number, found.unit, found.direction, found.type] for found in shapes], dtype=np.int64
        )
        places = places.reshape(-1, 4)[shape]
        taken = {
            name: self._words_at(texts, offsets, places[:, column])
            for column, (name, texts) in enumerate(
                (
                    ("number", self.usual),
                    ("unit", self.usual),
                    ("direction", self.directions),
                    ("type", self.types),
                )
            )
        }
        counts = np.array([len(found.core) for found in shapes], dtype=np.int64)[shape]
        flat_core = np.array([at for found in shapes for at in found.core], dtype=np.int64)
        begins = np.concatenate([[0], np.cumsum([len(found.core) for found in shapes])])[:-1].astype(np.int64)
        ends = np.cumsum(counts)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
        at = np.repeat(offsets, counts) + flat_core[np.repeat(begins[shape], counts) + within]
        bounds = pa.array(np.concatenate([[0], ends]), type=pa.int32())
        for name, texts, between in (("street", self.core, " "), ("joined", self.joined, "")):
            lists = pa.ListArray.from_arrays(bounds, texts.cast(pa.string()).take(pa.array(self.which[at])))
            joined = pc.binary_join(lists, between).cast(pa.large_string())
            # Of a sign that has no Latin letters there is nothing between two spaces.
            taken[name] = (
                pc.utf8_trim_whitespace(pc.replace_substring_regex(joined, "  +", " "))
                if self.blanks
                else joined
            )
        return taken

    def _words_at(self, texts: Any, offsets: Longs, place: Longs) -> Any:
        there = place >= 0
        where = np.zeros(len(place), dtype=np.int64)
        where[there] = self.which[offsets[there] + place[there]]
        if not len(texts):
            return texts_of([""] * len(place))
        return pc.if_else(pa.array(there), texts.take(pa.array(where)), "")

    def _shapes(self, line: NDArray[Any], numbered: Flags) -> tuple[Ints, list[Layout]]:
        """For each line the shape that its words make, and the layout of each shape."""
        lengths = self.lengths[line]
        shape = numbered.astype(np.int64)
        width = len(self.classes) + 1
        history: list[NDArray[np.int64]] = []
        for at in range(int(lengths.max(initial=0))):
            there = lengths > at
            word = np.zeros(len(line), dtype=np.int64)
            word[there] = self.class_of[self.which[self.offsets[line[there]] + at]] + 1
            history.append(word)
            shape = compress(shape * width + word)[1].astype(np.int64)
        known, which = compress(shape)
        first = firsts(which, len(known))
        rows = [tuple(int(word[one]) - 1 for word in history if word[one]) for one in first.tolist()]
        found = [
            layout(tuple(self.classes[word] for word in row), numbered=bool(numbered[one]))
            for row, one in zip(rows, first.tolist(), strict=True)
        ]
        return which, found
