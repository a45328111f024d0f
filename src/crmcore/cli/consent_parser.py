"""The words of ``crmcore consent`` and its steps.

Invariant: the steps that ask about customers take the same words for what is asked.
"""

from __future__ import annotations

from typing import get_args

from crmcore.cli.audience_commands import run_consent_audience, run_consent_diff
from crmcore.cli.consent_commands import run_consent_check, run_consent_lint, run_consent_schema
from crmcore.cli.explain_command import run_consent_explain
from crmcore.cli.parsing import Commands, new_command, store_option
from crmcore.cli.terminal import EXIT_CODES
from crmcore.cli.words import Parser, instant, jurisdiction, path, text
from crmcore.consent.words import Channel, Purpose


def add_consent(commands: Commands[Parser]) -> None:
    """Add ``consent`` and its steps."""
    says = "ask the law whether somebody may be contacted, and the packs whether they say what it says"
    both = commands.add_parser("consent", help=says, description=says, epilog=EXIT_CODES)
    steps = both.add_subparsers(dest="step", required=True, metavar="audience|check|diff|explain|lint|schema")
    check = new_command(
        steps, "check", "replay a table of decision vectors, and show where the packs disagree"
    )
    check.add_argument(
        "vectors",
        metavar="VECTORS",
        type=path,
        help="a CSV file: id, jurisdiction, channel, purpose, facts, at, expected, confidence, and what else it holds",
    )
    check.set_defaults(run=run_consent_check)
    lint = new_command(
        steps, "lint", "look packs of rules over: what cannot fire, what names nothing, what is doubled"
    )
    lint.add_argument(
        "pack", metavar="PACK.toml", type=path, nargs="?", help="a pack; without it all that ship"
    )
    lint.set_defaults(run=run_consent_lint)
    schema = new_command(steps, "schema", "print the JSON Schema of a pack, for editors and other programs")
    schema.set_defaults(run=run_consent_schema)
    _explain(steps)
    _audience(steps)
    _diff(steps)


def _explain(steps: Commands[Parser]) -> None:
    says = "say whether a customer may be contacted, and why; it shows personal data with --matrix"
    command = new_command(steps, "explain", says)
    command.add_argument("ref", metavar="REF", type=text, help="a reference as crmcore show takes it")
    store_option(command)
    command.add_argument(
        "--purpose",
        action="append",
        choices=get_args(Purpose),
        default=[],
        help="what for; with --matrix as often as needed, or left out",
    )
    command.add_argument(
        "--channel",
        action="append",
        choices=get_args(Channel),
        default=[],
        help="which way; with --matrix as often as needed, or left out",
    )
    command.add_argument(
        "--point", metavar="TEXT", type=text, help="the address or number, where there are several"
    )
    _asked(command)
    command.add_argument(
        "--matrix", action="store_true", help="all purposes, channels and contact points in one table"
    )
    command.add_argument("--html", metavar="FILE", type=path, help="write it as a page, too")
    command.set_defaults(run=run_consent_explain)


def _audience(steps: Commands[Parser]) -> None:
    says = "count whom of all customers may be contacted, and why not the others; or write them to a file"
    command = new_command(steps, "audience", says)
    store_option(command)
    _what(command)
    command.add_argument(
        "--out", metavar="FILE.csv", type=path, help="write a row for each customer: it holds personal data"
    )
    command.set_defaults(run=run_consent_audience)


def _diff(steps: Commands[Parser]) -> None:
    says = "compare two packs over a store: how many customers may be contacted by one and not by the other"
    command = new_command(steps, "diff", says)
    for name in ("pack_a", "pack_b"):
        command.add_argument(
            name, metavar=name.upper(), type=text, help="a file such as de.toml, or the id of one that ships"
        )
    store_option(command)
    _what(command)
    command.set_defaults(run=run_consent_diff)


def _what(command: Parser) -> None:
    """What is asked of everybody."""
    command.add_argument(
        "--wishes", action="store_true", help="hear wishes, too: channels, caps, hours, language"
    )
    command.add_argument("--purpose", choices=get_args(Purpose), default="marketing", help="what for")
    command.add_argument("--channel", choices=get_args(Channel), default="email", help="which way")
    _asked(command)


def _asked(command: Parser) -> None:
    """The rest of a question, and what is known beside the store."""
    command.add_argument("--at", metavar="INSTANT", type=instant, help="when (default: now)")
    command.add_argument(
        "--known-at", metavar="INSTANT", type=instant, help="by what was known then (default: by all)"
    )
    command.add_argument(
        "--jurisdiction",
        metavar="CC",
        action="append",
        type=jurisdiction,
        default=[],
        help="a law that may apply beside those of addresses and numbers, e.g. DE or US-CA; as often as needed",
    )
    command.add_argument("--controller", metavar="NAME", type=text, help="who asks, as in what was recorded")
    command.add_argument("--brand", metavar="NAME", type=text, help="the brand that the message is of")
    command.add_argument("--topic", metavar="NAME", type=text, help="the topic that the message is about")
    command.add_argument("--kind", metavar="WORD", type=text, help="the kind of message, e.g. receipt")
    command.add_argument(
        "--practice", metavar="FILE", type=path, help="what is always so of your company: a Practice as JSON"
    )
    command.add_argument(
        "--facts", metavar="FILE", type=path, help="what is known beside the store: Facts as JSON"
    )
