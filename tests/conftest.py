"""Settings for all tests: no deadlines, since a slow moment of the machine is no error; and what needs a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.browser import NOT_RUN, browser

settings.register_profile(
    "crmcore",
    max_examples=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("many", settings.get_profile("crmcore"), max_examples=1000)
settings.register_profile("few", settings.get_profile("crmcore"), max_examples=15)
settings.load_profile("crmcore")

ROOT = Path(__file__).parents[1]
LONG = frozenset((ROOT / "tests" / "long.txt").read_text(encoding="utf-8").split())
"""Files whose tests take long and are about other files than those that only they run: coverage is measured by the
others, with few examples of each law, since measuring costs as much as the tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(ROOT) and item.path.relative_to(ROOT).as_posix() in LONG:
            item.add_marker(pytest.mark.long)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") is not None and browser() is None:
        pytest.skip(NOT_RUN)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nobody takes tests for passed that could not be run, in this process or in one of several."""
    if any(NOT_RUN in str(report.longrepr) for report in terminalreporter.getreports("skipped")):
        terminalreporter.write_line(NOT_RUN)
