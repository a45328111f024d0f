"""A page with a script of crmcore's own: one file that needs nothing else, and sends nothing anywhere.

Invariant: the page's content security policy names its one script and its one style by their hashes, so nothing else
runs, whatever the data holds; and it lets nothing be loaded or sent. Data stand in a block that is no script.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import Any

from crmcore.render.html import Html, escape
from crmcore.render.page import head
from crmcore.render.style import CSS

_SURROGATES = re.compile("[\ud800-\udfff]")
_IN_MARKUP = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_MARKUP = re.compile("[<>&\u2028\u2029]")


def application(name: str, data: Any, *, title: str, lang: str = "en") -> Html:
    """The page *name* of this room with its *data*, which are JSON.

    >>> "Review duplicates" in application("review", {"items": []}, title="Review")
    True
    """
    body, style, script = (asset(f"{name}.{kind}") for kind in ("html", "css", "js"))
    style = f"{CSS}{style}"
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Html(
        f'<!doctype html>\n<html lang="{escape(lang)}">\n<head>\n{head(title, policy, style)}</head>\n'
        f'<body>\n<div class="sheet">\n{body}</div>\n'
        f'<script type="application/json" id="data">{embedded(data)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def embedded(data: Any) -> str:
    """*data* as JSON that may stand in a page: nothing in it ends the block or begins another one.

    >>> embedded(["</script><!--"])
    '["\\\\u003c/script\\\\u003e\\\\u003c!--"]'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
    return _MARKUP.sub(lambda found: _IN_MARKUP[found[0]], text)


@cache
def asset(name: str) -> str:
    """A file of this room."""
    return files("crmcore.render").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
