"""`dedupe` and `dedupe_table` come to the same on every path."""

from __future__ import annotations

import csv
import gc
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings

from crmcore.errors import InvalidJudgement, InvalidModel, MissingExtra, UnreadableFile
from crmcore.identity import engine
from crmcore.identity.deduplication import Deduplication, dedupe
from crmcore.identity.features import features_of_row
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.policy import UNIT, Policy, Rule
from crmcore.identity.rules import RuleMatcher
from crmcore.identity.table_deduplication import dedupe_table
from crmcore.values.frozen_map import FrozenMap
from tests.identity.batch.messy import MIXED
from tests.identity.model.invented import households, people
from tests.identity.model.recorded import rows as recorded

PEOPLE = people(40)
HOMES = households(120)
RECORDED = [row for _, row in recorded(100)]


def reference(rows: list[dict[str, str]], matcher: Any = None, **decided: Any) -> Deduplication:
    return dedupe([features_of_row(row) for row in rows], matcher, engine="reference", **decided)


def same(found: Deduplication, expected: Deduplication) -> None:
    """That two outcomes are equal in all that a user can see."""
    assert found.labels == expected.labels
    assert tuple(found.links) == tuple(expected.links)
    assert tuple(found.unsure) == tuple(expected.unsure)
    assert found.related == expected.related
    assert found.conflicts == expected.conflicts
    assert found.excluded == expected.excluded
    assert found.statistics == expected.statistics
    assert (found.notes, found.matcher, found.decided_by) == (
        expected.notes,
        expected.matcher,
        expected.decided_by,
    )
    assert (found.learned is None) == (expected.learned is None)
    if found.learned is not None and expected.learned is not None:
        assert found.learned.model == expected.learned.model
        assert found.learned.certificates == expected.learned.certificates
        assert found.learned.note == expected.learned.note


@pytest.mark.parametrize(
    "rows", [PEOPLE, HOMES, RECORDED, PEOPLE[:30] + PEOPLE[:9]], ids=["people", "homes", "recorded", "twice"]
)
def test_every_path_comes_to_the_same(rows: list[dict[str, str]]) -> None:
    expected = reference(rows)
    table, features = dedupe_table(rows), dedupe([features_of_row(row) for row in rows], engine="batch")
    assert (expected.engine, table.engine, features.engine) == ("reference", "batch", "batch")
    assert expected.matcher.startswith("model/")
    same(table, expected)
    same(features, expected)


@pytest.mark.parametrize("seed", range(3))
def test_what_people_said_holds_on_every_path(seed: int) -> None:
    chance = Random(seed)
    count = len(RECORDED)
    pairs = [tuple(chance.sample(range(count), 2)) for _ in range(12)]
    decided: dict[str, Any] = {
        "apart": pairs[:6],
        "together": pairs[6:],
        "excluded": {chance.randrange(count): "asked for it"},
    }
    expected = reference(RECORDED, **decided)
    same(dedupe_table(RECORDED, **decided), expected)
    same(dedupe([features_of_row(row) for row in RECORDED], engine="batch", **decided), expected)


def test_no_customer_has_two_records_of_a_source_on_any_path() -> None:
    sources = [Random(at).choice("ab") for at in range(len(RECORDED))]
    expected = reference(RECORDED, sources=sources)
    found = dedupe_table(RECORDED, sources=sources)
    assert found.labels == expected.labels
    assert len(set(zip(found.labels, sources, strict=True))) == len(RECORDED)


RULED = Policy(
    false_merge=3,
    rules=(
        Rule("one mailbox, one person", "same", FrozenMap({"e-mail": (5, 5)})),
        Rule("two birthdays, two people", "different", FrozenMap({"birth date": (1, 2)})),
    ),
)


@pytest.mark.parametrize(
    "matcher",
    [
        Matcher(policy=RULED), Matcher(policy=Policy(threshold=4 * UNIT)), Matcher(budget=50),
        Matcher.for_fields(without=["email", "phone"]),
    ],
    ids=["rules", "threshold", "budget", "without"],
)  # fmt: skip
def test_a_matcher_decides_alike_on_every_path(matcher: Matcher) -> None:
    same(dedupe_table(HOMES, matcher), reference(HOMES, matcher))


def test_a_saved_model_decides_alike_on_every_path() -> None:
    learned = reference(HOMES).learned
    assert learned is not None
    model = learned.model
    assert model is not None
    other = [*PEOPLE, {"org_name": "Acme", "city": "York"}, {"email": "info@x.org"}]
    expected = reference(other, model)
    assert expected.notes
    same(dedupe_table(other, model), expected)
    same(dedupe([features_of_row(row) for row in other], model, engine="batch"), expected)


@settings(deadline=None, max_examples=15)
@given(rows=MIXED)
def test_rows_of_any_kind_come_to_the_same(rows: list[dict[str, str]]) -> None:
    """Mixed into rows of which something can be learned."""
    mixed = [*PEOPLE[:60], *rows]
    found, expected = dedupe_table(mixed), reference(mixed)
    assert found.labels == expected.labels
    assert found.learned is not None
    assert expected.learned is not None
    assert found.learned.model == expected.learned.model


@pytest.mark.parametrize(
    "rows", [[], PEOPLE[:3], [{"city": "York"}] * 30, [PEOPLE[0]] * 300], ids=["none", "few", "city", "one"]
)
def test_where_nothing_can_be_learned_rules_decide_on_every_path(rows: list[dict[str, str]]) -> None:
    found, expected = dedupe_table(rows), reference(rows)
    assert found.learned is not None
    assert found.learned.model is None
    same(found, expected)
    assert found.engine == "reference"


def test_a_person_with_two_employers_is_compared_by_both() -> None:
    rows = [
        {**row, "employer": "Foster", "org_name": "Acme"} if at % 5 == 0 else row
        for at, row in enumerate(PEOPLE)
    ]
    same(dedupe_table(rows), reference(rows))


@pytest.fixture(
    params=["csv", "parquet", "table", "reader", "columns", "rows", "dictionary", "chunks", "nulls"]
)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The same rows in every form that is taken."""
    names = [name for name in HOMES[0] if name != "cluster"]
    columns = {name: [row.get(name, "") for row in HOMES] for name in names}
    table = pa.table({**columns, "cluster": list(range(len(HOMES)))})
    if request.param == "csv":
        path = tmp_path / "homes.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*names, "cluster"])
            writer.writerows([*(row.get(name, "") for name in names), at] for at, row in enumerate(HOMES))
        return path
    if request.param == "parquet":
        pa.parquet.write_table(table, tmp_path / "homes.parquet")
        return str(tmp_path / "homes.parquet")
    if request.param == "reader":
        return table.to_reader(max_chunksize=50)
    if request.param == "columns":
        return columns
    if request.param == "rows":
        return iter(HOMES)
    if request.param == "dictionary":
        return pa.table({name: pa.array(values).dictionary_encode() for name, values in columns.items()})
    if request.param == "chunks":
        return pa.concat_tables([table.slice(0, 30), table.slice(30, 0), table.slice(30)])
    if request.param == "nulls":
        return pa.table({name: [value or None for value in values] for name, values in columns.items()})
    return table


def test_a_table_may_come_in_any_form(source: Any) -> None:
    same(dedupe_table(source), reference(HOMES))


def test_the_order_of_the_rows_does_not_matter() -> None:
    order = list(range(len(HOMES)))
    Random(5).shuffle(order)
    straight, shuffled = dedupe_table(HOMES), dedupe_table([HOMES[at] for at in order])
    assert shuffled.matcher == straight.matcher
    groups = {frozenset(order[at] for at in group) for group in shuffled.groups}
    assert groups == {frozenset(group) for group in straight.groups}


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet"])
def test_a_file_that_is_not_there_is_said_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile, match="there is no file"):
        dedupe_table(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ragged.csv", b"given_name,city\nann,york\nbo\nsecretname,york,x,y\n"), ("empty.csv", b""),
        ("binary.csv", b"given_name,city\n\xff\xfe\x00,\x00\n"), ("not.parquet", b"given_name\nann\n"),
        ("other.csv", b"colour,size\nred,3\n"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_said_in_a_sentence_without_its_cells(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        dedupe_table(path)
    said = str(caught.value)
    assert "secretname" not in said
    assert "\n" not in said
    assert ": " in said  # what is wrong, and what to do


class Strange:
    """Something that is no table."""


@pytest.mark.parametrize(
    "source",
    [
        5, None, b"x.csv", Strange(), [5], [("ann", "lee")], {"given_name": "abc"}, {"given_name": [1, 2]},
        {"given_name": ["a"], "city": ["b", "c"]}, [{"email": 7}], {"colour": ["red"]}, [{}], pa.table({}),
        pa.table({"city": [[1], [2]]}), pa.table([pa.array(["a"]), pa.array(["b"])], names=["city", "city"]),
        pa.table({"city": pa.array([b"\xff"], type=pa.binary())}),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_a_sentence(source: Any) -> None:
    if source == [{}]:
        assert dedupe_table(source).labels == (0,)
        return
    with pytest.raises(UnreadableFile, match=": "):
        dedupe_table(source)


@pytest.mark.parametrize("wrong", [{"kind": "bogus"}, {"matcher": RuleMatcher()}])
def test_another_kind_or_matcher_is_refused_in_a_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel, match=": "):
        dedupe_table(PEOPLE, **wrong)


def test_numbers_and_dates_of_a_table_are_texts() -> None:
    columns = {"phone": pa.array([790301977, None, 790301977]), "postcode": pa.array([60644, 60601, None])}
    texts = [{"phone": "790301977", "postcode": "60644"}, {"postcode": "60601"}, {"phone": "790301977"}]
    assert dedupe_table(pa.table(columns)).labels == dedupe_table(texts).labels


def test_a_broken_character_is_no_reason_to_stop() -> None:
    rows = [*PEOPLE[:30], {"given_name": "secret\ud800", "email": "x@x.org"}]
    assert len(dedupe_table(rows).labels) == 31


def test_a_huge_cell_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    path.write_text('given_name,city\n"' + "a" * 3_000_000 + '",york\nbo,kiel\n', encoding="utf-8")
    assert len(dedupe_table(path).labels) == 2


def test_kinds_of_which_there_are_few_are_compared_alike() -> None:
    rows = [*PEOPLE, {"org_name": "Acme"}, {"org_name": "Bcme"}, {"org_name": "Acme"}, {}, {}]
    expected = reference(rows)
    same(dedupe_table(rows), expected)
    same(dedupe([features_of_row(row) for row in rows], engine="batch"), expected)
    assert all(link.match.verdict == "same" for link in expected.links)


def test_names_that_are_one_without_their_space_are_so_on_every_path() -> None:
    born = {"birth_date": "1999-09-09", "email": "q@q.org"}
    rows = [*PEOPLE, {**born, "city": "h b"}, {**born, "city": "hb"}]
    rows += [{**born, "family_name": "b b"}, {**born, "family_name": "bb"}]
    same(dedupe_table(rows), reference(rows))


@pytest.mark.parametrize("middle", range(3))
def test_equal_rows_are_not_parted_by_one_that_a_person_spoke_of(middle: int) -> None:
    quill = {"given_name": "zoe", "family_name": "quill", "birth_date": "1977-03-04", "city": "oslo"}
    rows = [*PEOPLE, quill, quill, quill, {"org_name": "Acme"}]
    first = len(PEOPLE)
    decided: dict[str, Any] = {"together": [(first + middle, first + 3)]}
    expected = reference(rows, **decided)
    free = [first + at for at in range(3) if at != middle]
    assert expected.labels[free[0]] == expected.labels[free[1]]
    assert dedupe_table(rows, **decided).labels == expected.labels


def test_what_a_model_does_not_compare_still_makes_two_records() -> None:
    learned = reference([{k: v for k, v in row.items() if k != "city"} for row in PEOPLE]).learned
    assert learned is not None
    again = [{**row, "phone": f"55501{at:02}", "city": "york"} for at, row in enumerate(PEOPLE[:40])]
    rows = [*PEOPLE, *again]
    assert dedupe_table(rows, learned.model).labels == reference(rows, learned.model).labels
    once = [*PEOPLE, dict(PEOPLE[0]), dict(PEOPLE[0], national_id="A1"), dict(PEOPLE[0])]
    assert dedupe_table(once).labels == reference(once).labels


@pytest.mark.parametrize(
    "decided", [{"apart": [(0, 0)]}, {"together": [(0, 10**6)]}, {"excluded": {-1: "x"}}, {"sources": ["a"]}]
)
def test_a_decision_on_what_is_not_there_is_refused(decided: dict[str, Any]) -> None:
    with pytest.raises(InvalidJudgement):
        dedupe_table(PEOPLE, **decided)


def test_pairs_are_made_when_they_are_looked_at_and_hide_what_they_say() -> None:
    found = dedupe_table(HOMES)
    assert len(found.links) == len(tuple(found.links)) > 10
    assert found.links[:2] == tuple(found.links)[:2]
    assert found.links[-1] == tuple(found.links)[-1]
    assert found.links == tuple(found.links)
    assert repr(found.links) == f"<{len(found.links):,} pairs>"


@pytest.fixture
def without_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda name: None)


def test_without_numpy_the_reference_decides_and_the_batch_engine_is_refused(without_arrays: None) -> None:
    records = [features_of_row(row) for row in PEOPLE[:30]]
    assert dedupe(records).engine == "reference"
    with pytest.raises(MissingExtra, match=r"crmcore\[batch\]"):
        dedupe(records, engine="batch")


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    dedupe_table(HOMES, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0
    assert told == sorted(told)


def test_the_collector_is_as_it_was_whatever_happens() -> None:
    seen: list[bool] = []

    def stop(done: int, total: int) -> None:
        seen.append(gc.isenabled())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dedupe_table(RECORDED, on_progress=stop)
    assert seen == [False]
    assert gc.isenabled()
    gc.disable()
    try:
        dedupe_table(RECORDED)
        assert not gc.isenabled()
    finally:
        gc.enable()
