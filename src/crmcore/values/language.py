"""A language tag (BCP 47): ``en``, ``pt-BR``, ``zh-Hant-TW``.

Invariant: a tag has the shape that RFC 5646 asks for and is written in its customary case, so that two tags that mean
the same are the same text. Whether a subtag is registered is not checked.
"""

from __future__ import annotations

import re

import attrs

from crmcore.errors import InvalidLanguage
from crmcore.values.text import required

_LIMIT = 64
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*)"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?\Z"
)
_PRIVATE = re.compile(r"x(?:-[a-z0-9]{1,8})+\Z")


def _canonical(text: object) -> str:
    raw = required(text, error=InvalidLanguage, what="a language tag", limit=_LIMIT)
    lowered = raw.replace("_", "-").lower()
    if not lowered.isascii() or not raw.isascii():
        raise InvalidLanguage("a language tag has only letters a-z, digits and hyphens", reason="characters")
    if _PRIVATE.match(lowered):
        return lowered
    match = _TAG.match(lowered)
    if match is None:
        raise InvalidLanguage("not a language tag: write it like 'en', 'pt-BR' or 'zh-Hant'")
    variants = match["variants"].split("-")[1:]
    if len(set(variants)) < len(variants):
        raise InvalidLanguage("a language tag names each variant once", reason="repeated")
    start = match.end("language")
    head, tail = lowered[:start], lowered[start:]
    if match["script"]:
        head, tail = f"{head}-{match['script'].title()}", tail[5:]
    if match["region"]:
        size = len(match["region"]) + 1
        head, tail = f"{head}-{match['region'].upper()}", tail[size:]
    return head + tail


@attrs.frozen
class Language:
    """A language, and where it matters its script, region and variants.

    Use `parse` for texts of any case; the constructor canonicalizes too.

    >>> Language.parse("ZH_hant-tw")
    Language(tag='zh-Hant-TW')
    """

    tag: str = attrs.field(converter=_canonical)

    @classmethod
    def parse(cls, text: str) -> Language:
        """Read a tag; ``en_GB`` with an underscore is read as ``en-GB``.

        Raises:
            InvalidLanguage: if *text* does not have the shape of a tag.

        >>> Language.parse("de-ch-1996").tag
        'de-CH-1996'
        """
        return cls(text)

    @property
    def language(self) -> str:
        """The primary subtag alone.

        >>> Language("pt-BR").language
        'pt'
        """
        return self.tag.partition("-")[0]

    @property
    def script(self) -> str | None:
        """The script subtag, where the tag has one.

        >>> Language("zh-Hant-TW").script
        'Hant'
        """
        match = _TAG.match(self.tag.lower())
        return match["script"].title() if match and match["script"] else None

    @property
    def region(self) -> str | None:
        """The region subtag, where the tag has one.

        >>> Language("zh-Hant-TW").region
        'TW'
        """
        match = _TAG.match(self.tag.lower())
        return match["region"].upper() if match and match["region"] else None

    def to_json(self) -> str:
        """The tag.

        >>> Language("pt-br").to_json()
        'pt-BR'
        """
        return self.tag

    @classmethod
    def from_json(cls, text: str) -> Language:
        """The inverse of `to_json`.

        Raises:
            InvalidLanguage: if *text* does not have the shape of a tag.

        >>> Language.from_json("pt-BR") == Language("pt-BR")
        True
        """
        return cls(text)


def language_tag(text: str | None) -> str | None:
    """The canonical tag for a field that may be empty; None stays None.

    Raises:
        InvalidLanguage: if *text* does not have the shape of a tag.

    >>> language_tag("VI")
    'vi'
    """
    return None if text is None else _canonical(text)
