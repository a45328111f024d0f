"""Defects to plant in the engine of consent, each with the laws that must see it.

Invariant: a defect replaces one thing that is there, by its name, and is gone when its context ends; a name that is no
longer there is an error, not a defect that nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import attrs

from crmcore.app import parties
from crmcore.app.facade import Identity
from crmcore.consent import customer_decision, decision, facts_hash, lifting, told
from crmcore.consent.case import Case
from crmcore.consent.conditions import clock
from crmcore.consent.finding import FOREVER, Finding
from crmcore.consent.judging import Opinion, judge

_DAY = 86_400_000_000


@attrs.frozen(eq=False)
class Defect:
    """What is wrong, in *words*, the keys of the *laws* that must see it, and what *plant*\\ s it for a while."""

    words: str
    laws: tuple[str, ...]
    plant: Callable[[], AbstractContextManager[Any]]


def _judged(change: Callable[[Any, Opinion], Opinion]) -> Callable[[], AbstractContextManager[Any]]:
    """Each opinion of a law is changed."""

    def planted(case: Any, law: Any, *more: Any) -> Opinion:
        return change(case, judge(case, law, *more))

    return lambda: patch.object(decision, "judge", planted)


def _instead(where: Any, name: str, new: Any) -> Callable[[], AbstractContextManager[Any]]:
    """*new* stands where *name* did."""
    return lambda: patch.object(where, name, new)


async def _kept_nothing(unit: Any, before: Any, after: Any) -> None:
    pass


def _else_allow(case: Any, found: Opinion) -> Opinion:
    silent = found.outcome == "deny" and found.deciding is None
    return found._replace(outcome="allow") if silent else found


def _unsure_is_yes(case: Any, found: Opinion) -> Opinion:
    return found._replace(outcome="allow") if found.outcome == "need_confirmation" else found


def _brief_is_yes(case: Any, found: Opinion) -> Opinion:
    return found._replace(outcome="allow") if case.brief and found.outcome != "allow" else found


@contextmanager
def _first_law_alone() -> Iterator[None]:
    """What other laws than the first say counts as a Yes."""
    first: dict[str, Any] = {"case": None, "law": None}

    def planted(case: Any, law: Any, *more: Any) -> Opinion:
        if first["case"] is not case:
            first.update(case=case, law=law)
        found = judge(case, law, *more)
        return found if law is first["law"] else found._replace(outcome="allow")

    with patch.object(decision, "judge", planted):
        yield


@contextmanager
def _later_records_count() -> Iterator[None]:
    """What was known at an instant is forgotten: all that is recorded counts."""

    def planted(request: Any, facts: Any, policy: Any, known_at: Any, *more: Any, **options: Any) -> Any:
        return Case(request, facts, policy, None, *more, **options)

    with patch.object(decision, "Case", planted):
        yield


@contextmanager
def _an_hour_late() -> Iterator[None]:
    retry = decision._retry

    def planted(*facts: Any) -> Any:
        found = retry(*facts)
        return None if found is None else found + timedelta(hours=1)

    with patch.object(decision, "_retry", planted):
        yield


@contextmanager
def _any_time() -> Iterator[None]:
    """Hours are kept where nobody knows what time it is."""
    test = clock.Inside.test

    def planted(self: Any, case: Any) -> Finding:
        return test(self, case) if case.placed else Finding(True)

    with patch.object(clock.Inside, "test", planted):
        yield


@contextmanager
def _merged_once() -> Iterator[None]:
    """A merge of somebody who was merged before is none."""
    merge = Identity.merge
    done: dict[int, tuple[Any, set[Any]]] = {}

    def planted(self: Any, a: Any, b: Any, *more: Any, **facts: Any) -> Any:
        _, here = done.setdefault(
            id(self._flow), (self._flow, set())
        )  # held, so that no other gets its number
        if {a, b} & here:
            return None
        here.update((a, b))
        return merge(self, a, b, *more, **facts)

    with patch.object(Identity, "merge", planted):
        yield


def _nothing_split(self: Any, *names: Any, **facts: Any) -> None:
    """A merge is not taken back."""


DEFECTS = (
    Defect("where nothing permits, it is allowed", ("permit",), _judged(_else_allow)),
    Defect("what is to be found out counts as a Yes", ("permit",), _judged(_unsure_is_yes)),
    Defect("values are taken as they are told", ("malformed",), _instead(told, "_fields", lambda cls: ())),
    Defect("only the first law is asked", ("all",), _first_law_alone),
    Defect("without a trace everything is allowed", ("trace",), _judged(_brief_is_yes)),
    Defect(
        "an answer lasts for ever",
        ("expiry",),
        _judged(lambda case, found: found._replace(until=FOREVER)),
    ),
    Defect(
        "an answer lasts a day longer than it does",
        ("expiry",),
        _judged(lambda case, found: found._replace(until=found.until + _DAY)),
    ),
    Defect("what is named as the instant to try again is an hour late", ("retry",), _an_hour_late),
    Defect("where nobody knows what time it is there, it is within the hours", ("unknown",), _any_time),
    Defect(
        "of what was done only what was told first counts",
        ("order",),
        lambda: patch("crmcore.consent.case.uncorrected", lambda acts, now: tuple(acts)[:1]),
    ),
    Defect("what was recorded later counts", ("known at",), _later_records_count),
    Defect(
        "facts are hashed as they are told", ("hash",), _instead(facts_hash, "_ordered", lambda told: told)
    ),
    Defect(
        "facts are not hashed",
        ("hash less",),
        _instead(facts_hash, "dump", lambda value: str(type(value))),
    ),
    Defect(
        "the laxest record decides",
        ("M1", "M1 more"),
        _instead(customer_decision, "RANK", {"allow": 0, "need_confirmation": 1, "deny": 2}),
    ),
    Defect(
        "the record that is told first decides",
        ("M3",),
        _instead(customer_decision, "RANK", {"allow": 0, "need_confirmation": 0, "deny": 0}),
    ),
    Defect(
        "a Yes of any record lifts the No of any other",
        ("M1",),
        _instead(lifting, "may_lift", lambda yes, no, case: True),
    ),
    Defect(
        "a No about the person stays with its record",
        ("M2",),
        _instead(customer_decision, "_about_the_person", lambda event: False),
    ),
    Defect(
        "whoever moves leaves what they refused behind",
        ("M1, M2, M4 stored",),
        _instead(parties, "give_up_points", _kept_nothing),
    ),
    Defect("who was merged once is merged with nobody else", ("M3 stored",), _merged_once),
    Defect("a split is none", ("M1, M2, M4 stored",), _instead(Identity, "retract", _nothing_split)),
)
"""What is planted, one after the other."""
