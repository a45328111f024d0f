"""Full names of people and organizations, in any script, compared."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.identity.name_comparison import NameComparison, NameKind, NameReason, compare_names
from tests.benchmarks.identity.names import Pair, accuracy, read

PAIRS = read(Path(__file__).with_name("name_pairs.csv"))
KINDS: tuple[NameKind, ...] = ("person", "organization")

_words = st.sampled_from(
    sorted({word for pair in PAIRS for name in (pair.a, pair.b) for word in name.split()})
)
names = st.one_of(st.text(max_size=40), st.lists(_words, min_size=1, max_size=5).map(" ".join))
kinds = st.sampled_from(KINDS)


def _is_held_out(pair: Pair) -> bool:
    """A third of the pairs, chosen by their text, that no constant was chosen for."""
    return zlib.crc32(f"{pair.a}|{pair.b}".encode()) % 3 == 0


def _mirrored(found: NameComparison) -> list[tuple[str, float, tuple[str, ...]]]:
    return sorted((reason.kind, reason.cost, reason.values[::-1]) for reason in found.reasons)


def _plain(found: NameComparison) -> list[tuple[str, float, tuple[str, ...]]]:
    return sorted((reason.kind, reason.cost, tuple(reason.values)) for reason in found.reasons)


@given(names, names, kinds)
def test_comparing_is_symmetric(a: str, b: str, kind: NameKind) -> None:
    one, other = compare_names(a, b, kind), compare_names(b, a, kind)
    assert (one.verdict, one.score) == (other.verdict, other.score)
    assert _plain(one) == _mirrored(other)


@pytest.mark.parametrize("sign", ["\U00032005", "\u3005", "\u1160"])
@pytest.mark.parametrize("kind", ["person", "organization"])
def test_a_sign_that_nobody_can_read_stands_for_itself(sign: str, kind: NameKind) -> None:
    for other in ("0", "Ann Lee", "毛泽东", f"{sign} Ann", ""):
        assert compare_names(sign, other, kind).score == compare_names(other, sign, kind).score
    assert compare_names(sign, sign, kind).verdict in ("same", "different")


@given(names, kinds)
def test_a_name_is_like_itself_unless_there_is_nothing_to_compare(name: str, kind: NameKind) -> None:
    found = compare_names(name, name, kind)
    if found.reasons[0].kind == "nothing to compare":
        assert (found.verdict, found.score) == ("different", 0.0)
    else:
        assert (found.verdict, found.score) == ("same", 1.0)


@given(names, names, kinds)
def test_the_score_is_between_0_and_1_and_decides_the_verdict(a: str, b: str, kind: NameKind) -> None:
    found = compare_names(a, b, kind)
    assert 0.0 <= found.score <= 1.0
    assert (found.score >= 0.75) == (found.verdict == "same")
    assert found.reasons


@given(names, kinds)
def test_case_and_spaces_change_nothing(name: str, kind: NameKind) -> None:
    shouted = f"  {name.upper()} "
    if compare_names(name, name, kind).verdict == "same" and name.isascii():
        assert compare_names(name, shouted, kind).score >= 0.75 or any(
            word.isupper() for word in name.split()
        )


@pytest.mark.parametrize("nothing", ["", "   ", "...", "—", "\u200f\u200e", "\u0301", "()", "N/A", "Unknown"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_like_nothing(nothing: str, kind: NameKind) -> None:
    for other in (nothing, "Ann Lee"):
        found = compare_names(nothing, other, kind)
        assert (found.verdict, found.score) == ("different", 0.0)
        assert found.reasons == (NameReason("nothing to compare"),)


def test_a_person_is_the_default_kind() -> None:
    assert compare_names("Ivan Petrov", "Petrov I.") == compare_names(
        "Ivan Petrov", "Petrov I.", kind="person"
    )


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="person"):
        compare_names("a", "b", kind="vessel")  # type: ignore[arg-type] # what callers without types do


def test_no_name_is_shown_unless_it_is_asked_for() -> None:
    found = compare_names("Zbigniew Brzezinski", "Zbig Brzezinski")
    assert "rzezinski" not in repr(found)
    assert "rzezinski" not in str(found)
    assert "brzezinski" in found.explain()


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000,
        "a " * 10_000,
        "x.y." * 5_000,
        "e" + "\u0301" * 10_000,
        "\u200f" * 10_000 + "Ann",
        "漢字" * 5_000,
        "한" * 10_000,
        "abd al " * 2_000,
        "(((((" * 2_000,
        ",,,," * 2_000,
        "m" * 80 + " " + "m" * 80,
        "ц" * 10_000,
        "of the " * 2_000,
        "\ud800" * 100,
        "1" * 5_000,
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_are_answered_fast(text: str, kind: NameKind) -> None:
    start = time.process_time()
    compare_names(text, "Ann Lee", kind)
    compare_names(text, text[1:] + "b", kind)
    assert time.process_time() - start < 0.5


def test_an_explanation_says_what_was_found() -> None:
    lines = compare_names("John Michael Smith", "John David Smith").explain().splitlines()
    assert lines[0].startswith("different, 0.3")
    assert lines[1] == "  -0.70  conflict: michael / david"


@pytest.mark.parametrize(("kind", "held_out", "floor"), [
    ("person", False, 0.95), ("person", True, 0.90), ("organization", False, 0.94), ("organization", True, 0.86),
])  # fmt: skip
def test_names_whose_truth_is_known_are_told_apart(kind: NameKind, held_out: bool, floor: float) -> None:
    some = [pair for pair in PAIRS if pair.kind == kind and _is_held_out(pair) == held_out]
    found = [compare_names(pair.a, pair.b, pair.kind).verdict == "same" for pair in some]
    assert len(some) > 90
    assert accuracy(found, some)[2] >= floor
