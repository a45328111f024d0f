"""Something that an import has to tell: a warning, a question, a fact about the file.

Invariant: a notice names columns and counts; it holds no cell, except a number whose digits a spreadsheet
destroyed.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.values.personal import Document


@attrs.frozen(kw_only=True)
class Notice(Document):
    """*mark* is ``"!"`` for what is wrong and ``"?"`` for what a person should decide. *code* is for programs.

    >>> Notice(mark="!", code="empty_table", text="the file has a header but no rows").line
    '! the file has a header but no rows'
    """

    mark: Literal["!", "?"]
    code: str
    text: str
    columns: tuple[str, ...] = ()
    count: int = 0

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{self.mark} {self.text}"


def suppressed_rows(count: int) -> Notice:
    """That rows bring addresses that are not to be used.

    >>> suppressed_rows(2).line
    '! 2 rows bring an address that is suppressed: imported or not, it is not written to'
    """
    rows = "1 row brings" if count == 1 else f"{count:,} rows bring"
    return Notice(
        mark="!",
        code="suppressed",
        text=f"{rows} an address that is suppressed: imported or not, it is not written to",
        count=count,
    )
