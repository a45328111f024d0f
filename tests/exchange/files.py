"""Small invented files for the tests of the exchange room."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from crmcore.exchange.facts import Read, RowFacts
from crmcore.exchange.mapping import ColumnMap, ImportOptions
from crmcore.exchange.prepare import Prepared, prepare

TODAY = date(2026, 11, 22)

PEOPLE = """\
Id,First name,Last name,E-mail,Phone,Town,Shoe size
1,Ann,Lee,ann@x.org,+44 20 7946 0018,London,42
2,Bo,Østergård,bo@x.org,+45 32 12 34 56,København,44
3,Chloë,O'Neil,,+353 1 234 5678,Dublin,
"""


def write(folder: Path, content: str | bytes, name: str = "people.csv", *, encoding: str = "utf-8") -> Path:
    """A file with *content*; texts are written as they are, line ends included."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def prepared(folder: Path, content: str | bytes, name: str = "people.csv", **options: Any) -> Prepared:
    """The file with its columns settled; *options* are those of an import."""
    return prepare(write(folder, content, name), ImportOptions(**options))


def reads(folder: Path, content: str | bytes, **options: Any) -> list[Read]:
    """What each row of the file says."""
    return list(prepared(folder, content, **options).reads(as_of=TODAY))


def facts(folder: Path, content: str | bytes, **options: Any) -> list[RowFacts]:
    """What each row says, when all of them say something."""
    found = reads(folder, content, **options)
    assert all(isinstance(read, RowFacts) for read in found), found
    return [read for read in found if isinstance(read, RowFacts)]


def mapped(column_map: ColumnMap) -> dict[str, str]:
    """The field of each mapped column."""
    return {name: field for field, names in column_map.fields.items() for name in names}
