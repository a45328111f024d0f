"""What the kit found, as values.

Invariant: a report passes only if every check of this kit's manifest was run and none failed or saw too little.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import attrs

from crmcore.storage import PROTOCOL
from crmcore.testing.manifest import KIT, MANIFEST
from crmcore.testing.promises import PROMISES
from crmcore.values.frozen_map import FrozenMap

Status = Literal["PASS", "FAIL", "NOT CLAIMED", "NOT ASKED", "INCONCLUSIVE"]
"""What becomes of one check. Of a whole guarantee there are four of these: one whose checks had nothing to ask is not
claimed, for the reason that they give, and one of which any check passed has passed."""
_WORST: tuple[Status, ...] = ("FAIL", "INCONCLUSIVE", "PASS", "NOT CLAIMED", "NOT ASKED")


@attrs.frozen(kw_only=True)
class Verdict:
    """What one check found. *message* says why it is no plain PASS, *seen* what it exercised and how often.

    NOT CLAIMED is what the store says that it does not have, and was seen to refuse; NOT ASKED is what cannot come up
    with this store or on this system. What a store claims and nobody could look at is INCONCLUSIVE.

    *raised* names the error that ended the check where it was none of the kit's: what was asked was not answered.
    """

    check: str
    guarantee: str
    status: Status
    message: str = ""
    raised: str = ""
    seconds: float = 0.0
    seen: FrozenMap[str, int] = FrozenMap()


@attrs.frozen(kw_only=True)
class Answer:
    """What all checks of one guarantee found: *status*, how many *passed*, and the messages of those that did not."""

    guarantee: str
    status: Status
    passed: int
    messages: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.status == "PASS":
            return f"PASS {self.passed}"
        return f"NOT CLAIMED ({self.messages[0]})" if self.status == "NOT CLAIMED" else self.status


@attrs.frozen(kw_only=True)
class Report:
    """All that a run of the kit found about one store."""

    engine: str
    level: str
    budget: str
    seed: int
    seconds: float
    verdicts: tuple[Verdict, ...]
    problems: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    kit: str = KIT
    protocol: str = PROTOCOL

    @property
    def missing(self) -> tuple[str, ...]:
        """The checks of this kit that were not run."""
        return tuple(sorted(set(MANIFEST) - {verdict.check for verdict in self.verdicts}))

    @property
    def passed(self) -> bool:
        """Whether the store keeps all that it claims, as far as this kit can see."""
        good = all(one.status in ("PASS", "NOT CLAIMED") for one in self.answers())
        return bool(self.verdicts) and good and not self.missing and not self.problems

    def not_asked(self) -> tuple[Verdict, ...]:
        """The checks that had nothing to ask of this store."""
        return tuple(one for one in self.verdicts if one.status == "NOT ASKED")

    def answers(self) -> tuple[Answer, ...]:
        """One answer for each guarantee, in the order of the page that names them."""
        return tuple(
            answer(name, [one for one in self.verdicts if one.guarantee == name]) for name in PROMISES
        )

    def document(self) -> dict[str, Any]:
        """The report as one JSON document."""
        fields = ("kit", "protocol", "engine", "level", "budget", "seed", "claimed", "problems", "missing")
        return {name: _plain(getattr(self, name)) for name in fields} | {
            "passed": self.passed,
            "seconds": round(self.seconds, 2),
            "checks": len(self.verdicts),
            "guarantees": [
                {"id": one.guarantee, "name": PROMISES[one.guarantee][0]}
                | {"status": one.status, "passed": one.passed, "messages": list(one.messages)}
                for one in self.answers()
            ],
            "verdicts": [
                attrs.asdict(one, recurse=False) | {"seen": dict(one.seen), "seconds": round(one.seconds, 3)}
                for one in self.verdicts
            ],
        }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def answer(guarantee: str, verdicts: Iterable[Verdict]) -> Answer:
    """Sum up the *verdicts* of one guarantee; none at all is a failure.

    >>> str(answer("G1", [Verdict(check="a", guarantee="G1", status="PASS")]))
    'PASS 1'
    >>> str(answer("G1", []))
    'FAIL'
    """
    found = list(verdicts)
    if not found:
        return Answer(guarantee=guarantee, status="FAIL", passed=0, messages=("no check was run",))
    worst: Status = next(worst for worst in _WORST if any(one.status == worst for one in found))
    status: Status = "NOT CLAIMED" if worst == "NOT ASKED" else worst
    told = [
        one.message if status == "NOT CLAIMED" else f"{one.check}: {one.message}"
        for one in found
        if one.status == worst and one.message
    ]
    passed = sum(one.status == "PASS" for one in found)
    return Answer(guarantee=guarantee, status=status, passed=passed, messages=tuple(dict.fromkeys(told)))
