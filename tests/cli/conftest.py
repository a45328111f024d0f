"""One browser for all tests of review pages: it takes as long to start as they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import opened

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver


@pytest.fixture(scope="package")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all: it takes as long to start as the tests do."""
    with opened(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def driver(started: WebDriver, tmp_path: Path) -> WebDriver:
    """The browser with nothing left of the test before; it saves where this test looks."""
    started.get("about:blank")
    # Not by a script: what that clears may be gone only when the next page has kept something.
    kept = {"origin": "file:///", "storageTypes": "local_storage"}
    started.execute_cdp_cmd("Storage.clearDataForOrigin", kept)
    started.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    started.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    started.get_log("browser")  # type: ignore[no-untyped-call]  # Selenium has no type for it
    return started
