"""pyarrow, which has no types: here alone it is imported."""

from __future__ import annotations

from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

pa: Any = pyarrow
pc: Any = pyarrow.compute
"""Made when they are asked for, the functions of this module are unknown to every checker."""
csv: Any = pyarrow.csv
parquet: Any = pyarrow.parquet
