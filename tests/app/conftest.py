"""The fixture that runs a test over every engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmcore import Crm
from tests.app.houses import ENGINES, opened


@pytest.fixture(params=ENGINES)
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crm]:
    """Customers over each engine, asynchronous ones with the calls of `Crm`."""
    with opened(request.param, tmp_path) as found:
        yield found
