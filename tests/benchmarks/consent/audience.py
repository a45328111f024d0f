"""How long it takes to decide about many customers with mixed histories, over facts in memory and over an SQLite store.

Run it from the root of the project::

    PYTHONPATH=src python -m tests.benchmarks.consent.audience memory 1000000 50000
    PYTHONPATH=src python -m tests.benchmarks.consent.audience_store customers.db 1000000
    PYTHONPATH=src python -m tests.benchmarks.consent.audience store customers.db

The customers are made by a seed: a third of whom nothing was ever heard, the others with one act to forty, a fifth who
bought something, half with a birth date, a few of two records, in fifteen countries and two states. In memory so many
distinct ones are held as fit, and gone through again and again until there were as many decisions as customers asked
for; their making is not measured.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import Any

from crmcore.consent.customer_decision import Member, decide_each
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Collection, Facts, PointFacts, Relation, Subject
from crmcore.consent.request import Message, Request
from crmcore.values.partial_date import PartialDate

NOW = datetime(2026, 5, 12, 10, tzinfo=UTC)
STEPS = 20_000
PLACES = "DE FR GB IT ES AT CH US-CA US-TX CA AU NZ SG JP IN BR KR".split()
ZONES = {
    "DE": "Europe/Berlin",
    "GB": "Europe/London",
    "US-CA": "America/Los_Angeles",
    "AU": "Australia/Sydney",
}
SHOWN = (
    Evidence.double_opt_in(notice="newsletter", version="3", explicit=False, condition_of_contract=False),
    Evidence.web_form(notice="newsletter", version="2", explicit=False, condition_of_contract=False),
    Evidence.imported(document="old-list"),
)
HISTORIES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (30, ()),
    (20, ("give",)),
    (12, ("request", "confirm")),
    (10, ("give", "withdraw")),
    (4, ("object",)),
    (4, ("assert_import",)),
    (6, ("request", "confirm", "withdraw", "give")),
    (6, ("give", "withdraw", "give", "refuse", "give")),
    (5, ("assert_import", "give", "object")),
    (2, ("give", "withdraw") * 5),
    (1, ("give", "refuse", "give", "withdraw") * 10),
)

REQUEST = Request(
    controller="acme",
    channel="email",
    purpose="marketing",
    at=NOW,
    message=Message.marketing(
        kind="other",
        similar=True,
        offer_of="own",
        sender_identified=True,
        unsubscribe=True,
        postal_address=True,
    ),
    basis="consent",
    offered_to_children=False,
)


def act(rng: random.Random, number: int, kind: Any, when: datetime, record: str, point: str) -> ConsentEvent:
    """One act of a history, about the address."""
    yes = kind in ("give", "confirm", "assert_import")
    return ConsentEvent(
        id=f"{record}-{number}",
        kind=kind,
        occurred_at=when,
        recorded_at=when,
        scope=Scope(
            controller="acme",
            channels=frozenset({"email"}),
            purposes=frozenset({"marketing"} if rng.random() < 0.8 else {"marketing", "profiling"}),
            point=point,
        ),
        evidence=rng.choice(SHOWN) if yes else None,
        record=record,
    )


def record_of(rng: random.Random, name: str, point: str) -> Member:
    """A record with its history."""
    (history,) = rng.choices([one for _, one in HISTORIES], [weight for weight, _ in HISTORIES])
    place = rng.choice(PLACES)
    first = NOW - timedelta(days=rng.randrange(30, 1500), seconds=rng.randrange(86_400))
    born = (
        PartialDate.of(date(rng.randrange(1940, 2012), rng.randrange(1, 13), 5))
        if rng.random() < 0.5
        else None
    )
    bought = rng.random() < 0.2
    return Member(
        record=name,
        points=frozenset({point}),
        jurisdictions=(place,),
        facts=Facts(
            events=tuple(
                act(rng, number, kind, first + timedelta(days=number, hours=number), name, point)
                for number, kind in enumerate(history)
            ),
            subject=Subject(kind="consumer", adult=True, birth_dates=() if born is None else (born,)),
            point=PointFacts(kind="other"),
            collection=Collection(source="sale", opt_out_offered=True) if bought else Collection(),
            relations=(
                (
                    Relation(
                        kind="purchase", on=(NOW - timedelta(days=rng.randrange(900))).date(), seller="acme"
                    ),
                )
                if bought
                else ()
            ),
            zones=(ZONES.get(place, "UTC"),),
            holidays=frozenset(),
            gpc=False,
        ),
    )


def customers(count: int, seed: int = 6) -> Iterator[tuple[str | None, Sequence[Member]]]:
    """So many customers, one in twenty of two records."""
    rng = random.Random(seed)
    for number in range(count):
        point = f"person{number}@example.org"
        records = [record_of(rng, f"r{number}", point)]
        if rng.random() < 0.05:
            records.append(record_of(rng, f"s{number}", point))
        yield point, records


class Watch:
    """Processor time, without that of a yardstick which is laid on every so often: no machine is as fast all along."""

    def __init__(self) -> None:
        self._begin = process_time()
        self._count = 0
        self._aside = 0.0
        self._steps = 0

    def passed(self) -> None:
        """One more was decided about."""
        self._count += 1
        if self._count % 1000 == 0:
            begin = process_time()
            total = 0
            for number in range(STEPS):
                total += number & 7
            self._aside += process_time() - begin
            self._steps += STEPS

    def told(self, count: int) -> str:
        """The time of *count* decisions, also in steps of a loop in plain Python."""
        took = process_time() - self._begin - self._aside
        step = self._aside / max(self._steps, 1)
        each = f"{took:.1f} s of processor time, {took / count * 1e6:.1f} us each"
        return f"{each}, {took / count / step:,.0f} steps of a loop in plain Python of {step * 1e9:.0f} ns"


def memory(count: int, distinct: int) -> None:
    """Decide about *count* customers, of whom *distinct* differ."""
    known = list(customers(distinct))
    answers: Counter[str] = Counter()
    watch = Watch()
    for decision in decide_each(REQUEST, islice(cycle(known), count)):
        answers[decision.answer] += 1
        watch.passed()
    print(f"{count:,} decisions over {distinct:,} customers in memory: {watch.told(count)}")
    print(dict(answers))


def store(path: str) -> None:
    """Decide about every customer in an SQLite file, one after the other."""
    from crmcore import Crm

    count: Counter[str] = Counter()
    asked = {field: getattr(REQUEST, field) for field in ("message", "basis", "offered_to_children")}
    with Crm.open(path, tenant="acme", clock=lambda: NOW) as crm:
        watch = Watch()
        for one in crm.consent.audience(purpose="marketing", channel="email", **asked):
            count["unreachable" if one.decision is None else one.decision.answer] += 1
            watch.passed()
    total = count.total()
    print(f"{total:,} customers of {path}: {watch.told(total)}")
    print(f"{dict(count)}, at most {getrusage(RUSAGE_SELF).ru_maxrss / 1024:.0f} MB of memory")


if __name__ == "__main__":
    if sys.argv[1] == "memory":
        memory(int(sys.argv[2]), int(sys.argv[3]))
    else:
        store(sys.argv[2])
