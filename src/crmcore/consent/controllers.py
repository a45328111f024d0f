"""Whom an act was said to, by name: which names are one controller's, and which is nobody's.

Invariant: a No is heard by everybody to whom it may have been said; what permits, or lifts a No, goes by the very name.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

from crmcore.values.text import clean

NOBODY = "default"
"""The name of whoever has told nobody theirs: an app that has opened its crm without a practice."""


@lru_cache(maxsize=1024)
def plain(name: str) -> str:
    """A name without its case, the spaces at its ends, and what nobody sees: where a No is read, it is nobody else's
    then.

    >>> plain(" Ａcme\\u200b")
    'acme'
    """
    return normalize("NFKC", clean(name)).casefold().strip()


def is_nobody(name: str) -> bool:
    """Whether it tells nothing of who it is, as a name of spaces does.

    >>> is_nobody("Default "), is_nobody(" "), is_nobody("acme")
    (True, True, False)
    """
    return plain(name) in ("", NOBODY)


def hears(asking: str | None, told: str | None) -> bool:
    """Whether a No that *told* somebody speaks to whoever is *asking*; None asks for what speaks to everybody.

    What told nobody in particular speaks to everybody, and who does not say their name hears what told anybody.

    >>> hears("Acme", None), hears("Acme", "default"), hears("Acme", "acme "), hears("Acme", "beta")
    (True, True, True, False)
    >>> hears("default", "beta"), hears(None, "beta")
    (True, False)
    """
    if told is None or told == asking or is_nobody(told):
        return True
    return asking is not None and (is_nobody(asking) or plain(told) == plain(asking))


def told_another(asking: str, told: str | None) -> bool:
    """Whether a No told somebody by name, and is heard only because it is not known who is *asking*.

    >>> told_another("default", "acme"), told_another("default", None), told_another("acme", "Acme")
    (True, False, False)
    """
    return told is not None and is_nobody(asking) and not is_nobody(told)
