"""The page of a review: its records, links and steps in as few letters as will do, for the page's script to draw.

Invariant: a record or a label that occurs often is written once; amounts are whole hundredths of a bit.
"""

from __future__ import annotations

from typing import Any

from crmcore.identity.model.policy import UNIT
from crmcore.identity.review import Review, ReviewItem, ReviewLink, ReviewRecord
from crmcore.identity.review_decisions import LONGEST_NAME, LONGEST_NOTE, MOST_PAIRS
from crmcore.render import Html, application
from crmcore.values.instant import to_text


def review_page(review: Review) -> Html:
    """One HTML document on which a person decides."""
    return application("review", _Packing(review).data(), title="Review duplicates")


class _Packing:
    """Texts and records as positions in lists. The names of fields come first, in the order in which they are shown."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.labels = {name: at for at, name in enumerate(dict.fromkeys(review.order))}
        self.records: dict[ReviewRecord, int] = {}

    def data(self) -> dict[str, Any]:
        review = self.review
        items = [self.item(item) for item in review.items]
        known = (("review from", review.review_at), ("same from", review.same_at))
        return {
            "page": {
                "id": review.id,
                "made_at": to_text(review.made_at),
                "of": review.of,
                "name": review.name,
                "digest": review.digest,
                "decided_by": list(review.decided_by),
            },
            "marks": [[name, _hundredths(at)] for name, at in known if at is not None],
            "limits": {"note": LONGEST_NOTE, "name": LONGEST_NAME, "pairs": MOST_PAIRS},
            "labels": list(self.labels),
            "records": [self.record(record) for record in self.records],
            "items": items,
        }

    def item(self, item: ReviewItem) -> list[Any]:
        for record in item.records:
            for label, _ in record.fields:
                self.label(label)
        records = [self.records.setdefault(record, len(self.records)) for record in item.records]
        links = [self.link(link) for link in item.links]
        return [item.id, int(item.kind == "customer"), records, links, list(item.more)]

    def link(self, link: ReviewLink) -> list[Any]:
        steps = [[self.label(step.label), _hundredths(step.points)] for step in link.steps]
        return [link.a, link.b, _hundredths(link.score), steps]

    def record(self, record: ReviewRecord) -> list[Any]:
        return [record.id, record.others, [[self.label(label), value] for label, value in record.fields]]

    def label(self, text: str) -> int:
        return self.labels.setdefault(text, len(self.labels))


def _hundredths(points: int) -> int:
    """Points as hundredths of a bit."""
    return round(points * 100 / UNIT)
