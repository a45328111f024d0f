"""Two full names of people compared: which words pair up, what is missing, what contradicts.

Invariant: symmetric but for the order of values, and a function of the pieces alone. Every finding has a cost between 0
and 1; the costs add up like the sides of right angles, so that one contradiction outweighs many small differences.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

from crmcore.identity.given_names import EXTRAS
from crmcore.identity.han_readings import latin_surnames
from crmcore.identity.latin import sound
from crmcore.identity.name_pieces import PersonPieces, Word
from crmcore.identity.syllables import syllable_key
from crmcore.identity.word_likeness import ALIKE, bare_alike, both_bare_alike, words_alike


class Finding(NamedTuple):
    """What was found: a *kind* of agreement or difference, its *cost*, and the words *a* and *b* that it is about."""

    kind: str
    cost: float
    a: str = ""
    b: str = ""


_JOINED = 0.8
_INITIAL = 0.12
_EXTRA = {"name": 0.12, "patronymic": 0.06, "initial": 0.03, "particle": 0.02, "former": 0.0}
_EXTRA_COMMON = 0.05
_CONFLICT = {"name": 0.7, "patronymic": 0.5, "initial": 0.45, "particle": 0.03, "former": 0.1}
_ALONE = 0.45
_CROSSED = 0.05
_CROSSED_EXTRA = 0.2
_GENERATION = 0.6
_GENERATION_EXTRA = 0.06
_HALF_SYLLABLES = 0.35
_SURNAME = 0.14


def compare_people(a: PersonPieces, b: PersonPieces) -> list[Finding]:
    """What there is to find between two names that both have words."""
    if a.syllables and b.syllables:
        found = _by_syllables(a, b)
        if a.guessed or b.guessed:
            found = min(found, _by_words(a, b), key=lambda each: sum(finding.cost for finding in each))
    else:
        found = _by_words(a, b)
    if a.generation != b.generation:
        both = bool(a.generation and b.generation)
        found.append(
            Finding("generation", _GENERATION if both else _GENERATION_EXTRA, a.generation, b.generation)
        )
    return found


# --- word by word ---------------------------------------------------------------------------------------


class _Pair(NamedTuple):
    likeness: float
    start_a: int
    end_a: int
    start_b: int
    end_b: int


def _by_words(a: PersonPieces, b: PersonPieces) -> list[Finding]:
    words_a, words_b = a.words, b.words
    pairs = _paired(words_a, words_b)
    found: list[Finding] = []
    left_a, left_b = set(range(len(words_a))), set(range(len(words_b)))
    matched = 0.0
    for pair in pairs:
        xs, ys = words_a[pair.start_a : pair.end_a], words_b[pair.start_b : pair.end_b]
        left_a.difference_update(range(pair.start_a, pair.end_a))
        left_b.difference_update(range(pair.start_b, pair.end_b))
        roles = {word.role for word in (*xs, *ys)}
        if roles == {"particle"}:
            continue
        if "initial" in roles:
            both = len(xs[0].forms[0]) == len(ys[0].forms[0]) == 1
            matched += 0.5
            found.append(Finding("initial", 0.02 if both else _INITIAL, _text(xs), _text(ys)))
            continue
        matched += min(len([word for word in group if word.role != "particle"]) for group in (xs, ys))
        found.append(Finding(_kind(pair, xs, ys), 1 - pair.likeness, _text(xs), _text(ys)))
    found += _left([words_a[i] for i in sorted(left_a)], [words_b[j] for j in sorted(left_b)], matched)
    if _is_crossed(pairs, words_a, words_b) and not (a.ordered or b.ordered):
        extra = any(finding.kind == "missing" and finding.cost >= _EXTRA["name"] for finding in found)
        found.append(Finding("order", _CROSSED_EXTRA if extra else _CROSSED))
    return found


def _text(words: tuple[Word, ...]) -> str:
    return " ".join(word.written for word in words)


def _kind(pair: _Pair, xs: tuple[Word, ...], ys: tuple[Word, ...]) -> str:
    if pair.likeness == 1.0:
        return "same"
    if pair.likeness < ALIKE:
        return "conflict"
    return "joined" if len(xs) != len(ys) else "alike"


def _paired(a: tuple[Word, ...], b: tuple[Word, ...]) -> list[_Pair]:
    """The pairs of words, the likeliest first, each word in one pair at most."""
    candidates: list[_Pair] = []
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            likeness = _alike(x, y)
            if likeness >= 0.5:
                candidates.append(_Pair(likeness, i, i + 1, j, j + 1))
    best = {(pair.start_a, pair.start_b) for pair in candidates if pair.likeness >= 0.93}
    if len(best) < min(len(a), len(b)) or len(a) != len(b):
        candidates += _joined(a, b)
    candidates.sort(key=lambda pair: (-_rank(pair, a, b), abs(pair.start_a - pair.start_b), pair))
    taken_a: set[int] = set()
    taken_b: set[int] = set()
    pairs: list[_Pair] = []
    for pair in candidates:
        range_a, range_b = range(pair.start_a, pair.end_a), range(pair.start_b, pair.end_b)
        if taken_a.isdisjoint(range_a) and taken_b.isdisjoint(range_b):
            taken_a.update(range_a)
            taken_b.update(range_b)
            pairs.append(pair)
    return pairs


def _rank(pair: _Pair, a: tuple[Word, ...], b: tuple[Word, ...]) -> float:
    """Long words are paired before short ones, and words before initials."""
    size = min(len(a[pair.start_a].forms[0]), len(b[pair.start_b].forms[0]), 6)
    return pair.likeness + 0.01 * size


def _joined(a: tuple[Word, ...], b: tuple[Word, ...]) -> list[_Pair]:
    """Neighbours on one side that are one word on the other: Jean Claude and Jeanclaude."""
    found: list[_Pair] = []
    for i, x in enumerate(a):
        found += [_Pair(s, i, i + 1, j, end) for j, end, s in _runs_like(x, b)]
    for j, y in enumerate(b):
        found += [_Pair(s, i, end, j, j + 1) for i, end, s in _runs_like(y, a)]
    return found


def _runs_like(word: Word, others: tuple[Word, ...]) -> list[tuple[int, int, float]]:
    whole = word.forms[-1] if word.script in ("abd", "abu") else word.forms[0]
    if len(whole) < 4:
        return []
    found: list[tuple[int, int, float]] = []
    for start in range(len(others) - 1):
        for end in range(start + 2, min(start + 3, len(others)) + 1):
            run = others[start:end]
            if any(each.role == "initial" for each in run):
                continue
            spelled = "".join(
                each.forms[-1] if each.script in ("abd", "abu") else each.forms[0] for each in run
            )
            bare = any(each.bare for each in run)
            if not bare and not word.bare and abs(len(spelled) - len(whole)) > 2:
                continue
            likeness = _spelled_alike(whole, word.bare, spelled, bare)
            if likeness >= _JOINED:
                found.append((start, end, min(likeness, 0.97)))
    return found


def _spelled_alike(a: str, bare_a: bool, b: str, bare_b: bool) -> float:
    if bare_a and bare_b:
        return both_bare_alike(a, b)
    if bare_a:
        return bare_alike(a, b)
    return bare_alike(b, a) if bare_b else words_alike(a, b)


def _alike(x: Word, y: Word) -> float:
    if x.role == "particle" or y.role == "particle":
        if x.role != y.role:
            return 0.0
        return 1.0 if x.forms[0] == y.forms[0] else 0.5 if x.forms[0][0] == y.forms[0][0] else 0.0
    if x.role == "initial" or y.role == "initial":
        return _initial_alike(x.forms[0], y.forms[0])
    if x.written == y.written:
        return 1.0
    if x.script == y.script == "han":
        return 0.7 if x.forms[0] == y.forms[0] else 0.3
    if x.script == "abd" or y.script == "abd" or x.script == "abu" or y.script == "abu":
        tails = _spelled_alike(x.forms[0], x.bare, y.forms[0], y.bare)
        if x.script == y.script:
            return tails
        return max(tails - 0.15, _spelled_alike(x.forms[-1], x.bare, y.forms[-1], y.bare))
    if len(x.forms) == len(y.forms) == 1:
        likeness = _spelled_alike(x.forms[0], x.bare, y.forms[0], y.bare)
        return 0.84 if likeness < 0.84 and _one_surname(x.forms[0], y.forms[0]) else likeness
    return max(_spelled_alike(one, x.bare, other, y.bare) for one in x.forms for other in y.forms) * 0.98


def _initial_alike(a: str, b: str) -> float:
    if a[0] == b[0]:
        return 0.8
    key_a, key_b = sound(a)[:1], sound(b)[:1]
    return 0.75 if key_a and key_a == key_b and key_a in "jakf" else 0.0


def _left(a: list[Word], b: list[Word], matched: float) -> list[Finding]:
    """What the words cost that found no partner: two that stand against each other contradict, one alone is missing."""
    found: list[Finding] = []
    a, b = _by_weight(a), _by_weight(b)
    for x, y in zip(a, b, strict=False):
        found.append(Finding("conflict", min(_CONFLICT[x.role], _CONFLICT[y.role]), x.written, y.written))
    both = min(len(a), len(b))
    found += [Finding("missing", _missing(x, matched), x.written, "") for x in a[both:]]
    found += [Finding("missing", _missing(y, matched), "", y.written) for y in b[both:]]
    return found


def _by_weight(words: list[Word]) -> list[Word]:
    return sorted(words, key=lambda word: (-_CONFLICT[word.role], word.forms[0] in EXTRAS))


def _missing(word: Word, matched: float) -> float:
    if word.role in ("name", "patronymic") and matched < 1.5:
        return _ALONE
    return _EXTRA_COMMON if word.forms[0] in EXTRAS else _EXTRA[word.role]


def _is_crossed(pairs: list[_Pair], a: tuple[Word, ...], b: tuple[Word, ...]) -> bool:
    told = sorted(
        (pair.start_a, pair.start_b)
        for pair in pairs
        if a[pair.start_a].role == "name" and b[pair.start_b].role == "name"
    )
    return any(first[1] > second[1] for first, second in pairwise(told))


# --- syllable by syllable ---------------------------------------------------------------------------------


def _by_syllables(a: PersonPieces, b: PersonPieces) -> list[Finding]:
    """East Asian names: every syllable counts, however they are joined, and families are read in several languages."""
    if all(word.script == "han" for word in (*a.words, *b.words)):
        left_a, left_b = list("".join(w.written for w in a.words)), list("".join(w.written for w in b.words))
    else:
        left_a, left_b = list(a.syllables), list(b.syllables)
    found: list[Finding] = []
    if not _one_key(left_a[0], left_b[0]) and _one_surname(left_a[0], left_b[0]):
        found.append(Finding("alike", _SURNAME, left_a.pop(0), left_b.pop(0)))
    for alike, cost in ((_equal, 0.0), (_one_key, 0.06)):
        for x in tuple(left_a):
            y = next((y for y in left_b if alike(x, y)), None)
            if y is not None:
                left_a.remove(x)
                left_b.remove(y)
                found.append(Finding("same" if not cost else "alike", cost, x, y))
    for x, y in zip(left_a, left_b, strict=False):
        found.append(Finding("conflict", _CONFLICT["name"], x, y))
    both = min(len(left_a), len(left_b))
    found += [Finding("missing", _HALF_SYLLABLES, x, "") for x in left_a[both:]]
    found += [Finding("missing", _HALF_SYLLABLES, "", y) for y in left_b[both:]]
    return found


def _equal(a: str, b: str) -> bool:
    return a == b


def _one_key(a: str, b: str) -> bool:
    return syllable_key(a) == syllable_key(b)


def _one_surname(a: str, b: str) -> bool:
    surnames = _surnames()
    return not surnames.get(syllable_key(a), frozenset()).isdisjoint(
        surnames.get(syllable_key(b), frozenset())
    )


@cache
def _surnames() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for reading, characters in latin_surnames().items():
        key = syllable_key(reading)
        found[key] = found.get(key, frozenset()) | characters
    return found
