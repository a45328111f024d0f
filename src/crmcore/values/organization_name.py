"""The name of an organization.

Invariant: the text is kept as written, legal form included; only `key` is folded.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import attrs

from crmcore.errors import InvalidName
from crmcore.values.personal import Document, personal
from crmcore.values.text import fold, kept, required
from crmcore.values.validate import one_of

OrganizationNameKind = Literal["legal", "trading", "former", "short", "usual"]

_LIMIT = 512


def _text(value: object) -> str:
    return kept(value, error=InvalidName, what="an organization's name", limit=_LIMIT)


@attrs.frozen
class OrganizationName(Document):
    """The name *text* of an organization and what kind of name it is.

    It is public, but redacted like the rest: many a sole trader's firm bears a person's name.

    >>> OrganizationName("Renesas Electronics Corporation", "legal")
    OrganizationName(text=<hidden>, kind='legal')
    """

    text: str = personal(class_="public", converter=_text, kw_only=False)
    kind: OrganizationNameKind = attrs.field(
        default="usual", validator=one_of(*get_args(OrganizationNameKind), error=InvalidName), kw_only=False
    )

    @classmethod
    def parse(cls, text: str) -> OrganizationName:
        """Keep a name as it is written.

        Raises:
            InvalidName: if *text* is blank, longer than 512 characters or broken.

        >>> OrganizationName.parse(" Müller  GmbH & Co. KG ").text
        'Müller GmbH & Co. KG'
        """
        return _parsed(required(text, error=InvalidName, what="an organization's name", limit=_LIMIT))

    @property
    def key(self) -> str:
        """The form for comparison: the folded text, legal form included.

        >>> OrganizationName.parse("Müller GmbH & Co. KG").key
        'muller gmbh co kg'
        """
        return fold(self.text) or self.text.casefold()


_parsed = lru_cache(maxsize=8192)(OrganizationName)
"""Files repeat the same employers: their names are cleaned once, and share one object."""
