"""The review page of a CSV file: what is doubtful among its rows, with what stands in their cells.

Invariant: a row is shown by the columns that are compared, and by nothing else. A row without an id of its own is on no
page, nor is its customer, since a decision could not find it again: what the page saves can always be taken over.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import attrs

from crmcore.cli.deciding import Deciding
from crmcore.cli.records import Records
from crmcore.cli.terminal import counted
from crmcore.identity.deduplication import Deduplication, MatchedPair
from crmcore.identity.review import NEAR, SHOWN, Review, ReviewItem, ReviewLink, ReviewRecord, steps_of
from crmcore.identity.review_decisions import LONGEST_ID, MOST_RECORDS, can_be_named
from crmcore.values.ids import Id, Ids

_BETWEEN = "\x1f"


@attrs.frozen(kw_only=True)
class Unasked:
    """How many *pairs* and *customers* are not on a page since a row of them has no id of its own, and how many
    customers are too *large*."""

    pairs: int
    customers: int
    large: int

    @property
    def notes(self) -> list[str]:
        """What to tell of it."""
        said = [
            counted(count, one, more)
            for count, one, more in (
                (self.pairs, "pair", "pairs"),
                (self.customers, "joined customer", "joined customers"),
            )
            if count
        ]
        found = []
        if said:
            are = "is" if self.pairs + self.customers == 1 else "are"
            why = "no id of one row alone, or one too long; choose --id-column"
            found.append(f"{' and '.join(said)} {are} not on the page: {why}")
        if self.large:
            are = counted(self.large, "joined customer is", "joined customers are")
            found.append(f"{are} not on the page: more than {MOST_RECORDS:,} rows; split them by --labels")
        return found


def review_of_file(
    found: Deduplication, deciding: Deciding, records: Records, options: argparse.Namespace
) -> tuple[Review, Unasked]:
    """What a person should look at, and what cannot be asked about.

    Raises:
        UnreadableFile: if the file is not what it was.
    """
    made_at = datetime.now(UTC)
    known = records.known
    named = [id in known and can_be_named(id) for id in records.ids]
    pairs = [pair for pair in found.unsure if named[pair.a] and named[pair.b]]
    groups = found.groups
    joined = _weakly_joined(found, deciding)
    unnamed = {label for label in joined if not all(named[at] for at in groups[label])}
    large = {label for label in joined.keys() - unnamed if len(groups[label]) > MOST_RECORDS}
    weak = {label: links for label, links in joined.items() if label not in unnamed | large}
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
    return review, Unasked(pairs=len(found.unsure) - len(pairs), customers=len(unnamed), large=len(large))


def _weakly_joined(found: Deduplication, deciding: Deciding) -> dict[int, list[MatchedPair]]:
    """The weak links of each customer that has such, weakest first."""
    below = (deciding.policy.same_at if deciding.model is not None else 0) + NEAR
    weak: dict[int, list[MatchedPair]] = {}
    for pair in reversed(found.links):
        if pair.match.weak or pair.match.score < below:
            weak.setdefault(found.labels[pair.a], []).append(pair)
    return weak


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
    """An id that the same two rows have on every page of the file, and no other two rows."""
    ids = sorted(records.ids[at] for at in ends)
    joined = _BETWEEN.join(ids)
    if len(joined) <= LONGEST_ID and joined.count(_BETWEEN) == 1:
        return joined
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()
