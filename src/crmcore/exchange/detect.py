"""What a cell looks like: an e-mail address, a date, a telephone number, a name of an organization.

Invariant: a look is a guess from the form of one text, cheap and total; whether a value is valid is for its own
type to say. Nothing here keeps the text.
"""

from __future__ import annotations

import re
from typing import Literal

from crmcore.values.text import tokens

Look = Literal[
    "email", "url", "yes_no", "date", "day_first", "month_first", "either_first", "two_digit_year", "phone",
    "digits", "number", "code", "organization", "person", "mojibake", "formula",
]  # fmt: skip

_LONGEST = 400

_EMAIL = re.compile(r"[^@\s<>;,]+@[^@\s<>;,]+\.[^\W\d_]{2,}")
_URL = re.compile(r"(?:https?://|www\.)\S+\Z", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?:[a-z0-9-]{1,63}\.)+(?:com|org|net|edu|gov|info|io|eu|co|[a-z]{2})(?:/\S*)?\Z", re.IGNORECASE
)
_YES_NO = frozenset("yes no y n true false t f ja nein oui non si no ano ne tak nie da net x".split())
_YEAR_FIRST = re.compile(r"[12]\d{3}([-/.])\d{1,2}\1\d{1,2}(?:[T ].*)?\Z")
_COMPACT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\Z")
_SLASHED = re.compile(r"(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4}|\d\d)(?:[T ].*)?\Z")
_WORDED = re.compile(
    r"(?:\d{1,2}(?:st|nd|rd|th)?\.?[\s-]+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[\s,-]+"
    r"(?:\d{1,2}(?:st|nd|rd|th)?,?[\s-]+)?\d{4}\Z",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:tel|phone|fax|mob|cell)?[.: ]*[+＋]?[\d\s()\[\]./\-–]{6,30}(?:\s*(?:x|ext)\.?\s*\d{1,6})?\Z",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"[;,|\n]| / | ::: ")
_RUINED = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,3}\Z|\d{7,15}\.0+\Z", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d[\d,. ]*%?\Z")
_CODE = re.compile(r"(?=\S*\d)[A-Za-z0-9][A-Za-z0-9_:./-]{0,63}\Z")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_][^\W\d_'’.-]*\Z")

# UTF-8 read as Windows-1252 or as Mac Roman, once or twice, and the sign for what could not be read at all.
_MOJIBAKE = re.compile(
    "[ÃÂ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|ï»¿|ï¿½|\ufffd|‚Ä|¬¨|√[©®±†£ß§°ºñÑ≥¥∂∫]|Ð[°-¿]Ð"
)

# What a spreadsheet would run: a call or a link to another program, not a phone number, a handle or a dash.
_FORMULA = re.compile(r"=\S|[+\-@].*(?:[A-Za-z]\(|\|.*!)", re.DOTALL)

_FORMS = frozenset(
    "inc incorporated ltd limited llc llp lp corp corporation co company plc gmbh ag kg kgaa ohg ug sa sas "
    "sarl spa srl snc sl bv nv cv ab as asa aps oy oyj kk pc pllc pa pty pte sdn bhd ev zoo sro doo oo ooo "
    "zao jsc kft rt ltda eirl gk".split()
)
_BODIES = frozenset(
    "university universitat universite universidad universidade universita institute institut instituto "
    "kabushiki kaisha foundation stiftung fondation fundacion association verein hospital clinic klinikum "
    "school schule college academy gesellschaft ministry ministerium ministere bank church council gmbh "
    "corporation incorporated laboratories holdings society committee agency department enterprises "
    "industries technologies".split()
)
_GIVEN = frozenset(
    "james john robert michael william david richard joseph thomas charles daniel matthew anthony mark steven "
    "paul andrew peter george edward brian kevin jason jeffrey ryan jacob gary eric stephen jonathan scott "
    "frank gregory samuel patrick alexander jack dennis jerry henry adam nathan mary patricia jennifer linda "
    "elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna "
    "michelle carol amanda melissa deborah stephanie rebecca laura sharon cynthia kathleen amy angela anna "
    "ann anne emma pamela nicole samantha katherine christine helen debra rachel maria hans klaus wolfgang "
    "jurgen stefan andreas martin christian sebastian ursula petra sabine monika claudia birgit jean pierre "
    "michel philippe alain nicolas francois marie nathalie isabelle sophie catherine jose juan carlos luis "
    "antonio manuel francisco pedro jorge miguel ana carmen isabel rosa lucia giuseppe giovanni marco luca "
    "mario paolo francesca giulia jan piotr pawel krzysztof anna katarzyna agnieszka lars erik anders nils "
    "karin ingrid ivan sergei dmitri olga natalia elena tatiana mohammed muhammad ahmed ali omar fatima aisha "
    "wei li ming hiroshi kenji takashi yuki akira min jin priya raj amit sanjay".split()
)


def looks(text: str) -> tuple[Look, ...]:
    """Everything that a trimmed text that is not empty looks like; usually one thing or nothing.

    >>> looks("ann@x.org"), looks("31/01/2013"), looks("Hitachi, Ltd."), looks("fine weather")
    (('email',), ('date', 'day_first'), ('organization',), ())
    """
    found: list[Look] = []
    if not text.isascii() and _MOJIBAKE.search(text):
        found.append("mojibake")
    if text[0] in "=+-@" and _FORMULA.match(text):
        found.append("formula")
    if len(text) > _LONGEST:
        return tuple(found)
    if "@" in text and _EMAIL.search(text):
        found.append("email")
    elif text.lower() in _YES_NO:
        found.append("yes_no")
    elif (
        "." in text
        and " " not in text
        and (_URL.match(text) or (not text[0].isdigit() and _DOMAIN.match(text)))
    ):
        found.append("url")
    elif _DIGIT.search(text):
        found += _numeric(text) or _named(text)
    else:
        found += _named(text)
    return tuple(found)


def _numeric(text: str) -> list[Look]:
    if _YEAR_FIRST.match(text) or _WORDED.match(text):
        return ["date"]
    slashed = _SLASHED.match(text)
    if slashed:
        return _slashed(int(slashed[1]), int(slashed[3]), slashed[4])
    if _RUINED.match(text):
        return ["phone"]
    if text.isdigit():
        size = len(text)
        if size == 8 and _COMPACT.match(text):
            return ["digits", "date"]
        return ["digits"] if 7 <= size <= 15 else ["number"]
    count = sum(char.isdigit() for char in text)
    if 7 <= count <= 13 and _PHONE.match(text):
        return ["phone"]
    if count >= 14 and all(_PHONE.match(part.strip()) for part in _SEVERAL.split(text)):
        return ["phone"] if _SEVERAL.search(text) else ["code"]
    if _NUMBER.match(text):
        return ["number"]
    return ["code"] if _CODE.match(text) else []


def _slashed(first: int, second: int, year: str) -> list[Look]:
    """A date of numbers, and what it proves about the order of day and month."""
    if not (1 <= first <= 31 and 1 <= second <= 31 and (first <= 12 or second <= 12)):
        return ["code"]
    found: list[Look] = ["date"]
    if len(year) == 2:
        found.append("two_digit_year")
    if first > 12:
        found.append("day_first")
    elif second > 12:
        found.append("month_first")
    elif first != second:
        found.append("either_first")
    return found


def _named(text: str) -> list[Look]:
    words = tokens(text)
    if not 1 <= len(words) <= 12:
        return []
    if not _FORMS.isdisjoint(words[-2:]) or not _BODIES.isdisjoint(words):
        return ["organization"]
    parts = text.replace(",", " ").split()
    if 2 <= len(parts) <= 4 and all(_WORD.match(part) for part in parts):
        return ["person"] if not _GIVEN.isdisjoint(words) else []
    return []
