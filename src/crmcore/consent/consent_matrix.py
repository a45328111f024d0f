"""All that a customer may be contacted for, and how: a decision for each purpose, channel and contact point.

Invariant: each row is what `decide` answers for it alone; the matrix adds nothing and leaves no contact point out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from crmcore.consent.decision import Decision
from crmcore.consent.request import Message, Request
from crmcore.consent.speaking import MARKETING
from crmcore.consent.telling import ANSWERS, CHANNELS, explained, moment
from crmcore.consent.words import Channel, Outcome, Purpose
from crmcore.errors import InvalidConsent
from crmcore.values.personal import Document, personal
from crmcore.values.text import clean

_WIDEST = 100


@attrs.frozen(kw_only=True)
class MatrixRow(Document):
    """The answer for one purpose, channel and *point*, which is None where the channel needs none.

    *reason* is why, in a line; all that there is to say is in the `Decision` for it.
    """

    purpose: Purpose
    channel: Channel
    point: str | None = personal(default=None)
    answer: Outcome
    jurisdiction: str
    rule: str | None = None
    reason: str
    expires_at: datetime | None = None
    retry_at: datetime | None = None


@attrs.frozen(kw_only=True)
class ConsentMatrix(Document):
    """What a *controller* may do at an instant, by rows. `text` and `to_html` show the contact points; `repr` does not.

    It has no rows where the customer has no contact point, unless channels that need none were asked for.
    """

    controller: str
    at: datetime
    known_at: datetime | None = None
    rows: tuple[MatrixRow, ...] = personal(default=())

    def text(self) -> str:
        """The matrix as a table of text.

        >>> from datetime import UTC
        >>> row = MatrixRow(
        ...     purpose="marketing", channel="email", point="ann@x.example", answer="deny", jurisdiction="DE",
        ...     reason="nothing permits it: nobody said yes",
        ... )
        >>> print(ConsentMatrix(controller="acme", at=datetime(2026, 5, 4, tzinfo=UTC), rows=(row,)).text())
        What acme may do on 2026-05-04 00:00:00 UTC
          purpose    by      to             answer  until  why
          marketing  e-mail  ann@x.example  No             nothing permits it: nobody said yes
        """
        lines = [HEADERS, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADERS))]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([clean(self.title), *(f"  {line}" for line in (table if self.rows else [NOBODY]))])

    @property
    def title(self) -> str:
        """What the matrix is about, in a line."""
        known = "" if self.known_at is None else f", as it was known on {moment(self.known_at)}"
        return f"What {self.controller} may do on {moment(self.at)}{known}"

    def to_html(self) -> str:
        """The matrix as one page, which shows contact points."""
        from crmcore.consent.matrix_page import matrix_page

        return matrix_page(self)


HEADERS = ("purpose", "by", "to", "answer", "until", "why")
NOBODY = "there is no contact point by which they can be reached"


def matrix_row(request: Request, decision: Decision) -> MatrixRow:
    """The row of a *request*, on which this was the *decision*."""
    return MatrixRow(
        purpose=request.purpose,
        channel=request.channel,
        point=request.point,
        answer=decision.answer,
        jurisdiction=decision.jurisdiction,
        rule=decision.rule,
        reason=_reason(decision),
        expires_at=decision.expires_at,
        retry_at=decision.retry_at,
    )


def _reason(decision: Decision) -> str:
    """Why, in a line: what is to be found out, else what decides, else what came nearest to permitting it."""
    told = explained(decision)
    if told.missing:
        first, *more = told.missing
        return f"to be found out: {first}{f', and {len(more)} more' if more else ''}"
    if decision.rule is not None:
        return told.main
    near = [hit.why for hit in decision.trace if hit.effect == "permit" and hit.why]
    return f"nothing permits it: {near[0]}" if near else "nothing permits it"


def message_for(purpose: Purpose, told: Message | Mapping[Purpose, Message] | None) -> Message:
    """What is *told* of a message for a purpose, or what it is taken for if nothing is."""
    if isinstance(told, Message):
        return told
    if not isinstance(told, Mapping | None):
        raise InvalidConsent("what is to be said is Message(...), or such messages by the purpose")
    if told is not None and purpose in told:
        return told[purpose]
    if purpose in MARKETING:
        return Message.marketing()
    return Message.service() if purpose in ("service", "transactional", "legal_notice") else Message()


def row_words(row: MatrixRow) -> tuple[str, str, str, str, str, str]:
    """A row in words, in the order of `HEADERS`; the whole of its reason."""
    until = row.expires_at if row.answer == "allow" or row.retry_at is None else row.retry_at
    return (
        row.purpose.replace("_", " "),
        CHANNELS.get(row.channel, row.channel),
        row.point or "",
        ANSWERS[row.answer],
        "" if until is None else moment(until),
        row.reason,
    )


def _cells(row: MatrixRow) -> tuple[str, ...]:
    """A row for a terminal: on one line, and without characters that drive it."""
    cells = [clean(cell) for cell in row_words(row)]
    if len(cells[-1]) > _WIDEST:
        cells[-1] = f"{cells[-1][: _WIDEST - 3].rstrip()}..."
    return tuple(cells)
