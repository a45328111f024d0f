"""The rows of a load that is killed, where a process that loads them imports nothing else of the tests."""

from __future__ import annotations

from typing import Any

from crmcore import Party, Person

ROWS = 40


def people(count: int, start: int = 0) -> list[Party]:
    numbers = range(start, start + count)
    return [Person.of(f"Ann Lee {n}", email=f"a{n}@x.org").with_source("shop", str(n)) for n in numbers]


def killed_rows() -> list[Any]:
    """Enough rows that nobody is too slow to kill the load, some of them bad."""
    good = people(600)
    return [None if n % 97 == 5 else good[n % 560] for n in range(600)]
