"""Importing a room's parts when they are first used.

Invariant: an app pays at start for what it uses. A name that was used once is an ordinary attribute from then on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(package: str, parts: Mapping[str, str]) -> Callable[[str], object]:
    """A module's ``__getattr__`` (PEP 562) for *package*: *parts* are its submodules and the names that each one has.

    >>> lazily("crmcore.values", {"email": "EmailAddress"})("EmailAddress").__name__
    'EmailAddress'
    """
    homes = {name: f"{package}.{part}" for part, names in parts.items() for name in names.split()}

    def found(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    # The first import of a submodule binds its name in the package, over a public name that is the same.
    for part in parts:
        if part in homes:
            found(part)
    return found
