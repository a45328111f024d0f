"""What goes wrong, by levels of agreement, and whether the probabilities keep what they promise.

False merges are the pairs of records that are in one group and not of one customer, false splits the other way round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations

from crmcore.identity import Deduplication, Features, Match, Population, RuleMatcher, reliability
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.policy import UNIT
from crmcore.identity.model.scoring import Scorer

_PATTERNS = 12
"""So many patterns are printed, those with the most pairs first."""


def _comparison(features: Sequence[Features], found: Deduplication) -> Callable[[int, int], Match]:
    """What decided, as a function of two positions."""
    if found.learned is None or found.learned.model is None:
        rules, population = RuleMatcher(), Population.of(features)
        return lambda a, b: rules.compare(features[a], features[b], population)
    matcher = found.learned.matcher
    scorer = Scorer(matcher.model, matcher.table(features))
    return lambda a, b: matcher.match(scorer, a, b)


def wrong(joins: Sequence[Hashable], separates: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """All pairs of positions with one label in *joins* and two in *separates*.

    >>> list(wrong("aab", "xyy"))
    [(0, 1)]
    """
    members: dict[Hashable, list[int]] = {}
    for position, label in enumerate(joins):
        members.setdefault(label, []).append(position)
    for group in members.values():
        yield from ((a, b) for a, b in combinations(group, 2) if separates[a] != separates[b])


def _pattern(match: Match) -> str:
    return (
        ", ".join(f"{reason.field}: {reason.level}" for reason in match.reasons if reason.values) or "nothing"
    )


def print_errors(
    features: Sequence[Features], found: Deduplication, truth: Sequence[str], examples: int, *, reveal: bool
) -> None:
    """The wrong pairs by pattern, with *examples* of each; their values only to *reveal* them."""
    compare = _comparison(features, found)
    for name, pairs in (
        ("false merges", wrong(found.labels, truth)),
        ("false splits", wrong(truth, found.labels)),
    ):
        counts: Counter[str] = Counter()
        shown: dict[str, list[tuple[int, int, Match]]] = {}
        for a, b in pairs:
            match = compare(a, b)
            pattern = _pattern(match)
            counts[pattern] += 1
            if counts[pattern] <= examples:
                shown.setdefault(pattern, []).append((a, b, match))
        print(f"  {counts.total():,} {name}, {len(counts):,} patterns")
        for pattern, count in counts.most_common(_PATTERNS):
            print(f"  {count:7,}  {pattern}")
            for a, b, match in shown.get(pattern, ()):
                print(f"           rows {a} and {b}: {match.verdict}, {match.bits:+.1f} bits")
                if reveal:
                    print(
                        "".join(f"             {line}\n" for line in match.explain().splitlines()[1:]), end=""
                    )


def print_calibration(features: Sequence[Features], found: Deduplication, truth: Sequence[str]) -> None:
    """The pairs that were compared by predicted probability, beside the share that is true."""
    if found.learned is None or found.learned.model is None:
        print("  rules predict no probabilities")
        return
    matcher = found.learned.matcher
    scorer = Scorer(matcher.model, matcher.table(features))
    candidates = Candidates(scorer.table)

    def predicted() -> Iterator[tuple[float, bool]]:
        for a in range(len(features)):
            for b in candidates.partners(a):
                bits = max(-60.0, min(60.0, scorer.score(a, b).score / UNIT))
                yield 1 / (1 + 2.0**-bits), truth[a] == truth[b]

    print("  predicted   mean    pairs  observed")
    for one in reliability(predicted()):
        mark = "" if one.kept else "  not kept"
        print(
            f"  {one.low:.1f} to {one.high:.1f}  {one.predicted:.3f} {one.count:8,}  {one.observed.text()}{mark}"
        )
