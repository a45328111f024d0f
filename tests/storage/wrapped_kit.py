"""Which checks of the kit are about more than the store that they are asked of."""

from __future__ import annotations

from crmcore.testing.kit import Guarantee

PLANTED = {"an_older_store_is_brought_up_to_date", "a_newer_store_is_not_opened"}
"""Checks of files that somebody puts in place: they are about the store below a wrapper, and are asked of that."""

MODEL = "a_store_does_what_the_model_says"
"""The check that lets chance call a store."""

COLOUR = {"G0", "G1", "G4", "G9", "G11", "G12", "G18"}
"""What has to do with waiting, with several at once and with closing: asked again of the other colour, which shares the
code for all the rest."""

PLACES = {"G7", "G14", "G16"}
"""What has to do with tenants, erasing and snapshots: asked again where the audit is in another store."""

ONLY = {"async_sqlite": COLOUR, "lowered": COLOUR, "elsewhere": PLACES}


def asked(guarantee: Guarantee, store: str) -> bool:
    """Whether a check is asked of one of the ways to hold a wrapped store; memory and the file are asked for all."""
    return guarantee.name not in PLANTED and guarantee.id in ONLY.get(store, {guarantee.id})
