"""A number or code that an authority or a company issued to a party: tax id, LEI, loyalty number.

Invariant: the value is kept as written; only its comparison form is folded.
"""

from __future__ import annotations

import re
import unicodedata

import attrs

from crmcore.errors import InvalidIdentifier
from crmcore.values.personal import Document, personal
from crmcore.values.validate import text

_SCHEME = re.compile(r"[a-z][a-z0-9_.:-]{0,63}\Z")


def _scheme(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not _SCHEME.match(value):
        raise InvalidIdentifier(
            "an identifier's scheme is a lower-case word such as 'national_id' or 'lei'", reason="scheme"
        )


@attrs.frozen
class Identifier(Document):
    """*value* as issued under *scheme*, by *issuer* where that matters (a country, a company).

    >>> Identifier("lei", "5493 00KJ TIIG C8Y1 R212").key
    '549300KJTIIGC8Y1R212'
    """

    scheme: str = attrs.field(validator=_scheme, kw_only=False)
    value: str = personal(validator=text(limit=256, error=InvalidIdentifier), kw_only=False)
    issuer: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(text(limit=256, error=InvalidIdentifier))
    )

    @property
    def key(self) -> str:
        """The form for comparison: upper case, compatible characters composed, without spaces and punctuation.

        >>> Identifier("vat", "de\uff11\uff12 3-4").key
        'DE1234'
        """
        folded = _composed(_composed(self.value).casefold().upper())
        # Again at the end: letters that a hyphen kept apart may compose.
        return _composed("".join(char for char in folded if char.isalnum())) or self.value.strip()


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
