"""Reviews that nobody has to find first, and their pages in a browser."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmcore.identity import Review, ReviewItem, ReviewLink, ReviewRecord, ReviewStep
from crmcore.identity.model.policy import UNIT

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver


def record(id: str, *fields: tuple[str, str]) -> ReviewRecord:
    return ReviewRecord(id=id, fields=fields)


def review(items: list[ReviewItem]) -> Review:
    return Review(
        id="01900000-0000-7000-8000-000000000001",
        made_at=datetime(2026, 3, 14, 12, tzinfo=UTC),
        of="file",
        name="people.csv",
        items=tuple(items),
        decided_by=("model/0123456789ab",),
        same_at=0,
        review_at=-4 * UNIT,
    )


def pair(number: int) -> ReviewItem:
    """Two records with a slip between them."""
    fields = [
        ("name", f"Ann Lee {number}"),
        ("e-mail", f"ann.lee{number}@mail.example"),
        ("phone", "+44 20 7946 0018"),
    ]
    other = [("name", f"Anne Lee {number}"), ("e-mail", f"ann.lee{number}@post.example"), ("city", "York")]
    steps = [
        ReviewStep("any two records: before looking", -9 * UNIT),
        ReviewStep("family name: same", 8 * UNIT),
    ]
    return ReviewItem(
        id=f"i{number}",
        kind="pair",
        records=(record(f"{number}a", *fields), record(f"{number}b", *other)),
        links=(ReviewLink(a=0, b=1, score=-UNIT, steps=tuple(steps)),),
    )


def customer(count: int = 3) -> ReviewItem:
    """A customer of several records that hang together by weak links."""
    links = [ReviewLink(a=n, b=n + 1, score=n * UNIT) for n in range(count - 1)]
    records = [record(f"c{n}", ("name", f"Bo Hill {n}")) for n in range(count)]
    return ReviewItem(id="customer", kind="customer", records=tuple(records), links=tuple(links))


class Page:
    """A review page in the browser."""

    def __init__(self, driver: WebDriver, folder: Path, html: str) -> None:
        self.driver = driver
        self.folder = folder
        path = folder / "review.html"
        path.write_text(html, encoding="utf-8", errors="replace")
        driver.get(path.as_uri())
        assert driver.execute_script("return document.documentElement.dataset.ready") is not None

    def press(self, keys: str) -> None:
        from selenium.webdriver.common.by import By

        for key in keys:
            self.driver.find_element(By.TAG_NAME, "body").send_keys(key)

    def text(self, id: str = "item") -> str:
        return str(self.driver.execute_script("return document.getElementById(arguments[0]).textContent", id))

    def value(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(f"return {script}", *given)

    def click(self, id: str) -> None:
        self.driver.execute_script("document.getElementById(arguments[0]).click()", id)

    def write(self, id: str, text: str) -> None:
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.ID, id).send_keys(text)

    def saved(self) -> dict[str, Any]:
        """What the page saves."""
        target = self.folder / "decisions.json"
        target.unlink(missing_ok=True)
        self.click("save")
        for _ in range(100):
            if target.exists() and not list(self.folder.glob("*.crdownload")):
                break
            time.sleep(0.05)
        found = json.loads(target.read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found

    def load(self, found: Any) -> str:
        """What the page says when a file is loaded."""
        from selenium.webdriver.common.by import By

        path = self.folder / "load.json"
        path.write_text(json.dumps(found), encoding="utf-8")
        self.value("document.getElementById('said').replaceChildren()")
        self.driver.find_element(By.ID, "file").send_keys(str(path))
        for _ in range(100):
            if self.text("said"):
                break
            time.sleep(0.02)
        return self.text("said")

    def complaints(self) -> list[Any]:
        """What the browser has to say: scripts that failed, and whatever the policy of the page forbade."""
        found: list[Any] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # Selenium has no type for it
        return found


def verdicts(saved: dict[str, Any]) -> dict[str, str]:
    return {found["item"]: found["verdict"] for found in saved["decisions"]}
