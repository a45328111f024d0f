"""How a field says that it holds personal data, and the base of every value that is stored as an object.

Invariant: a field declared with `personal` never shows its content in `repr` or `str`; access, export,
erasure and encryption read the same declaration with `field_classes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import attrs

from crmcore.values.frozen_map import EMPTY, FrozenMap

FieldClass = Literal["public", "internal", "personal", "special"]
"""public: on a business card. internal: ours. personal: identifies someone. special: GDPR article 9."""

_KEY = "crmcore.class"


def _redacted(value: Any) -> str:
    if value is None or value == ():
        return repr(value)
    if isinstance(value, (tuple, frozenset, FrozenMap)):
        return f"<{len(value)} hidden>"
    return "<hidden>"


def personal(class_: FieldClass = "personal", **options: Any) -> Any:
    """An attrs field that holds personal data of the given class. *options* are those of `attrs.field`.

    >>> @attrs.frozen
    ... class Note:
    ...     text: str = personal()
    >>> Note("seen at the clinic")
    Note(text=<hidden>)
    """
    if class_ not in get_args(FieldClass):
        raise ValueError("the class of a field is one of public, internal, personal and special")
    metadata = {**options.pop("metadata", {}), _KEY: class_}
    return attrs.field(metadata=metadata, repr=_redacted, **options)


def field_classes(cls: type) -> dict[str, FieldClass]:
    """The class of every field of an attrs class; a field that was not declared personal is ``"internal"``."""
    return {field.name: field.metadata.get(_KEY, "internal") for field in attrs.fields(cls)}


def _frozen(unknown: Mapping[str, Any]) -> FrozenMap[str, Any]:
    return unknown if isinstance(unknown, FrozenMap) else FrozenMap(unknown)


@attrs.frozen(kw_only=True)
class Document:
    """The base of every value that is stored as a JSON object.

    *unknown* keeps the keys that this version of crmcore does not know, so that reading a document written
    by a newer version and writing it back loses nothing. They survive `attrs.evolve`.
    """

    # One empty map serves all. What a newer version keeps there may be personal, so it counts as that.
    unknown: FrozenMap[str, Any] = attrs.field(
        default=EMPTY, converter=_frozen, repr=False, metadata={_KEY: "personal"}
    )
