"""The review page of a CSV file: what is doubtful among its rows, with what stands in their cells.

Invariant: a row is shown by the columns that are compared, and by nothing else. A row whose id others have too is on
no page, since a decision could not find it again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from crmcore.cli.deciding import Deciding
from crmcore.cli.records import Records
from crmcore.identity.deduplication import Deduplication, MatchedPair
from crmcore.identity.review import NEAR, SHOWN, Review, ReviewItem, ReviewLink, ReviewRecord, steps_of
from crmcore.values.ids import Id, Ids


def review_of_file(
    found: Deduplication, deciding: Deciding, records: Records, options: argparse.Namespace
) -> tuple[Review, int]:
    """What a person should look at, and how many pairs cannot be asked about."""
    made_at = datetime.now(UTC)
    known = records.known
    named = [records.ids[at] in known for at in range(len(records.ids))]
    pairs = [pair for pair in found.unsure if named[pair.a] and named[pair.b]]
    below = (deciding.policy.same_at if deciding.model is not None else 0) + NEAR
    weak: dict[int, list[MatchedPair]] = {}
    for pair in reversed(found.links):
        near = pair.match.weak or pair.match.score < below
        if near and named[pair.a] and named[pair.b]:
            weak.setdefault(found.labels[pair.a], []).append(pair)
    groups = found.groups
    shown = {label: _shown(links, groups[label]) for label, links in weak.items()}
    wanted = {end for pair in pairs for end in (pair.a, pair.b)} | {
        at for own in shown.values() for at in own
    }
    cells = records.cells(wanted, options.without)
    items = [
        _pair(pair, records, cells, [len(groups[found.labels[at]]) - 1 for at in (pair.a, pair.b)])
        for pair in pairs
    ]
    items += [_customer(links, shown[label], groups[label], records, cells) for label, links in weak.items()]
    review = Review(
        id=Ids(lambda: int(made_at.timestamp() * 1000)).new(Id),
        made_at=made_at,
        of="file",
        name=records.name,
        digest=records.digest,
        items=tuple(items),
        decided_by=(found.matcher,),
        same_at=deciding.policy.same_at if deciding.model is not None else None,
        review_at=deciding.policy.review_at if deciding.model is not None else None,
        order=tuple(field.replace("_", " ") for field in records.columns),
    )
    return review, len(found.unsure) - len(pairs)


def _shown(links: Sequence[MatchedPair], group: Sequence[int]) -> list[int]:
    ends = dict.fromkeys(end for pair in links for end in (pair.a, pair.b))
    return list(dict.fromkeys([*ends, *group]))[:SHOWN]


def _pair(
    pair: MatchedPair, records: Records, cells: Mapping[int, Mapping[str, str]], others: Sequence[int]
) -> ReviewItem:
    ends = (pair.a, pair.b)
    return ReviewItem(
        id=_named(records, ends),
        kind="pair",
        records=tuple(_record(records, cells, at, more) for at, more in zip(ends, others, strict=True)),
        links=(_link(pair, ends),),
    )


def _customer(
    links: Sequence[MatchedPair],
    shown: Sequence[int],
    group: Sequence[int],
    records: Records,
    cells: Mapping[int, Mapping[str, str]],
) -> ReviewItem:
    return ReviewItem(
        id=_named(records, (links[0].a, links[0].b)),
        kind="customer",
        records=tuple(_record(records, cells, at, 0) for at in shown),
        links=tuple(_link(pair, shown) for pair in links if {pair.a, pair.b} <= set(shown)),
        more=tuple(records.ids[at] for at in group if at not in set(shown)),
    )


def _record(records: Records, cells: Mapping[int, Mapping[str, str]], at: int, others: int) -> ReviewRecord:
    fields = tuple((field.replace("_", " "), text) for field, text in cells.get(at, {}).items())
    return ReviewRecord(id=records.ids[at], fields=fields, others=others)


def _link(pair: MatchedPair, shown: Sequence[int]) -> ReviewLink:
    return ReviewLink(
        a=shown.index(pair.a),
        b=shown.index(pair.b),
        score=pair.match.score,
        steps=steps_of(pair.match.reasons),
    )


def _named(records: Records, ends: tuple[int, int]) -> str:
    """An id that the same two rows have on every page of the file."""
    return "\x1f".join(sorted(records.ids[at] for at in ends))
