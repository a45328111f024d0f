"""What a condition comes to: yes, no or not known, on which facts, and until when.

Invariant: with the same facts, what was found stays so from the instant of the question until `until`, exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

FOREVER = 1 << 62
"""Microseconds beyond every instant."""


class Finding(NamedTuple):
    """*holds* is None where it is not known; *missing* names the facts that would tell. *until* is in microseconds of
    UTC. *because* names the facts behind it, and *why* says it in words, where it does not hold."""

    holds: bool | None
    until: int = FOREVER
    because: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    why: str = ""


YES = Finding(True)
NO = Finding(False)


def both(findings: Iterable[Finding]) -> Finding:
    """All of them: no as soon as one is no, and for as long as the one that stays no longest."""
    return _joined(findings, decisive=False)


def either(findings: Iterable[Finding]) -> Finding:
    """One of them."""
    return _joined(findings, decisive=True)


def negated(found: Finding) -> Finding:
    """The opposite. What is not known stays so."""
    return found if found.holds is None else Finding(not found.holds, *found[1:])


def _joined(findings: Iterable[Finding], *, decisive: bool) -> Finding:
    """A result that is *decisive* by itself, else one that is not known, else all that was found."""
    known: list[Finding] = []
    unknown: list[Finding] = []
    decided: list[Finding] = []
    for found in findings:
        if found.holds is None:
            unknown.append(found)
        else:
            (decided if found.holds is decisive else known).append(found)
    if decided:
        return Finding(decisive, max(found.until for found in decided), *_told(decided))
    if unknown:
        until = min(found.until for found in (*unknown, *known))
        return Finding(None, until, *_told(unknown))
    return Finding(not decisive, min((found.until for found in known), default=FOREVER), *_told(known))


def _told(findings: list[Finding]) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Because of what, what is missing, and why, of all of them."""
    return (
        tuple(dict.fromkeys(word for found in findings for word in found.because)),
        tuple(dict.fromkeys(word for found in findings for word in found.missing)),
        "; ".join(found.why for found in findings if found.why),
    )
