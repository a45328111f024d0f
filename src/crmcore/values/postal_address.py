"""A postal address: lines as written, components, or both.

Invariant: an address has at least one line or one component; no part is ever required beyond that, and lines as
written are never rearranged.
"""

from __future__ import annotations

from functools import lru_cache

import attrs

from crmcore.errors import InvalidAddress
from crmcore.values.address_formats import layout
from crmcore.values.country import COUNTRY_NAMES, country_code
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.language import language_tag
from crmcore.values.personal import Document, personal
from crmcore.values.text import clean, fold, required

_LIMIT = 2000
_MAX_LINES = 30


def _cleaned_lines(text: object) -> tuple[str, ...]:
    raw = required(text, error=InvalidAddress, what="an address or a part of one", limit=_LIMIT)
    return _bounded(tuple(line for line in map(clean, raw.splitlines()) if line))


def _bounded(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) > _MAX_LINES or len("\n".join(lines)) > _LIMIT:
        raise InvalidAddress(
            f"an address has at most {_MAX_LINES} lines and {_LIMIT} characters: shorten it",
            reason="too_long",
        )
    return lines


def _lines(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise InvalidAddress("the lines of an address are a tuple of texts", reason="type")
    return _bounded(tuple(line for text in value if not _blank(text) for line in _cleaned_lines(text)))


def _blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _part(value: object) -> str | None:
    """A component cleaned line by line; a blank one is missing."""
    if value is None or _blank(value):
        return None
    return "\n".join(_cleaned_lines(value)) or None


def _country(value: object) -> str | None:
    if value is None or _blank(value):
        return None
    return country_code(value)  # type: ignore[arg-type]  # checks the type itself


@attrs.frozen(kw_only=True)
class PostalAddress(Document):
    """An address by its *lines* as written, by components (libaddressinput names them), or by both.

    *country* is a two-letter code, *administrative_area* a state, province or prefecture, *dependent_locality* a
    neighbourhood, *premise* a building, *landmark* a description where streets have no names; *language* is that of
    the components.

    >>> PostalAddress(lines=("10 Downing Street", "London"), country="GB").country
    'GB'
    """

    lines: tuple[str, ...] = personal(default=(), converter=_lines)
    recipient: str | None = personal(default=None, converter=_part)
    care_of: str | None = personal(default=None, converter=_part)
    organization: str | None = personal(default=None, converter=_part)
    premise: str | None = personal(default=None, converter=_part)
    unit: str | None = personal(default=None, converter=_part)
    street_address: str | None = personal(default=None, converter=_part)
    landmark: str | None = personal(default=None, converter=_part)
    po_box: str | None = personal(default=None, converter=_part)
    dependent_locality: str | None = personal(default=None, converter=_part)
    locality: str | None = personal(default=None, converter=_part)
    administrative_area: str | None = personal(default=None, converter=_part)
    postal_code: str | None = personal(default=None, converter=_part)
    sorting_code: str | None = personal(default=None, converter=_part)
    country: str | None = personal(default=None, converter=_country)
    language: str | None = attrs.field(default=None, converter=language_tag)

    def __attrs_post_init__(self) -> None:
        if not self.lines and not self.components and self.country is None:
            raise InvalidAddress(
                "an address needs a line or a component: give what is known of it", reason="empty"
            )

    @classmethod
    def parse(cls, text: str) -> PostalAddress:
        """Keep an address as it is written, a line for each line of *text*. Nothing is read into it.

        Raises:
            InvalidAddress: if *text* is blank, broken, or too long.

        >>> len(PostalAddress.parse("200 m south of the church\\n\\nSan José").lines)
        2
        """
        return _parsed(required(text, error=InvalidAddress, what="an address", limit=_LIMIT))

    @classmethod
    def of(
        cls,
        *,
        street_address: str | None = None,
        dependent_locality: str | None = None,
        locality: str | None = None,
        administrative_area: str | None = None,
        postal_code: str | None = None,
        sorting_code: str | None = None,
        organization: str | None = None,
        recipient: str | None = None,
        country: str | None = None,
        premise: str | None = None,
        unit: str | None = None,
        po_box: str | None = None,
        care_of: str | None = None,
        landmark: str | None = None,
        language: str | None = None,
    ) -> PostalAddress:
        """An address from its components. Blank ones count as missing; *country* may be a code or a usual name.

        Raises:
            InvalidAddress: if there is none, the country is unknown, or a component is broken or too long.

        >>> PostalAddress.of(locality="Berlin", postal_code="10117", country="Germany").country
        'DE'
        """
        given = {name: value for name, value in locals().items() if name != "cls"}
        return cls(**given)

    @property
    def components(self) -> FrozenMap[str, str]:
        """The components that are known, without the country.

        >>> dict(PostalAddress.of(locality="Berlin", country="DE").components)
        {'locality': 'Berlin'}
        """
        return FrozenMap({name: value for name in _COMPONENTS if (value := getattr(self, name)) is not None})

    @property
    def text(self) -> str:
        """The address as one text: what `format` gives, line by line.

        >>> PostalAddress.of(locality="Berlin", postal_code="10117", country="DE").text
        '10117 Berlin'
        """
        return "\n".join(self.format())

    @property
    def key(self) -> str:
        """The form for comparison: the folded text and the country.

        >>> PostalAddress.of(locality="Köln", postal_code="50667", country="DE").key
        '50667 koln de'
        """
        return fold(f"{self.text} {self.country or ''}")

    def format(self, origin_country: str | None = None) -> tuple[str, ...]:
        """The lines to write on an envelope. Lines as written win over components.

        Components are arranged as their country does it, from the largest to the smallest in East Asian languages.
        The name of the country, in English and upper case, is added for a letter from another one; without
        *origin_country* the letter is taken to be domestic.

        Raises:
            InvalidAddress: if *origin_country* is no country.

        >>> home = PostalAddress.of(street_address="Unter den Linden 1", postal_code="10117", locality="Berlin",
        ...     country="DE")
        >>> home.format("FR")
        ('Unter den Linden 1', '10117 Berlin', 'GERMANY')
        """
        origin = None if origin_country is None else country_code(origin_country)
        found = self.lines or layout(self.components, country=self.country, language=self.language)
        if self.country is None:
            return found
        crosses_border = origin is not None and origin != self.country
        if found and (not crosses_border or _names_country(found[-1], self.country)):
            return found
        return (*found, COUNTRY_NAMES[self.country].upper())


@lru_cache(maxsize=8192)
def _parsed(text: str) -> PostalAddress:
    return PostalAddress(lines=_cleaned_lines(text))


_COMPONENTS = (
    "recipient", "care_of", "organization", "premise", "unit", "street_address", "landmark", "po_box",
    "dependent_locality", "locality", "administrative_area", "postal_code", "sorting_code",
)  # fmt: skip


def _names_country(line: str, country: str) -> bool:
    try:
        return country_code(line) == country
    except InvalidAddress:
        return False
