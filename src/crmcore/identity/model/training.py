"""Learning what each level is worth, without labels."""

from __future__ import annotations

from array import array
from collections import Counter
from hashlib import blake2b
from math import exp, log, log2
import time, os

import attrs

from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.dependence import joint_agreement, tree
from crmcore.identity.model.encoding import Table
from crmcore.identity.model.scan import BITS, Comparer

LEAST = 256
AGREE = {"given name": 4, "family name": 3, "birth date": 5, "e-mail": 3, "phone": 2, "street": 4, "postcode": 3, "city": 2, "region": 2, "country": 2, "identifier": 3, "occupation": 2, "organization name": 4, "employer": 4}
DEBUG = bool(os.environ.get("CRM_DEBUG"))


class Frequencies:
    """How often terms occur among different customers."""

    def __init__(self, table: Table, weights: list[list[float]] | None) -> None:
        self.table = table
        self.u_exact: list[dict[int, float]] = []
        self.tf: list[dict[int, list[float]]] = []
        """For each column and counted level, for each code, bits to add to the level's weight."""
        self.logf: list[dict[int, list[float]]] = []
        for at, column in enumerate(table.columns):
            mass = [0.0] * len(table.values[at])
            for position, row in enumerate(table.rows):
                if row[at]:
                    mass[row[at]] += 1.0 if weights is None else weights[at][position]
            for position, groups in table.more.items():
                if column.group in groups:
                    place = [k for k, c in enumerate(table.columns) if c.group == column.group].index(at)
                    for option in groups[column.group][1:]:
                        if option[place]:
                            mass[option[place]] += 1.0 if weights is None else weights[at][position]
            u_exact: dict[int, float] = {}
            tf: dict[int, list[float]] = {}
            logf: dict[int, list[float]] = {}
            done: dict[int, tuple[float, list[float], list[float]]] = {}
            for level, term in column.terms.items():
                key = id(term)
                if key not in done:
                    done[key] = self._level(at, term, mass)
                u_exact[level], tf[level], logf[level] = done[key]
            self.u_exact.append(u_exact)
            self.tf.append(tf)
            self.logf.append(logf)

    def _level(self, at, term, mass):
        column, values = self.table.columns[at], self.table.values[at]
        terms = [""] + [term(value) for value in values[1:]]
        counts: dict[str, float] = {}
        for code, text in enumerate(terms):
            if text:
                counts[text] = counts.get(text, 0.0) + mass[code]
        total = sum(counts.values())
        once = sum(1 for n in counts.values() if n < 1.5)
        twice = sum(1 for n in counts.values() if 1.5 <= n < 2.5)
        presumed = min(1.0, LEAST * 2.0 ** -column.rarity)
        rare = min(1.0, (2 * twice + 20 * presumed) / (once + 20))
        size = total + LEAST
        freq = {text: (max(n - 1, 0.0) + rare) / size for text, n in counts.items()}
        u = sum(n / total * freq[text] for text, n in counts.items()) if total else 2.0 ** -column.rarity
        u = max(u, 2.0**-24)
        lu = log2(u)
        lf = [0.0] + [log2(max(freq[t], 2.0**-24)) if t else lu for t in terms[1:]]
        return u, [0.0] + [lu - x for x in lf[1:]], lf


def sample_u(comparer: Comparer, count: int) -> list[list[float]]:
    """Level shares among random pairs, chosen by hash."""
    rows = comparer.rows
    n = len(rows)
    hashes = sorted(range(n), key=lambda k: blake2b(repr(rows[k]).encode(), digest_size=8).digest())
    got = [[0.0] * 8 for _ in range(comparer.count + 1)]
    seen = 0
    step = 1
    while seen < count and step < n:
        for k in range(n):
            if k + step >= n:
                break
            p = comparer.pattern(hashes[k], hashes[k + step])
            for at in range(comparer.count + 1):
                got[at][p >> at * BITS & 7] += 1
            seen += 1
            if seen >= count:
                break
        step += 1
    return got


@attrs.define
class Trained:
    weights: list[list[float]]
    related: list[list[float]] | None
    prior: float
    prior_related: float
    m: list[list[float]]
    u: list[list[float]]
    r: list[list[float]] | None
    frequencies: Frequencies


class Trainer:
    def __init__(self, table: Table, most: int | None = None, cache=None) -> None:
        t = time.time()
        self.table = table
        self.comparer = Comparer(table)
        self.candidates = None if cache else Candidates(table, most)
        self.columns = table.columns
        self.k = len(table.columns)
        if DEBUG and not cache: print("cand", round(time.time() - t, 2), "cap", self.candidates.cap, "left", self.candidates.left_out)
        self.a, self.b, self.p = array("i"), array("i"), array("q")
        if cache:
            self.a, self.b, self.p, self.random = cache
            return
        pattern = self.comparer.pattern
        for i in range(len(table.rows)):
            found = self.candidates.partners(i)
            self.a.extend([i] * len(found))
            self.b.extend(found)
            self.p.extend([pattern(i, j) for j in found])
        if DEBUG: print("scan", round(time.time() - t, 2), "pairs", len(self.a), "patterns", len(set(self.p)))
        self.random = sample_u(self.comparer, 200_000)
        if DEBUG: print("sample", round(time.time() - t, 2))

    def pairs_total(self) -> float:
        n = len(self.table.rows)
        return n * (n - 1) / 2

    def u_of(self, freq: Frequencies, lam: float, m: list[list[float]]) -> list[list[float]]:
        result = []
        for at, column in enumerate(self.columns):
            top = len(column.labels)
            got = self.random[at]
            present = sum(got[1:])
            u = [0.0] * (top + 1)
            exact = freq.u_exact[at]
            for level in range(1, top + 1):
                sampled = (got[level] + 0.2) / (present + 1) if present else 0.0
                sampled = max(sampled - lam * m[at][level], sampled * 0.1, 1e-7)
                u[level] = sampled
            top_u = exact.get(top)
            if top_u:
                if column.name == "given name":
                    share = (got[7] + 0.5) / (got[6] + got[7] + 1)
                    u[7], u[6] = top_u * share, top_u * (1 - share)
                else:
                    u[top] = top_u
            rest = 1 - sum(u[2:])
            u[1] = max(rest, 0.01)
            result.append(u)
        return result

    def tf_of(self, i: int, j: int, p: int, freq: Frequencies) -> float:
        total = 0.0
        one, other = self.table.rows[i], self.table.rows[j]
        for at in range(self.k):
            level = p >> at * BITS & 7
            table = freq.tf[at].get(level)
            if table is not None:
                x, y = table[one[at]], table[other[at]]
                total += x if x < y else y
        return total

    def train(self, loops: int = 3, classes: int = 3) -> Trained:
        t = time.time()
        n = len(self.table.rows)
        m = [[0.0, *column.usual] for column in self.columns]
        lam = 1.0 / max(n, 2)
        weights = None
        live = range(len(self.a))
        r = None
        lam_r = 0.0
        shared = {"family name", "phone", "street", "postcode", "city", "region", "country"}
        support = {"phone", "street"} & {c.name for c in self.columns} and "given name" in {c.name for c in self.columns}
        for loop in range(loops):
            freq = Frequencies(self.table, weights)
            u = self.u_of(freq, lam, m)
            top = [row[-1] if column.name != "given name" else row[6] + row[7] for row, column in zip(m, self.columns)]
            record = None if weights is None else [min(w[i] for w in weights) for i in range(n)]
            self.edges = tree(joint_agreement(self.table, record, lam, top), top, self.k)
            if DEBUG: print("edges", [(self.columns[f].name, self.columns[g].name, round(x, 1)) for f, g, x in self.edges])
            self.inter = {}
            patterns: Counter = Counter()
            if DEBUG: print("freq", round(time.time() - t, 2))
            tfs = array("b", bytes(len(self.a)))
            for k in live:
                tf = round(self.tf_of(self.a[k], self.b[k], self.p[k], freq))
                tf = -12 if tf < -12 else 12 if tf > 12 else tf
                tfs[k] = tf
                patterns[self.p[k] * 32 + tf + 12] += 1
            if DEBUG: print("tf", round(time.time() - t, 2), len(patterns))
            if classes == 3 and support and r is None and loop == 0:
                pass
            if support and classes == 3 and loop == 1:
                r = []
                for at, column in enumerate(self.columns):
                    if column.name in shared:
                        r.append([0.0] + [0.9 * m[at][l] + 0.1 / len(column.labels) for l in range(1, len(column.labels) + 1)])
                    else:
                        r.append([0.0] + [0.97 * u[at][l] + 0.03 * m[at][l] for l in range(1, len(column.labels) + 1)])
                lam_r = lam * 0.2
            m, r, lam, lam_r = self.em(patterns, m, u, r, lam, lam_r)
            W, R = self.tables(m, u, r)
            lw, lr = log2(lam), (log2(lam_r) if r else -999.0)
            if DEBUG: print("em", round(time.time() - t, 2), "lam*N", round(lam * self.pairs_total()), "rel", round(lam_r * self.pairs_total()))
            weights = [[1.0] * n for _ in self.columns]
            keep = []
            post: dict[int, float] = {}
            for k in live:
                key = self.p[k] * 32 + tfs[k] + 12
                if key not in post:
                    s, s2 = self.scores(self.p[k], tfs[k], W, R, lw, lr)
                    post[key] = s if s < -14 else (1 / (1 + 2.0 ** -s + 2.0 ** min(s2 - s, 60)) if s > -60 else 0)
                prob = post[key]
                if prob <= -14:
                    continue
                keep.append(k)
                if prob > 0.01:
                    p = self.p[k]
                    for at in range(self.k):
                        if (p >> at * BITS & 7) == len(self.columns[at].labels) or (at == self.comparer.given and (p >> at * BITS & 7) == 6):
                            weights[at][self.a[k]] += prob
                            weights[at][self.b[k]] += prob
            for column in weights:
                for i in range(n):
                    column[i] = 1 / column[i]
            live = keep
            if DEBUG: print("live", len(live), round(time.time() - t, 2))
        freq = Frequencies(self.table, weights)
        u = self.u_of(freq, lam, m)
        W, R = self.tables(m, u, r)
        self.live = live
        return Trained(W, R, log2(lam), log2(lam_r) if r else -999.0, m, u, r, freq)

    def tables(self, m, u, r):
        W, R = [], []
        for at, column in enumerate(self.columns):
            top = len(column.labels)
            w = [0.0] + [log2(m[at][l] / u[at][l]) for l in range(1, top + 1)]
            w = monotone(w, [m[at][l] for l in range(top + 1)], column)
            W.append(w + [0.0] * (8 - len(w)))
            if r:
                R.append([0.0] + [log2(r[at][l] / u[at][l]) for l in range(1, top + 1)] + [0.0] * (7 - top))
        order = [0.0, 0.02, -3.0] + [0.0] * 5
        W.append(order)
        if r:
            R.append(order)
        return W, (R if r else None)

    def together(self, p):
        known = self.inter.get(p)
        if known is None:
            known = 0.0
            for f, g, bits in self.edges:
                if self.agrees(f, p >> f * BITS & 7) and self.agrees(g, p >> g * BITS & 7):
                    known -= bits
            self.inter[p] = known
        return known

    def agrees(self, at, level):
        return level >= AGREE[self.columns[at].name]

    def scores(self, p, tf, W, R, lw, lr):
        tf += self.together(p)
        s = lw + tf
        s2 = lr + tf
        for at in range(self.k + 1):
            level = p >> at * BITS & 7
            if level:
                s += W[at][level]
                if R:
                    s2 += R[at][level]
        return s, s2 if R else -999.0

    def em(self, patterns, m, u, r, lam, lam_r, rounds=40):
        N = self.pairs_total()
        k = self.k
        prior_strength = 15.0
        usual = [[0.0, *column.usual] for column in self.columns]
        r0 = [list(x) for x in r] if r else None
        items = []
        for key, count in patterns.items():
            p = key >> 5
            items.append((tuple(at * 8 + (p >> at * BITS & 7) for at in range(k + 1) if p >> at * BITS & 7), (key & 31) - 12 + self.together(p), count))
        items.sort()
        active = items
        for it in range(rounds):
            W, R = self.tables(m, u, r)
            flat = [x for row in W for x in row]
            flat_r = [x for row in R for x in row] if r else None
            lw = log2(lam)
            lr = log2(lam_r) if r else 0.0
            acc = [0.0] * (8 * (k + 1))
            acc_r = [0.0] * (8 * (k + 1))
            total = total_r = 0.0
            if it == 3:
                nxt = []
                for item in active:
                    s = lw + item[1] + sum([flat[i] for i in item[0]])
                    if s > -25 or (r and lr + item[1] + sum([flat_r[i] for i in item[0]]) > -15):
                        nxt.append(item)
                active = nxt
            for idx, tf, count in active:
                s = lw + tf + sum([flat[i] for i in idx])
                if r:
                    s2 = lr + tf + sum([flat_r[i] for i in idx])
                    if s < -20 and s2 < -12:
                        continue
                    a, b = 2.0 ** min(s, 60), 2.0 ** min(s2, 60)
                    z = 1 + a + b
                    q = a / z * count
                    q2 = b / z * count
                    if q2 > 1e-6:
                        total_r += q2
                        for i in idx:
                            acc_r[i] += q2
                else:
                    if s < -20:
                        continue
                    q = count / (1 + 2.0 ** -s) if s > -60 else 0
                total += q
                if q > 1e-7:
                    for i in idx:
                        acc[i] += q
            new_lam = max((total + 1) / (N + 2), 1e-12)
            new_m = []
            for at, column in enumerate(self.columns):
                row = [0.0]
                present = sum(acc[at * 8 + 1 : at * 8 + 8]) + prior_strength
                for l in range(1, len(column.labels) + 1):
                    row.append((acc[at * 8 + l] + prior_strength * usual[at][l]) / present)
                new_m.append(row)
            change = max(abs(x - y) for a_, b_ in zip(m, new_m) for x, y in zip(a_, b_))
            m = new_m
            lam = new_lam
            if r:
                lam_r = max((total_r + 0.1) / (N + 2), 1e-12)
                nr = []
                for at, column in enumerate(self.columns):
                    row = [0.0]
                    if column.personal and column.name != "e-mail":
                        nr.append(r0[at])
                        continue
                    present = sum(acc_r[at * 8 + 1 : at * 8 + 8]) + 30
                    for l in range(1, len(column.labels) + 1):
                        row.append((acc_r[at * 8 + l] + 30 * r0[at][l]) / present)
                    nr.append(row)
                r = nr
            if change < 0.0005 and it > 5:
                break
        return m, r, lam, lam_r


def monotone(w, m, column):
    """Weights that do not fall as agreement gets better: neighbours that do are pooled."""
    blocks = []
    for l in range(1, len(w)):
        blocks.append([w[l], max(m[l], 1e-6), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            x, y = blocks.pop(), blocks.pop()
            t = x[1] + y[1]
            blocks.append([(x[0] * x[1] + y[0] * y[1]) / t, t, x[2] + y[2]])
    out = [0.0]
    for value, _, n in blocks:
        out += [value] * n
    return out
