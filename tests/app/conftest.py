"""The fixture that runs a test over every engine that has what the test needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmcore import Crm
from tests.app.houses import ENGINES, LACKS, opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "crm" in metafunc.fixturenames:
        needed = {mark.args[0] for mark in metafunc.definition.iter_markers("needs")}
        engines = [engine for engine in ENGINES if not needed & LACKS.get(engine, set())]
        metafunc.parametrize("crm", engines, indirect=True)


@pytest.fixture
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crm]:
    """Customers over each engine, asynchronous ones with the calls of `Crm`."""
    with opened(request.param, tmp_path) as found:
        yield found
