"""Files that hold one value of crmcore as JSON, written by hand or by `crmcore.serde.dump`.

Invariant: a file is taken whole or refused in a sentence that says where it is wrong; a key that is misspelt is not
passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import attrs

from crmcore.errors import CrmError, UnreadableFile
from crmcore.serde import load

T = TypeVar("T")
MOST_BYTES = 1 << 20


def read_value(path: Path | None, cls: type[T]) -> T | None:
    """The value in a file; None without a file.

    Raises:
        UnreadableFile: if it cannot be read, or is no value of that type.
    """
    if path is None:
        return None
    name = path.name or str(path)
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MOST_BYTES).decode("utf-8-sig"))
        value: T = load(cls, document)
    except OSError as error:
        raise UnreadableFile(f"{name} cannot be read ({error.strerror}): name another file") from None
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, CrmError) else "it is no JSON"
        raise UnreadableFile(f"{name} holds no {cls.__name__}: {why}") from None
    except CrmError as error:
        raise UnreadableFile(f"{name} holds no {cls.__name__}: {error}") from None
    strange = sorted(set(_strange(value, "")))
    if strange:
        raise UnreadableFile(f"{name} holds no {cls.__name__}: {strange[0]} has a key that it does not know")
    return value


def _strange(value: Any, place: str) -> Iterator[str]:
    """Where in a value there are keys that its types do not have."""
    if isinstance(value, tuple):
        for one in value:
            yield from _strange(one, place)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            inside = getattr(value, field.name)
            if field.name != "unknown":
                yield from _strange(inside, f"{place}.{field.name}".lstrip("."))
            elif inside:
                yield place or "it"
