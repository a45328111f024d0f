"""What waits for a person: pairs that a model is unsure of, and links by which it joined records.

Invariant: what waits follows from the live judgements alone. A pair or a link that a person has judged waits no more;
neither does a pair that has become one customer, nor a link that joins nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs

from crmcore.identity.customer import Partition
from crmcore.identity.judgement import Judgement, Pair, standing
from crmcore.values.ids import CustomerId, JudgementId
from crmcore.values.personal import Document

Place = Literal["pair", "link", "weak"]
"""In which order a judgement waits: a doubtful *pair*, a *link* of a customer, or one that the model calls weak."""


@attrs.frozen(kw_only=True)
class Queue(Document):
    """That a store keeps what waits in an order. One written before there was such an order has no record of it."""

    order: int = 1


def place_of(judgement: Judgement) -> Place | None:
    """Where a judgement waits as long as nothing else is known of its two parties."""
    if judgement.human or not judgement.live or judgement.verdict == "different":
        return None
    if judgement.verdict == "unsure":
        return "pair"
    return "weak" if judgement.weak else "link"


def waiting(judgements: Iterable[Judgement], partition: Partition) -> dict[JudgementId, Place]:
    """Which of *judgements* wait, and where. *partition* is what follows from them.

    Of two customers all doubtful pairs wait, although only the likeliest is asked about: another one takes its place
    when it is taken back.
    """
    used = {(link.a, link.b) for link in partition.used if not link.human}
    known = standing(judgements)
    settled = {_two(pair, partition) for pair, j in known.items() if j.human and _inside(pair, partition)}
    places: dict[JudgementId, Place] = {}
    for pair, judgement in known.items():
        place = place_of(judgement)
        if place is None or not _inside(pair, partition):
            continue
        if place == "pair":
            two = _two(pair, partition)
            if len(two) == 2 and two not in settled:
                places[judgement.id] = place
        elif pair in used:
            places[judgement.id] = place
    return places


def _inside(pair: Pair, partition: Partition) -> bool:
    return pair[0] in partition and pair[1] in partition


def _two(pair: Pair, partition: Partition) -> frozenset[CustomerId]:
    return frozenset(map(partition.of, pair))
