"""What the tables of cases state, and which of their rows a change of a pack can reach.

Invariant: a row is never left out that a change could reach by the rules on its docket; a row that the packs as they
are answer otherwise states nothing here. What a row states is its answer and, in our own tables, the rule behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import attrs

from crmcore.consent.decision import decide
from crmcore.consent.pack import Pack
from crmcore.consent.pack_reading import Laws, shipped_laws, shipped_packs
from crmcore.consent.vectors import Vector, read_vectors
from crmcore.consent.zones import zone
from crmcore.errors import CrmError
from tests.benchmarks.consent.changing import Mutant
from tests.consent import in_force

FOLDER = Path(__file__).parents[2] / "consent"
OURS = ("europe", "world", "united_states", "strict")
"""Tables that also state the rule which decides."""
SHARED = "decision_vectors"
STATUTES = "tests/consent/in_force.py"
"""Where the days are told on which statutes began, which a test compares with the packs."""


@attrs.frozen(eq=False, kw_only=True)
class Row:
    """One row: *met* are the rules on its docket, with those that defeat them, *day* its day where its law is made.

    *exercises*: somebody exercised a right by name.
    """

    vector: Vector
    rule: str | None
    met: frozenset[str]
    day: date
    exercises: bool

    def told_apart(self, laws: Laws) -> bool:
        """Whether *laws* answer otherwise than the row states; a law that cannot answer does."""
        one = self.vector
        try:
            found = decide(
                one.request,
                one.facts,
                jurisdictions=(one.jurisdiction,),
                laws=laws,
                policy=one.policy,
                trace=False,
            )
        except CrmError:
            return True
        return found.answer != one.expected or (
            self.rule is not None and (found.rule or "no_permit") != self.rule
        )


@cache
def vectors() -> tuple[tuple[Vector, bool], ...]:
    """All rows, each with whether it states its rule."""
    tables = [(name, name in OURS) for name in (*OURS, SHARED)]
    return tuple((one, ours) for name, ours in tables for one in read_vectors(FOLDER / f"{name}.csv"))


@cache
def rows(jurisdiction: str) -> tuple[Row, ...]:
    """The rows about *jurisdiction* that its law, as it is, answers as they state."""
    return tuple(_rows(jurisdiction))


def _rows(jurisdiction: str) -> Iterator[Row]:
    laws = shipped_laws()
    law = laws.of(jurisdiction)
    where = zone(law.pack.zone)
    for one, ours in vectors():
        if one.jurisdiction != jurisdiction:
            continue
        found = decide(
            one.request, one.facts, jurisdictions=(jurisdiction,), laws=laws, policy=one.policy, trace=True
        )
        looked_at = {hit.rule for hit in found.trace}
        row = Row(
            vector=one,
            rule=one.rule if ours else None,
            met=frozenset(looked_at.union(*(law.by_id[name].defeated_by for name in looked_at))),
            day=one.request.at.astimezone(where).date(),
            exercises=any(event.scope.right is not None for event in one.facts.events),
        )
        if not row.told_apart(laws):
            yield row


def chain(pack: Pack, packs: Mapping[str, Pack]) -> Iterator[str]:
    """The ids of the packs whose rules hold where *pack* does: its own and those that it includes."""
    yield pack.id
    for name in pack.includes:
        yield from chain(packs[name], packs)


@cache
def under(pack: str) -> tuple[str, ...]:
    """The jurisdictions in whose law *pack* is, its own first."""
    packs = shipped_packs()
    found = [one.jurisdiction for one in packs.values() if pack in chain(one, packs)]
    return tuple(sorted(found, key=lambda name: name != packs[pack].jurisdiction))


def killer(mutant: Mutant) -> str | None:
    """What tells *mutant* from its pack, if anything does: the first row, by its id, or the dates of statutes."""
    return _row(mutant) or (STATUTES if _dated_otherwise(mutant) else None)


def _dated_otherwise(mutant: Mutant) -> bool:
    """Whether a rule has other dates than those that are told of it."""
    if mutant.edge is None:
        return False
    told = in_force.stated(mutant.part)
    rule = next(one for one in mutant.pack.rules if one.id == mutant.part)
    return told is not None and told != (rule.since, rule.until)


def _row(mutant: Mutant) -> str | None:
    """The id of the first row that *mutant* answers otherwise."""
    packs = {**shipped_packs(), mutant.pack.id: mutant.pack}
    by_place = {pack.jurisdiction: pack for pack in packs.values()}
    for place in under(mutant.pack.id):
        reached = _reached(mutant, rows(place))
        if not reached:
            continue
        laws = Laws({name: packs[name] for name in chain(by_place[place], packs)})
        for row in reached:
            if row.told_apart(laws):
                return row.vector.id
    return None


def _reached(mutant: Mutant, stated: Iterable[Row]) -> list[Row]:
    """The rows that *mutant* may reach, those first that its part decides."""
    if mutant.edge is not None:
        edge = mutant.edge.toordinal()
        return [row for row in stated if abs(row.day.toordinal() - edge) <= 1]
    if " " in mutant.part:  # no rule: a profile, a grace, a number, what is left out
        return list(stated)
    found = [row for row in stated if mutant.part in row.met or row.exercises]
    return sorted(found, key=lambda row: row.rule != mutant.part)
