"""Decisions that are loaded on another page than that on which they were made, and what any page saves."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmcore.identity import Decisions, ReviewItem, ReviewLink
from crmcore.identity.review_decisions import can_be_named
from tests.cli.review_pages import Page, customer, pair, record, review, verdicts

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.browser

MADE_AT = "2026-03-14T12:00:00.000Z"
"""When the pages were made."""

OLD = customer(3)


def decision(item: ReviewItem, verdict: str, **more: Any) -> dict[str, Any]:
    return {
        "item": item.id,
        "kind": item.kind,
        "records": [*(one.id for one in item.records), *item.more],
        "links": [[link.a, link.b] for link in item.links],
        "verdict": verdict,
        "apart": [],
        "note": "seen",
        **more,
    }


def document(*decisions: dict[str, Any], **page: Any) -> dict[str, Any]:
    made = {"id": "another page", "made_at": MADE_AT, "of": "file", "name": "people.csv", **page}
    return {"format": "crmcore.decisions/1", "page": made, "decisions": list(decisions)}


CHANGED = {
    "a record more": customer(4),
    "a record less": attrs.evolve(OLD, records=OLD.records[:2], links=OLD.links[:1]),
    "another record": attrs.evolve(OLD, records=(*OLD.records[:2], record("c9"))),
    "a record more that is not shown": attrs.evolve(OLD, more=("c9",)),
    "another link": attrs.evolve(OLD, links=(ReviewLink(a=0, b=1, score=0), ReviewLink(a=0, b=2, score=0))),
    "a link less": attrs.evolve(OLD, links=OLD.links[:1]),
    "another pair": attrs.evolve(pair(7), id=OLD.id),
}


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize(("verdict", "apart"), [("same", []), ("different", ["c2"])])
def test_what_was_decided_of_an_item_that_changed_since_is_asked_again(
    driver: WebDriver, tmp_path: Path, change: str, verdict: str, apart: list[str]
) -> None:
    page = Page(driver, tmp_path, review([pair(0), CHANGED[change]]).html())
    said = page.load(document(decision(pair(0), "same"), decision(OLD, verdict, apart=apart)))
    assert said == (
        "1 of 2 decisions taken over; 1 is about an item that changed since it was decided: look at it again."
    )
    assert page.text("count").startswith("1 of 2 decided")
    assert "2 of 2" in page.text()
    assert "changed since it was decided" in page.text()
    (found,) = Decisions.parse(json.dumps(page.saved())).decisions
    assert list(found.said) == [("same", ("0a", "0b"))]
    page.press("u")
    assert "changed since it was decided" not in page.text()
    assert page.complaints() == []


def test_in_which_order_records_and_links_stand_is_no_change(driver: WebDriver, tmp_path: Path) -> None:
    turned = attrs.evolve(
        OLD, records=(OLD.records[2], OLD.records[0]), more=("c1",),
        links=(ReviewLink(a=0, b=2, score=0), ReviewLink(a=2, b=1, score=0)),
    )  # fmt: skip
    switched = attrs.evolve(pair(0), records=pair(0).records[::-1])
    page = Page(driver, tmp_path, review([switched, turned]).html())
    made = document(decision(pair(0), "different"), decision(OLD, "different", apart=["c2"]))
    assert page.load(made) == "2 of 2 decisions taken over."
    one, two = Decisions.parse(json.dumps(page.saved())).decisions
    assert [verdict for verdict, _ in one.said] == ["different"]
    assert {(verdict, frozenset(ends)) for verdict, ends in two.said} == {
        ("different", frozenset({"c2", "c0"})),
        ("different", frozenset({"c2", "c1"})),
        ("same", frozenset({"c0", "c1"})),
    }


def test_what_cannot_be_meant_or_is_about_something_else_is_not_taken_over(
    driver: WebDriver, tmp_path: Path
) -> None:
    page = Page(driver, tmp_path, review([OLD]).html())
    for wrong in (
        decision(OLD, "different"),
        decision(OLD, "different", apart=["c0", "c1", "c2"]),
        decision(OLD, "different", apart=["z"]),
        decision(OLD, "same", apart=["c2"]),
        decision(OLD, "perhaps"),
        decision(pair(0), "same"),
    ):
        assert page.load(document(wrong)) == (
            "0 of 1 decisions taken over; 1 is about nothing that is on this page."
        )
    assert page.value("document.getElementById('save').disabled") is True


@pytest.mark.parametrize(
    ("at", "made_at", "expected"),
    [
        ("2026-03-14T12:30:00.250Z", MADE_AT, MADE_AT),  # since nobody saw more than the page that he had
        ("2026-03-14T11:30:00Z", MADE_AT, "2026-03-14T11:30:00.000Z"),  # decided on a page before that one
        ("yesterday", MADE_AT, MADE_AT),
        ("", "2026-03-14T12:00:00.000999Z", MADE_AT),
        ("2026-03-14T12:30:00.250Z", "long ago", "2026-03-14T12:30:00.250Z"),
        (None, None, None),
    ],
)
def test_what_was_decided_on_an_earlier_page_is_as_old_as_that_page(
    driver: WebDriver, tmp_path: Path, at: str | None, made_at: str | None, expected: str | None
) -> None:
    page = Page(driver, tmp_path, review([pair(0)]).html())
    page.load(document(decision(pair(0), "same", at=at), made_at=made_at))
    (found,) = Decisions.parse(json.dumps(page.saved())).decisions
    assert found.at == (None if expected is None else datetime.fromisoformat(expected))


def test_what_is_loaded_again_on_its_own_page_is_as_old_as_it_is(driver: WebDriver, tmp_path: Path) -> None:
    page = Page(driver, tmp_path, review([pair(0)]).html())
    began = datetime.now(UTC).replace(microsecond=0)
    page.press("s")
    before = page.saved()
    page.load(before)
    assert page.saved() == before
    (found,) = Decisions.parse(json.dumps(before)).decisions
    assert found.at is not None
    assert found.at >= began


def test_no_more_records_are_split_off_than_can_be_taken_over(driver: WebDriver, tmp_path: Path) -> None:
    large = attrs.evolve(customer(12), more=tuple(f"m{n}" for n in range(988)))
    page = Page(driver, tmp_path, review([large]).html())
    page.press("123456d")
    assert "too many" in page.text("said")
    page.press("6d")
    (found,) = Decisions.parse(json.dumps(page.saved())).decisions
    assert len(found.apart) == 5


# --- whatever is done ----------------------------------------------------------------------------------------

HANDS = """
const [given, done] = arguments;
const by = (id) => document.getElementById(id);
const put = (id, text) => { by(id).value = text; by(id).dispatchEvent(new Event("input")); };
let made = null;
URL.createObjectURL = (blob) => { made = blob; return "blob:none"; };
HTMLAnchorElement.prototype.click = () => {};
const act = {
  press: (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key })),
  note: (text) => put("note", text),
  by: (text) => put("by", text),
  load: async (text) => {
    const files = new DataTransfer();
    files.items.add(new File([text], "load.json"));
    by("said").replaceChildren();
    by("file").files = files.files;
    by("file").dispatchEvent(new Event("change"));
    while (!by("said").textContent) await new Promise((go) => setTimeout(go, 1));
  },
};
(async () => {
  for (const [what, value] of JSON.parse(given)) await act[what](value);
  by("save").click();
  return made && made.text();
})().then(done, (wrong) => done(`failed: ${wrong}`));
"""
"""What hands can do to a page, without hands; what it saves then."""

TEXTS = st.text(st.characters(), max_size=6) | st.sampled_from(
    [
        "\ud800",
        "\x00",
        "a\tb",
        "\x85",
        " ",
        "\ufeff",
        "x" * 256 + "\U0001f600",
        "x" * 999 + "\U0001f600",
        "x" * 2000,
    ]
)
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4).filter(can_be_named)
MOMENTS = st.sampled_from(
    [MADE_AT, "2026-03-14T12:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"]
)


@st.composite
def items(draw: st.DrawFn) -> ReviewItem:
    size = draw(st.sampled_from([2, 2, 3, 12]))
    ids = draw(st.lists(IDS, min_size=size, max_size=size, unique=True))
    is_pair = size == 2 and draw(st.booleans())
    pairs = [(0, 1)] if is_pair else draw(st.lists(st.sampled_from([(0, 1), (1, 0)]), min_size=1, max_size=2))
    more = [] if is_pair else [f"more {n}" for n in range(draw(st.sampled_from([0, 1, 988])))]
    return ReviewItem(
        id=draw(IDS),
        kind="pair" if is_pair else "customer",
        records=tuple(record(id, ("name", id)) for id in ids),
        links=tuple(ReviewLink(a=a, b=b, score=0) for a, b in pairs),
        more=tuple(more),
    )


@st.composite
def files(draw: st.DrawFn, about: Sequence[ReviewItem]) -> str:
    """A file of decisions that somebody has had a hand in."""
    made: list[Any] = []
    for item in draw(st.lists(st.sampled_from(about), max_size=3)):
        ids = [one.id for one in item.records]
        one = decision(
            item,
            draw(st.sampled_from(["same", "different", "skip"])),
            apart=draw(st.lists(st.sampled_from([*ids, "z"]), max_size=12)),
            note=draw(TEXTS),
            by=draw(TEXTS),
            at=draw(MOMENTS | TEXTS),
        )
        wrong = draw(st.none() | st.sampled_from(sorted(one)))
        made.append(one if wrong is None else {**one, wrong: draw(TEXTS | st.none() | st.lists(TEXTS))})
    return json.dumps(document(*made, made_at=draw(MOMENTS | TEXTS | st.none())))


HOSTILE = [
    "\ud800",
    "a\x00",
    "a\tb",
    "\x85",
    "a\x1f",
    " ",
    "\ufeff",
    "x" * 255 + "\U0001f600",
    "x" * 999 + "\U0001f600",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_any_note_and_reviewer_are_saved_so_that_they_are_read(
    driver: WebDriver, tmp_path: Path, text: str
) -> None:
    for acts in (
        [("note", text), ("by", text), ("press", "s")],
        [("press", "s"), ("press", "k"), ("note", text)],
        [("load", json.dumps(document(decision(pair(0), "same", note=text, by=text))))],
    ):
        Page(driver, tmp_path, attrs.evolve(review([pair(0)]), id=str(uuid4())).html())
        (found,) = Decisions.parse(driver.execute_async_script(HANDS, json.dumps(acts))).decisions
        assert found.verdict == "same"


@settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to make one smaller takes a browser minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_a_page_saves_is_read(driver: WebDriver, tmp_path: Path, data: st.DataObject) -> None:
    shown = data.draw(st.lists(items(), min_size=1, max_size=3, unique_by=lambda item: item.id))
    act = st.one_of(
        st.tuples(st.just("press"), st.sampled_from("sdujkz123456")),
        st.tuples(st.just("press"), st.sampled_from("sd")),
        st.tuples(st.sampled_from(["note", "by"]), TEXTS),
        st.tuples(st.just("load"), files(shown)),
    )
    acts = data.draw(st.lists(act, max_size=12))
    # A page of its own, which keeps nothing yet: what is cleared may be cleared late, when it has kept something.
    made = attrs.evolve(review(shown), id=str(uuid4())).html()
    page = Page(driver, tmp_path, made)
    saved = driver.execute_async_script(HANDS, json.dumps(acts))
    # The browser may say that it left the page before without asking.
    assert [one for one in page.complaints() if one["source"] != "intervention"] == []
    if saved is None:
        assert page.value("document.getElementById('save').disabled") is True
        return
    found = Decisions.parse(saved)
    records = {item.id: {one.id for one in item.records} | set(item.more) for item in shown}
    assert all(set(one.records) == records[one.item] for one in found.decisions)
    assert verdicts(json.loads(saved)) == {one.item: one.verdict for one in found.decisions}
    # What the browser keeps is as good as what is saved.
    for _ in range(50):  # browsers hand what one page kept to the next in their own time
        page = Page(driver, tmp_path, made)
        kept = driver.execute_async_script(HANDS, "[]")
        if kept is not None:
            break
        time.sleep(0.2)
    assert Decisions.parse(kept) == found
