"""What arrays make of rows is what the reference makes of them, value for value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.identity.addresses import street_form
from crmcore.identity.batch.arrays import ArrayTable, Keys, arrays_of
from crmcore.identity.batch.field_encoding import encoded
from crmcore.identity.batch.fields import Fields
from crmcore.identity.batch.reading import fields_of
from crmcore.identity.batch.street_columns import streets_of
from crmcore.identity.batch.tables import equal_rows, table_of
from crmcore.identity.batch.texts import compress, firsts, numbers_of, record_numbers, texts_of
from crmcore.identity.features import features_of_row
from crmcore.identity.model.columns import COLUMNS, _address
from crmcore.identity.model.content import number_of, record_number, text_of
from crmcore.identity.model.encoding import encode
from crmcore.identity.names import nobody, suspicious
from tests.identity.batch.messy import MIXED, ROLES


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_text_has_one_number_on_every_path(texts: list[str]) -> None:
    assert numbers_of(texts_of(texts)).tolist() == [number_of(text) for text in texts]


@given(
    values=st.lists(st.integers(0, (1 << 64) - 1), min_size=1), kind=st.sampled_from(["person", "household"])
)
def test_a_record_has_one_number_on_every_path(values: list[int], kind: str) -> None:
    found = record_numbers(
        np.array([number_of(kind)], dtype=np.uint64),
        [(np.array([0, v], dtype=np.uint64), np.array([1], dtype=np.int32)) for v in values],
    )
    assert found.tolist() == [record_number(kind, enumerate(values))]


@given(values=st.lists(st.integers(-5, 5)))
def test_numbers_are_compressed_without_loss(values: list[int]) -> None:
    known, which = compress(np.array(values, dtype=np.int64))
    assert known[which].tolist() == values
    assert len(set(known.tolist())) == len(known)
    assert [values[at] for at in firsts(which, len(known))] == known.tolist()
    assert firsts(which, len(known)).tolist() == [values.index(value) for value in known.tolist()]


def test_rows_that_only_have_a_number_in_common_are_not_taken_for_equal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever knows how texts are numbered can write two of one number."""
    monkeypatch.setattr(
        "crmcore.identity.batch.fields.numbers_of", lambda texts: numbers_of(texts) % np.uint64(3)
    )
    rows = [
        {"email": f"{name}@x.org", "city": city} for name in "abcabcd" for city in ("York", "Kiel", "York")
    ]
    found = encoded(fields_of(rows), None)
    assert found is not None
    held = [tuple(row.values()) for row in rows]
    table, where = table_of(found, [c for c in COLUMNS if c.name in found.columns], None)
    assert table.records < len(rows)
    for at, row in enumerate(where.tolist()):
        values = [column.values[column.codes[row]] for column in table.columns]
        assert sorted(values) == sorted(text.lower() for text in held[at])
    assert table.numbers.tolist() == sorted(table.numbers.tolist())
    equal = equal_rows(found, None).tolist()
    assert [held[first] for first in equal] == held
    assert len(set(equal)) < len(rows)


words = st.lists(
    st.sampled_from("mr dr no name test x xx aaa ann 12 unknown n customer".split()), max_size=3
).map(tuple)


@given(one=words, other=words)
def test_two_parts_that_make_nobody_are_both_suspicious(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    if nobody(one, other):
        assert suspicious(one)
        assert suspicious(other)


lines = st.lists(
    st.tuples(st.sampled_from(("", "", "12", "3 a")), st.one_of(st.sampled_from(ROLES["street"]), st.lists(
        st.sampled_from("12 3a 2nd apt suite fl st rue n west oak elm 51st 7 b hill x-y Straße".split()), max_size=18
    ).map(" ".join))), min_size=1,
)  # fmt: skip


@given(lines=lines)
def test_streets_are_read_as_the_reference_reads_them(lines: list[tuple[str, str]]) -> None:
    streets, codes = streets_of(texts_of(n for n, _ in lines), texts_of(line for _, line in lines))
    assert [streets[code] for code in codes.tolist()] == [
        _address(street_form(number, line[:160]))[0] for number, line in lines
    ]
    known = list(streets)[1:]
    assert len(set(known)) == len(known)
    assert streets.content.to_pylist()[1:] == list(map(text_of, known))


def described(table: ArrayTable) -> list[Any]:
    """The records, without the numbers of codes."""
    rows: list[Any] = []
    keys = table.keys()
    for at in range(table.records):
        values = [column.values[int(column.codes[at])] for column in table.columns]
        terms = [
            {kind: terms.texts(terms.ids[[column.codes[at]]])[0] for kind, terms in column.terms.items()}
            for column in table.columns
        ]
        rows.append(
            (table.kind_names[table.kinds[at]], int(table.numbers[at]), values, terms, held(keys, at))
        )
    return rows


def held(keys: Keys, at: int) -> set[tuple[str, bool, int, str]]:
    ids = [int(slot[at]) for slot in keys.slots if slot[at] >= 0]
    assert len(set(ids)) == len(ids)
    numbers = dict(zip(ids, keys.numbers(np.array(ids, dtype=np.int64)).tolist(), strict=True))
    return {(keys.text(id), bool(keys.fuzzy[id]), numbers[id], chr(keys.kinds[id])) for id in ids}


@given(rows=MIXED, kind=st.sampled_from([None, None, None, "person", "organization"]))
def test_rows_are_encoded_as_the_reference_encodes_them(rows: list[dict[str, str]], kind: Any) -> None:
    if not rows:
        return
    found = encoded(fields_of(rows), kind)
    assert found is not None
    features = [features_of_row(row, kind) for row in rows]
    plain = encode(features)
    used = [column for at, column in enumerate(COLUMNS) if any(row[at] for row in plain.rows)]
    assert {column.name for column in used} == set(found.columns)
    table, where = table_of(found, used, None)
    expected, rows_of_it = encode(features, used).distinct()
    assert where.tolist() == list(rows_of_it)
    assert described(table) == described(arrays_of(expected))


def test_a_person_with_two_employers_takes_the_reference() -> None:
    rows = [{"given_name": "ann", "org_name": "acme", "employer": "foster"}]
    assert encoded(fields_of(rows), None) is None


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_rows(rows: int) -> None:
    fields = Fields({"email": texts_of(["ann@x.org"] * rows)}, rows)
    found = encoded(fields, None)
    assert found is not None
    assert len(found.kinds) == rows
