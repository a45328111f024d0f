"""Dedupe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from crmcore.identity.blocking import BlockReport, candidates
from crmcore.identity.cluster import Link, agglomerate
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match, Matcher
from crmcore.identity.population import Population


@attrs.frozen(kw_only=True)
class Deduplication:
    labels: tuple[int, ...]
    links: tuple[tuple[int, int, Match], ...]
    unsure: tuple[tuple[int, int, Match], ...]
    stats: dict


def dedupe(features: Sequence[Features], matcher: Matcher, *, apart=(), together=(), on_progress=None) -> Deduplication:
    population = Population.of(features)
    order = sorted(range(len(features)), key=lambda i: features[i].order)
    distinct: list[Features] = []
    rows: list[list[int]] = []
    for i in order:
        f = features[i]
        if distinct and f == distinct[-1] and not f.empty:
            rows[-1].append(i)
        else:
            distinct.append(f); rows.append([i])
    report = BlockReport()
    links = []; bars = []; unsure = []
    matches = {}
    n = 0
    for a, partners in candidates(distinct, matcher, report):
        fa = distinct[a]
        for b in partners:
            n += 1
            m = matcher.compare(fa, distinct[b], population)
            if m.verdict == "same":
                links.append(Link(a, b, False, m.score, m.weak)); matches[a, b] = m
            elif m.contradicted and m.score > 0: bars.append((a, b))
            elif m.verdict == "unsure":
                unsure.append((a, b, m))
    g = agglomerate(range(len(distinct)), links, bars)
    label = [0] * len(distinct)
    for k, members in enumerate(g.groups):
        for x in members: label[x] = k
    labels = [0] * len(features)
    # identical
    extra = len(g.groups)
    for d, rs in enumerate(rows):
        same = len(rs) == 1 or matcher.compare(distinct[d], distinct[d], population).verdict == "same"
        for j, r in enumerate(rs):
            if same or j == 0: labels[r] = label[d]
            else: labels[r] = extra; extra += 1
    return Deduplication(labels=tuple(labels), links=(), unsure=tuple(unsure), stats=dict(pairs=n, distinct=len(distinct), links=len(links), unsure=len(unsure), blocks=report))
