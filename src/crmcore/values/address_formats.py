"""How the countries of the world write an address.

Invariant: a layout only arranges what is there. A part that is missing leaves no trace, neither a blank line nor a
stray comma; a part that is there is never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crmcore.values.text import fold, is_cjk

# Lines from top to bottom; a name in braces is a component. "premise" stands for premise and unit together.
_TOP = "{recipient}|{care_of}|{organization}|{premise}|{street_address}|{landmark}|{po_box}|{dependent_locality}|"
_WESTERN = _TOP + "{postal_code} {locality} {sorting_code}|{administrative_area}"
_STATE_CODE = _TOP + "{locality} {administrative_area} {postal_code}"
_STATE_CODE_COMMA = _TOP + "{locality}, {administrative_area} {postal_code}"
_TOWN_CODE = _TOP + "{locality} {postal_code}|{administrative_area}"
_LINE_EACH = _TOP + "{locality}|{administrative_area}|{postal_code}"

_LAYOUTS: dict[str, str] = {
    "BR": _TOP + "{locality}-{administrative_area}|{postal_code}",
    "IT": _TOP + "{postal_code} {locality} {administrative_area}",
    "MX": _TOP + "{postal_code} {locality}, {administrative_area}",
    **dict.fromkeys(("AU", "CA"), _STATE_CODE),
    **dict.fromkeys(("AS", "GU", "MP", "PR", "US", "VI", "CN", "JP", "KR", "TW"), _STATE_CODE_COMMA),
    **dict.fromkeys(("BD", "ID", "IN", "LK", "NP", "NZ", "PK", "SG", "TH"), _TOWN_CODE),
    **dict.fromkeys(("AE", "FK", "GB", "GG", "GI", "HK", "IE", "IM", "JE", "RU", "UA", "ZA"), _LINE_EACH),
}

# From the largest to the smallest, as the countries write them for themselves.
_EAST = "|{street_address}{po_box}|{premise}|{landmark}|{organization}|{care_of}|{recipient}"
_NATIVE: dict[str, tuple[str, str]] = {
    "CN": ("zh", "{postal_code}|{administrative_area}{locality}{dependent_locality}" + _EAST),
    "HK": ("zh", "{postal_code}|{administrative_area}|{locality}{dependent_locality}" + _EAST),
    "JP": ("ja", "〒{postal_code}|{administrative_area}{locality}{dependent_locality}" + _EAST),
    "KR": ("ko", "{administrative_area} {locality} {dependent_locality}" + _EAST + "|{postal_code}"),
    "MO": ("zh", "{administrative_area}{locality}{dependent_locality}" + _EAST + "|{postal_code}"),
    "TW": ("zh", "{postal_code}|{administrative_area}{locality}{dependent_locality}" + _EAST),
}

_PO_BOX = {
    "da": "Postboks", "de": "Postfach", "es": "Apartado", "fr": "BP", "it": "Casella Postale", "nl": "Postbus",
    "no": "Postboks", "pt": "Caixa Postal", "sv": "Box",
}  # fmt: skip
"""What stands before a bare number of a box, by language."""

_FIELD = re.compile(r"\{(\w+)\}")


def layout(components: Mapping[str, str], *, country: str | None, language: str | None) -> tuple[str, ...]:
    """The lines of an address in *country*; its own script or *language* gives the order used there.

    >>> layout({"locality": "Berlin", "postal_code": "10117"}, country="DE", language=None)
    ('10117 Berlin',)
    """
    parts = dict(components)
    if inside := [parts.pop(name) for name in ("premise", "unit") if name in parts]:
        parts["premise"] = ", ".join(inside)
    if "care_of" in parts and not fold(parts["care_of"]).startswith("c o "):
        parts["care_of"] = f"c/o {parts['care_of']}"
    if parts.get("po_box", "").isdecimal():
        word = _PO_BOX.get((language or "").partition("-")[0], "PO Box")
        parts["po_box"] = f"{word} {parts['po_box']}"
    template = _template(parts, country, language)
    lines: list[str] = []
    for row in template.split("|"):
        lines.extend(_filled(row, parts).split("\n"))
    # What a layout has no place for still has to reach the reader: nothing is dropped.
    shown = set(_FIELD.findall(template))
    lines.extend(text for name, text in parts.items() if name not in shown)
    return tuple(line for line in lines if line)


def _template(parts: Mapping[str, str], country: str | None, language: str | None) -> str:
    if country in _NATIVE:
        tongue, template = _NATIVE[country]
        native = any(is_cjk(char) for text in parts.values() for char in text)
        if native or (language is not None and language.partition("-")[0] == tongue):
            return template
    return _LAYOUTS.get(country or "", _WESTERN)


def _filled(row: str, parts: Mapping[str, str]) -> str:
    """The row with its components; the text before one stands only if it and something before it are there."""
    pieces = _FIELD.split(row)
    result = ""
    for place, (before, name) in enumerate(zip(pieces[0::2], pieces[1::2], strict=False)):
        value = parts.get(name)
        if value:
            # What leads the first component of a row is a sign of its own, such as the postal mark of Japan.
            result += (before if result or place == 0 else "") + value
    return result
