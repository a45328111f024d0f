"""Short forms of given names that no comparison of letters finds: Bob is Robert, Peggy is Margaret.

Invariant: symmetric, and not transitive: Ted is short for Edward and for Theodore, who are two people. English names
are those of the package `nicknames`, read when first asked; names of other languages, and some that it lacks, are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

_FULL_NAMES = """
andy:andrew,andreas bert:albert,robert,herbert charlie:charles,charlotte dolly:dorothy dora:dorothy,theodora
ella:eleanor
fritz:friedrich gus:august,gustav hannes:johannes hans:johannes jan:johannes josie:josephine lena:helena,magdalena
lisa:elisabeth,elizabeth lola:dolores manolo:manuel max:maximilian,maxim millie:mildred,emily minnie:wilhelmina
paco:francisco pancho:francisco pepe:jose ralf:rudolf sally:sarah sandy:alexander,alexandra,sandra
sasha:alexander,alexandra,aleksandr,aleksandra sepp:josef steffi:stefanie,stephanie tess:theresa tina:christina,martina
toni:anton,antonia uli:ulrich,ulrike willy:william,wilhelm nacho:ignacio lupe:guadalupe beto:alberto,roberto
tono:antonio chuy:jesus kiko:enrique,francisco quique:enrique lalo:eduardo memo:guillermo nando:fernando
zeca:jose ze:jose chico:francisco dudu:eduardo beppe:giuseppe pino:giuseppe gigi:luigi gianni:giovanni nino:antonino
sepp:joseph seppi:josef heinz:heinrich heini:heinrich klaus:nikolaus jupp:josef rudi:rudolf resi:therese liesl:elisabeth
jochen:joachim achim:joachim joschka:josef,joseph basti:sebastian wolfi:wolfgang kees:cornelis pim:willem,wilhelmus
jaap:jacob,jakob joop:johannes piet:pieter wim:willem sjaak:jacques henk:hendrik lasse:lars kalle:karl
vlad:vladimir,vladislav volodya:vladimir vova:vladimir,volodymyr misha:mikhail,michael kolya:nikolai,nikolay
dima:dmitry,dmitri,dmitriy,dmitrii dmytro:dmitry zhenya:evgeny,yevgeny,evgeniy,evgenia vanya:ivan petya:pyotr,petr
fedya:fyodor alyosha:aleksei,alexei,alexey,aleksey lyosha:aleksei,alexei,alexey tolya:anatoly,anatoliy kostya:konstantin
seryozha:sergei,sergey serzh:sergei,serge grisha:grigory,grigori,grigoriy borya:boris lyonya:leonid
slava:vyacheslav,viacheslav,stanislav
katya:ekaterina,yekaterina,catherine masha:maria natasha:natalia,natalya,nataliya olya:olga tanya:tatiana,tatyana
nastya:anastasia,anastasiya anya:anna sonya:sofia,sofya lyuba:lyubov lyuda:lyudmila,ludmila ira:irina sveta:svetlana
gosha:georgy yura:yuri,yury jurek:jerzy janek:jan staszek:stanislaw kuba:jakub gosia:malgorzata kasia:katarzyna
pepa:josef honza:jan franta:frantisek jirka:jiri mirek:miroslav laci:laszlo pista:istvan jancsi:janos feri:ferenc
mo:mohammed,mohamed,muhammad hamo:mohammed memo:mehmet ibo:ibrahim sam:samir sulejman:sulayman
"""


@cache
def _long() -> Mapping[str, frozenset[str]]:
    """The full names that a short form stands for."""
    from nicknames import name_triplets

    found: dict[str, set[str]] = {}
    for full, relation, short in name_triplets():
        if relation == "has_nickname":
            found.setdefault(short, set()).add(full)
    for item in _FULL_NAMES.split():
        short, _, names = item.partition(":")
        found.setdefault(short, set()).update(names.split(","))
    return {short: frozenset(names) for short, names in found.items()}


@cache
def _english() -> frozenset[str]:
    from nicknames import name_triplets

    return frozenset(name for triplet in name_triplets() for name in (triplet.name1, triplet.name2))


def is_english(word: str) -> bool:
    """Whether the folded *word* is an established given name of English: it is unlikely to be an error for another.

    >>> is_english("olivia"), is_english("schwarzenegger")
    (True, False)
    """
    return word in _english()


def full_names(word: str) -> frozenset[str]:
    """The names that a folded given name may be short for.

    >>> sorted(full_names("ted"))
    ['edmund', 'edward', 'theodore']
    """
    return _long().get(word, frozenset())


def one_is_short_for_the_other(a: str, b: str) -> bool:
    """Whether *a* and *b*, folded given names, are a name and its short form or two short forms of one name.

    >>> one_is_short_for_the_other("bob", "robert"), one_is_short_for_the_other("rob", "bob")
    (True, True)
    >>> one_is_short_for_the_other("edward", "theodore")
    False
    """
    long = _long()
    full_a, full_b = long.get(a, frozenset()), long.get(b, frozenset())
    return a in full_b or b in full_a or not full_a.isdisjoint(full_b)
