"""Reading packs from TOML.

Invariant: a pack is read whole or refused with the place that is wrong; an unknown key is refused, wherever it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from crmcore.consent.conditions.acts import Profile
from crmcore.consent.conditions.listed import OWN
from crmcore.consent.conditions.reading import condition
from crmcore.consent.conditions.walking import counting_across
from crmcore.consent.counting import COUNTINGS
from crmcore.consent.grace import Grace
from crmcore.consent.jurisdictions import codes
from crmcore.consent.law import Law
from crmcore.consent.pack import Effect, Number, Pack, Rule
from crmcore.consent.schema_of_packs import first_mistake
from crmcore.consent.wording import REGISTERS
from crmcore.consent.words import NOES, STAGES, Channel, Purpose
from crmcore.consent.zones import zone
from crmcore.errors import InvalidConsent, InvalidPack

_RULE = frozenset(
    "id stage effect text cite when unless defeated_by channel purpose becomes in_force read".split()
)
_PACK = frozenset(
    "id jurisdiction name version zone includes without citing lifts beside_law leap_birthday note".split()
    + "profile grace number rule".split()
)
_KEPT = 4096

_GRACE = frozenset("channel purpose right days counting kinds cite in_force".split())


def read_pack(text: str, name: str = "the pack") -> Pack:
    """The pack that *text*, a TOML document, says.

    Raises:
        InvalidPack: if it is none, or holds something that packs do not know.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPack(f"{name} is no TOML: {error}") from None
    mistake = first_mistake(document, name)
    if mistake is None:
        return _pack(document, name)
    try:
        _pack(document, name)
    except InvalidPack:
        raise  # what it notices, it says better
    except (KeyError, TypeError, AttributeError):
        pass
    raise InvalidPack(mistake)


def _pack(document: Mapping[str, Any], name: str) -> Pack:
    _known(document, _PACK, name)
    for key in ("id", "jurisdiction", "name", "version"):
        if not isinstance(document.get(key), str):
            raise InvalidPack(f"{name}: {key} is missing")
    id, beside = document["id"], document.get("beside_law", False)
    if beside is not document["jurisdiction"].islower():
        raise InvalidPack(
            f"{name}: countries are written in capitals, like 'US-CA'; small letters are for beside_law = true"
        )
    profiles = {
        key: Profile(key, condition(table, f"{id}, profile {key}"))
        for key, table in document.get("profile", {}).items()
    }
    return Pack(
        id=id,
        jurisdiction=document["jurisdiction"],
        name=document["name"],
        version=document["version"],
        zone=_zone(document.get("zone", "UTC"), id),
        includes=tuple(document.get("includes", ())),
        without=frozenset(document.get("without", ())),
        citing=document.get("citing", {}),
        lifts=document.get("lifts"),
        beside_law=beside,
        leap_birthday=_leap(document.get("leap_birthday"), id),
        note=document.get("note", ""),
        profiles=profiles,
        graces=tuple(_grace(one, id) for one in document.get("grace", ())),
        numbers=tuple(_number(one, id) for one in document.get("number", ())),
        rules=tuple(_rule(one, id) for one in document.get("rule", ())),
    )


def _known(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    if wrong := set(table) - set(known):
        raise InvalidPack(f"{where}: unknown key {', '.join(sorted(wrong))}")


def _rule(table: Mapping[str, Any], pack: str) -> Rule:
    id = table.get("id", "a rule without an id")
    where = f"{pack}, rule {id}"
    _known(table, _RULE, where)
    for key in ("id", "stage", "effect", "text", "cite"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            raise InvalidPack(f"{where}: {key} is missing")
    _among(table["stage"], STAGES, f"{where}, stage")
    _among(table["effect"], get_args(Effect), f"{where}, effect")
    since, until = _dates(table.get("in_force", "/"), where)
    channels = _several(table.get("channel", ()), get_args(Channel), f"{where}, channel")
    return Rule(
        id=id,
        stage=table["stage"],
        effect=table["effect"],
        text=table["text"],
        cite=table["cite"],
        when=_condition(table, "when", channels, where),
        unless=_condition(table, "unless", channels, f"{where}, unless"),
        defeated_by=tuple(table.get("defeated_by", ())),
        channels=channels,
        purposes=_several(table.get("purpose", ()), get_args(Purpose), f"{where}, purpose"),
        becomes=table.get("becomes"),
        since=since,
        until=until,
        read=table.get("read", False),
        pack=pack,
    )


def _condition(table: Mapping[str, Any], key: str, channels: frozenset[str], where: str) -> Any:
    return counting_across(condition(table[key], where), channels) if key in table else None


def _grace(table: Mapping[str, Any], pack: str) -> Grace:
    _known(table, _GRACE, f"{pack}, grace")
    since, until = _dates(table.get("in_force", "/"), f"{pack}, grace")
    _among(table.get("counting"), COUNTINGS, f"{pack}, grace, counting")
    kinds = _several(table.get("kinds", ("withdraw", "refuse")), sorted(NOES), f"{pack}, grace, kinds")
    return Grace(
        channels=_several(table["channel"], get_args(Channel), f"{pack}, grace"),
        number=table["days"],
        counting=table["counting"],
        kinds=kinds,
        purposes=_several(table.get("purpose", ()), get_args(Purpose), f"{pack}, grace"),
        right=table.get("right"),
        cite=table.get("cite", ""),
        since=since,
        until=until,
    )


def _zone(name: str, pack: str) -> str:
    try:
        zone(name)
    except InvalidConsent:
        raise InvalidPack(f"{pack}, zone: there is no time zone {name!r}") from None
    return name


def _leap(value: Any, pack: str) -> Literal["feb28", "mar1"] | None:
    if value not in (None, "feb28", "mar1"):
        raise InvalidPack(f"{pack}, leap_birthday: {value!r} is not among feb28, mar1")
    found: Literal["feb28", "mar1"] | None = value
    return found


def _number(table: Mapping[str, Any], pack: str) -> Number:
    _known(table, ("name", "value", "cite", "in_force"), f"{pack}, number")
    since, until = _dates(table.get("in_force", "/"), f"{pack}, number")
    return Number(name=table["name"], value=table["value"], cite=table["cite"], since=since, until=until)


def _dates(text: str, where: str) -> tuple[date | None, date | None]:
    begin, _, end = text.partition("/")
    try:
        return (
            date.fromisoformat(begin) if begin else None,
            date.fromisoformat(end) if end else None,
        )
    except ValueError:
        raise InvalidPack(
            f"{where}: dates are written like '2018-05-25/2026-08-10', either may be left out"
        ) from None


def _several(value: Any, known: Iterable[str], where: str) -> frozenset[str]:
    found = frozenset([value] if isinstance(value, str) else value)
    for one in found:
        _among(one, known, where)
    return found


def _among(value: Any, known: Iterable[str], where: str) -> None:
    if value not in known:
        raise InvalidPack(f"{where}: {value!r} is not among {', '.join(known)}")


@cache
def shipped_packs() -> Mapping[str, Pack]:
    """The packs that come with crmcore, by id."""
    folder = files("crmcore.consent") / "packs"
    found = [
        read_pack(one.read_text(encoding="utf-8"), one.name)
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".toml")
    ]
    return {pack.id: pack for pack in found}


class Laws:
    """Jurisdictions by name, each with all that it includes."""

    def __init__(self, packs: Mapping[str, Pack]) -> None:
        self._laws = {pack.jurisdiction: Law(pack, packs) for pack in packs.values()}
        self._beside = frozenset(pack.jurisdiction for pack in packs.values() if pack.beside_law)
        asked = {name for law in self._laws.values() for name in law.lists}
        self._lists = frozenset({"*", *OWN, *REGISTERS, *asked})
        self._told: set[tuple[str, ...]] = set()
        self.together: dict[tuple[tuple[str, ...], tuple[str, ...]], Any] = {}
        """What was worked out of jurisdictions that were asked together, and of what was asked beside them."""
        self.rights = frozenset(right for law in self._laws.values() for right in law.rights)
        """The rights that acts may exercise, such as California's to limit the use of sensitive data."""

    def told(self, jurisdictions: Iterable[str]) -> tuple[str, ...]:
        """The *jurisdictions* that somebody tells; those of which no pack speaks, too. Each tuple is looked at once.

        Raises:
            InvalidConsent: if they are one text, or one of them is no code.
        """
        try:
            if isinstance(jurisdictions, tuple) and jurisdictions in self._told:
                return jurisdictions
        except TypeError:
            pass  # one of them is no text, which is said below
        found = codes(jurisdictions, self._laws.keys())
        if len(self._told) >= _KEPT:
            self._told.clear()
        self._told.add(found)
        return found

    def names(self, jurisdictions: Iterable[str], beside: Iterable[str]) -> tuple[str, ...]:
        """What is to be asked: the *jurisdictions*, or the strict baseline if there is none, then those *beside* them.

        Raises:
            InvalidConsent: if rules that stand beside the law are named as one, or others as standing beside it.
        """
        found, more = tuple(jurisdictions) or ("*",), tuple(beside)
        if self._beside and not self._beside.isdisjoint(found):
            raise InvalidConsent(
                f"{' and '.join(sorted(self._beside.intersection(found)))} is no jurisdiction: what stands beside "
                "the law is named in Policy(beside=...)"
            )
        if more and not self._beside.issuperset(more):
            raise InvalidConsent(
                "rules are named in Policy(beside=...) of which no pack speaks: known are "
                + ", ".join(sorted(self._beside))
            )
        return (*found, *more)

    def of(self, jurisdiction: str) -> Law:
        """The law of a jurisdiction; of a part that no pack knows that of its country, and else the strict one."""
        country = jurisdiction.partition("-")[0]
        return self._laws.get(jurisdiction) or self._laws.get(country) or self._laws["*"]

    def knows(self, jurisdiction: str) -> bool:
        """Whether a pack speaks of just this jurisdiction."""
        return jurisdiction in self._laws

    def check_right(self, right: str | None) -> None:
        """Check that a pack knows this right, or none is named. Of an unknown one a stored act is a plain No.

        Raises:
            InvalidConsent: with those that are known.
        """
        if right is not None and not (isinstance(right, str) and right in self.rights):
            raise InvalidConsent(f"no law knows this right: known are {', '.join(sorted(self.rights))}")

    def check_lists(self, lists: Iterable[str]) -> None:
        """Check that the packs, or those that come with crmcore, ask each of these *lists*.

        Raises:
            InvalidConsent: if one is not among them: who is on it would seem to be on none.
        """
        if not self._lists.issuperset(lists):
            raise InvalidConsent(
                "a list is named that no pack asks: known are " + ", ".join(sorted(self._lists - {"*"}))
            )


@cache
def shipped_laws() -> Laws:
    """The laws that come with crmcore."""
    return Laws(shipped_packs())
