"""The first matcher."""

from __future__ import annotations

from math import log2

import attrs

from crmcore.identity.evidence import Finding, findings
from crmcore.identity.features import Features
from crmcore.identity.keys import blocking_keys
from crmcore.identity.matcher import Match, Reason, Verdict
from crmcore.identity.population import Population

POINTS_A_BIT = 16
import os
MARGIN=float(os.environ.get('MARGIN',3))


@attrs.frozen
class RuleMatcher:
    name: str = "rules/1"

    def keys(self, features: Features) -> frozenset[str]:
        return blocking_keys(features)

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        if a.kind != b.kind and "anonymous" not in (a.kind, b.kind):
            return Match("different", 0, (Reason("kind", "different", 0, (a.kind, b.kind)),), contradicted=True)
        found = findings(a, b, population)
        import os
        E = lambda k, d: float(os.environ.get(k, d))
        bits = 0.0
        by = {}
        lone = False
        for f in found:
            bits += f.bits
            by[f.field] = f
            if f.agrees and f.bits >= 18 and f.field in ("e-mail", "identifier"):
                lone = True
        need = log2(max(population.size, 256)) + MARGIN
        bars = contradicted(found, a.kind)
        agreeing = {f.field for f in found if f.agrees}
        name = by.get("name")
        if name and name.level != "same" and "place" in agreeing and by["place"].level in ("moved country", "moved region", "same country", "same region") and E("C",1):
            agreeing.discard("place")
        if name and name.level in ("unlike", "relatives", "strangers") and E("D",1):
            house = agreeing & {"place", "phone"}
            if house: agreeing = agreeing - house | {"house"}
            lone = False
        born = "birth date" in agreeing
        if "identifier" in agreeing: bars = False
        elif bars and born and by["birth date"].level == "same" and not any(f.level == "different" and f.field in ("e-mail", "phone", "identifier") for f in found): bars = False
        agreeing = len(agreeing)
        if bits >= need and (agreeing >= 2 or (lone and agreeing)) and not bars:
            verdict: Verdict = "same"
        elif bits >= need - 6 and agreeing:
            verdict = "unsure"
        else:
            verdict = "different"
        reasons = tuple([Reason(f.field, f.level, round(f.bits * POINTS_A_BIT), f.values) for f in found])
        return Match(verdict, round(bits * POINTS_A_BIT), reasons, verdict == "same" and bits < need + E("WEAK",2), bars and not born)


def contradicted(found: list[Finding], kind: str) -> bool:
    for f in found:
        if f.field == "name" and f.level in ("relatives", "strangers", "generation"):
            return True
        if kind == "organization" and f.field == "place" and (f.level.startswith("moved") or f.level == "different") and f.values[0].door and f.values[1].door:
            return True
    return False
