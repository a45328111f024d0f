"""Every mutant is caught, and by the check that is about the promise that it breaks."""

from __future__ import annotations

import pytest

from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import REGISTRY, Broken, guarantee
from crmcore.testing.subjects import Made, examine
from crmcore.testing.zoo import MUTANTS, ForgetsOnReopen, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_designated_check_turns_red(mutant: type[Mutant]) -> None:
    with pytest.raises(Broken):
        examine(REGISTRY[mutant.caught_by], Made(mutant))


@pytest.mark.parametrize(
    "guarantee", [one for one in GUARANTEES if not one.durable], ids=lambda one: one.name
)
def test_what_the_mutants_are_made_from_is_good(guarantee: object) -> None:
    examine(guarantee, Made(Mutant))  # type: ignore[arg-type]  # parametrised above


def test_most_promises_have_a_mutant() -> None:
    broken = {REGISTRY[mutant.caught_by].id for mutant in MUTANTS}
    assert broken >= {"G1", "G2", "G3", "G4", "G5", "G7", "G8", "G9", "G10", "G11", "G12", "G13", "G17"}
    assert ForgetsOnReopen in MUTANTS


def test_a_check_without_a_rule_is_not_registered() -> None:
    async def silent(subject: object) -> None:
        pass

    with pytest.raises(TypeError, match="no rule"):
        guarantee("G1")(silent)
    assert "silent" not in REGISTRY
