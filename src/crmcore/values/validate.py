"""Validators for attrs fields that say what is wrong without saying what was given.

Invariant: no message made here holds any part of the value. The validators that attrs ships (``in_``,
``instance_of``, ``max_len``, ...) print it, so nothing in crmcore uses them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

import attrs

from crmcore.errors import InvalidValue

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]

# Controls of both ranges, and halves of surrogate pairs, which no UTF-8 store can hold.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _label(instance: object, attribute: attrs.Attribute[Any]) -> str:
    return f"the {attribute.name} of {type(instance).__name__}"


def text(*, limit: int = 256, error: type[InvalidValue] = InvalidValue) -> Validator:
    """The field holds 1 to *limit* characters, not all of them blank, none a control character.

    The error has the reason ``"type"``, ``"empty"``, ``"too_long"`` or ``"control"``.

    >>> @attrs.frozen
    ... class Note:
    ...     text: str = attrs.field(validator=text(limit=5))
    >>> Note("seen at the clinic")
    Traceback (most recent call last):
    ...
    crmcore.errors.InvalidValue: the text of Note is too long: use at most 5 characters
    """

    def validate(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, str):
            raise error(f"{_label(instance, attribute)} is not a text: give a str", reason="type")
        if not value.strip():
            raise error(
                f"{_label(instance, attribute)} is empty: give at least one character", reason="empty"
            )
        if len(value) > limit:
            raise error(
                f"{_label(instance, attribute)} is too long: use at most {limit} characters",
                reason="too_long",
            )
        if _UNFIT.search(value):
            raise error(
                f"{_label(instance, attribute)} holds control characters: use printable ones only",
                reason="control",
            )

    return validate


def one_of(*allowed: Hashable, error: type[InvalidValue] = InvalidValue) -> Validator:
    """The field holds one of *allowed*, which the message lists; the error has the reason ``"choice"``.

    >>> @attrs.frozen
    ... class Light:
    ...     colour: str = attrs.field(validator=one_of("red", "green"))
    >>> Light("blue")
    Traceback (most recent call last):
    ...
    crmcore.errors.InvalidValue: the colour of Light must be one of 'red', 'green'
    """
    choices = ", ".join(repr(choice) for choice in allowed)

    def validate(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        # Types are compared too: True == 1, and an unhashable value is no choice either.
        if not any(type(value) is type(choice) and value == choice for choice in allowed):
            raise error(f"{_label(instance, attribute)} must be one of {choices}", reason="choice")

    return validate


def instance(*types: type, error: type[InvalidValue] = InvalidValue) -> Validator:
    """The field holds an instance of one of *types*; the error has the reason ``"type"``.

    >>> @attrs.frozen
    ... class Note:
    ...     text: str = attrs.field(validator=instance(str))
    >>> Note(5)
    Traceback (most recent call last):
    ...
    crmcore.errors.InvalidValue: the text of Note must be of type str
    """
    names = " or ".join(type_.__name__ for type_ in types)

    def validate(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise error(f"{_label(instance, attribute)} must be of type {names}", reason="type")

    return validate


def whole(low: int, high: int, *, error: type[InvalidValue] = InvalidValue) -> Validator:
    """The field holds an integer from *low* to *high*, both included.

    The error has the reason ``"type"`` or ``"range"``.

    >>> @attrs.frozen
    ... class Die:
    ...     eyes: int = attrs.field(validator=whole(1, 6))
    >>> Die(7)
    Traceback (most recent call last):
    ...
    crmcore.errors.InvalidValue: the eyes of Die must lie between 1 and 6
    """

    def validate(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise error(f"{_label(instance, attribute)} must be of type int", reason="type")
        if not low <= value <= high:
            raise error(f"{_label(instance, attribute)} must lie between {low} and {high}", reason="range")

    return validate
