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
