"""The JSON Schema of a pack, made of the vocabularies that reading a pack goes by, and the first mistake by it.

Invariant: what the schema refuses is refused when a pack is read, and every pack that ships keeps to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, get_args, get_type_hints

import attrs

from crmcore.consent.conditions.reading import ROOTS
from crmcore.consent.counting import COUNTINGS
from crmcore.consent.facts import RelationKind
from crmcore.consent.pack import Effect
from crmcore.consent.words import NOES, STAGES, ActKind, ActPurpose, Channel, Purpose

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_SAID: Schema = {"type": "string", "pattern": r"\S"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_SOME: Schema = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_YEARS: Schema = {"type": "integer", "minimum": 0, "maximum": 150}
_DAYS: Schema = {"type": "integer", "minimum": 0, "maximum": 3_660}
_DAY_OF: Schema = {"type": "string", "format": "date"}
_TRUE: Schema = {"const": True}
_PERIOD: Schema = {"type": "string", "pattern": r"^P(?=\d)(\d{1,4}Y)?(\d{1,4}M)?(\d{1,5}D)?$"}
_DATE = r"\d{4}-\d{2}-\d{2}"
_DATES: Schema = {"type": "string", "pattern": rf"^({_DATE})?(/({_DATE})?)?$"}
_HOURS: Schema = {
    "type": "string",
    "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?-(([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?|24:00)$",
}
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
_CONDITION: Schema = {"$ref": "#/$defs/condition"}


def _enum(words: Any) -> Schema:
    return {"enum": sorted(words)}


def _some(one: Schema, *, at_least: int = 1) -> Schema:
    """One, or a list of them."""
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": at_least}]}


def _table(required: str = "", **keys: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": keys,
    }


def _words(words: Any) -> Schema:
    return _some(_enum(get_args(words)))


def _fact(hint: Any) -> Schema:
    """What may be asked of a fact of that type: a day whether it has come, anything else whether it is one of some."""
    kinds = {hint, *get_args(hint)}
    if date in kinds:
        return {"anyOf": [_table("past", past=_TRUE), _table("within", within=_PERIOD)]}
    if bool in kinds:
        return _some(_FLAG)
    return _some(_TEXT)


def _facts() -> Iterator[tuple[str, str, Schema]]:
    for root, cls in ROOTS.items():
        hints = get_type_hints(cls)
        for field in attrs.fields(cls):
            if field.name != "unknown":
                yield root, field.name, _fact(hints[field.name])


def _after() -> Schema:
    """The path of a fact that is a day."""
    return {"enum": [f"{root}.{name}" for root, name, one in _facts() if "past" in str(one)]}


def _options() -> dict[str, dict[str, Schema]]:
    """What the conditions that have a short form may say besides, by condition."""
    across, about = _words(Channel), _words(ActPurpose)
    return {
        "consent": {"night": _FLAG, "any_time": _FLAG, "after": _after(), "about": about, "across": across},
        "no": {
            "about": _enum(get_args(ActPurpose)),
            "across": across,
            "at_once": _FLAG,
            "counting": {"const": "calendar_months"},
            "lifts": _TEXT,
            "minutes": _COUNT,
            "named": _FLAG,
            "right": _TEXT,
            "within": _PERIOD,
        },
        "related": {
            "within": _PERIOD,
            "ended_within": _PERIOD,
            "active": _FLAG,
            "written": _FLAG,
            "paid": _FLAG,
            "not_before": _DAY_OF,
            "counting": _enum(COUNTINGS),
        },
        "listed": {"days": _COUNT, "fresh": _COUNT, "relied": _COUNT, "lifted": _FLAG},
    }


def _conditions() -> dict[str, Schema]:
    kinds, relations, more = _words(ActKind), _words(RelationKind), _options()
    return {
        "consent": {"anyOf": [_TEXT, _table("profile", profile=_TEXT, **more["consent"])]},
        "no": {"anyOf": [kinds, _table("kinds", kinds=kinds, **more["no"])]},
        "lifted": _table("after", after=_after()),
        "listed": {"anyOf": [_TEXT, _table("on", on=_TEXT, **more["listed"])]},
        "asked": _table("on within", on=_TEXT, within=_COUNT),
        "unlapsed": _table("within counting", within=_PERIOD, counting=_enum(COUNTINGS)),
        "related": {"anyOf": [relations, _table("kinds", kinds=relations, **more["related"])]},
        "inside": {
            **_table(holidays=_some(_HOURS, at_least=0), ends=_enum(("open", "closed"))),
            "patternProperties": {f"^{_DAY}(-{_DAY})?$": _some(_HOURS, at_least=0)},
        },
        "tried": {
            "anyOf": [
                _table(f"times {unit}", times=_SOME, hours=_SOME, days=_SOME, same_subject=_FLAG)
                for unit in ("hours", "days")
            ]
        },
        "age": _table(
            "at_least",
            at_least={"anyOf": [_YEARS, _TEXT]},
            on=_enum(("question", "act")),
            if_unknown=_FLAG,
        ),
        "any": {"type": "array", "items": _CONDITION},
        "all": {"type": "array", "items": _CONDITION},
        "not": _CONDITION,
        "stated": _CONDITION,
        "speaks_of_the_data": _TRUE,
        "names_recipient": _TRUE,
    }


def _condition() -> Schema:
    tables: dict[str, Schema] = {}
    paths: dict[str, Schema] = {}
    for root, name, one in _facts():
        tables.setdefault(root, {})[name] = one
        paths[f"{root}.{name}"] = one
    roots = {root: _table(**names) for root, names in tables.items()}
    return _table("", **{**_conditions(), **roots, **paths})


def _rule() -> Schema:
    return _table(
        "id stage effect text cite",
        id=_SAID,
        stage=_enum(STAGES),
        effect=_enum(get_args(Effect)),
        text=_SAID,
        cite=_SAID,
        when=_CONDITION,
        unless=_CONDITION,
        defeated_by={"type": "array", "items": _TEXT},
        channel=_words(Channel),
        purpose=_words(Purpose),
        becomes=_TEXT,
        in_force=_DATES,
        read=_FLAG,
    )


@cache
def _whole() -> Schema:
    grace = _table(
        "channel days counting",
        channel=_words(Channel),
        purpose=_words(Purpose),
        right=_SAID,
        days=_DAYS,
        counting=_enum(COUNTINGS),
        kinds=_some(_enum(NOES)),
        cite=_TEXT,
        in_force=_DATES,
    )
    number = _table("name value cite", name=_TEXT, value=_YEARS, cite=_TEXT, in_force=_DATES)
    names: Schema = {"type": "array", "items": _TEXT}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a pack of crmcore: the law of one jurisdiction, as data",
        **_table(
            "id jurisdiction name version",
            id=_SAID,
            jurisdiction=_SAID,
            name=_SAID,
            version=_SAID,
            zone=_TEXT,
            includes=names,
            without=names,
            citing={"type": "object", "additionalProperties": _TEXT},
            lifts=_TEXT,
            beside_law=_FLAG,
            leap_birthday=_enum(("feb28", "mar1")),
            note=_TEXT,
            profile={"type": "object", "additionalProperties": _CONDITION},
            grace={"type": "array", "items": grace},
            number={"type": "array", "items": number},
            rule={"type": "array", "items": _rule()},
        ),
        "if": {"required": ["beside_law"], "properties": {"beside_law": _TRUE}},
        "then": {"properties": {"jurisdiction": {"pattern": "^[a-z][a-z0-9_]*$"}}},
        "else": {"properties": {"jurisdiction": {"pattern": r"^(\*|[A-Z][A-Z0-9-]*)$"}}},
        "$defs": {"condition": _condition()},
    }


def pack_schema() -> Schema:
    """The JSON Schema (2020-12) of a pack: of a TOML document as JSON, where a day is a text such as ``2026-02-05``.

    An editor that knows it says while one types which keys there are, and which are mistyped.

    >>> pack_schema()["required"]
    ['id', 'jurisdiction', 'name', 'version']
    """
    copied: Schema = _copy(_whole())
    return copied


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def first_mistake(document: Mapping[str, Any], name: str) -> str | None:
    """The first place at which *document*, of the pack *name*, does not keep to the schema, in a sentence."""
    return next(_mistakes(document, _whole(), name), None)


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str, date),
    "boolean": (bool,),
    "integer": (int,),
}
_NAMED = {
    "object": "a table",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
}


def _mistakes(value: Any, schema: Schema, where: str) -> Iterator[str]:
    """What is wrong by the words that the schema of a pack uses, and no others."""
    if "$ref" in schema:
        schema = _whole()["$defs"]["condition"]
    if "anyOf" in schema:
        found = [(next(_mistakes(value, one, where), None), one.get("type")) for one in schema["anyOf"]]
        wrong = [(mistake, kind) for mistake, kind in found if mistake is not None]
        if len(wrong) == len(found):
            meant = [mistake for mistake, kind in wrong if kind is not None and _is(value, kind)]
            yield min(meant or [mistake for mistake, _ in wrong], key=_shallow)
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where}: it is {_shown(schema['const'])}, or left out"
    if "enum" in schema and (not isinstance(value, str) or value not in schema["enum"]):
        yield f"{where}: it is one of {', '.join(schema['enum'])}"
    kind = schema.get("type")
    if kind is not None and not _is(value, kind):
        yield f"{where}: it is {_NAMED[kind]}"
    elif isinstance(value, dict):
        yield from _of_table(value, schema, where)
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{where}: it names none: name some, or leave it out"
        for number, one in enumerate(value, 1):
            yield from _mistakes(one, schema.get("items", {}), f"{where}, {number}")
    elif isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: it is written otherwise: {schema['pattern']}"
    elif "format" in schema and not _is_day(value):
        yield f"{where}: a day is written like 2026-02-05"
    elif "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        yield f"{where}: it is from {schema['minimum']} to {schema['maximum']}"


def _of_table(value: dict[str, Any], schema: Schema, where: str) -> Iterator[str]:
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{where}: {key} is missing"
    known, more = schema.get("properties", {}), schema.get("additionalProperties")
    patterns = schema.get("patternProperties", {})
    for key, one in value.items():
        of = known.get(key) or next((of for pattern, of in patterns.items() if re.search(pattern, key)), more)
        if of is False:
            yield f"{where}: unknown key {key}"
        elif of:
            yield from _mistakes(one, of, f"{where}, {key}")
    if "if" in schema:
        holds = next(_mistakes(value, {**schema["if"]}, where), None) is None
        yield from _mistakes(value, schema["then" if holds else "else"], where)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _is_day(value: Any) -> bool:
    try:
        return not isinstance(value, datetime) and (
            isinstance(value, date) or date.fromisoformat(value).isoformat() == value
        )
    except ValueError:
        return False


def _shallow(mistake: str) -> int:
    """Of several ways to write a thing, the one that got furthest names the mistake best."""
    return -mistake.partition(": ")[0].count(", ")


def _shown(value: Any) -> str:
    return "true" if value is True else str(value)
