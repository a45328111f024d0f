"""A real browser for the tests that need one: Debian's Chromium, driven by Selenium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NOT_RUN = "the tests in a browser were not run: install chromium and chromium-driver (apt-get install), then run again"
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--disable-dev-shm-usage",  # small where tests run in containers
)
PHONE, DESK = (360, 740), (1200, 900)


@attrs.frozen
class Browser:
    """Where a browser and its driver are."""

    program: str
    driver: str


def browser() -> Browser | None:
    """The browser of this machine, or None."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return Browser(program, driver) if program and driver else None


@contextmanager
def opened(folder: Path, *, script: bool = True) -> Iterator[WebDriver]:
    """A browser with a profile of its own in *folder*, where it also saves files."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    found = browser()
    assert found is not None, NOT_RUN
    options = webdriver.ChromeOptions()
    options.binary_location = found.program
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}", "--window-size=1200,900"):
        options.add_argument(flag)
    saving: dict[str, object] = {
        "download.default_directory": str(folder),
        "download.prompt_for_download": False,
    }
    if not script:
        saving["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", saving)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(found.driver))
    try:
        yield driver
    finally:
        driver.quit()


def sized(driver: WebDriver, size: tuple[int, int], *, dark: bool = False) -> None:
    """Make the window a phone's or a desk's, light or dark."""
    width, height = size
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
