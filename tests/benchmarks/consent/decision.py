"""How long one decision takes, for customers of 1 to 10,000 acts, beside a loop of plain Python as a yardstick.

Run it from the root of the project::

    PYTHONPATH=src python tests/benchmarks/consent/decision.py

Every figure is the least of several rounds of processor time, since other work on the machine can only add to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Collection, Facts, PointFacts, RegisterCheck, Subject
from crmcore.consent.request import Message, Request, Use

NOW = datetime(2026, 5, 12, 10, tzinfo=UTC)
SIZES = (1, 10, 100, 1_000, 10_000)
PLACES = (("DE", "IT"), ("FR", "GB"), ("US-CA", "CA"))
STEPS = 100_000
KINDS = ("give", "withdraw", "give", "object", "give", "refuse")


def act(number: int, of: int) -> ConsentEvent:
    """One of a history in which people come and go; the last says yes."""
    kind = "give" if number == of - 1 else KINDS[number % len(KINDS)]
    return ConsentEvent(
        id=f"act-{number}",
        kind=kind,  # type: ignore[arg-type]  # one of the above
        occurred_at=NOW - timedelta(hours=of - number),
        scope=Scope(
            controller="acme",
            channels=frozenset({"email"}),
            purposes=frozenset({"marketing"} if number % 3 else {"marketing", "profiling"}),
            point="a@x.org",
        ),
        evidence=Evidence(
            kind="double_opt_in", given_by="self", explicit=False, condition_of_contract=False, written=False
        )
        if kind == "give"
        else None,
    )


def customer(size: int) -> Facts:
    """A grown-up of whom everything is known that these laws ask for."""
    return Facts(
        events=tuple(act(number, size) for number in range(size)),
        subject=Subject(kind="consumer", adult=True),
        point=PointFacts(line="mobile", kind="other"),
        collection=Collection(source="sale", opt_out_offered=True),
        checks=(RegisterCheck(list="*", on=NOW.date()),),
        zones=("Europe/Berlin",),
        holidays=frozenset(),
        gpc=False,
    )


REQUEST = Request(
    controller="acme",
    channel="email",
    purpose="marketing",
    at=NOW,
    point="a@x.org",
    message=Message(
        kind="other",
        promotion=True,
        similar=False,
        offer_of="own",
        sender_identified=True,
        unsubscribe=True,
        unsubscribe_burdened=False,
        postal_address=True,
    ),
    use=Use(transfer="other", aim="other"),
    basis="consent",
    offered_to_children=False,
)


def least(task: Callable[[], Any], times: int, rounds: int = 7) -> float:
    """Microseconds of processor time for one run of *task*."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(times):
            task()
        best = min(best, time.process_time() - begin)
    return best / times * 1e6


def yardstick() -> int:
    """So many steps of a loop in plain Python."""
    total = 0
    for number in range(STEPS):
        total += number & 7
    return total


def main() -> None:
    step = least(yardstick, 5) / STEPS
    print(f"yardstick: one step of a loop in plain Python takes {step * 1000:.1f} ns\n")
    print("| jurisdictions | acts | answer | brief, us | in steps | with trace, us |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for places in PLACES:
        for size in SIZES:
            facts, times = customer(size), max(2, 400 // size)
            answer = decide(REQUEST, facts, jurisdictions=places).answer

            def ask(trace: bool, facts: Facts = facts, places: tuple[str, ...] = places) -> Any:
                return decide(REQUEST, facts, jurisdictions=places, trace=trace)

            brief = least(lambda: ask(False), times, 7 if size < 1000 else 2)
            traced = least(lambda: ask(True), times, 2)
            print(
                f"| {', '.join(places)} | {size:,} | {answer} | {brief:,.0f} | {brief / step:,.0f} | {traced:,.0f} |"
            )


if __name__ == "__main__":
    main()
