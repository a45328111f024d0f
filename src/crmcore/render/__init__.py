"""HTML and SVG primitives: everything escaped, self-contained, light and dark, readable on a phone.

Invariant: functions of plain values that return `Html`; no data can add an element, an attribute or a script. One kind
of page has a script, which is crmcore's own and is named by its hash: `application`.
"""

from crmcore.render.application import application
from crmcore.render.charts import Dot, bars, timeline
from crmcore.render.html import Attribute, Child, Html, escape, is_plain_address, join, tag
from crmcore.render.page import POLICY, page
from crmcore.render.parts import (
    Tone,
    badge,
    bullets,
    contents,
    definitions,
    details,
    figures,
    link,
    notice,
    section,
    table,
)
from crmcore.render.style import CSS, SERIES
from crmcore.render.waterfall import Step, waterfall
from crmcore.render.weights import Weight, weights

__all__ = [
    # text and elements
    "Html",
    "Child",
    "Attribute",
    "tag",
    "join",
    "escape",
    "is_plain_address",
    # a page and its parts
    "page",
    "POLICY",
    "application",
    "CSS",
    "section",
    "contents",
    "link",
    "badge",
    "Tone",
    "notice",
    "definitions",
    "figures",
    "details",
    "bullets",
    "table",
    # charts
    "timeline",
    "Dot",
    "bars",
    "waterfall",
    "Step",
    "weights",
    "Weight",
    "SERIES",
]
