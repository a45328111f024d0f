"""The files of a bundle that is given to a person: JSON with its schema, a CSV file per kind, one page to read.

Invariant: all files say the same, and the manifest has the digest of each. A cell that a spreadsheet would run is
disarmed, and text on the page stays text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from crmcore.consent.bundle import Bundle, Item
from crmcore.exchange.formula import disarmed
from crmcore.render import Child, badge, bullets, definitions, details, figures, notice, page, section

_COLUMNS = ("id", "record", "provenance", "confidence", "redactions", "withheld")

_YOURS = {"certain": "surely yours", "probable": "probably yours", "doubtful": "perhaps yours"}

TITLES = {
    "record": "Records",
    "history": "What changed in them",
    "interaction": "What was said and done",
    "relationship": "Relationships",
    "judgement": "Which records are the same person",
    "consent": "Consent",
    "decision": "Decisions",
    "request": "What you asked us for",
    "suppression": "Addresses that we do not use",
    "other": "From other systems",
}


def bundle_schema() -> dict[str, Any]:
    """The JSON schema of a bundle."""
    text = (files("crmcore.consent") / "tables" / "bundle.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def bundle_files(bundle: Bundle) -> dict[str, bytes]:
    """The files by name: ``bundle.json``, ``schema.json``, ``<kind>.csv``, ``index.html`` and ``manifest.json``."""
    found = {
        "bundle.json": _json(bundle.to_json()),
        "schema.json": _json(bundle_schema()),
        "index.html": bundle_page(bundle).encode("utf-8"),
        **{f"{kind}.csv": _csv(items) for kind, items in by_kind(bundle).items()},
    }
    manifest = {
        "right": bundle.right,
        "items": len(bundle.items),
        "withheld": sum(item["withheld"] is not None for item in bundle.to_json()["items"]),
        "redactions": bundle.redactions,
        "sha256": {name: hashlib.sha256(found[name]).hexdigest() for name in sorted(found)},
    }
    return {**found, "manifest.json": _json(manifest)}


def bundle_digest(contents: Mapping[str, bytes]) -> str:
    """The digest that a request keeps of its answer: that of the manifest, which has those of all files."""
    return hashlib.sha256(contents["manifest.json"]).hexdigest()


def by_kind(bundle: Bundle) -> dict[str, list[Item]]:
    """The items of each kind, in the order of the bundle."""
    found: dict[str, list[Item]] = {}
    for item in bundle.items:
        found.setdefault(item.category, []).append(item)
    return found


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")


def _csv(items: Iterable[Item]) -> bytes:
    rows = [item.to_json() for item in items]
    flat = [dict(flattened(row["data"] or {})) for row in rows]
    paths = sorted({path for one in flat for path in one})
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["item", *_COLUMNS[1:], *map(disarmed, paths)])
    for row, one in zip(rows, flat, strict=True):
        head = ["" if row[name] is None else str(row[name]) for name in _COLUMNS]
        writer.writerow([disarmed(cell) for cell in (*head, *(one.get(path, "") for path in paths))])
    return out.getvalue().encode("utf-8")


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of a JSON value, by the path that leads to it.

    >>> list(flattened({"names": [{"full": "Ann"}], "ok": True}))
    [('names.0.full', 'Ann'), ('ok', 'true')]
    """
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from flattened(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for index, one in enumerate(value):
            yield from flattened(one, f"{path}.{index}")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def bundle_page(bundle: Bundle) -> str:
    """The bundle as one page."""
    withheld = sum(item.withheld is not None or item.review is not None for item in bundle.items)
    note = (
        notice(
            f"Other people were left out {bundle.redactions} times, marked where they stood, and {withheld} of "
            "the items are withheld, with the reason.",
            tone="warn",
        )
        if bundle.redactions or withheld
        else None
    )
    about: Iterable[tuple[Child, Child]] = (
        (key, bullets(value) if isinstance(value, (list, tuple)) else str(value))
        for key, value in bundle.about.items()
    )
    kinds = by_kind(bundle)
    return page(
        "Your data",
        figures([(len(bundle.items), "items"), (bundle.redactions, "redactions"), (withheld, "withheld")]),
        note,
        section("About the processing", definitions(about)) if bundle.about else None,
        *(section(TITLES[kind], *map(_shown, items), id=kind) for kind, items in kinds.items()),
        lead=f"What we hold about you, as of {bundle.made_at:%Y-%m-%d}.",
    )


def _shown(item: Item) -> Child:
    document = item.to_json()
    marks = [
        badge(item.provenance),
        badge(_YOURS[item.confidence], "good" if item.confidence == "certain" else "warn"),
        badge(f"{item.redactions} left out", "warn") if item.redactions else None,
    ]
    if document["withheld"] is not None:
        return details([item.id, " ", marks], notice(document["withheld"], tone="warn"), open=True)
    rows: Iterable[tuple[Child, Child]] = flattened(document["data"])
    return details([item.id, " ", marks], definitions(rows))
