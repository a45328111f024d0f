"""Nothing that is text can become an element, an attribute, a script or an address."""

from __future__ import annotations

import html
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import CrmError, UnsafeMarkup
from crmcore.render import Html, escape, is_plain_address, join, link, tag

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "<!--",
    "-->",
    "]]>",
    "<svg/onload=alert(1)>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "{{constructor.constructor('alert(1)')()}}",
    "\x00<\x00s\x00c\x00r\x00i\x00p\x00t>",
    "\ud800\udfff\ufffe",
    "\u202egnp.exe\u202d",
    "``'\"<>&",
    "\u2028\u2029<b>",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text(alphabet="<>&\"'/= aonscript:!-\x00\ud800"))


class Seen(HTMLParser):
    """What a reader of HTML finds: elements with their attributes, and text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.other: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)

    def unknown_decl(self, data: str) -> None:
        self.other.append(data)


def held(text: str) -> str:
    """What a page can hold of *text*."""
    return html.unescape(escape(text))


@given(texts, texts)
def test_text_stays_text_wherever_it_stands(inside: str, attribute: str) -> None:
    seen = Seen(tag("p", inside, title=attribute, data_row=attribute))
    assert seen.elements == [("p", {"title": held(attribute), "data-row": held(attribute)})]
    assert seen.text == held(inside)
    assert seen.other == []


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Cn"])))
def test_ordinary_text_is_kept_letter_by_letter(text: str) -> None:
    assert html.unescape(escape(text)) == text


@given(texts)
def test_a_page_can_always_be_written_as_utf8(text: str) -> None:
    assert escape(text).encode("utf-8").count(b"\x00") == 0


@given(texts)
def test_joining_html_to_text_is_escaped_in_the_end(text: str) -> None:
    assert Seen(tag("p", tag("b", "x") + text)).elements == [("p", {})]
    assert Seen(tag("p", f"{tag('b', 'x')}{text}")).elements == [("p", {})]


def test_html_is_escaped_once() -> None:
    assert tag("p", tag("b", "&")) == "<p><b>&amp;</b></p>"
    assert join(escape("&")) == "&amp;"


def test_children_are_flattened_and_none_is_nothing() -> None:
    many = (tag("li", n) for n in range(2))
    assert tag("ul", None, many, [[], [tag("li", Decimal("1.50"), " ", date(2024, 2, 29))]]) == (
        "<ul><li>0</li><li>1</li><li>1.50 2024-02-29</li></ul>"
    )


def test_attributes_are_left_out_bare_or_quoted() -> None:
    assert tag("details", open=True, id=None, hidden=False) == "<details open></details>"
    assert tag("td", 1, colspan=2, class_="number") == '<td colspan="2" class="number">1</td>'
    assert tag("br") == "<br>"


@pytest.mark.parametrize(
    "name",
    ["script", "style", "iframe", "object", "embed", "form", "input", "base", "meta", "p onclick", "", "P"],
)
def test_an_element_that_could_do_more_than_show_is_refused(name: str) -> None:
    with pytest.raises(UnsafeMarkup) as caught:
        tag(name)
    assert isinstance(caught.value, CrmError)


@pytest.mark.parametrize(
    "name",
    [
        "onclick",
        "onerror",
        "OnLoad",
        "style",
        "srcdoc",
        "srcset",
        "formaction",
        "action",
        "ping",
        "xlink:href",
        "a b",
    ],
)
def test_an_attribute_that_could_do_more_than_describe_is_refused(name: str) -> None:
    with pytest.raises(UnsafeMarkup):
        tag("p", **{name: "x"})


UNSAFE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "vbscript:x",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "blob:x",
    "x-app:y",
]
PLAIN = [
    "https://example.org/?q=a:b",
    "HTTP://example.org",
    "mailto:ann@example.org",
    "tel:+442079460018",
    "#ann",
    "a/b",
    "",
]


@pytest.mark.parametrize("url", UNSAFE)
def test_an_address_that_runs_something_is_refused(url: str) -> None:
    assert not is_plain_address(url)
    with pytest.raises(UnsafeMarkup) as caught:
        tag("a", "x", href=url)
    assert url not in str(caught.value)
    assert link("<x>", url) == "&lt;x&gt;"


@pytest.mark.parametrize("url", PLAIN)
def test_an_address_that_leads_somewhere_is_kept(url: str) -> None:
    assert Seen(tag("a", "x", href=url)).elements == [("a", {"href": url})]
    assert Seen(link("x", url)).elements == [("a", {"href": url})]


def test_only_pictures_inside_the_page_are_shown() -> None:
    assert tag("img", alt="", src="data:image/png;base64,AA==").startswith("<img")
    for src in ("https://example.org/x.png", "data:image/svg+xml,<svg/>", "x.png"):
        with pytest.raises(UnsafeMarkup):
            tag("img", src=src)
    with pytest.raises(UnsafeMarkup):
        tag("rect", href="#x")


def test_an_element_that_holds_nothing_takes_no_children() -> None:
    with pytest.raises(UnsafeMarkup):
        tag("br", "x")


def test_a_template_engine_and_a_notebook_take_it_as_it_is() -> None:
    made = tag("b", "&")
    assert made.__html__() == made._repr_html_() == "<b>&amp;</b>"
    assert repr(Html("<b>")) == "Html('<b>')"
