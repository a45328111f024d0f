"""Names as matching sees them: what is left when titles, legal forms and spelling are folded away.

Invariant: a form is a function of the text alone, lossy, bounded in size, and empty for a text that names nobody.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from crmcore.identity.normal_forms import LONGEST, letters_joined
from crmcore.identity.organization_pieces import name_words
from crmcore.values.name_words import readings
from crmcore.values.text import tokens

_MOST_TOKENS = 16
_AFTER_LATIN = "\u0250"
_MEMORY = 1 << 16
_SUFFIXES = {
    "jr": "jr", "junior": "jr", "filho": "jr", "sr": "sr", "senior": "sr",
    "ii": "2", "2nd": "2", "iii": "3", "3rd": "3", "iv": "4", "4th": "4",
}  # fmt: skip
GENERATIONS = tuple(dict.fromkeys(_SUFFIXES.values()))
_TITLES = frozenset("mr mrs ms miss mx dr prof sir dame rev hon herr frau mme mlle phd md esq".split())
_UNKNOWN = frozenset(
    "unknown anonymous anonymus anonyme anonimo anonym unbekannt unbekannter unbekannte inconnu inconnue desconocido "
    "desconhecido sconosciuto onbekend nieznany ukjent okand customer client cliente неизвестно неизвестный аноним "
    "未知 未知の 不明 匿名 無名 无名 noname xxx".split()
)
"""Words that nobody is called. Null, None and Na are left out: people are called that."""

_PLACEHOLDERS = _UNKNOWN | frozenset(
    "na ka null none nil nobody empty void test tests testing tester prueba prova teste dummy sample example default "
    "user guest kunde kundin klant klient kund gast invite utente usuario private privat tbd tba todo deleted x xx "
    "qwerty asdf nolastname nofirstname notknown notavailable notapplicable notprovided notgiven notspecified keinname "
    "keineangabe ohnename ohnenamen sansnom sinnombre semnome senzanome nondisponible noaplica nodisponible geennaam "
    "тест клиент нет безимени 测试 客户 テスト 顧客 名無し なし لايوجد غيرمعروف مجهول".split()
)
"""What is entered where a name has to be, in one word (without its spaces). Somebody may be called that besides a name
that is none of these: Jennifer Null is a person, and None alone is nobody."""

_SLASHED = re.compile(r"\s*n\s*[/\\]\s*a\.?\s*\Z", re.IGNORECASE)
"""Written so, it is no name whatever stands beside it."""


class PersonForm(NamedTuple):
    """Folded words of a person's name by role, and the *generation* that its suffix says (``"jr"``, ``"2"``)."""

    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    generation: str = ""

    @property
    def text(self) -> str:
        """The name for people to read."""
        return " ".join((*self.given, *self.family, *((self.generation,) if self.generation else ())))


OrganizationForm = tuple[str, ...]
"""Folded words of an organization's name, abbreviations spelled out, legal forms dropped."""


def person_form(given: str = "", family: str = "") -> PersonForm | None:
    """The form of a name whose roles are known; a title or a placeholder alone is no name.

    >>> person_form("Dr. Brent S.", "O'Krusor Jr.")
    PersonForm(given=('brent', 's'), family=('okrusor',), generation='jr')
    >>> person_form("N/A", "Lee"), person_form("Test", "Customer")
    (PersonForm(given=(), family=('lee',), generation=''), None)
    """
    return _person_form(given[:LONGEST], family[:LONGEST])


@lru_cache(maxsize=_MEMORY)
def _person_form(given: str, family: str) -> PersonForm | None:
    firsts, generation = given_part(given)
    lasts, later = family_part(family)
    return None if nobody(firsts, lasts) else PersonForm(firsts, lasts, later or generation)


def given_part(given: str) -> tuple[tuple[str, ...], str]:
    """The words of a given name, and the generation that it says.

    >>> given_part("Dr. Brent S.")
    (('brent', 's'), '')
    """
    firsts, generation = _without_titles(() if _SLASHED.match(given) else tokens(given))
    if len(firsts) == 1 and firsts[0] in _TITLES:
        firsts = ()
    return firsts, generation


def family_part(family: str) -> tuple[tuple[str, ...], str]:
    """The words of a family name, and the generation that it says.

    >>> family_part("O'Krusor Jr.")
    (('okrusor',), 'jr')
    """
    return _without_titles(() if _SLASHED.match(family) else tokens(family))


def nobody(firsts: tuple[str, ...], lasts: tuple[str, ...] = ()) -> bool:
    """Whether there is nothing but placeholders, in either part, or over both, whichever part was taken for which."""
    if not firsts or not lasts:
        return _blank(firsts or lasts)
    return (_blank(firsts) and _blank(lasts)) or _blank(firsts + lasts) or _blank(lasts + firsts)


def suspicious(words: tuple[str, ...]) -> bool:
    """Whether one part of a name can make nobody of the whole, beside another such part.

    >>> suspicious(("no",)), suspicious(("ann",))
    (True, False)
    """
    joined = "".join(word for word in words if word not in _TITLES)
    if len(set(joined)) <= 1 or joined in _pieces():
        return True
    return all(
        word in _TITLES or word in _PLACEHOLDERS or word.isdigit() or word in _pieces() for word in words
    )


def special_words() -> frozenset[str]:
    """Words that are more, or less, than a name: any other single word is just that word."""
    return _TITLES | _PLACEHOLDERS | _pieces()


@cache
def _pieces() -> frozenset[str]:
    """Beginnings and ends of placeholders, which two parts of a name may make up together."""
    return frozenset(
        piece for text in _PLACEHOLDERS for at in range(len(text) + 1) for piece in (text[:at], text[at:])
    )


def _blank(words: tuple[str, ...]) -> bool:
    """Whether *words* are a placeholder, several, one that is numbered, or one sign repeated."""
    untitled = [word for word in words if word not in _TITLES]
    joined = "".join(untitled)
    if joined in _PLACEHOLDERS or (len(joined) > 2 and joined == joined[0] * len(joined)):
        return True
    told = not words
    for word in untitled:
        if not word.isdigit():
            if word not in _PLACEHOLDERS:
                return False
            told = True
    return told


def full_name_form(full: str) -> PersonForm | None:
    """The form of a name given as one text; its roles are a guess.

    >>> full_name_form("Lee, Ann Mary") == full_name_form("Ann Mary Lee")
    True
    >>> full_name_form("김민준").family
    ('김',)
    """
    return _full_name_form(" ".join(full[:LONGEST].split()))


@lru_cache(maxsize=_MEMORY)
def _full_name_form(full: str) -> PersonForm | None:
    if _SLASHED.match(full) or nobody(tokens(full)):
        return None
    found = readings(full, None)
    if not found:
        words, generation = _without_titles(tokens(full))
        return PersonForm(words[:-1], words[-1:], generation) if words else None
    given: list[str] = []
    family: list[str] = []
    generation = ""
    for kind, text in found[0].pieces:
        if kind in ("given", "given2", "middle", "patronymic", "matronymic"):
            given.extend(tokens(text))
        elif kind in ("family", "family2", "particle", "clan", "mononym"):
            family.extend(tokens(text))
        elif kind == "generation":
            generation = _SUFFIXES.get("".join(tokens(text)), "")
    firsts = () if all(word in _UNKNOWN for word in given) else tuple(given[:_MOST_TOKENS])
    lasts = () if all(word in _UNKNOWN for word in family) else tuple(family[:_MOST_TOKENS])
    return None if nobody(firsts, lasts) else PersonForm(firsts, lasts, generation)


def _without_titles(words: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    generation = ""
    if len(words) > 1 and words[-1] in _SUFFIXES:
        generation = _SUFFIXES[words[-1]]
        words = words[:-1]
    if len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    if words and all(word in _UNKNOWN for word in words):
        return (), generation
    return words[:_MOST_TOKENS], generation


_LEGAL_FORMS = frozenset(
    "ltd limited inc incorporated corp corporation llc llp lp plc pllc pc co company cie compagnie gmbh mbh ag kg kgaa "
    "ohg gbr ug ev eg se sa sas sarl sasu eurl spa srl srls snc sl slu slp bv nv vof cv ab as asa aps oy oyj kk ks "
    "kabushiki kaisha kabushikikaisha yugen gaisha goudou godo pty pte sdn bhd sp zoo spzoo doo dd kft zrt nyrt rt "
    "sro jsc pjsc ojsc oao ooo zao ao ltda sociedad anonima societe anonyme gesellschaft haftung aktiengesellschaft "
    "aktiebolag naamloze vennootschap".split()
)
_NOISE = frozenset("the of and und et y e de la le les du der die das den for a an".split())
_EXPANDED = {
    "assn": "association", "assoc": "association", "assocs": "associates", "ctr": "center", "centre": "center",
    "cntr": "center", "cen": "center", "univ": "university", "inst": "institute", "intl": "international",
    "natl": "national", "dept": "department", "dev": "development", "devt": "development", "mfg": "manufacturing",
    "tech": "technology", "technologies": "technology", "sys": "systems", "svc": "services", "svcs": "services",
    "serv": "services", "service": "services", "sch": "school", "schl": "school", "schools": "school",
    "acad": "academy", "comm": "community", "commty": "community", "hosp": "hospital", "govt": "government",
    "mgmt": "management", "grp": "group", "bros": "brothers", "labs": "laboratory", "lab": "laboratory",
    "laboratories": "laboratory", "ind": "industries", "inds": "industries", "industry": "industries",
    "industrial": "industries", "elec": "electric", "eng": "engineering", "engrg": "engineering", "st": "saint",
    "ste": "saint", "ft": "fort", "mt": "mount", "bldg": "building", "daycare": "day care", "childcare": "child care",
    "ii": "2", "iii": "3", "iv": "4", "first": "1", "1st": "1", "second": "2", "2nd": "2", "third": "3", "3rd": "3",
    "americas": "america", "american": "america", "soc": "society", "org": "organization", "fdn": "foundation",
    "pharm": "pharmaceutical", "pharmaceuticals": "pharmaceutical", "semi": "semiconductor", "ntl": "national",
    "kinder": "kindergarten", "elem": "elementary", "bd": "board", "chem": "chemical", "chemicals": "chemical",
}  # fmt: skip


def organization_form(text: str) -> OrganizationForm:
    """The words of an organization's name that tell it from others.

    >>> organization_form("The Horiba Co., Ltd."), organization_form("St. Mary's Daycare Ctr, Inc.")
    (('horiba',), ('saint', 'marys', 'day', 'care', 'center'))
    """
    return _organization_form(text[:LONGEST])


def _latin(text: str) -> bool:
    return all(letter < _AFTER_LATIN for letter in text if letter.isalpha())


@lru_cache(maxsize=_MEMORY)
def _organization_form(text: str) -> OrganizationForm:
    if nobody(tokens(text)):
        return ()
    core: list[str] = []
    # Names in other scripts carry their legal forms in them, and may have no spaces.
    words = letters_joined(tokens(text)) if _latin(text) else name_words(text)
    for word in words[:_MOST_TOKENS]:
        core.extend(_EXPANDED.get(word, word).split())
    kept = tuple(dict.fromkeys(word for word in core if word not in _LEGAL_FORMS and word not in _NOISE))
    if kept and all(word in _UNKNOWN for word in kept):
        return ()
    return kept or tuple(dict.fromkeys(core))
