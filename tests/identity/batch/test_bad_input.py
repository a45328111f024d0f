"""Tables that nobody means: no hang, no stack trace, and the same groups as everywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import UnreadableFile
from crmcore.identity.batch.arrays import Keys
from crmcore.identity.batch.blocking import blocked
from crmcore.identity.features import ROLES
from crmcore.identity.model.learning import Matcher
from crmcore.identity.table_deduplication import dedupe_table
from tests.cli.commands import done, refused, write
from tests.identity.batch.test_dedupe import PEOPLE, reference, same

MANY = 100_000


def repeated(row: dict[str, str], count: int = MANY) -> dict[str, Any]:
    return {role: pa.array([text] * count) for role, text in row.items()}


def test_a_hundred_thousand_identical_records_are_one_customer() -> None:
    """In a list of others, so that something is learned."""
    rows = {role: [row.get(role, "") for row in PEOPLE] for role in PEOPLE[0] if role in ROLES}
    one = {role: texts[0] for role, texts in rows.items()}
    columns = {role: pa.chunked_array([pa.array(rows[role]), repeated(one)[role]]) for role in rows}
    found = dedupe_table(columns)
    assert found.engine == "batch"
    assert found.statistics.distinct <= len(PEOPLE)
    assert set(found.labels[len(PEOPLE) :]) == {found.labels[0]}
    assert len(found.links) >= MANY
    assert len(set(found.labels)) == len(set(dedupe_table(PEOPLE).labels))


def test_identical_records_of_many_sources_are_kept_apart_in_no_time() -> None:
    sources = [str(at % 2) for at in range(400)]
    rows = [*PEOPLE, *[PEOPLE[0]] * (400 - len(PEOPLE))]
    found = dedupe_table(rows, sources=sources)
    groups: dict[int, list[str]] = {}
    for label, source in zip(found.labels, sources, strict=True):
        groups.setdefault(label, []).append(source)
    assert all(len(set(members)) == len(members) for members in groups.values())


def test_one_value_that_all_share_is_no_reason_to_compare_all() -> None:
    """A switchboard, a town and a birthday that are written everywhere."""
    count = 4_000
    columns = {
        "given_name": [f"{chr(97 + at // 2 % 26)}{at // 2 % 977}x" for at in range(count)],
        "email": [f"user{at // 2}@x.example" for at in range(count)],
        "phone": ["0207946001"] * count,
        "city": ["york"] * count,
        "birth_date": ["1970-01-01"] * count,
    }
    found = dedupe_table(columns, Matcher(budget=10 * count))
    assert found.statistics.compared < 50 * count
    assert found.statistics.left_out > count * count // 4


def test_a_key_of_a_million_records_is_one_block_that_is_not_compared() -> None:
    import numpy as np

    count = 1_000_000
    keys = Keys(
        slots=(np.zeros(count, dtype=np.int32), np.arange(1, count + 1, dtype=np.int32) // 2 + 1),
        kinds=np.full(count // 2 + 3, ord("p"), dtype=np.uint8),
        numbers=lambda ids: np.asarray(ids, dtype=np.uint64),
        text=str,
        fuzzy=np.zeros(count // 2 + 3, dtype=np.bool_),
    )
    found = blocked(keys, count, None)
    assert found.oversized == 1
    assert len(found.a) == count // 2 - 1


ADVERSARIAL = (
    "a" * 100_000, "a\0b", "\ud800", "\udfff\ud800", "\u202eeel nna\u202c", "e" + "\u0301" * 500, "\u200b" * 9,
    "\ufeff", "(a+)+$", "[", "\\", "a|b", "^$", ".*" * 300, "%s%n", "=1+1", "'; DROP TABLE x;--", "\x1f\x1e", "\u2028",
    "ﷺ" * 50, "𝕬𝖓𝖓", "١٩٧٠-٠١-٠١", "9" * 400, "1e309", "@" * 300, "a@" + "b." * 200, " ".join("ab" for _ in range(400)),
    "İ" * 40, "ß" * 90, "\r\n", "🧑‍🧑‍🧒" * 30, "0" * 50, "-" * 80, "NaN", "None",
)  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_adversarial_texts_in_every_field_come_to_the_same(role: str) -> None:
    rows: list[dict[str, str]] = [
        *PEOPLE[:45],
        *({**PEOPLE[at], role: text} for at, text in enumerate(ADVERSARIAL)),
    ]
    clean = [{name: text.encode("utf-8", "replace").decode() for name, text in row.items()} for row in rows]
    found = dedupe_table(rows)
    assert found.labels == reference(clean).labels
    assert found.links[:3] == tuple(found.links)[:3]


@settings(max_examples=10)
@given(texts=st.lists(st.sampled_from(ADVERSARIAL), min_size=len(ROLES), max_size=len(ROLES)))
def test_adversarial_rows_are_grouped(texts: list[str]) -> None:
    rows = [*PEOPLE[:30], *[dict(zip(ROLES, texts, strict=True))] * 2]
    assert len(dedupe_table(rows).labels) == 32


@pytest.mark.parametrize("engine", ["table", "command"])
def test_files_with_nothing_or_little_in_them_end_in_a_sentence_or_in_groups(
    tmp_path: Path, engine: str
) -> None:
    out = tmp_path / "c.csv"
    wide = ",".join(["given_name", *(f"extra{at}" for at in range(999))])
    files = {
        "": "is empty", "\n": "is empty", "given_name,city\n": "", "given_name,city\nann,york\n": "",
        f"{wide}\nyork{',x' * 999}\nkiel{',y' * 999}\n": "",
    }  # fmt: skip
    for text, said in files.items():
        path = write(tmp_path, text)
        rows = max(text.count("\n") - 1, 0)
        if engine == "command":
            if said or not rows:
                assert (said or "no rows") in refused("dedupe", path, "--out", out)
            else:
                done("dedupe", path, "--out", out)
                assert out.read_text().count("\n") == rows + 1
        elif said:
            with pytest.raises(UnreadableFile, match=": "):
                dedupe_table(path)
        else:
            assert len(dedupe_table(path).labels) == rows


def test_a_checkpoint_and_a_limit_bear_rows_without_anything(tmp_path: Path) -> None:
    rows: list[dict[str, str]] = [{}] * 5
    found = dedupe_table(rows, checkpoint=tmp_path / "c", memory_limit=1 << 40)
    same(found, dedupe_table(rows))


def test_a_dictionary_that_holds_nothing_as_a_value_is_read() -> None:
    import pyarrow as pa

    codes = pa.array([0, 1, 2, 0, 1, None] * 4, type=pa.int32())
    towns = pa.DictionaryArray.from_arrays(codes, pa.array(["bonn", None, "ulm"]))
    other = pa.DictionaryArray.from_arrays(codes, pa.array([None, "kiel", "bonn"]))
    names = pa.array([f"ann{at} lee" for at in range(24)])
    plain = dedupe_table({"full_name": names, "city": towns.cast(pa.string())})
    assert dedupe_table({"full_name": names, "city": towns}) == plain
    both = pa.chunked_array([towns, other])
    two = {"full_name": pa.concat_arrays([names, names])}
    assert dedupe_table({**two, "city": both}) == dedupe_table({**two, "city": both.cast(pa.string())})
