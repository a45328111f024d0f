"""Which value a customer shows when its records differ: chosen at read time, by rules, with everything that lost.

Invariant: the profile is a pure function of the set of records and the policy. Every value names the record that it
comes from and the rule that chose it; an address comes from one record as a whole. No record is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, get_args

import attrs

from crmcore.errors import InvalidParty, InvalidValue
from crmcore.identity.said import Said, broader, kind_of, statements
from crmcore.party.party import Party
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import PartyId
from crmcore.values.moment import Moment, moment_instant
from crmcore.values.personal import Document, personal
from crmcore.values.source import Source

Rule = Literal["most_recent", "most_trusted", "most_frequent", "longest", "union"]
Chain = tuple[Rule, ...]

FIELDS = (
    "name", "other_name", "birth_date", "occupation", "email", "phone", "online", "address", "language", "zone", "tag",
    "identifier", "extra",
)  # fmt: skip
"""The fields of a profile, in its order. An extra is a field of its own, ``extra:<key>``."""

_RECENT: Chain = ("most_recent", "most_frequent", "longest")
_FREQUENT: Chain = ("most_frequent", "longest", "most_recent")
_DEFAULT: Mapping[str, Chain] = {
    **dict.fromkeys(FIELDS, _RECENT),
    **dict.fromkeys(("name", "birth_date"), _FREQUENT),
    **dict.fromkeys(("other_name", "email", "phone", "online", "tag", "identifier"), ("union",)),
}


def _chains(rules: Mapping[str, Rule | Chain]) -> FrozenMap[str, Chain]:
    chains: dict[str, Chain] = {}
    for field, rule in rules.items():
        single: tuple[Any, ...] = (rule,) if isinstance(rule, str) else tuple(rule)
        chains[field] = single
    for field, chain in chains.items():
        if field.partition(":")[0] not in FIELDS:
            raise InvalidValue(
                f"survivorship knows no such field: use one of {', '.join(FIELDS)}", reason="field"
            )
        if not chain or not set(chain) <= set(get_args(Rule)) or ("union" in chain and len(chain) > 1):
            raise InvalidValue(
                f"the rules of a field are 'union' alone, or some of {', '.join(get_args(Rule)[:-1])}",
                reason="rule",
            )
    return FrozenMap(chains)


@attrs.frozen(kw_only=True)
class SurvivorshipPolicy:
    """How values survive. *rules* are those that differ from the default, per field: one rule, or several of which each
    breaks the ties of the one before. *trust* lists source systems, the most trusted first; others come after them.

    >>> SurvivorshipPolicy(rules={"name": "most_trusted"}, trust=("crm:eu1",), id="ours").chain("name")
    ('most_trusted',)
    >>> SurvivorshipPolicy().chain("birth_date")
    ('most_frequent', 'longest', 'most_recent')
    """

    id: str = "default"
    version: int = 1
    rules: FrozenMap[str, Chain] = attrs.field(factory=lambda: FrozenMap(), converter=_chains)
    trust: tuple[str, ...] = ()

    def chain(self, field: str) -> Chain:
        """The rules for a field, in order."""
        plain = field.partition(":")[0]
        return self.rules.get(field) or self.rules.get(plain) or _DEFAULT[plain]


@attrs.frozen(kw_only=True)
class Other(Document):
    """A value that did not survive, and the record that holds it (the first of *holders* by the rules)."""

    value: Any = personal()
    party: PartyId
    source: Source | None = None
    observed_at: Moment | None = None
    holders: tuple[PartyId, ...] = ()


@attrs.frozen(kw_only=True)
class Survivor(Document):
    """A value that survived: from the record *party*, because of *rule*.

    *agree* of the *of* records that say anything about the field say this; they are the *holders*. Spellings that fold
    alike agree. *rule* is ``"first_recorded"`` where the policy's rules left a tie.
    """

    field: str
    value: Any = personal()
    party: PartyId
    source: Source | None = None
    observed_at: Moment | None = None
    rule: str
    agree: int = 1
    of: int = 1
    holders: tuple[PartyId, ...] = ()
    others: tuple[Other, ...] = personal(default=())


@attrs.frozen(kw_only=True)
class Profile:
    """A customer's values, in the order of `FIELDS`; of a field with several values, the most usable one first."""

    kind: str
    members: tuple[PartyId, ...]
    survivors: tuple[Survivor, ...] = personal(default=())

    def all(self, field: str) -> tuple[Survivor, ...]:
        """The surviving values of a field."""
        return tuple(survivor for survivor in self.survivors if survivor.field == field)

    def one(self, field: str) -> Survivor | None:
        """The first surviving value of a field, or None."""
        return next((survivor for survivor in self.survivors if survivor.field == field), None)


def survive(members: Iterable[Party], policy: SurvivorshipPolicy = SurvivorshipPolicy()) -> Profile:
    """The values of the customer whose records are *members*. Retracted records say nothing.

    Raises:
        InvalidParty: if there is no record at all.

    >>> from crmcore.party.party import Person
    >>> from crmcore.values.ids import Ids
    >>> ids = Ids(lambda: 1_750_000_000_000)
    >>> parties = [Person.of(name).changed(id=ids.new(PartyId)) for name in ("Ann Lee", "A. Lee", "ANN LEE")]
    >>> name = survive(parties).one("name")
    >>> name.value.full, name.rule, name.agree, name.of, name.others[0].value.full
    ('Ann Lee', 'most_frequent', 2, 3, 'A. Lee')
    """
    by_id = {party.id: party for party in members}
    if not by_id:
        raise InvalidParty("a profile needs at least one record")
    active = [by_id[id] for id in sorted(by_id) if by_id[id].standing != "retracted"]
    kind = kind_of(active or by_id.values())
    by_field: dict[str, list[Said]] = {}
    for party in active:
        for statement in statements(party, kind):
            by_field.setdefault(statement.field, []).append(statement)
    # A former name that is somebody's present one is told with the names in use, as survivor or as one that lost.
    current = {statement.key for statement in by_field.get("name", ())}
    by_field["other_name"] = [said for said in by_field.pop("other_name", ()) if said.key not in current]
    order = sorted(by_field, key=lambda field: (FIELDS.index(field.partition(":")[0]), field))
    survivors = [survivor for field in order for survivor in _settle(field, by_field[field], policy)]
    return Profile(kind=kind, members=tuple(sorted(by_id)), survivors=tuple(survivors))


@attrs.frozen
class _Value:
    """Statements of one value, the one that stands for them first, and all records that agree with it."""

    said: tuple[Said, ...]
    holders: frozenset[PartyId]


def _settle(field: str, said: list[Said], policy: SurvivorshipPolicy) -> list[Survivor]:
    chain = policy.chain(field)
    slots: dict[str, list[Said]] = {}
    for statement in said:
        slots.setdefault(statement.slot, []).append(statement)
    found: list[tuple[_Value, Survivor]] = []
    for slot in slots.values():
        values = _values(slot, chain, policy)
        of = len({statement.party for statement in slot})
        if chain == ("union",):
            found += [(value, _survivor(value, [], "union", of, policy)) for value in values]
            continue
        best, rivals = (
            values[0],
            [v for v in values[1:] if not broader(v.said[0].value, values[0].said[0].value)],
        )
        found.append((best, _survivor(best, rivals, _decisive(chain, best, rivals, policy), of, policy)))
    found.sort(key=lambda pair: pair[0].said[0].party)
    found.sort(key=lambda pair: (_when(pair[0].said[0]), len(pair[0].holders)), reverse=True)
    found.sort(key=lambda pair: pair[0].said[0].place)
    return [survivor for _, survivor in found]


def _values(said: list[Said], chain: Chain, policy: SurvivorshipPolicy) -> list[_Value]:
    """The different values, the winner first; ties are left to the record that came first."""
    by_key: dict[str, list[Said]] = {}
    for statement in said:
        by_key.setdefault(statement.key, []).append(statement)
    values: list[_Value] = []
    for same in by_key.values():
        agreeing = [s for s in said if s.key == same[0].key or broader(s.value, same[0].value)]
        values.append(_Value(_best_first(same, chain, policy), frozenset(s.party for s in agreeing)))
    values.sort(key=lambda value: (min(value.holders), value.said[0].key))
    for rule in reversed(chain):
        values.sort(key=partial(_strength, rule, policy=policy), reverse=True)
    return values


def _best_first(same: list[Said], chain: Chain, policy: SurvivorshipPolicy) -> tuple[Said, ...]:
    """Statements of one value: by the first rule, then the richer spelling, then by the other rules and recency."""
    spellings: dict[str, int] = {}
    for statement in same:
        spellings[statement.text] = spellings.get(statement.text, 0) + 1
    scores: Mapping[str, Callable[[Said], Any]] = {
        "most_recent": _when,
        "most_trusted": lambda said: -_distrust(said, policy),
        "most_frequent": lambda said: spellings[said.text],
        "longest": lambda said: len(said.text),
        "union": _when,
        "richest": _richness,
    }
    ordered = sorted(same, key=lambda said: (said.party, said.place, said.text))
    for rule in reversed((chain[0], "richest", *chain[1:], "most_frequent", "longest", "most_recent")):
        ordered.sort(key=scores[rule], reverse=True)
    return tuple(ordered)


def _strength(rule: Rule, value: _Value, policy: SurvivorshipPolicy) -> Any:
    if rule == "most_frequent":
        return len(value.holders)
    if rule == "most_trusted":
        return max(-_distrust(said, policy) for said in value.said)
    if rule == "longest":
        return max(len(said.text) for said in value.said)
    return max(_when(said) for said in value.said)


def _decisive(chain: Chain, best: _Value, rivals: list[_Value], policy: SurvivorshipPolicy) -> str:
    """The first rule that sets the winner apart from the best of those that lost."""
    if not rivals:
        return chain[0]
    strengths = ((rule, _strength(rule, best, policy), _strength(rule, rivals[0], policy)) for rule in chain)
    return next((rule for rule, one, other in strengths if one != other), "first_recorded")


def _survivor(
    value: _Value, rivals: list[_Value], rule: str, of: int, policy: SurvivorshipPolicy
) -> Survivor:
    said = value.said[0]
    return Survivor(
        field=said.field,
        value=said.value,
        party=said.party,
        source=_source(said, policy),
        observed_at=said.observed_at,
        rule=rule,
        agree=len(value.holders),
        of=of,
        holders=tuple(sorted(value.holders)),
        others=tuple(
            Other(
                value=rival.said[0].value,
                party=rival.said[0].party,
                source=_source(rival.said[0], policy),
                observed_at=rival.said[0].observed_at,
                holders=tuple(sorted(rival.holders)),
            )
            for rival in rivals
        ),
    )


_NEVER = datetime.min.replace(tzinfo=UTC)


def _when(said: Said) -> datetime:
    return _NEVER if said.observed_at is None else moment_instant(said.observed_at)


def _richness(said: Said) -> tuple[bool, int, int]:
    """A text in two cases says more than one in capitals, one with accents more than one without."""
    shouted = said.text.isupper() or said.text.islower()
    return (not shouted, sum(char > "\x7f" for char in said.text), len(getattr(said.value, "parts", ())))


def _rank(source: Source, policy: SurvivorshipPolicy) -> int:
    return policy.trust.index(source.system) if source.system in policy.trust else len(policy.trust)


def _distrust(said: Said, policy: SurvivorshipPolicy) -> int:
    return min((_rank(source, policy) for source in said.sources), default=len(policy.trust) + 1)


def _source(said: Said, policy: SurvivorshipPolicy) -> Source | None:
    """The most trusted source of the statement."""
    return min(said.sources, key=lambda source: _rank(source, policy), default=None)
