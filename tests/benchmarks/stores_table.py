"""The conformance kit over every store that ships, and its reports as one table for the docs.

    python -m tests.benchmarks.stores_table --out docs/measured
    python -m tests.benchmarks.stores_table --out FOLDER --only PostgresStore --only Encrypted

It writes a report for each, ``stores/NAME.json``, and ``stores_table.md`` over all that are there. Exit code 1 if one
of them did not pass.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from crmcore.testing import run_kit
from tests.benchmarks.shipped_stores import HARNESSES

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
    parser = argparse.ArgumentParser(
        description="The conformance kit over the stores that ship, as one table"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", action="append", choices=list(HARNESSES), default=[])
    parser.add_argument("--budget", choices=("quick", "full"), default="quick")
    options = parser.parse_args()
    folder = options.out / "stores"
    folder.mkdir(parents=True, exist_ok=True)
    for name in options.only or HARNESSES:
        with tempfile.TemporaryDirectory(prefix="crmcore-testkit-") as place:
            report = run_kit(HARNESSES[name], Path(place), budget=options.budget).document()
        text = json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    saved = {name: folder / f"{name}.json" for name in HARNESSES if (folder / f"{name}.json").exists()}
    reports: Reports = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in saved.items()}
    (options.out / "stores_table.md").write_text(f"{heading(reports)}\n{table(reports)}", encoding="utf-8")
    for name, report in reports.items():
        wrong = [one["check"] for one in report["verdicts"] if one["status"] in ("FAIL", "INCONCLUSIVE")]
        print(f"{name}: {'passed' if report['passed'] else 'did not pass'}", *wrong, *report["problems"])
    if not all(one["passed"] for one in reports.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
