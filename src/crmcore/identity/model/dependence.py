"""Which columns agree together by accident more often than each alone: people of one country share its names and towns.

Each column leans on one other at most (Chow and Liu, 1968), so that what several columns have in common is counted
once and never taken off twice.
"""

from __future__ import annotations

from math import log2

from crmcore.identity.model.encoding import Table


def top_terms(table: Table) -> list[list[str]]:
    found = []
    for at, column in enumerate(table.columns):
        top = max(column.terms)
        term = column.terms[top]
        found.append([""] + [term(value) for value in table.values[at][1:]])
    return found


def joint_agreement(table: Table, weights: list[float] | None, lam: float, m: list[float]) -> dict[tuple[int, int], float]:
    """For each two columns, log2 of how much more often random different customers agree on both than by chance."""
    terms = top_terms(table)
    k = len(table.columns)
    result = {}
    n = len(table.rows)
    w = weights or [1.0] * n
    for f in range(k):
        for g in range(f + 1, k):
            single_f: dict[str, float] = {}
            single_g: dict[str, float] = {}
            both: dict[tuple[str, str], float] = {}
            total = 0.0
            tf, tg = terms[f], terms[g]
            for row, x in zip(table.rows, w):
                a, b = tf[row[f]], tg[row[g]]
                if a and b:
                    single_f[a] = single_f.get(a, 0.0) + x
                    single_g[b] = single_g.get(b, 0.0) + x
                    both[a, b] = both.get((a, b), 0.0) + x
                    total += x
            if total < 50:
                continue
            pairs = total * total
            agree_f = sum(v * max(v - 1, 0) for v in single_f.values())
            agree_g = sum(v * max(v - 1, 0) for v in single_g.values())
            agree = sum(v * max(v - 1, 0) for v in both.values())
            gone = lam * m[f] * m[g] * pairs if weights is None else 0.0
            expected = agree_f / pairs * agree_g
            ratio = (max(agree - gone, 0) + 20) / (expected + 20)
            if ratio > 1.2:
                result[f, g] = min(log2(ratio), 12.0)
    return result


def tree(joint: dict[tuple[int, int], float], m: list[float], k: int) -> list[tuple[int, int, float]]:
    parent = list(range(k))

    def find(x):
        while parent[x] != x:
            x = parent[x]
        return x

    edges = []
    for (f, g), bits in sorted(joint.items(), key=lambda item: (-item[1] * m[item[0][0]] * m[item[0][1]], item[0])):
        a, b = find(f), find(g)
        if a != b:
            parent[a] = b
            edges.append((f, g, bits))
    return edges
