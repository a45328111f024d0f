"""What a person decided on a review page, as its file says.

Invariant: a file is taken whole or refused in one sentence that shows nothing of it. Whatever it holds, reading it
costs no more than its size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import product
from typing import Any, Literal, cast, get_args

import attrs

from crmcore.errors import CrmError, InvalidDecisions, InvalidId, InvalidSource
from crmcore.identity.review import Kind, Of
from crmcore.values.ids import Id
from crmcore.values.instant import from_text
from crmcore.values.personal import personal
from crmcore.values.source import Actor

FORMAT = "crmcore.decisions/1"
_UNFIT = re.compile("[\x00\ud800-\udfff]")

MOST_BYTES = 64 << 20
"""A larger file is not read: 100,000 decisions take less."""

MOST = 100_000
LONGEST_ID, MOST_RECORDS, MOST_PAIRS = 512, 1000, 5000
"""Characters of an id; records of an item; and pairs that splitting it makes different."""

LONGEST_NOTE, LONGEST_NAME = 1000, 256
"""Characters of a note, and of the name or id of who decided."""

ReviewVerdict = Literal["same", "different", "skip"]
Pair = tuple[str, str]
"""The ids of two records."""


@attrs.frozen(kw_only=True)
class ReviewDecision:
    """A *verdict* on an *item* with these *records*, of which *links* (positions) were shown and *apart* are split off.

    *by* is who decided, if the page was told, and *at* when; if it was decided on an earlier page, when that page was
    made. To skip is to decide nothing.
    """

    item: str = personal()
    kind: Kind
    records: tuple[str, ...] = personal()
    verdict: ReviewVerdict
    links: tuple[tuple[int, int], ...] = ()
    apart: frozenset[str] = personal(default=frozenset())
    note: str = personal(default="")
    by: str | None = personal(class_="internal", default=None)
    at: datetime | None = None

    @property
    def size(self) -> int:
        """How many records and pairs it concerns."""
        split = len(self.apart)
        return len(self.records) + len(self.links) + split * (len(self.records) - split)

    @property
    def said(self) -> Iterator[tuple[Literal["same", "different"], Pair]]:
        """The decision as what it says of pairs of records.

        Whoever splits records off a customer has looked at the links of the others, and leaves them as they are.
        """
        if self.verdict == "skip":
            return
        if self.kind == "pair":
            yield self.verdict, (self.records[0], self.records[1])
            return
        split = [record for record in self.records if record in self.apart]
        rest = [record for record in self.records if record not in self.apart]
        for a, b in product(split, rest):
            yield "different", (a, b)
        for link in self.links:
            one, other = self.records[link[0]], self.records[link[1]]
            if self.apart.isdisjoint({one, other}):
                yield "same", (one, other)


@attrs.frozen(kw_only=True)
class Decisions:
    """The decisions made on the page *page*, which was made at *made_at* of a store or file called *name*."""

    page: str
    made_at: datetime
    of: Of
    name: str
    digest: str = ""
    decisions: tuple[ReviewDecision, ...]

    @classmethod
    def parse(cls, text: str | bytes) -> Decisions:
        """Read the file that a review page has saved.

        Raises:
            InvalidDecisions: if it is none, or was changed so that it says nothing clear.

        >>> Decisions.parse("[]")
        Traceback (most recent call last):
        crmcore.errors.InvalidDecisions: this is no file of decisions: take the one that a review page has saved
        """
        if not isinstance(text, (str, bytes)):
            raise InvalidDecisions("this is no file of decisions: give what the file holds, as str or bytes")
        if len(text) > MOST_BYTES:
            raise InvalidDecisions(
                f"this is no file of decisions: it is larger than {MOST_BYTES >> 20} MB, and no page saves that much"
            )
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise InvalidDecisions("this is no file of decisions: take the one that a review page has saved")
        page = _object(document.get("page"), "its page")
        found = _array(document.get("decisions"), "its decisions", MOST)
        decisions = tuple(_decision(item, number) for number, item in enumerate(found, start=1))
        if not decisions:
            raise InvalidDecisions(
                "the file holds no decision: decide something on the review page, and save"
            )
        if len({decision.item for decision in decisions}) < len(decisions):
            raise InvalidDecisions("the file decides one thing twice: save it again from the review page")
        of: Of = _word(page.get("of"), get_args(Of), "its page")
        if of == "store":
            _check_ids(decisions)
        return cls(
            page=_text(page.get("id"), "its page"),
            made_at=_moment(page.get("made_at"), "its page"),
            of=of,
            name=_text(page.get("name"), "its page"),
            digest=_text(page.get("digest", ""), "its page", empty=True),
            decisions=decisions,
        )


def can_be_named(id: str) -> bool:
    """Whether a file of decisions can name a record or an item by this id.

    >>> can_be_named("0a"), can_be_named(""), can_be_named("a" * 513)
    (True, False, False)
    """
    return 0 < len(id) <= LONGEST_ID and not _UNFIT.search(id)


def _decision(data: Any, number: int) -> ReviewDecision:
    where = f"decision {number}"
    found = _object(data, where)
    records = tuple(_text(record, where) for record in _array(found.get("records"), where, MOST_RECORDS))
    kind = _word(found.get("kind"), get_args(Kind), where)
    if len(set(records)) < len(records) or len(records) < 2 or (kind == "pair" and len(records) > 2):
        raise _unclear(where)
    verdict = _word(found.get("verdict"), get_args(ReviewVerdict), where)
    apart = frozenset(_text(record, where) for record in _array(found.get("apart", []), where, MOST_RECORDS))
    splits = verdict == "different" and kind == "customer"
    if bool(apart) != splits or not apart < set(records):
        raise _unclear(where)
    links = tuple(
        _link(link, len(records), where) for link in _array(found.get("links", []), where, MOST_RECORDS)
    )
    if kind == "customer" and verdict == "same" and not links:
        raise _unclear(where)  # it would say nothing of anybody
    if len(apart) * (len(records) - len(apart)) > MOST_PAIRS:
        raise InvalidDecisions(f"{where} of the file splits off too many records at once: split off fewer")
    return ReviewDecision(
        item=_text(found.get("item"), where),
        kind=kind,
        records=records,
        verdict=verdict,
        links=links,
        apart=apart,
        note=_text(found.get("note", ""), where, empty=True, most=LONGEST_NOTE),
        by=_by(found.get("by"), where),
        at=_moment(found["at"], where) if found.get("at") not in (None, "") else None,
    )


def _check_ids(decisions: Iterable[ReviewDecision]) -> None:
    """Refuse what cannot be the ids of a store's records: they are told to whoever takes the decisions over."""
    for number, decision in enumerate(decisions, start=1):
        try:
            for id in (decision.item, *decision.records):
                Id.parse(id)
        except InvalidId:
            raise _unclear(f"decision {number}") from None


def _link(data: Any, count: int, where: str) -> tuple[int, int]:
    ends = _array(data, where, 2)
    if (
        len(ends) != 2
        or any(type(end) is not int or not 0 <= end < count for end in ends)
        or ends[0] == ends[1]
    ):
        raise _unclear(where)
    return ends[0], ends[1]


def _by(data: Any, where: str) -> str | None:
    if data is None:
        return None
    try:
        return Actor(kind="person", id=data).id
    except InvalidSource:
        raise _unclear(where) from None


def _unclear(where: str) -> InvalidDecisions:
    return InvalidDecisions(
        f"{where} of the file is not as a review page saves it: save it again from the page, unchanged"
    )


def _object(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise _unclear(where)
    return cast("Mapping[str, Any]", data)


def _array(data: Any, where: str, most: int) -> list[Any]:
    if not isinstance(data, list) or len(data) > most:
        raise _unclear(where)
    return data


def _text(data: Any, where: str, *, empty: bool = False, most: int = LONGEST_ID) -> str:
    if not isinstance(data, str) or len(data) > most or not (data or empty) or _UNFIT.search(data):
        raise _unclear(where)
    return data


def _word(data: Any, words: tuple[Any, ...], where: str) -> Any:
    if not isinstance(data, str) or data not in words:
        raise _unclear(where)
    return data


def _moment(data: Any, where: str) -> datetime:
    try:
        return from_text(data)
    except CrmError:
        raise _unclear(where) from None
