"""Chinese, Korean and Vietnamese names as syllables, in Pinyin, Wade-Giles and the usual romanizations of Korean.

Invariant: a word comes apart only if all of it is syllables. Two romanizations of one syllable have one key, as far as
letters tell: apostrophes and tones are gone.
"""

from __future__ import annotations

import re
from functools import lru_cache

_INITIAL = r"(?:tsz|rh|szh?|zh|ch|sh|hs|ts|tz|ng|nh|th|tr|ph|kh|gi|qu|[bpmfdtnlgkhjqxrzcswyv])?"
_FINAL = (
    r"(?:iang|iong|uang|ueng|yeong|yang|ueh|ieh|iao|ian|ieu|uai|uan|uyen|yen|uong|ieng|yeol|yeon|eong|eung|"
    r"ang|eng|ing|ong|ung|eon|eun|eul|eol|ien|uen|oan|oai|uoc|"
    r"ia|iu|ie|io|ua|uo|ui|ue|un|an|en|in|on|ao|ai|ay|ei|ey|ou|oo|oi|oe|ee|eo|eu|ew|eh|ih|oh|uh|uk|ok|ak|ek|ik|ul|"
    r"ol|al|il|el|um|om|am|em|im|up|ap|ip|op|at|it|et|ot|ut|uc|ac|oc|er|erh|yu|yo|ye|ya|wa|we|wi|wo|yi|"
    r"ae|yae|wae|yao|yan|yang|yun|yul|yuk|yok|yung|yon|yong|yol|youl|young|oung|oon|ook|ool|oom|oong|eek|een|"
    r"ark|ab|eb|ib|ob|ub|ag|eg|ig|og|ug|eog|eok|yeok|yeog|ad|ed|id|od|ud|a|e|i|o|u|y)"
)
_SYLLABLE = re.compile(_INITIAL + _FINAL + r"(?![^a-z])")
_ONE = re.compile(rf"{_INITIAL}{_FINAL}")
_WORD = re.compile(rf"(?:{_INITIAL}{_FINAL}){{1,3}}\Z")

# Spelling to sound, in this order; capitals are settled.
_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(?:hs|sh|sz|x|s(?!z))", "S"),
        (r"^(?:tsz|ts|tz|zh|ch|[zcjq])", "C"),
        (r"^[gk]h?", "K"),
        (r"^(?:ph|[bp])", "P"),
        (r"^(?:th|[dt])", "T"),
        (r"^w(?=u)|^y(?=i)", ""),
        (r"h$", ""),
        (r"(?<!n)g$", "k"),
        (r"b$", "p"),
        (r"d$", "t"),
        (r"ar(?=k$)", "a"),
        (r"^(S|C)(?:zu|ze|z)$", r"\1i"),
        (r"eo|oo|ou(?=.)", "u"),
        (r"eu", "u"),
        (r"ee|ey", "i"),
        (r"ay|ae", "ai"),
        (r"(?<=[iy])e(?=n)", "a"),
        (r"^ya?n$", "yan"),
        (r"o(?=n|k|l)", "u"),
        (r"oe", "oi"),
        (r"(?<=.)y$", "i"),
        (r"(?<=.)y(?=[aou])", "i"),
    )
)


def syllables(word: str) -> tuple[str, ...]:
    """The syllables of a Latin *word* if it is one to three of them, else none.

    >>> syllables("xiaoping"), syllables("jong"), syllables("smith")
    (('xiao', 'ping'), ('jong',), ())
    """
    return _syllables(word) if len(word) <= 18 else ()


@lru_cache(maxsize=1 << 14)
def _syllables(word: str) -> tuple[str, ...]:
    if not _WORD.match(word):
        return ()
    return _split(word)


def _split(word: str) -> tuple[str, ...]:
    """The fewest syllables, the first one as long as it can be where the rest is still a syllable."""
    if not word:
        return ()
    for end in range(min(len(word), 7), 0, -1):
        if _ONE.fullmatch(word[:end]):
            if end == len(word):
                return (word,)
            rest = _split(word[end:])
            if rest and rest[0][0] not in "aeiou":
                return (word[:end], *rest)
    return ()


@lru_cache(maxsize=1 << 13)
def syllable_key(syllable: str) -> str:
    """How a syllable sounds, the same for its romanizations.

    >>> syllable_key("xiao") == syllable_key("hsiao"), syllable_key("teng") == syllable_key("deng")
    (True, True)
    >>> syllable_key("geun") == syllable_key("kun"), syllable_key("wei") == syllable_key("wen")
    (True, False)
    """
    for pattern, sound in _RULES:
        syllable = pattern.sub(sound, syllable)
    return syllable
