"""How the tests ask a store for all checks of the kit: each must end as it is expected to, and in no other way."""

from __future__ import annotations

from collections.abc import Set

from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from crmcore.testing.running import judge
from crmcore.testing.subjects import Opened

PLANTED = {"an_older_store_is_brought_up_to_date", "a_newer_store_is_not_opened", "damage_is_found"}
"""Checks of files that somebody puts in place: they are about the store below a wrapper, and are asked of that."""

NEVER_WAITS = frozenset({"a_cancelled_batch_is_there_whole_or_not_at_all"})
"""What is not asked of a store no call of which ever waits: there is nothing to cancel."""

NO_ITEMS = frozenset({"a_batch_of_too_many_items_is_refused"})
"""What is not asked of a store that takes as many items as a batch can have."""

NOT_RESTORED = frozenset({"erasures_survive_a_restore"})
"""What is not asked of a store that erases and has no backup."""

NO_PLACE = frozenset({"what_one_handle_writes_the_other_sees", "many_through_two_handles_have_one_order"})
"""What is not asked of a store that nobody can open twice."""


def unclaimed(*parts: str, keeps: bool = True) -> frozenset[str]:
    """The checks that a store without *parts* does not claim to pass; if it *keeps* nothing, nor those of what is there
    when it is opened again."""
    return frozenset(one.name for one in GUARANTEES if one.part in parts or (one.durable and not keeps))


def assert_kept(
    guarantee: Guarantee,
    subject: Opened,
    not_claimed: Set[str] = frozenset(),
    not_asked: Set[str] = frozenset(),
) -> None:
    """Ask one check. Each passes, but for those *not_claimed*, which are refused, and those *not_asked*."""
    subject.brief = True
    verdict = judge(guarantee, subject)
    name = guarantee.name
    expected = "NOT CLAIMED" if name in not_claimed else "NOT ASKED" if name in not_asked else "PASS"
    assert verdict.status == expected, verdict


COLOUR = {"G0", "G1", "G4", "G9", "G11", "G12", "G18"}
"""What has to do with waiting, with several at once and with closing: asked again of the other colour, which shares the
code for all the rest."""

PLACES = {"G7", "G14", "G16"}
"""What has to do with tenants, erasing and snapshots: asked again where the audit is in another store."""

ONLY = {"async_sqlite": COLOUR, "lowered": COLOUR, "elsewhere": PLACES, "sqlite": COLOUR | PLACES}


def asked(guarantee: Guarantee, store: str) -> bool:
    """Whether a check is asked of one of the ways to hold a wrapped store. Over memory all are; over the file, which is
    asked for all itself, those of what a wrapper could spoil there: several at once, erasing, what outlasts a close."""
    if guarantee.name in PLANTED:
        return False
    return guarantee.id in ONLY.get(store, {guarantee.id}) or (store == "sqlite" and guarantee.durable)
