"""The review page in a real browser: hands on keys, values inert, small screens, and a file that is taken over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crmcore.identity import Decisions, ReviewItem, ReviewLink, ReviewRecord, ReviewStep
from crmcore.identity.model.policy import UNIT
from tests.browser import DESK, PHONE, opened, sized
from tests.cli.commands import done
from tests.cli.review_pages import Page, customer, pair, record, review, verdicts
from tests.cli.reviewing import doubtful_store, page_of

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.browser

HOSTILE = (
    "</script><script>document.title='hacked'</script>",
    "<img src=x onerror=\"document.title='hacked'\">",
    "Ann \u202egnissim\u202c Lee",
    "'\"&lt;b&gt;",
    "\ud800\u0000\u2028",
)


def test_two_thousand_pairs_are_there_at_once_and_stay_quick(driver: WebDriver, tmp_path: Path) -> None:
    page = Page(driver, tmp_path, review([pair(n) for n in range(2000)]).html())
    assert "Pair 1 of 2,000" in page.text()
    assert page.text("count") == "0 of 2,000 decided"
    ready = int(page.value("document.documentElement.dataset.ready"))
    took = page.value(
        "(() => { const began = performance.now(); for (let n = 0; n < 200; n += 1) {"
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: 's' })); document.body.offsetHeight; }"
        "return performance.now() - began; })()"
    )
    print(f"2,000 pairs: ready {ready} ms after the address was given; {took / 200:.1f} ms a decision")
    assert page.text("count").startswith("200 of 2,000 decided")
    assert len(page.saved()["decisions"]) == 200
    assert page.complaints() == []


def test_keys_decide_skip_go_and_undo(driver: WebDriver, tmp_path: Path) -> None:
    page = Page(driver, tmp_path, review([pair(n) for n in range(4)]).html())
    page.press("sdu")
    assert "Pair 4 of 4" in page.text()
    assert page.text("count") == "2 of 4 decided, 1 skipped, not saved yet"
    page.press("z")
    assert "Pair 3 of 4" in page.text()
    page.press("kk")
    assert "Pair 1 of 4" in page.text()
    assert "Same" in page.text()
    page.press("j")
    page.press("s")  # decided once more: what stands is the last word
    page.press("z")
    assert verdicts(page.saved()) == {"i0": "same", "i1": "different"}
    page.press("zz")
    assert page.value("document.getElementById('undo').disabled") is True
    assert page.text("count").startswith("0 of 4")
    page.press("?")
    assert page.value("document.getElementById('help').open") is True
    page.press("s")
    assert page.text("count").startswith("0 of 4")


def test_after_a_decision_comes_the_next_one_that_nothing_was_said_of(
    driver: WebDriver, tmp_path: Path
) -> None:
    page = Page(driver, tmp_path, review([pair(n) for n in range(4)]).html())
    page.press("js")
    assert "Pair 3 of 4" in page.text()
    page.press("kks")  # the second one is decided
    assert "Pair 3 of 4" in page.text()
    page.press("dd")
    assert "Nothing is left to decide" in page.text("said")
    assert page.text("count").startswith("4 of 4 decided")


def test_what_is_saved_is_what_was_decided_and_is_read_as_that(driver: WebDriver, tmp_path: Path) -> None:
    page = Page(driver, tmp_path, review([pair(0), pair(1), customer(), pair(2)]).html())
    page.write("by", "ada")
    page.press("n")
    page.write("note", "seen by s and d\nin two lines")
    page.value("document.getElementById('item').focus()")
    page.press("sd")
    page.press("d")
    assert "first" in page.text("said")  # nothing is marked yet
    page.press("3d")
    found = Decisions.parse(json.dumps(page.saved()))
    assert (found.page, found.name, found.of) == (
        "01900000-0000-7000-8000-000000000001",
        "people.csv",
        "file",
    )
    assert [(d.item, d.verdict, d.by, sorted(d.apart)) for d in found.decisions] == [
        ("i0", "same", "ada", []),
        ("i1", "different", "ada", []),
        ("customer", "different", "ada", ["c2"]),
    ]
    assert found.decisions[0].note == "seen by s and d\nin two lines"
    assert [list(d.said) for d in found.decisions] == [
        [("same", ("0a", "0b"))],
        [("different", ("1a", "1b"))],
        [("different", ("c2", "c0")), ("different", ("c2", "c1")), ("same", ("c0", "c1"))],
    ]
    assert page.complaints() == []


def test_at_least_one_record_of_a_customer_stays(driver: WebDriver, tmp_path: Path) -> None:
    page = Page(driver, tmp_path, review([customer()]).html())
    page.press("123d")
    assert "has to stay" in page.text("said")
    page.press("1d")
    assert page.saved()["decisions"][0]["apart"] == ["c1", "c2"]


def test_decisions_outlive_the_page_and_can_be_loaded_again(driver: WebDriver, tmp_path: Path) -> None:
    made = review([pair(n) for n in range(3)])
    page = Page(driver, tmp_path, made.html())
    page.press("sd")
    before = page.saved()
    page = Page(driver, tmp_path, made.html())
    assert page.text("count").startswith("2 of 3 decided")
    assert "Pair 3 of 3" in page.text()
    page.value("localStorage.clear()")
    page = Page(driver, tmp_path, made.html())
    assert page.text("count").startswith("0 of 3 decided")
    assert "no file of decisions" in page.load([])
    assert page.load(before) == "2 of 2 decisions taken over."
    assert verdicts(page.saved()) == {"i0": "same", "i1": "different"}


def test_hostile_values_are_text_and_nothing_else(driver: WebDriver, tmp_path: Path) -> None:
    fields = tuple((text, text) for text in HOSTILE)
    item = ReviewItem(
        id="</script><script>",
        kind="customer",
        records=tuple(ReviewRecord(id=f"{n}{HOSTILE[0]}", fields=fields) for n in range(3)),
        links=(ReviewLink(a=0, b=1, score=0, steps=(ReviewStep(HOSTILE[1], UNIT),)),),
    )
    page = Page(driver, tmp_path, review([item]).html())
    page.press("2")
    assert page.value("document.title") == "Review duplicates"
    assert page.value("document.querySelectorAll('img, script').length") == 2
    assert HOSTILE[1] in page.text()
    assert "\u202e" not in page.text()
    assert "Ann U+202EgnissimU+202C Lee" in page.text()
    page.press("d")
    (found,) = page.saved()["decisions"]
    assert (found["item"], found["apart"]) == (item.id, [item.records[1].id])
    assert page.complaints() == []


def test_letters_that_differ_are_marked_and_those_alike_are_not(driver: WebDriver, tmp_path: Path) -> None:
    page = Page(driver, tmp_path, review([pair(7)]).html())
    marks = page.value("Array.from(document.querySelectorAll('mark'), (mark) => mark.textContent)")
    assert marks == ["e", "mail", "post"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, DESK, (320, 560)])
def test_no_screen_has_to_be_scrolled_sideways(
    driver: WebDriver, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    sized(driver, size, dark=dark)
    long = ReviewItem(
        id="long",
        kind="pair",
        records=(record("a" * 90, ("name", "n" * 300)), record("b", ("name", "m" * 300))),
        links=(ReviewLink(a=0, b=1, score=0, steps=(ReviewStep("x" * 80, UNIT),)),),
    )
    page = Page(driver, tmp_path, review([long, pair(1), customer(9)]).html())
    for _ in range(3):
        assert page.value("document.documentElement.scrollWidth <= innerWidth")
        # Two records are side by side without a frame that scrolls; many may have one.
        frame = page.value(
            "(() => { const at = document.querySelector('.scroll'); return at.scrollWidth - at.clientWidth })()"
        )
        assert frame == 0 or "Joined" in page.text()
        hidden = page.value(
            "Array.from(document.querySelectorAll('.keys button')).filter((one) => {"
            "const at = one.getBoundingClientRect();"
            "return at.left < 0 || at.right > innerWidth || at.bottom > innerHeight"
            "|| one.scrollWidth > one.clientWidth"
            "}).length"
        )
        assert hidden == 0
        page.press("j")
    ground = page.value("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) < 200) == dark


def test_everything_can_be_reached_and_is_named(driver: WebDriver, tmp_path: Path) -> None:
    page = Page(driver, tmp_path, review([pair(1), customer()]).html())
    for _ in range(2):
        named = page.value(
            "Array.from(document.querySelectorAll('button, input, textarea, progress, svg, .scroll'), (one) =>"
            "one.textContent.trim() || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby')"
            "|| one.labels?.length).every(Boolean)"
        )
        assert named is True
        page.press("j")
    assert page.value("document.getElementById('said').getAttribute('role')") == "status"


def test_without_scripts_the_page_says_what_it_needs(tmp_path: Path) -> None:
    with opened(tmp_path, script=False) as driver:
        path = tmp_path / "review.html"
        path.write_text(review([pair(1)]).html(), encoding="utf-8")
        driver.get(path.as_uri())
        assert "needs JavaScript" in driver.page_source


def test_what_a_person_decides_in_the_browser_is_taken_over_and_never_returns(
    driver: WebDriver, tmp_path: Path
) -> None:
    store, out = doubtful_store(tmp_path), tmp_path / "store.html"
    done("review", "page", "--store", store, "--out", out)
    page = Page(driver, tmp_path, out.read_text(encoding="utf-8"))
    page.write("by", "ada")
    page.value("document.getElementById('item').focus()")
    page.press("sds")
    page.saved()
    for expected in ("3 taken over\n", "0 taken over, 3 known before\n"):
        assert done("review", "apply", tmp_path / "decisions.json", "--store", store).out == expected
        done("dedupe", "--store", store)
        done("review", "page", "--store", store, "--out", out)
        assert page_of(out)["items"] == []
    assert "Nothing waits" in Page(driver, tmp_path, out.read_text(encoding="utf-8")).text()
