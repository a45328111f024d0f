"""attrs values to JSON and back, through cattrs, versioned.

Invariant: `load(dump(value)) == value`, and what a newer version of crmcore wrote is not lost: keys that a `Document`
does not know are kept in its *unknown* map, at any depth, and written back. Stored forms carry a schema number; an
old form is upcast when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import compress
from operator import attrgetter, is_not
from types import UnionType
from typing import Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin

import attrs
from cattrs import Converter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from crmcore.errors import CrmError, InvalidDocument, SchemaMismatch
from crmcore.values.frozen_map import EMPTY, FrozenMap, freeze, thaw
from crmcore.values.ids import Id
from crmcore.values.instant import from_text, to_text
from crmcore.values.moment import Moment, moment_from_text, moment_text
from crmcore.values.personal import Document

__all__ = ["Codec", "Codecs", "dump", "fits", "load"]

T = TypeVar("T")
Upcast = Callable[[dict[str, Any]], dict[str, Any]]


@attrs.frozen(kw_only=True)
class Codec(Generic[T]):
    """How one kind of document is stored.

    *tag* is the literal name in the store, never a class name. *upcasts* turn the body of schema n into that of n + 1,
    beginning with schema 1; the current schema is one more than their number. A value of a kind that is *versioned* has
    the version of its record; one that is never rewritten needs none.
    """

    tag: str
    type: Any
    upcasts: tuple[Upcast, ...] = ()
    versioned: bool = True

    @property
    def schema(self) -> int:
        """The schema number that `dump` writes."""
        return len(self.upcasts) + 1

    def dump(self, value: T) -> dict[str, Any]:
        """The JSON object of *value*."""
        return cast("dict[str, Any]", _converter().unstructure(value, unstructure_as=self.type))

    def load(self, body: Mapping[str, Any], schema: int | None = None) -> T:
        """The value of a JSON object that was written at *schema* (None: the current one).

        Raises:
            SchemaMismatch: if it was written by a newer crmcore.
            InvalidDocument: if it does not have the shape of its type.
        """
        current = self.schema
        if schema is not None and schema != current:
            if schema > current:
                raise SchemaMismatch(
                    f"a stored {self.tag} has schema {schema}, this crmcore reads up to {current}: upgrade crmcore"
                )
            body = self._upcast(body, schema)
        return cast("T", load(self.type, body))

    def _upcast(self, body: Mapping[str, Any], schema: int) -> Mapping[str, Any]:
        with suppress(*_MISFITS):
            plain = dict(_object(body))
            if schema < 1:
                raise ValueError("schemas count from 1")
            for upcast in self.upcasts[schema - 1 :]:
                plain = upcast(plain)
            return plain
        raise InvalidDocument(f"a stored {self.tag} does not fit schema {schema}, at which it was written")


@attrs.frozen
class Codecs:
    """The codecs of an application, found by tag. Immutable: rooms export theirs, `app` joins them."""

    by_tag: FrozenMap[str, Codec[Any]]

    @classmethod
    def of(cls, *groups: tuple[Codec[Any], ...]) -> Codecs:
        """Join the codecs of several rooms; a tag that two of them use is a mistake in the code."""
        joined: dict[str, Codec[Any]] = {}
        for codec in (codec for group in groups for codec in group):
            if codec.tag in joined:
                raise CrmError(f"two codecs are registered for {codec.tag!r}: tags must be unique")
            joined[codec.tag] = codec
        return cls(FrozenMap(joined))

    def __getitem__(self, tag: str) -> Codec[Any]:
        codec = self.by_tag.get(tag)
        if codec is None:
            raise SchemaMismatch(
                f"no codec for {tag!r}: it was written by a newer crmcore or by another application"
            )
        return codec


def dump(value: Any) -> Any:
    """The JSON form of any value of crmcore."""
    return _converter().unstructure(value)


def load(type_: Any, data: Any) -> Any:
    """The value of *type_* that *data* (the result of `dump`) describes.

    Raises:
        InvalidDocument: with the path of what does not fit; the message holds no value.
    """
    try:
        return _converter().structure(data, type_)
    except _MISFITS:
        path = _path_of_failure(type_, data)
    # Outside of the handler: an error that is chained to this one may quote what it refused.
    raise InvalidDocument(f"the document does not fit its type at {path}", path=path)


def fits(type_: Any, value: Any) -> bool:
    """Whether *value* is seen at a glance to be one that `load` gives back from what `dump` makes of it.

    A glance is far cheaper than doing it, and enough for what a program makes itself. False means that it has to be
    tried: of values with unknown keys and the like nothing is said here.

    >>> from crmcore.values.source import Source
    >>> fits(Source, Source("shop", "1")), fits(Source, "shop:1")
    (True, False)
    """
    return _glance(type_)(value)


_MISFITS = (
    CrmError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    StructureHandlerNotFoundError,
)
"""What parsers and constructors raise when they are given something else than what they wrote."""


def _path_of_failure(type_: Any, data: Any) -> str:
    try:
        _converter(detailed=True).structure(data, type_)
    except BaseValidationError as error:
        # cattrs ends each sentence with "@ $.path"; the part before it may hold the value.
        return transform_error(error)[0].rpartition("@ ")[2].replace("._", ".")
    except _MISFITS:
        return "$"
    return "$"


_MOMENTS: tuple[Any, ...] = (Moment, Moment | None)
"""Unions that are read as a whole."""


@lru_cache(maxsize=2)
def _converter(detailed: bool = False) -> Converter:
    converter = Converter(detailed_validation=detailed, omit_if_default=True, use_alias=True)
    converter.register_unstructure_hook(datetime, to_text)
    converter.register_structure_hook(datetime, lambda text, _: from_text(text))
    converter.register_unstructure_hook(date, lambda day: day.isoformat())
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    for moment in (Moment, date | datetime):
        converter.register_unstructure_hook(moment, moment_text)
        converter.register_structure_hook(moment, lambda text, _: moment_from_text(text))
    optional_moment: Any = Moment | None
    converter.register_unstructure_hook(
        optional_moment, lambda value: None if value is None else moment_text(value)
    )
    converter.register_structure_hook(
        optional_moment, lambda text, _: None if text is None else moment_from_text(text)
    )
    converter.register_unstructure_hook_func(_is_id, str)
    converter.register_structure_hook_func(_is_plain_map, lambda data, _: FrozenMap(_object(data)))
    converter.register_unstructure_hook_func(_is_plain_map, thaw)
    converter.register_structure_hook_factory(_is_typed_map, _map_structurer)
    converter.register_unstructure_hook_factory(_is_typed_map, _map_unstructurer)
    converter.register_structure_hook_func(_is_own_json, lambda data, type_: _from_json(type_, data))
    converter.register_unstructure_hook_func(_is_own_json, lambda value: value.to_json())
    converter.register_unstructure_hook_factory(_is_set, _set_unstructurer)
    converter.register_structure_hook_factory(_is_set, _set_structurer)
    converter.register_structure_hook_factory(_is_tuple, _tuple_structurer)
    converter.register_structure_hook_factory(_is_document, _document_structurer)
    converter.register_unstructure_hook_factory(_is_document, _document_unstructurer)
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook(Id, lambda text, type_: type_.parse(text))
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _boolean)
    return converter


def _is_id(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, Id)


def _is_typed_map(type_: Any) -> bool:
    return get_origin(type_) is FrozenMap and get_args(type_)[1] is not Any


def _is_plain_map(type_: Any) -> bool:
    return type_ is FrozenMap or (get_origin(type_) is FrozenMap and get_args(type_)[1] is Any)


def _is_own_json(type_: Any) -> bool:
    plain = get_origin(type_) or type_
    return isinstance(plain, type) and hasattr(plain, "from_json") and hasattr(plain, "to_json")


def _is_document(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, Document) and not _is_own_json(type_)


def _is_set(type_: Any) -> bool:
    return get_origin(type_) is frozenset


def _is_tuple(type_: Any) -> bool:
    return get_origin(type_) is tuple and get_args(type_)[-1:] == (...,)


def _from_json(type_: Any, data: Any) -> Any:
    return (get_origin(type_) or type_).from_json(data)


def _object(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise TypeError("an object was expected")
    return cast("Mapping[str, Any]", data)


def _array(data: Any) -> list[Any] | tuple[Any, ...]:
    """Not any iterable, as cattrs takes it: a text would become the tuple of its letters."""
    if not isinstance(data, (list, tuple)):
        raise TypeError("an array was expected")
    return data


def _text(data: Any, _: Any) -> str:
    if not isinstance(data, str):
        raise TypeError("a text was expected")
    return data


def _is_literal(type_: Any) -> bool:
    return get_origin(type_) is Literal


def _literal(data: Any, type_: Any) -> Any:
    """Not left to cattrs, whose refusal quotes the value and is of a class of its own."""
    if data not in get_args(type_):
        raise ValueError("one of a few fixed words was expected")
    return data


def _integer(data: Any, _: Any) -> int:
    if not isinstance(data, int) or isinstance(data, bool):
        raise TypeError("an integer was expected")
    return data


def _boolean(data: Any, _: Any) -> bool:
    if not isinstance(data, bool):
        raise TypeError("true or false was expected")
    return data


def _map_structurer(type_: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    value_type = get_args(type_)[1]
    structure = converter.get_structure_hook(value_type)
    return lambda data, _: FrozenMap(
        {key: structure(item, value_type) for key, item in _object(data).items()}
    )


def _map_unstructurer(type_: Any, converter: Converter) -> Callable[[Any], Any]:
    unstructure = converter.get_unstructure_hook(get_args(type_)[1])
    return lambda value: {key: unstructure(item) for key, item in value.items()}


def _tuple_structurer(type_: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    structure = homogenous_tuple_structure_factory(type_, converter)
    return lambda data, _: structure(_array(data), type_)


def _set_structurer(type_: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    item_type = get_args(type_)[0]
    structure = converter.get_structure_hook(item_type)
    return lambda data, _: frozenset([structure(item, item_type) for item in _array(data)])


def _set_unstructurer(type_: Any, converter: Converter) -> Callable[[Any], Any]:
    """Sets are written in order, so that equal values have equal bytes."""
    unstructure = converter.get_unstructure_hook(get_args(type_)[0])
    return lambda value: sorted(unstructure(item) for item in value)


# --- a glance: the type of every field, without writing and reading it ---------------------------------

Glance = Callable[[Any], bool]

_ATOMS = frozenset({str, int, bool, type(None)})


@cache
def _glance(type_: Any) -> Glance:
    """What looks at values of *type_*. Types are compared exactly: a subclass may have ways of its own."""
    if type_ is None or type_ in _ATOMS:
        exact = type(None) if type_ is None else type_
        return lambda value: type(value) is exact
    if _is_literal(type_):
        words = frozenset(get_args(type_))
        return lambda value: type(value) is str and value in words
    if _is_union(type_):
        return _glance_of_union(get_args(type_))
    if _is_tuple(type_):
        item = _glance(get_args(type_)[0])
        return lambda value: type(value) is tuple and all(map(item, value))
    if _is_set(type_) and get_args(type_)[0] is str:
        return lambda value: type(value) is frozenset and all(type(item) is str for item in value)
    if _is_document(type_):
        return _glance_of_document(type_)
    return _tried(type_)


def _is_union(type_: Any) -> bool:
    return get_origin(type_) in (Union, UnionType) and type_ not in _MOMENTS


def _tried(type_: Any) -> Glance:
    """For types with a form of their own, which are read in a moment."""
    unstructure, structure = _converter().get_unstructure_hook(type_), _converter().get_structure_hook(type_)

    def same(value: Any) -> bool:
        try:
            return bool(structure(unstructure(value), type_) == value)
        except _MISFITS:
            return False

    return same


def _glance_of_union(members: tuple[Any, ...]) -> Glance:
    """The class of a value tells which member it is; members that are no classes are asked in turn."""
    by_class = {member: _glance(member) for member in members if isinstance(member, type)}
    others = [_glance(member) for member in members if not isinstance(member, type)]

    def one_of(value: Any) -> bool:
        glance = by_class.get(type(value))
        return glance(value) if glance is not None else any(other(value) for other in others)

    return one_of


def _glance_of_document(cls: Any) -> Glance:
    fields = [field for field in attrs.fields(attrs.resolve_types(cls)) if field.name != "unknown"]
    defaults = [field.default for field in fields]
    glances = [_glance(field.type) for field in fields]
    # The last name keeps the answer a tuple where there is one field, and is not gone through.
    items_of = attrgetter(*[field.name for field in fields], "unknown")

    def all_fit(value: Any) -> bool:
        if type(value) is not cls or value.unknown is not EMPTY:
            return False
        items = items_of(value)
        told = map(is_not, items, defaults)  # most fields hold their default
        return all(glance(item) for glance, item in compress(zip(glances, items, strict=False), told))

    return all_fit


def _overrides(cls: Any) -> dict[str, Any]:
    """A tag (a Literal with one value) is always written; *unknown* is handled apart."""
    found: dict[str, Any] = {"unknown": override(omit=True)}
    for field in attrs.fields(attrs.resolve_types(cls)):
        if get_origin(field.type) is Literal and len(get_args(field.type)) == 1:
            found[field.name] = override(omit_if_default=False)
    return found


def _document_structurer(cls: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    structure = cast(
        "Callable[[Any, Any], Any]",
        make_dict_structure_fn(cls, converter, _cattrs_use_alias=True, **_overrides(cls)),
    )
    known = frozenset(field.alias for field in attrs.fields(cls) if field.name != "unknown")

    def build(data: Any, type_: Any) -> Any:
        value = structure(_object(data), type_)
        if data.keys() <= known:
            return value
        more = {key: freeze(item) for key, item in data.items() if key not in known}
        return attrs.evolve(value, unknown=FrozenMap(more))

    return build


def _document_unstructurer(cls: Any, converter: Converter) -> Callable[[Any], Any]:
    unstructure = make_dict_unstructure_fn(
        cls, converter, _cattrs_omit_if_default=True, _cattrs_use_alias=True, **_overrides(cls)
    )

    def plain(value: Any) -> dict[str, Any]:
        body = unstructure(value)
        if value.unknown:
            for key, item in value.unknown.items():
                body.setdefault(key, thaw(item))
        return body

    return plain
