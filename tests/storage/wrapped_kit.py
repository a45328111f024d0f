"""Which checks of the kit are about more than the store that they are asked of."""

from __future__ import annotations

PLANTED = {"an_older_store_is_brought_up_to_date", "a_newer_store_is_not_opened"}
"""Checks of files that somebody puts in place: they are about the store below a wrapper, and are asked of that."""

MODEL = "a_store_does_what_the_model_says"
"""The check that lets chance call a store."""
