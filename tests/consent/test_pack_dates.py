"""When the rules of packs begin and end."""

from __future__ import annotations

import pytest

from crmcore.consent.pack_reading import shipped_packs
from tests.consent.in_force import stated

DATED = "ca au nz sg jp kr in br us us_ca us_fl us_tx gb fr es it ch eu".split()
UNSURE = frozenset({"us_ca.text_advertisement"})
"""Rules whose first day nobody has read in a source that can be named."""


@pytest.mark.parametrize("pack", DATED)
def test_rules_are_in_force_from_the_day_on_which_their_act_began(pack: str) -> None:
    dated = [rule for rule in shipped_packs()[pack].rules if (rule.since or rule.until) is not None]

    assert dated
    for rule in dated:
        assert rule.id in UNSURE or stated(rule.id) == (rule.since, rule.until), rule.id
