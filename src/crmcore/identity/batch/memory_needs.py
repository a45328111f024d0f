"""What each stage of a run takes at most, in bytes, from what is known before it begins.

Invariant: these are estimates, measured on lists of ten thousand to a million people and organizations, and rounded up.
"""

from __future__ import annotations

from crmcore.identity.batch.field_encoding import Encoded
from crmcore.identity.batch.fields import Fields
from crmcore.identity.model.candidates import NEAR

_START = 48 << 20
"""What readers and threads take, however small a file is."""


def reading_file(size: int) -> int:
    """A file of so many bytes as a table."""
    return _START + 2 * size


def naming(rows: int) -> int:
    """An id for each row, as a text."""
    return 70 * rows


def distinguishing(size: int, rows: int, columns: int) -> int:
    """The different texts of a table of so many bytes."""
    return _START + 2 * size + 8 * rows * columns


def encoding(fields: Fields) -> int:
    """The values of fields: an object for each different one, and its code in each row."""
    texts = [known for known, _ in fields.all_texts()]
    values, size = sum(map(len, texts)), sum(known.nbytes for known in texts)
    return _START // 2 + 200 * values + 2 * size + 16 * fields.rows * len(texts)


def telling(found: Encoded) -> int:
    """Which records differ: a number for each cell, made of all letters of a column at once."""
    columns = found.columns.values()
    size = max((column.content.nbytes for column in columns if column.content is not None), default=0)
    words = max((len(column.values) for column in columns if column.content is None), default=0)
    return _START // 2 + 18 * max(size, 40 * words) + 8 * len(found.kinds) * (len(found.columns) + 4)


def finding(records: int, columns: int, values: int) -> int:
    """What records are found by, without the pairs; of few records also what is one typing error away."""
    near = 10_000 * records if records <= NEAR else 0
    return _START + near + 100 * values + 16 * records * columns


def learning(pairs: int, records: int, columns: int) -> int:
    """A model from so many pairs."""
    return _START + 40 * pairs + 16 * records * columns


def grouping(rows: int, pairs: int) -> int:
    """The groups of so many rows."""
    return _START // 4 + 120 * rows + 24 * pairs
