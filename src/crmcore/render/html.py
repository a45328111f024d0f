"""HTML that cannot be broken out of: text is escaped unless it is `Html` already.

Invariant: whatever text goes in, the elements and attributes that come out are those that the program named,
and none of them runs anything: no scripts, no event handlers, no inline style, no addresses but plain links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from crmcore.errors import UnsafeMarkup

Child: TypeAlias = "str | int | float | Decimal | date | Iterable[Child] | None"
"""What an element may hold: text (escaped), `Html` (as it is), numbers and dates, None (nothing), or many of these."""

Attribute: TypeAlias = "str | int | float | None"
"""The value of an attribute: True is a bare attribute; None and False leave it out."""

_VOID = frozenset("br col hr img wbr".split())
_ELEMENTS = _VOID | frozenset(
    "a abbr article aside b bdi blockquote caption cite code colgroup dd del details div dl dt em figcaption figure "
    "footer h1 h2 h3 h4 h5 h6 header i ins kbd li main mark nav ol p pre q s section small span strong sub summary sup "
    "table tbody td tfoot th thead time tr u ul var circle desc ellipse g line rect svg text title tspan".split()
)
_ATTRIBUTES = frozenset(
    "alt class colspan datetime dir height href hidden id lang open role rowspan scope span src tabindex title value "
    "width cx cy dx dy preserveAspectRatio r rx ry text-anchor transform viewBox x x1 x2 y y1 y2".split()
)
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:gif|jpeg|png|webp);base64,[A-Za-z0-9+/=]*\Z")
_IGNORED_IN_ADDRESSES = re.compile("[\x00-\x20\x7f-\xa0]")
# What no HTML document may hold, or no UTF-8 file: controls, surrogates, noncharacters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Html(str):
    """Text that is HTML already. Only `tag` and its like make it; `Html(text)` is a promise that *text* is safe.

    Joining it to a plain text gives plain text, which is escaped when it is used: a slip is ugly, never dangerous.

    >>> tag("p", Html("<b>bold</b>"), "<i>")
    Html('<p><b>bold</b>&lt;i&gt;</p>')
    """

    __slots__ = ()

    def __html__(self) -> str:
        """The convention by which template engines know that this needs no escaping."""
        return str(self)

    def _repr_html_(self) -> str:
        """Shown as itself in a notebook."""
        return str(self)

    def __repr__(self) -> str:
        return f"Html({str.__repr__(self)})"


def escape(text: str) -> Html:
    """*text* as it may stand between tags or in a quoted attribute; what a page cannot hold becomes U+FFFD.

    >>> escape("<script>'&'")
    Html('&lt;script&gt;&#39;&amp;&#39;')
    """
    text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Html(text.replace('"', "&quot;").replace("'", "&#39;"))


def join(*children: Child) -> Html:
    """The children one after another, escaped where they are text.

    >>> join("a < b", None, ["; ", 3])
    Html('a &lt; b; 3')
    """
    return Html("".join(_flat(children)))


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield escape(child)
        elif child is None:
            continue
        elif isinstance(child, (int, float, Decimal, date)):
            yield escape(str(child))
        else:
            yield from _flat(child)


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """An element. Attributes are written as keywords: ``class_`` is class, ``text_anchor`` is text-anchor.

    Raises:
        UnsafeMarkup: if the element or attribute is not one that a page of facts needs, or an address is not plain.

    >>> tag("a", "Ann & Bob", href="https://example.org/?a=1&b=2", class_="who")
    Html('<a href="https://example.org/?a=1&amp;b=2" class="who">Ann &amp; Bob</a>')
    >>> tag("p", "hello", onclick="alert(1)")
    Traceback (most recent call last):
    crmcore.errors.UnsafeMarkup: the attribute onclick is not allowed: pages hold no scripts and no inline style
    """
    if name not in _ELEMENTS:
        raise UnsafeMarkup(
            f"the element {_shown(name)} is not allowed: use one that holds text, tables or figures"
        )
    start = "".join((name, *(_attribute(name, key, value) for key, value in attributes.items())))
    if name in _VOID:
        if children:
            raise UnsafeMarkup(f"the element {name} holds nothing: put the text beside it")
        return Html(f"<{start}>")
    return Html(f"<{start}>{''.join(_flat(children))}</{name}>")


def _attribute(element: str, keyword: str, value: Attribute) -> str:
    name = keyword.rstrip("_").replace("_", "-")
    if name not in _ATTRIBUTES and not re.fullmatch(r"(?:aria|data)-[a-z-]+", name):
        raise UnsafeMarkup(
            f"the attribute {_shown(name)} is not allowed: pages hold no scripts and no inline style"
        )
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    text = str(value)
    if (name == "href" and (element != "a" or not is_plain_address(text))) or (
        name == "src" and not _IMAGE.match(text)
    ):
        raise UnsafeMarkup(
            f"this {name} is not allowed: use http, https, mailto, tel, '#...' or a relative address, "
            "and data:image/... for pictures"
        )
    return f' {name}="{escape(text)}"'


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z][A-Za-z-]{0,30}", name) else "named here"


def is_plain_address(url: str) -> bool:
    """Whether *url* only leads somewhere: http, https, mailto, tel, a fragment or a relative address.

    It is read as browsers do, who ignore blanks and controls inside it.

    >>> is_plain_address("https://example.org"), is_plain_address("java\\tscript:alert(1)")
    (True, False)
    """
    scheme = _SCHEME.match(_IGNORED_IN_ADDRESSES.sub("", url))
    return scheme is None or scheme[1].lower() in _SCHEMES
