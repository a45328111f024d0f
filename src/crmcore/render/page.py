"""A whole page: one file that needs nothing else.

Invariant: the page says by its content security policy that nothing is loaded and nothing runs, so even a mistake
elsewhere could not send a reader's data anywhere.
"""

from __future__ import annotations

from crmcore.render.html import Child, Html, escape, join, tag
from crmcore.render.style import CSS

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""The content security policy of every page."""


def page(title: str, *body: Child, lead: Child = None, footer: Child = None, lang: str = "en") -> Html:
    """A document with *title* as its heading, *lead* as a line below it, and *body*.

    It follows the reader's light or dark setting and fits a phone. Search engines are asked to stay away and links
    do not say where the reader came from, because such pages hold personal data. Write it to a file as UTF-8.

    >>> page("Customers", tag("p", "Ann <ann@example.org>")).startswith("<!doctype html>")
    True
    """
    sheet = join(
        tag("header", tag("h1", title), None if lead is None else tag("p", lead, class_="lead")),
        tag("main", body),
        None if footer is None else tag("footer", footer),
    )
    return Html(
        f'<!doctype html>\n<html lang="{escape(lang)}">\n<head>\n{head(title, POLICY, CSS)}</head>\n'
        f'<body>\n<div class="sheet">{sheet}</div>\n</body>\n</html>\n'
    )


def head(title: str, policy: str, style: str) -> Html:
    """What the head of every page says."""
    return Html(
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="robots" content="noindex">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>{style}</style>\n"
    )
