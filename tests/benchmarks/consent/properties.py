"""Which laws of consent the tests hold, on how many examples, and which planted defects turn each of them red.

Run it from the root of the project::

    python -m tests.benchmarks.consent.properties                    # all laws, then all defects
    python -m tests.benchmarks.consent.properties --examples 1000    # as many examples of each as one likes
    python -m tests.benchmarks.consent.properties --out FOLDER       # and the report, as a page

A law is a Hypothesis property, or a machine that does things in any order; each stands in ``tests/consent``. A defect
is the engine with one of its functions replaced. A law that no defect turns red says nothing, so it is an error if one
of the defects stays unseen by a law that it is planted for.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.benchmarks.consent.defects import DEFECTS, Defect
from tests.consent import (
    test_consent_machine,
    test_customer_decision,
    test_decision,
    test_facts_hash,
    test_fuzzing,
    test_known_at,
)

_FEW = 12
"""One example of the machine is a dozen steps, each of which asks for dozens of decisions."""


@attrs.frozen(eq=False)
class Law:
    """What holds, in words, and the *test* that holds it; it is tried on so many *times* the usual examples."""

    key: str
    words: str
    test: Any
    times: float = 1


LAWS = (
    Law(
        "M1",
        "no merge makes a permission",
        test_customer_decision.test_no_merge_makes_a_permission,
        4,
    ),
    Law(
        "M1 more",
        "a record more never helps",
        test_customer_decision.test_a_record_more_never_helps,
        4,
    ),
    Law(
        "M2",
        "a No about the person reaches every record",
        test_customer_decision.test_a_no_about_the_person_reaches_every_record,
    ),
    Law(
        "M3",
        "the order of the records means nothing",
        test_customer_decision.test_the_order_of_the_records_means_nothing,
        4,
    ),
    Law(
        "M3 stored",
        "the order of merges does not matter",
        test_consent_machine.test_the_order_of_merges_does_not_matter,
        0.5,
    ),
    Law(
        "M1, M2, M4 stored",
        "whatever is said, merged, split and moved: no merge makes a permission, a No stays, a split is exact",
        test_consent_machine.Permissions,
        0.5,
    ),
    Law(
        "permit",
        "who may be contacted may be by a permit that is named, in every jurisdiction",
        test_decision.test_who_may_be_contacted_may_be_by_a_permit_that_is_named,
    ),
    Law(
        "malformed",
        "what is malformed is refused, or allows only by a permit",
        test_fuzzing.test_what_is_malformed_is_refused_or_allows_only_by_a_permit,
    ),
    Law("all", "all jurisdictions must allow", test_decision.test_all_jurisdictions_must_allow),
    Law(
        "trace",
        "a decision is the same whether or not its reasons are asked for",
        test_decision.test_a_decision_is_the_same_whether_or_not_its_reasons_are_asked_for,
    ),
    Law("expiry", "an answer stays until it expires", test_decision.test_an_answer_stays_until_it_expires, 8),
    Law(
        "retry",
        "from the instant that is named a denied contact is no longer denied",
        test_decision.test_from_the_instant_named_a_denied_contact_is_no_longer_denied,
        4,
    ),
    Law("unknown", "what is not known never helps", test_decision.test_what_is_not_known_never_helps, 8),
    Law(
        "order",
        "the order in which acts are told means nothing",
        test_decision.test_the_order_in_which_acts_are_told_means_nothing,
    ),
    Law(
        "known at",
        "what was recorded later changes nothing of what was known",
        test_known_at.test_what_was_recorded_later_changes_nothing_of_what_was_known,
    ),
    Law(
        "hash",
        "the order in which facts are told is not in the hash",
        test_facts_hash.test_the_order_in_which_facts_are_told_is_not_in_the_hash,
    ),
    Law("hash less", "a fact less is another hash", test_facts_hash.test_a_fact_less_is_another_hash),
)


def run(law: Law, examples: int) -> tuple[int, Exception | None]:
    """On how many examples *law* was tried, and what it failed with, if it did. Nothing is kept or made smaller."""
    how = settings(
        max_examples=max(int(examples * law.times), 3),
        stateful_step_count=_FEW,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    tried = [0]
    try:
        _run(law.test, how, tried)
    except Exception as error:
        return tried[0], error
    return tried[0], None


def _run(test: Any, how: settings, tried: list[int]) -> None:
    """Run a property or a machine, counting its examples in *tried*."""
    if isinstance(test, type):

        class Counted(test):  # type: ignore[misc]  # a machine, whichever it is
            def __init__(self) -> None:
                tried[0] += 1
                super().__init__()

        run_state_machine_as_test(Counted, settings=how)
        return
    inner, usual = test.hypothesis.inner_test, test._hypothesis_internal_use_settings

    @functools.wraps(inner)
    def counted(*args: Any, **facts: Any) -> Any:
        tried[0] += 1
        return inner(*args, **facts)

    test.hypothesis.inner_test, test._hypothesis_internal_use_settings = counted, how
    try:
        test()
    finally:
        test.hypothesis.inner_test, test._hypothesis_internal_use_settings = inner, usual


def caught(defect: Defect, examples: int) -> Iterator[tuple[Law, int, Exception | None]]:
    """For each law that *defect* is planted for, after how many examples it was seen, and how."""
    for law in LAWS:
        if law.key in defect.laws:
            with defect.plant():
                yield law, *run(law, examples)


def _lines(examples: int, say: Callable[[str], None]) -> Iterator[str]:
    yield "| law | holds on | |"
    yield "| --- | ---: | --- |"
    broken = []
    for law in LAWS:
        number, error = run(law, examples)
        say(f"{law.key}: {number} examples")
        yield f"| {law.key} | {number:,} examples | {law.words} |"
        if error is not None:
            broken.append(f"does not hold: {law.key}: {type(error).__name__}: {error}")
    yield ""
    yield "| planted defect | law | seen after | by |"
    yield "| --- | --- | ---: | --- |"
    for defect in DEFECTS:
        for law, number, error in caught(defect, examples * 4):
            by = type(error).__name__ if error else "nothing"
            say(f"{defect.words}: {law.key}: {by} after {number}")
            yield f"| {defect.words} | {law.key} | {number:,} examples | {by} |"
            if error is None or not number:
                broken.append(f"not seen: {defect.words}, by {law.key}")
    planted = {key for defect in DEFECTS for key in defect.laws}
    broken += [f"no defect is planted for: {law.key}" for law in LAWS if law.key not in planted]
    yield ""
    yield from broken or ["Every law holds, and every defect is seen by the laws that it is planted for."]


def main() -> int:
    parser = argparse.ArgumentParser(description="The laws of consent, and what turns them red.")
    parser.add_argument("--examples", type=int, default=25, help="of each law; machines get fewer")
    parser.add_argument("--out", type=Path, help="a folder for the report as a page")
    given = parser.parse_args()
    begin = time.perf_counter()
    lines = list(_lines(given.examples, lambda line: print(line, file=sys.stderr, flush=True)))
    print("\n".join(lines))
    print(f"{time.perf_counter() - begin:.0f} s", file=sys.stderr)
    if given.out is not None:
        page = given.out / "consent_properties.md"
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if lines[-1].startswith("Every law holds") else 1


if __name__ == "__main__":
    sys.exit(main())
