"""A matrix as a page to read, print and keep.

Invariant: the page has a row for each of the matrix, with the whole of its reason; whatever is text stays text.
"""

from __future__ import annotations

from crmcore.consent.consent_matrix import HEADERS, NOBODY, ConsentMatrix, MatrixRow, row_words
from crmcore.consent.decision_page import FOOTER, TONES
from crmcore.render import Html, badge, join, notice, page, table, tag


def matrix_page(matrix: ConsentMatrix) -> Html:
    """The whole page, which needs nothing else and shows contact points."""
    rows = [_row(row) for row in matrix.rows]
    return page(
        "May we?",
        table(HEADERS, rows, caption="An answer for each purpose, channel and contact point")
        if rows
        else notice(NOBODY),
        lead=f"{matrix.title}.",
        footer=FOOTER,
    )


def _row(row: MatrixRow) -> list[str | Html]:
    purpose, way, point, answer, until, why = row_words(row)
    rule = "" if row.rule is None else join(tag("br"), tag("small", tag("code", row.rule)))
    return [purpose, way, point, badge(answer, TONES[row.answer]), until, join(why, rule)]
