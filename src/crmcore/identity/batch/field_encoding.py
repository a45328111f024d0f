"""Fields of a file as columns of codes: what `features_of_row` and `encode` make of rows, made once of each value.

Invariant: the codes stand for the values that the reference has, row for row. Texts that are plain already, as most
are, are not looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.fields import Coded, Fields
from crmcore.identity.batch.street_columns import Streets, streets_of
from crmcore.identity.batch.texts import (
    Flags,
    Ints,
    Texts,
    compress,
    each,
    flags,
    ids_of,
    texts_of,
    workers,
)
from crmcore.identity.features import country_form
from crmcore.identity.latin import latin
from crmcore.identity.names import (
    GENERATIONS,
    PersonForm,
    family_part,
    full_name_form,
    given_part,
    nobody,
    organization_form,
    special_words,
    suspicious,
)  # fmt: skip
from crmcore.identity.normal_forms import (
    date_form,
    email_form,
    identifier_form,
    phone_form,
    postcode_form,
)
from crmcore.values.text import fold

_NONE = "^$"
_FOLDED = "^[a-z0-9]+(?: [a-z0-9]+)*$"
_EMAIL = r"^[a-z0-9._+-]+@(?:[a-z0-9-]+\.)*[a-z0-9-]+$"
_DOTLESS = r"[.+].*@gmail\.com$|@googlemail\.com$"
_SAME = "^(?:" + "|".join(f"{digit}+" for digit in range(10)) + ")$"


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Encoded:
    """The columns of rows by the name of the column; those that no row has are missing. *kinds* has for each row the
    kind of customer, as a place in `KINDS`."""

    columns: Mapping[str, Coded]
    kinds: NDArray[np.uint8]

    def without(self, positions: Sequence[int]) -> Encoded:
        """The same, with nothing known of some rows."""
        columns = {
            name: attrs.evolve(column, codes=column.codes.copy()) for name, column in self.columns.items()
        }
        for column in columns.values():
            column.codes[list(positions)] = 0
        kinds = self.kinds.copy()
        kinds[list(positions)] = _ANONYMOUS
        return attrs.evolve(self, columns=columns, kinds=kinds)

    def completed(self, names: Sequence[str]) -> Encoded:
        """The same, with empty columns of these names where they are missing."""
        nothing = np.zeros(len(self.kinds), dtype=np.int32)
        empty = {name: Coded(EMPTY.get(name, [None]), nothing, texts_of([""])) for name in names}
        return attrs.evolve(self, columns=empty | dict(self.columns))


KINDS = ("anonymous", "household", "organization", "person")
_ANONYMOUS, _HOUSEHOLD, _ORGANIZATION, _PERSON = range(4)


EMPTY: Mapping[str, Sequence[Any]] = {"street": Streets(*[texts_of([""])] * 6)}
"""Values of a column that has none, where they are no list."""


def encoded(fields: Fields, kind: str | None) -> Encoded | None:
    """The columns of rows, all of one *kind* if that is known; None where a row has two values of a column."""
    with workers(fields.rows) as pool:
        streets, found_names = pool.submit(_streets, fields), pool.submit(_names, fields)
        plain = pool.submit(_plain, fields)
        organizations, employers = _organizations(fields, "org_name"), _organizations(fields, "employer")
        names, (street, codes) = found_names.result(), streets.result()
    if kind is None:
        people = names.named | fields.filled("birth_date") | fields.filled("occupation")
        kinds = np.where(people, _PERSON, np.where(organizations.codes > 0, _ORGANIZATION, _ANONYMOUS))
    else:
        kinds = np.full(fields.rows, KINDS.index(kind))
    institutions = (kinds == _ORGANIZATION) | (kinds == _HOUSEHOLD)
    if kind in ("organization", "household"):
        organizations = _either(organizations, _organizations(fields, "full_name"))
    # A person's organization is an employer; who has two has two values of that column.
    if ((employers.codes > 0) & (organizations.codes > 0) & ~institutions).any():
        return None
    employers = _either(
        employers, attrs.evolve(organizations, codes=np.where(institutions, 0, organizations.codes))
    )
    organizations = attrs.evolve(organizations, codes=np.where(institutions, organizations.codes, 0))
    found = {
        "given name": names.given, "family name": names.family, "generation": names.generation,
        "organization name": organizations, "employer": employers,
        "street": Coded(street, codes, street.content), **plain.result(),
    }  # fmt: skip
    if institutions.any():
        for name in ("given name", "family name", "generation"):
            found[name] = attrs.evolve(found[name], codes=np.where(institutions, 0, found[name].codes))
    used = {name: column for name, column in found.items() if (column.codes > 0).any()}
    return Encoded(columns=used, kinds=kinds.astype(np.uint8))


def _streets(fields: Fields) -> tuple[Streets, Ints]:
    return streets_of(_column(fields, "street_no"), _column(fields, "street"))


def _column(fields: Fields, role: str) -> Any:
    known, which = fields.texts(role)
    return known.take(pa.array(which))


def _plain(fields: Fields) -> dict[str, Coded]:
    """The columns whose values are texts."""
    found: dict[str, tuple[str, Callable[[str], str], str, str]] = {
        "birth date": ("birth_date", date_form, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", ""),
        "e-mail": ("email", email_form, _EMAIL, _DOTLESS),
        "phone": ("phone", phone_form, "^(?:0[1-9]|[1-9])[0-9]{5,13}$", _SAME),
        "postcode": ("postcode", postcode_form, "^(?:[a-z0-9]{1,8}|[a-z0-9]{10,})$", ""),
        "city": ("city", _latin, _FOLDED, ""),
        "region": ("region", _latin, _FOLDED, ""),
        "country": ("country", lambda text: _latin(country_form(text)), _NONE, ""),
        "identifier": ("national_id", lambda text: identifier_form("national_id", text), _NONE, ""),
        "occupation": ("occupation", _latin, _FOLDED, ""),
    }
    return dict(
        zip(found, each(lambda plain: fields.plain(*plain), found.values(), fields.rows), strict=True)
    )


def _latin(text: str) -> str:
    return latin(fold(text))


@attrs.frozen(eq=False, repr=False)
class _Names:
    given: Coded
    family: Coded
    generation: Coded
    named: Flags


@attrs.frozen(eq=False, repr=False)
class _Part:
    """The different texts of one part of a name: their words, the generation that each says, and which are suspicious.

    *form* makes words of a text.
    """

    texts: Any
    words: Any
    said: Ints
    doubtful: Flags
    form: Callable[[str], tuple[tuple[str, ...], str]]


def _part(known: Any, form: Callable[[str], tuple[tuple[str, ...], str]]) -> _Part:
    """Texts of one small word are that word; the others are looked at one by one."""
    plain = pc.and_(
        pc.match_substring_regex(known, "^[a-z]+$"),
        pc.invert(pc.is_in(known, texts_of(sorted(special_words())))),
    )
    odd = np.nonzero(~flags(plain))[0]
    said = np.zeros(len(known), dtype=np.int32)
    doubtful = flags(pc.match_substring_regex(known, _ONE_LETTER)).copy()
    if not len(odd):
        return _Part(known, known, said, doubtful, form)
    forms = [form(text) for text in known.take(pa.array(odd)).to_pylist()]
    said[odd] = [_GENERATIONS.index(generation) for _, generation in forms]
    doubtful[odd] = [suspicious(words) for words, _ in forms]
    words = texts_of(_latin_words(words) for words, _ in forms)
    return _Part(known, pc.replace_with_mask(known, pc.invert(plain), words), said, doubtful, form)


def _latin_words(words: Sequence[str]) -> str:
    return " ".join(word for text in words for word in latin(text).split())


_ONE_LETTER = "^(?:" + "|".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz") + ")$"
_GENERATIONS = ("", *GENERATIONS)


def _names(fields: Fields) -> _Names:
    """Names in two fields, or else in one; what makes nobody of a name is seen in both of its parts together."""
    texts, given = fields.texts("given_name")
    first = _part(texts, given_part)
    texts, family = fields.texts("family_name")
    last = _part(texts, family_part)
    fulls, full = fields.texts("full_name")
    forms = [full_name_form(text) if text.strip() else None for text in fulls.to_pylist()]
    apart = fields.filled("given_name") | fields.filled("family_name")
    there = np.array([form is not None for form in forms], dtype=np.bool_)
    named = np.where(apart, ~_nobodies(first, last, given, family), there[full])
    # A name in one field stands behind those in two.
    wholes = [PersonForm() if form is None else form for form in forms]
    said = np.array([_GENERATIONS.index(form.generation) for form in wholes], dtype=np.int32)[full]
    earlier, later = first.said[given], last.said[family]
    generation = np.where(named, np.where(apart, np.where(later > 0, later, earlier), said), 0).astype(
        np.int32
    )
    at_given = np.where(apart, given, full + len(first.texts))
    at_family = np.where(apart, family, full + len(last.texts))
    return _Names(
        given=_worded(first.words, [form.given for form in wholes], at_given, named),
        family=_worded(last.words, [form.family for form in wholes], at_family, named),
        generation=Coded([None, *_GENERATIONS[1:]], generation, texts_of(_GENERATIONS)),
        named=named,
    )


def _nobodies(first: _Part, last: _Part, given: Ints, family: Ints) -> Flags:
    """Which rows have a name that is nobody's."""
    rows = np.nonzero(first.doubtful[given] & last.doubtful[family])[0]
    pairs, which = compress(given[rows].astype(np.int64) * len(last.texts) + family[rows])
    one, other = np.divmod(pairs, len(last.texts))
    ones, others = (part.texts.take(pa.array(at)).to_pylist() for part, at in ((first, one), (last, other)))
    known = [nobody(first.form(x)[0], last.form(y)[0]) for x, y in zip(ones, others, strict=True)]
    found = np.zeros(len(given), dtype=np.bool_)
    found[rows] = np.array(known, dtype=np.bool_)[which]
    return found


def _worded(words: Any, more: Sequence[Sequence[str]], which: Ints, there: Flags) -> Coded:
    """A column of names as words, of the rows where they are *there*."""
    ids, _, known = ids_of(pa.concat_arrays([words, texts_of(map(_latin_words, more))]))
    codes = np.where(there, ids[which], 0).astype(np.int32)
    return Coded(Texts(known, _as_words), codes, known)


def _as_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _organizations(fields: Fields, role: str) -> Coded:
    """A column of organizations' names, as words."""
    known, which = fields.texts(role)
    forms = [organization_form(text) for text in known.to_pylist()]
    names = [tuple(dict.fromkeys(word for text in form for word in latin(text).split())) for form in forms]
    ids: dict[tuple[str, ...], int] = {(): 0}
    codes = np.array([ids.setdefault(name, len(ids)) for name in names], dtype=np.int32)
    return Coded([None, *list(ids)[1:]], codes[which], None)


def _either(one: Coded, other: Coded) -> Coded:
    """One column of what two have; where both have something, the first."""
    ids: dict[Any, int] = {None: 0}
    mine, theirs = (
        np.array([ids.setdefault(value, len(ids)) for value in column.values], dtype=np.int32)
        for column in (one, other)
    )
    first, second = mine[one.codes], theirs[other.codes]
    return Coded(list(ids), np.where(first > 0, first, second), None)
