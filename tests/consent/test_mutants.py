"""The tables tell packs from packs that are otherwise in one thing; a sample of those is tried here.

All of them are tried by ``python -m tests.benchmarks.consent.mutants``.
"""

from __future__ import annotations

import attrs
import pytest

from crmcore.consent.pack_reading import shipped_packs
from tests.benchmarks.consent import stated
from tests.benchmarks.consent.changing import KINDS, Mutant, mutants
from tests.benchmarks.consent.mutants import able, equivalent, killed, tried
from tests.consent import in_force

ONE_IN = 25
PACKS = [pack for pack in shipped_packs().values() if pack.rules and not pack.beside_law]


def of_gb() -> list[Mutant]:
    return list(mutants(shipped_packs()["gb"]))


def test_nine_of_ten_mutants_of_the_packs_are_killed() -> None:
    found = list(tried(PACKS, ONE_IN))

    assert len(found) > 120
    assert {one.mutant.kind for one in found} >= {*KINDS} - {"a leave-out taken back", "a `not` removed"}
    survive = [one.mutant.name for one in able(found) if one.by is None]
    assert len(killed(found)) >= 0.9 * len(able(found)), survive


def test_each_mutant_has_a_name_of_its_own_and_is_another_pack() -> None:
    for pack in shipped_packs().values():
        made = list(mutants(pack))
        assert len({one.name for one in made}) == len(made)
        assert all(one.pack != pack and one.pack.id == pack.id for one in made)


def test_what_is_called_equivalent_is_a_mutant_that_nothing_tells() -> None:
    made = {one.name: one for pack in PACKS for one in mutants(pack)}
    assert equivalent().keys() <= made.keys()
    for name in list(equivalent())[::8]:
        assert stated.killer(made[name]) is None, name


def test_a_pack_that_is_not_changed_survives() -> None:
    same = [attrs.evolve(one, pack=shipped_packs()["gb"], edge=None) for one in of_gb()[::9]]
    assert [stated.killer(one) for one in same] == [None] * len(same)


def test_without_rows_and_dates_nothing_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stated, "rows", lambda place: ())
    monkeypatch.setattr(in_force, "stated", lambda rule: None)
    assert [stated.killer(one) for one in of_gb()] == [None] * len(of_gb())
