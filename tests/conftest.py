"""Settings for all tests: no deadlines, since a slow moment of the machine is no error; and what needs a browser."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.browser import NOT_RUN, browser

settings.register_profile(
    "crmcore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("crmcore")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") is not None and browser() is None:
        pytest.skip(NOT_RUN)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nobody takes tests for passed that could not be run, in this process or in one of several."""
    if any(NOT_RUN in str(report.longrepr) for report in terminalreporter.getreports("skipped")):
        terminalreporter.write_line(NOT_RUN)
