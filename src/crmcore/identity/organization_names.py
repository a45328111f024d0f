"""Two names of organizations compared: which words pair up, what is missing, what contradicts.

Invariant: symmetric but for the order of values, and a function of the pieces alone. A word costs by what it says: a
number or a word of its own much, the kind of business less, a legal form next to nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from crmcore.identity.latin import latin
from crmcore.identity.organization_pieces import OrganizationPieces, OrganizationWord
from crmcore.identity.organization_words import LOOSE_KINDS
from crmcore.identity.person_names import Finding
from crmcore.identity.word_likeness import ALIKE, bare_alike, both_bare_alike, words_alike

_MISSING = {"core": 0.36, "kind": 0.27, "place": 0.27, "number": 0.5, "empty": 0.02}
_CONFLICT = {"core": 0.8, "kind": 0.5, "place": 0.8, "number": 0.9, "empty": 0.04}
_ORDER = ("number", "place", "core", "kind", "empty")
_LOOSE_KIND = 0.17
"""Of a kind that says little, or stands beside "company", as in Rosneft Oil Company."""

_PLACE_BEFORE = 0.22
_LEGAL = 0.08
_ONE_SCRIPT = 1.3
"""Where nothing was transliterated, another letter says more."""

_ACRONYM = 0.15
_SHORT_ACRONYM = 0.22
_SHORTEST_ACRONYM = 2
_LONGEST_ACRONYM = 7
_JOINED = 0.85


def compare_organizations(a: OrganizationPieces, b: OrganizationPieces) -> list[Finding]:
    """What there is to find between two names that both have words."""
    abbreviated = _abbreviated(a, b) or _abbreviated(b, a)
    if abbreviated:
        return [Finding("acronym", abbreviated, _text(a.words), _text(b.words))]
    found, left_a, left_b = _paired(a.words, b.words)
    cores = sum(1 for pair in found if pair.core)
    findings = [pair.finding for pair in found]
    findings += _left(left_a, left_b, cores, {a.words[0].written, b.words[0].written})
    if a.legal and b.legal and a.legal.isdisjoint(b.legal):
        findings.append(Finding("legal form", _LEGAL, " ".join(sorted(a.legal)), " ".join(sorted(b.legal))))
    return findings


class _Paired(NamedTuple):
    finding: Finding
    core: bool


class _Candidate(NamedTuple):
    likeness: float
    kind: str
    start_a: int
    end_a: int
    start_b: int
    end_b: int


Words = tuple[OrganizationWord, ...]


def _paired(a: Words, b: Words) -> tuple[list[_Paired], list[OrganizationWord], list[OrganizationWord]]:
    candidates = [
        _Candidate(likeness, "alike", i, i + 1, j, j + 1)
        for i, x in enumerate(a)
        for j, y in enumerate(b)
        if (likeness := _alike(x, y)) >= 0.6
    ]
    exact = sum(1 for each in candidates if each.likeness == 1.0)
    if exact < max(len(a), len(b)):
        candidates += _joined(a, b)
        candidates += _acronyms(a, b)
    candidates.sort(key=lambda each: (-each.likeness, abs(each.start_a - each.start_b), each))
    taken_a: set[int] = set()
    taken_b: set[int] = set()
    found: list[_Paired] = []
    for each in candidates:
        range_a, range_b = range(each.start_a, each.end_a), range(each.start_b, each.end_b)
        if not taken_a.isdisjoint(range_a) or not taken_b.isdisjoint(range_b):
            continue
        taken_a.update(range_a)
        taken_b.update(range_b)
        xs, ys = a[each.start_a : each.end_a], b[each.start_b : each.end_b]
        core = any(word.sort == "core" for word in (*xs, *ys))
        if not core and all(word.sort == "empty" for word in (*xs, *ys)):
            continue
        kind = "same" if each.likeness == 1.0 else each.kind if each.likeness >= ALIKE else "conflict"
        finding = Finding(kind, 1 - each.likeness, _text(xs), _text(ys))
        found.append(_Paired(finding, core))
    left_a = [word for i, word in enumerate(a) if i not in taken_a]
    left_b = [word for j, word in enumerate(b) if j not in taken_b]
    return found, left_a, left_b


def _text(words: Words) -> str:
    return " ".join(word.written for word in words)


def _alike(x: OrganizationWord, y: OrganizationWord) -> float:
    if x.forms[0] == y.forms[0]:
        return 1.0 if x.sort == y.sort else 0.9
    if x.sort == "core" and y.sort == "core":
        likeness = max(_spelled_alike(one, x.bare, other, y.bare) for one in x.forms for other in y.forms)
        if likeness < 0.9 and x.written.isascii() == y.written.isascii():
            return max(0.0, 1 - (1 - likeness) * _ONE_SCRIPT)
        return likeness
    if "number" in (x.sort, y.sort):
        return 0.0
    # An error in a common word, or a form of it that the table does not have.
    if (
        "core" in (x.sort, y.sort)
        and min(len(x.written), len(y.written)) > 4
        and x.written[0] == y.written[0]
    ):
        return words_alike(x.written, y.written) if x.written.isascii() and y.written.isascii() else 0.0
    return 0.0


def _spelled_alike(a: str, bare_a: bool, b: str, bare_b: bool) -> float:
    if bare_a and bare_b:
        return both_bare_alike(a, b)
    if bare_a:
        return bare_alike(a, b)
    if bare_b:
        return bare_alike(b, a)
    if len(a) <= 3 or len(b) <= 3:
        # Short words are abbreviations mostly, in which every letter counts.
        return 1.0 if a == b else 0.0
    return words_alike(a, b)


def _joined(a: Words, b: Words) -> list[_Candidate]:
    """Neighbours on one side that are one word on the other: Coca Cola and Cocacola."""
    found = [
        _Candidate(s, "joined", i, i + 1, j, end) for i, x in enumerate(a) for j, end, s in _runs_like(x, b)
    ]
    return found + [
        _Candidate(s, "joined", i, end, j, j + 1) for j, y in enumerate(b) for i, end, s in _runs_like(y, a)
    ]


def _runs_like(word: OrganizationWord, others: Words) -> list[tuple[int, int, float]]:
    whole = word.forms[0]
    if word.sort != "core" or len(whole) < 5:
        return []
    found: list[tuple[int, int, float]] = []
    for start in range(len(others) - 1):
        for end in range(start + 2, min(start + 3, len(others)) + 1):
            run = others[start:end]
            spelled = "".join(each.written if each.written.isascii() else latin(each.written) for each in run)
            bare = any(each.bare for each in run)
            if not bare and not word.bare and abs(len(spelled) - len(whole)) > 2:
                continue
            likeness = _spelled_alike(whole, word.bare, spelled, bare)
            if likeness >= _JOINED:
                found.append((start, end, min(likeness, 0.97)))
    return found


def _acronyms(a: Words, b: Words) -> list[_Candidate]:
    found = [
        _Candidate(1 - cost, "acronym", i, i + 1, j, end)
        for i, x in enumerate(a)
        for j, end, cost in _runs_abbreviated(x, b)
    ]
    return found + [
        _Candidate(1 - cost, "acronym", i, end, j, j + 1)
        for j, y in enumerate(b)
        for i, end, cost in _runs_abbreviated(y, a)
    ]


def _runs_abbreviated(word: OrganizationWord, others: Words) -> list[tuple[int, int, float]]:
    """The runs of *others* whose first letters spell the *word*."""
    letters = word.forms[0]
    if (
        word.sort != "core"
        or not _SHORTEST_ACRONYM <= len(letters) <= _LONGEST_ACRONYM
        or not letters.isalpha()
    ):
        return []
    initials = [_initial(each) for each in others]
    for start in range(len(others)):
        for end in range(len(others), start + 1, -1):
            run = range(start, end)
            full = "".join(initials[i] for i in run)
            short = "".join(initials[i] for i in run if others[i].sort != "empty")
            if letters in (full, short):
                return [(start, end, _ACRONYM if len(letters) > 2 else _SHORT_ACRONYM)]
    return []


def _abbreviated(short: OrganizationPieces, long: OrganizationPieces) -> float:
    """What it costs that the only word of one name is made of the beginnings of all words of the other; 0 if it is not.

    The last words may be left out that are no more than a legal form.
    """
    words = [word for word in short.words if word.sort != "empty"]
    if len(words) != 1 or words[0].sort != "core" or len(long.words) < 2:
        return 0.0
    letters = words[0].forms[0]
    if not _SHORTEST_ACRONYM < len(letters) <= _LONGEST_ACRONYM + 2 or not letters.isascii():
        return 0.0
    spelled = [word for word in long.spelled if word and word not in _JOINING]
    if letters == "".join(word[0] for word in spelled):
        return _ACRONYM
    if len(letters) > 3 and len(spelled) <= len(letters) and _beginnings(letters, spelled):
        return _SHORT_ACRONYM
    return 0.0


_JOINING = frozenset("the of and und et y e de del des du da do dos di la le les i".split())


def _beginnings(letters: str, words: list[str]) -> bool:
    """Whether *letters* are beginnings of all the *words*, one after the other."""
    if not words:
        return not letters
    word = words[0]
    return any(
        word[:size] == letters[:size] and _beginnings(letters[size:], words[1:])
        for size in range(1, min(len(letters), len(word), 6) + 1)
    )


def _initial(word: OrganizationWord) -> str:
    return word.written[0] if word.written[0].isascii() else (latin(word.written) or word.forms[0])[0]


def _left(a: list[OrganizationWord], b: list[OrganizationWord], cores: int, first: set[str]) -> list[Finding]:
    found: list[Finding] = []
    filled_a, filled_b = (any(word.sort == "empty" for word in words) for words in (a, b))
    a, b = _by_weight(a), _by_weight(b)
    while a and b:
        x = a.pop(0)
        y = next((each for each in b if each.sort == x.sort), b[0])
        b.remove(y)
        found.append(Finding("conflict", min(_CONFLICT[x.sort], _CONFLICT[y.sort]), x.written, y.written))
    # The more words of their own two names share, the less one more says. With none, every word counts.
    scale = (1.6, 1.0, 0.75, 0.6)[min(cores, 3)]
    found += [Finding("missing", _missing(x, scale, filled_a, first), x.written, "") for x in a]
    found += [Finding("missing", _missing(y, scale, filled_b, first), "", y.written) for y in b]
    return found


def _missing(word: OrganizationWord, scale: float, filled: bool, first: set[str]) -> float:
    cost = _MISSING[word.sort]
    if word.sort == "number":
        return cost
    if word.sort == "place" and word.written in first:
        cost = _PLACE_BEFORE
    if word.sort == "kind" and (filled or word.forms[0] in LOOSE_KINDS):
        cost = _LOOSE_KIND
    return cost * scale


def _by_weight(words: list[OrganizationWord]) -> list[OrganizationWord]:
    return sorted((word for word in words if word.sort != "empty"), key=lambda word: _ORDER.index(word.sort))
