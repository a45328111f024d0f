"""Replaying a table of decision vectors: where the packs agree with it, and where not, and why.

Invariant: every row is answered and counted, whatever the answer is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from crmcore.consent.decision import Decision, decide
from crmcore.consent.pack_reading import Laws, shipped_laws
from crmcore.consent.vectors import Vector
from crmcore.errors import InvalidConsent


@attrs.frozen(kw_only=True)
class Disagreement:
    """A row that the packs answer otherwise. *trace* is every rule that fired, was defeated or could not be told."""

    id: str
    jurisdiction: str
    confidence: str
    expected: str
    got: str
    rule: str | None
    trace: tuple[str, ...]


def replay(vectors: Iterable[Vector], laws: Laws | None = None) -> Iterator[tuple[str, Disagreement | None]]:
    """For each row its jurisdiction, and how the packs disagree, if they do.

    Raises:
        InvalidConsent: if the jurisdiction of a row is no code, with the id of the row.
    """
    laws = shipped_laws() if laws is None else laws
    for vector in vectors:
        decision = decide(
            vector.request,
            vector.facts,
            jurisdictions=_place(vector, laws),
            laws=laws,
            policy=vector.policy,
        )
        if decision.answer == vector.expected:
            yield vector.jurisdiction, None
        else:
            yield (
                vector.jurisdiction,
                Disagreement(
                    id=vector.id,
                    jurisdiction=vector.jurisdiction,
                    confidence=vector.confidence,
                    expected=vector.expected,
                    got=decision.answer,
                    rule=decision.rule,
                    trace=tuple(_told(decision)),
                ),
            )


def _place(vector: Vector, laws: Laws) -> tuple[str, ...]:
    try:
        return laws.told((vector.jurisdiction,))
    except InvalidConsent as error:
        raise InvalidConsent(f"the row {vector.id} cannot be read: {error}") from None


def _told(decision: Decision) -> Iterator[str]:
    yield from decision.reasons
    for hit in decision.trace:
        if hit.status != "not_applicable":
            by = f" by {hit.defeated_by}" if hit.defeated_by else ""
            yield f"{hit.rule}: {hit.effect}, {hit.status}{by} ({hit.cite})"
    if decision.missing:
        yield f"to be found out: {', '.join(decision.missing)}"
