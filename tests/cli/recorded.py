"""Files of people who are recorded more than once, for the commands that learn from them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.identity.model import recorded

FIELDS = (
    "rec_id",
    "given_name",
    "family_name",
    "birth_date",
    "email",
    "phone",
    "street",
    "city",
    "national_id",
)
COMPARED = [f"--map={field}={field}" for field in FIELDS[1:-1]]


def people(customers: int = 120, copies: Sequence[int] = (1, 2, 3), seed: int = 1) -> list[dict[str, str]]:
    """Rows whose ids name their customers: those of customer 7 begin with ``7-``."""
    found = recorded.rows(customers, copies, seed)
    return [{"rec_id": f"{of}-{number}", **row} for number, (of, row) in enumerate(found)]


def of(id: str) -> str:
    """The customer of a record."""
    return id.partition("-")[0]


def table(path: Path, rows: Iterable[Mapping[str, str]], fields: Sequence[str] = FIELDS) -> Path:
    """A file with these rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def right(pairs: Iterable[tuple[str, str]]) -> float:
    """The share of pairs that are of one customer."""
    judged = [of(a) == of(b) for a, b in pairs]
    return sum(judged) / len(judged)
