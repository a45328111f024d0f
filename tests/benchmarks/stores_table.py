"""The reports of the conformance kit for several stores, as one table for the docs.

Each report was written by ``crmcore testkit run ... --report FILE``:

    python -m tests.benchmarks.stores_table "SqliteStore=sqlite.json" "PostgresStore=postgres.json" --out docs/measured

It writes ``stores_table.md``. Exit code 1 if a report is of another kit than the others, or did not pass.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

Reports = dict[str, dict[str, Any]]


def table(reports: Reports) -> str:
    """A row for each guarantee, a column for each store; then why a store does not claim what it does not."""
    lines = [
        "| guarantee | " + " | ".join(f"`{name}`" for name in reports) + " |",
        "| --- |" + " --- |" * len(reports),
    ]
    first = next(iter(reports.values()))
    for place, one in enumerate(first["guarantees"]):
        cells = [_cell(report["guarantees"][place]) for report in reports.values()]
        lines.append(f"| {one['id']} {one['name']} | " + " | ".join(cells) + " |")
    lines.append("| **seconds** | " + " | ".join(f"{one['seconds']:.0f}" for one in reports.values()) + " |")
    lines += ["", *(_about(name, report) for name, report in reports.items())]
    return "\n".join(lines) + "\n"


def _cell(guarantee: dict[str, Any]) -> str:
    status = guarantee["status"]
    return f"PASS {guarantee['passed']}" if status == "PASS" else status.lower()


def _about(name: str, report: dict[str, Any]) -> str:
    reasons = {
        message
        for one in report["guarantees"]
        if one["status"] == "NOT CLAIMED"
        for message in one["messages"]
    }
    claims = ", ".join(report["claimed"]) or "nothing optional"
    why = f" Not claimed: {'; '.join(sorted(reasons))}." if reasons else ""
    return f"- `{name}`: {report['engine']}, level {report['level']}, claims {claims}.{why}"


def heading(reports: Reports) -> str:
    first = next(iter(reports.values()))
    checks = first["checks"]
    return f"Kit {first['kit']}, protocol {first['protocol']}, {checks} checks, budget {first['budget']}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Reports of the conformance kit as one table")
    parser.add_argument("reports", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    reports: Reports = {}
    for pair in options.reports:
        name, _, path = pair.partition("=")
        reports[name] = json.loads(Path(path).read_text(encoding="utf-8"))
    if len({(one["kit"], one["protocol"], one["checks"], one["budget"]) for one in reports.values()}) != 1:
        raise SystemExit("the reports are of different kits or budgets: run them again with one")
    failed = [name for name, one in reports.items() if not one["passed"]]
    (options.out / "stores_table.md").write_text(f"{heading(reports)}\n{table(reports)}", encoding="utf-8")
    if failed:
        raise SystemExit(f"did not pass: {', '.join(failed)}")


if __name__ == "__main__":
    main()
