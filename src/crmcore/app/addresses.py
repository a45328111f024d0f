"""What an app opens its store by: a path, or the address of a database.

Invariant: only a text with a scheme of PostgreSQL's own is the address of one, so no path of a file is taken for it.
"""

from __future__ import annotations

from pathlib import Path


def is_postgres(path: str | Path) -> bool:
    """Whether *path* is the address of a PostgreSQL database.

    >>> is_postgres("postgresql://db.example.org/crm"), is_postgres("crm.db")
    (True, False)
    """
    return isinstance(path, str) and path.startswith(("postgresql://", "postgres://"))
