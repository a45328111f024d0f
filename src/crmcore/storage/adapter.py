"""What every store needs besides its engine: for authors of stores.

Invariant: nothing here reads or writes. A batch is checked and planned, a question is checked, a page is cut; the
store looks things up before and writes things down after. The stores that ship are made of the same pieces, so a
store made of them refuses the same batches with the same words.

To write: `check_batch` makes a batch ready; look up `Checked.addresses`, `.streams` and `.claims`; `decide` plans
over what is there; write down `Plan.written`, `.entered` and `.events`; `receipt` answers. To read: `check_get`,
`find_query`, `check_fanout`, `range_query`, `scan_query`, `check_ledger` and `feed_query` check what is asked;
`hits`, `range_page`, `scan_page`, `ledger_page` and `feed_page` make the answer of rows that come in order.
"""

from __future__ import annotations

from crmcore.storage.capability import CHANGES, ORDERED_TEXT, PARTS, unclaimed
from crmcore.storage.cursor import Cursors
from crmcore.storage.document import decode
from crmcore.storage.paging import (
    Place,
    RangeQuery,
    ScanQuery,
    Seek,
    check_fanout,
    check_get,
    check_ledger,
    check_reached,
    feed_page,
    feed_query,
    find_query,
    hits,
    ledger_page,
    position,
    range_page,
    range_query,
    scan_page,
    scan_query,
)
from crmcore.storage.plan import (
    ABSENT,
    Current,
    Entered,
    Event,
    Plan,
    Written,
    change,
    check_items,
    decide,
    receipt,
    replayable,
)
from crmcore.storage.protocol import Capability
from crmcore.storage.validate import (
    Addition,
    Checked,
    Write,
    actor_of,
    carried_by,
    check_batch,
    check_name,
    check_word,
    instant,
)

CORE = (Capability(name=CHANGES, support="full"), Capability(name=ORDERED_TEXT, support="full"))
"""What a store claims that has every call of the protocol: the feed, and sorts of any bytes in order."""

__all__ = [
    "ABSENT",
    "CORE",
    "PARTS",
    "Addition",
    "Checked",
    "Current",
    "Cursors",
    "Entered",
    "Event",
    "Place",
    "Plan",
    "RangeQuery",
    "ScanQuery",
    "Seek",
    "Write",
    "Written",
    "actor_of",
    "carried_by",
    "change",
    "check_batch",
    "check_fanout",
    "check_get",
    "check_items",
    "check_ledger",
    "check_name",
    "check_reached",
    "check_word",
    "decide",
    "decode",
    "feed_page",
    "feed_query",
    "find_query",
    "hits",
    "instant",
    "ledger_page",
    "position",
    "range_page",
    "range_query",
    "receipt",
    "replayable",
    "scan_page",
    "scan_query",
    "unclaimed",
]
