"""A person's name: the full text as the person writes it, and its parts where somebody knows them.

Invariant: *full* alone is enough and is never rewritten; parts are given, or guessed by `parse_parts`, which says how
sure it is. Every form of the name falls back to *full*.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, get_args

import attrs

from crmcore.errors import InvalidName
from crmcore.values.language import language_tag
from crmcore.values.name_words import Confidence, NameOrder, PartKind, Reading, readings
from crmcore.values.personal import Document, personal
from crmcore.values.text import fold, is_cjk, kept, required
from crmcore.values.validate import one_of

NameUse = Literal["usual", "legal", "birth", "former", "religious", "pen", "nickname", "old"]

_LIMIT = 512
_FAMILY: tuple[PartKind, ...] = ("particle", "family", "family2", "clan")
_GIVEN: tuple[PartKind, ...] = ("given", "given2")
_CALLED: tuple[PartKind, ...] = ("given", "given2", "middle", "patronymic", "matronymic")
_NAME: tuple[PartKind, ...] = (*_FAMILY, *_CALLED, "mononym")

_GIVEN_NAME_SORTS = frozenset({"is", "th"})
_PARTICLES_SORT_LAST: dict[str, frozenset[str] | None] = {
    "nl": None, "pt": None, "es": None, "fr": frozenset({"de", "d"}),
    "de": frozenset({"von", "zu", "von der", "von dem", "vom", "zum", "zur", "von und zu"}),
}  # fmt: skip
"""Per language, the particles that follow the given names in an index; None stands for all of them."""


def _text(value: object) -> str:
    return kept(value, error=InvalidName, what="a name", limit=_LIMIT)


@attrs.frozen
class NamePart(Document):
    """A piece of a name and what it is.

    >>> NamePart("patronymic", "Guðmundsdóttir")
    NamePart(kind='patronymic', text=<hidden>)
    """

    kind: PartKind = attrs.field(validator=one_of(*get_args(PartKind), error=InvalidName), kw_only=False)
    text: str = personal(converter=_text, kw_only=False)


def _parts(value: Iterable[NamePart]) -> tuple[NamePart, ...]:
    parts = tuple(value)
    if not all(isinstance(part, NamePart) for part in parts):
        raise InvalidName("the parts of a name are NamePart values: give their kind and text", reason="type")
    return parts


@attrs.frozen(kw_only=True)
class PersonName(Document):
    """A name as it is written, with its *parts* in written order where they are known.

    *order* says how *full* puts the given and family names; *language* (BCP 47) decides between customs;
    *use* says what the name is for.

    >>> name = PersonName.from_parts(given="Ludwig", particle="van", family="Beethoven")
    >>> name.full, name.sort()
    ('Ludwig van Beethoven', 'van Beethoven, Ludwig')
    >>> name
    PersonName(full=<hidden>, parts=<3 hidden>, order='given_first', language=None, use='usual')
    """

    full: str = personal(converter=_text)
    parts: tuple[NamePart, ...] = personal(default=(), converter=_parts)
    order: NameOrder = attrs.field(
        default="as_written", validator=one_of(*get_args(NameOrder), error=InvalidName)
    )
    language: str | None = attrs.field(default=None, converter=language_tag)
    use: NameUse = attrs.field(default="usual", validator=one_of(*get_args(NameUse), error=InvalidName))

    @classmethod
    def parse(cls, text: str) -> PersonName:
        """Keep a name as it is written. Nothing is split off; see `parse_parts` for that.

        Raises:
            InvalidName: if *text* is blank, longer than 512 characters or broken.

        >>> PersonName.parse("  Sukarno ").full
        'Sukarno'
        """
        return _parsed(required(text, error=InvalidName, what="a name", limit=_LIMIT))

    @classmethod
    def from_parts(
        cls,
        *,
        given: str | None = None,
        middle: str | None = None,
        family: str | None = None,
        honorific: str | None = None,
        particle: str | None = None,
        family2: str | None = None,
        generation: str | None = None,
        credential: str | None = None,
        order: NameOrder = "given_first",
        language: str | None = None,
        use: NameUse = "usual",
        full: str | None = None,
    ) -> PersonName:
        """A name from parts as a form or a file gives them; blank ones count as missing.

        *full* is put together by *order* unless it is given. A Vietnamese middle name stands before the given
        name. Chinese, Japanese and Korean parts in *order* ``family_first`` are joined without a space.

        Raises:
            InvalidName: if there is nothing to make a name of, or a part is too long or broken.

        >>> PersonName.from_parts(family="김", given="민준", order="family_first").full
        '김민준'
        >>> PersonName.from_parts(given="Ann", family="Lee", credential="PhD").full
        'Ann Lee, PhD'
        """
        tag = language_tag(language)
        given_names: tuple[tuple[PartKind, str | None], ...] = (("given", given), ("middle", middle))
        families: tuple[tuple[PartKind, str | None], ...] = (
            ("particle", particle), ("family", family), ("family2", family2),
        )  # fmt: skip
        if order == "family_first":
            names = (*families, *(reversed(given_names) if _primary(tag) == "vi" else given_names))
        else:
            names = (*given_names, *families)
        pieces: tuple[tuple[PartKind, str | None], ...] = (
            ("honorific", honorific), *names, ("generation", generation), ("credential", credential),
        )  # fmt: skip
        parts = tuple(NamePart(kind, text) for kind, text in pieces if text is not None and text.strip())
        written = full if full is not None and full.strip() else None
        if order == "family_first" and _tight(parts):
            # Titles follow the name in these languages.
            parts = (*(part for part in parts if part.kind != "honorific"), *_only(parts, ("honorific",)))
        elif written is not None:
            parts = _in_written_order(parts, written)
        text = written if written is not None else _written(parts, order)
        return cls(full=text, parts=parts, order=order, language=tag, use=use)

    @property
    def given(self) -> str | None:
        """The given names, without middle names.

        >>> PersonName.from_parts(given="Ann", family="Lee").given
        'Ann'
        """
        return self._join(_GIVEN)

    @property
    def family(self) -> str | None:
        """The family names with their particles.

        >>> PersonName.from_parts(given="Ludwig", particle="van", family="Beethoven").family
        'van Beethoven'
        """
        return (
            self._join(_FAMILY)
            if any(part.kind in ("family", "family2", "clan") for part in self.parts)
            else None
        )

    @property
    def key(self) -> str:
        """The form for comparison: the folded full name.

        >>> PersonName.parse("José Núñez").key
        'jose nunez'
        """
        return fold(self.full) or self.full.casefold()

    def short(self) -> str:
        """What to call the person among equals: the given name.

        A Chinese, Japanese or Korean name written family first, and one of unknown language, keeps its full form,
        as the bare given name would be too familiar; the Vietnamese call each other by it.

        >>> PersonName.from_parts(family="Nguyễn", middle="Thị Minh", given="Khai", order="family_first",
        ...     language="vi").short()
        'Khai'
        """
        if self.order == "family_first" and _primary(self.language) in (None, "zh", "ja", "ko"):
            return self.full
        return self.given or self._join(("mononym",)) or self._join(("nickname",)) or self.full

    def formal(self) -> str:
        """What to call the person in a letter: title and family name, or the full name without a title.

        An East Slavic name with a patronymic gives the given name and the patronymic.

        >>> PersonName.from_parts(honorific="Dr", given="Kofi", family="Osei").formal()
        'Dr Osei'
        >>> PersonName.from_parts(given="Kofi", family="Osei").formal()
        'Kofi Osei'
        """
        language = _primary(self.language)
        if (
            language in ("ru", "uk", "be")
            and self.given
            and any(part.kind == "patronymic" for part in self.parts)
        ):
            return _written(_only(self.parts, ("given", "patronymic")), "given_first")
        if not self._join(("honorific",)):
            return self.full
        called = self.given if language in ("vi", *_GIVEN_NAME_SORTS) else self.family
        kinds: tuple[PartKind, ...] = _GIVEN if called and called == self.given else _FAMILY
        if called is None:
            kinds = (*_GIVEN, "mononym")
        chosen = _only(self.parts, ("honorific", *kinds))
        return _written(chosen, self.order) if len(chosen) > 1 else self.full

    def sort(self) -> str:
        """The name as a register writes it, the part that it is sorted by first.

        Without a family name, in Icelandic and in Thai: as spoken, by the given name. In Vietnamese: given name,
        then the rest. Names written family first stay as they are. Otherwise ``Family, Given``; particles stay with
        the family name, but follow the given names in Dutch (not Belgian), Portuguese and Spanish, and, for those
        of nobility, in German and French.

        >>> PersonName.from_parts(given="Ludwig", particle="van", family="Beethoven", language="nl").sort()
        'Beethoven, Ludwig van'
        >>> PersonName.from_parts(given="María del Carmen", family="García", family2="Lorca").sort()
        'García Lorca, María del Carmen'
        """
        names = _only(self.parts, _NAME)
        language = _primary(self.language)
        if not names:
            return self.full
        called = _written(_only(names, _CALLED), "given_first")
        if not self.family or not called or language in _GIVEN_NAME_SORTS:
            return _written(names, self.order)
        if language == "vi" and self.given:
            rest = tuple(part for part in names if part.kind not in _GIVEN)
            return f"{self.given}, {_written(rest, 'given_first')}"
        if self.order == "family_first":
            return _written(names, self.order)
        particle = _written(_only(names, ("particle",)), "given_first")
        head = _only(names, _FAMILY)
        if particle and self._particle_sorts_last(particle):
            head = tuple(part for part in head if part.kind != "particle")
            called = f"{called} {particle}"
        generation = self._join(("generation",))
        return f"{_written(head, 'given_first')}, {called}" + (f", {generation}" if generation else "")

    def _particle_sorts_last(self, particle: str) -> bool:
        language = _primary(self.language)
        if language not in _PARTICLES_SORT_LAST or self.language == "nl-BE":
            return False
        which = _PARTICLES_SORT_LAST[language]
        return which is None or fold(particle) in which

    def _join(self, kinds: tuple[PartKind, ...]) -> str | None:
        return _written(_only(self.parts, kinds), "given_first") or None


@lru_cache(maxsize=8192)
def _parsed(text: str) -> PersonName:
    return PersonName(full=text)


def _only(parts: tuple[NamePart, ...], kinds: tuple[PartKind, ...]) -> tuple[NamePart, ...]:
    return tuple(part for part in parts if part.kind in kinds)


def _primary(language: str | None) -> str | None:
    return None if language is None else language.partition("-")[0]


def _tight(parts: tuple[NamePart, ...]) -> bool:
    return bool(parts) and all(is_cjk(part.text) for part in parts)


def _written(parts: tuple[NamePart, ...], order: NameOrder) -> str:
    """The parts as one text: credentials behind a comma, no space after an apostrophe or within CJK names."""
    if order == "family_first" and _tight(parts):
        return "".join(part.text for part in parts)
    result = ""
    for part in parts:
        if result:
            result += ", " if part.kind == "credential" else "" if result[-1] in "'’" else " "
        result += part.text
    return result


def _in_written_order(parts: tuple[NamePart, ...], full: str) -> tuple[NamePart, ...]:
    places = [full.find(part.text) for part in parts]
    if -1 in places or len(set(places)) < len(places):
        return parts
    return tuple(part for _, part in sorted(zip(places, parts, strict=True), key=lambda pair: pair[0]))


@attrs.frozen(kw_only=True)
class ParsedName:
    """A guess at the parts of a name: the likeliest *name*, how sure it is, and other readings of the same text.

    Confidence ``none`` means that nothing was split.
    """

    name: PersonName
    confidence: Confidence
    alternatives: tuple[PersonName, ...] = ()


def parse_parts(full: str, language: str | None = None) -> ParsedName:
    """Guess the parts of a written name. Lossy: the guess may be wrong, but *full* is kept as it is.

    ``Family, Given`` is read as such, other names as given name first unless the *language* has it otherwise.
    Titles, generations, credentials, particles and nicknames are told apart by short lists. Names in scripts
    without such rules are not split.

    Raises:
        InvalidName: if *full* is no name at all.

    >>> guess = parse_parts("Dr Ludwig van Beethoven")
    >>> guess.name.given, guess.name.family, guess.confidence
    ('Ludwig', 'van Beethoven', 'medium')
    """
    name = PersonName(full=full, language=language)
    return _guess(name)


@lru_cache(maxsize=8192)
def _guess(name: PersonName) -> ParsedName:
    found = readings(name.full, _primary(name.language))
    if not found:
        return ParsedName(name=name, confidence="none")
    names = tuple(_read(name, reading) for reading in found)
    return ParsedName(name=names[0], confidence=found[0].confidence, alternatives=names[1:])


def _read(name: PersonName, reading: Reading) -> PersonName:
    parts = _in_written_order(tuple(NamePart(kind, text) for kind, text in reading.pieces), name.full)
    return attrs.evolve(name, parts=parts, order=reading.order)
