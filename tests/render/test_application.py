"""A page with a script: nothing runs but that script, nothing is loaded or sent, whatever the data hold."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crmcore.render.application import application, asset, embedded

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028",
    "\ud800",
    "]]>",
    "</style>",
    "&lt;",
]


class Elements(HTMLParser):
    """The elements of a page, and what stands in its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {"script": [], "style": []}
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        if tag in self.text:
            self._in = tag
            self.text[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.text[self._in][-1] += data


def hashed(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_names_the_one_script_and_the_one_style_and_allows_nothing_else() -> None:
    elements = Elements(application("review", {"items": HOSTILE}, title="</title><script>"))
    policy = next(
        a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"
    )
    data, script = elements.text["script"]
    (style,) = elements.text["style"]
    assert str(policy).split("; ") == [
        "default-src 'none'",
        f"script-src {hashed(script)}",
        f"style-src {hashed(style)}",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert [tag for tag, _ in elements.found].count("script") == 2
    assert json.loads(data)["items"][0] == HOSTILE[0]


def test_the_page_names_no_other_place_and_has_no_handlers() -> None:
    page = application("review", {}, title="Review")
    assert re.findall(r"https?://[^\s\"'`]+", page) == ["http://www.w3.org/2000/svg"]
    for _, attributes in Elements(page).found:
        assert not {name for name in attributes if name.startswith("on") or name in ("style", "src", "href")}


def test_the_script_makes_no_markup_of_text_and_asks_nobody() -> None:
    script = asset("review.js")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "fetch(",
        "XMLHttp",
        "import(",
    ):
        assert word not in script


_texts = st.text() | st.sampled_from(HOSTILE)


@given(st.lists(_texts | st.lists(_texts) | st.dictionaries(_texts, _texts)))
def test_data_in_a_page_are_what_they_were_and_end_nothing(data: Any) -> None:
    text = embedded(data)
    assert not re.search("[<>&\u2028\u2029\ud800-\udfff]", text)
    plain = json.dumps(data, ensure_ascii=False)
    assert json.loads(text) == json.loads(re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", plain))
