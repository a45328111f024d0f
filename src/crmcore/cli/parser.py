"""The words of the command line.

Invariant: every command takes ``--json``; its help says what it reads, writes and how it ends.
"""

from __future__ import annotations

from crmcore.cli.backup_commands import run_backup, run_erasures, run_restore, run_verify
from crmcore.cli.consent_parser import add_consent
from crmcore.cli.dedupe_command import run_dedupe
from crmcore.cli.evaluate_command import run_evaluate
from crmcore.cli.import_command import run_import
from crmcore.cli.link_command import run_link
from crmcore.cli.merge_commands import run_merge, run_unmerge
from crmcore.cli.parsing import Commands, new_command, store_option
from crmcore.cli.review_commands import run_apply, run_page
from crmcore.cli.show_command import run_show
from crmcore.cli.terminal import EXIT_CODES
from crmcore.cli.testkit_commands import run_selftest_of_kit, run_testkit
from crmcore.cli.words import (
    Parser,
    author,
    bits,
    count,
    delimiter,
    memory,
    pair,
    path,
    region,
    source,
    text,
)
from crmcore.identity.features import ROLES


def parser() -> Parser:
    """The parser of all commands."""
    top = Parser(
        prog="crmcore",
        description="customers: take records over, find which are the same, show each as one, undo any merge",
        epilog=EXIT_CODES,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _import(commands)
    _dedupe(commands)
    _link(commands)
    _evaluate(commands)
    _review(commands)
    _show(commands)
    _merge(commands)
    _unmerge(commands)
    _backup(commands)
    _restore(commands)
    _verify(commands)
    _erasures(commands)
    add_consent(commands)
    _testkit(commands)
    return top


def _mapping(command: Parser) -> None:
    command.add_argument(
        "--map",
        metavar="COLUMN=FIELD",
        action="append",
        type=pair,
        default=[],
        help="what a column holds; FIELD 'ignore' (or '-') keeps it as it is",
    )
    command.add_argument(
        "--id-column", metavar="COLUMN", type=text, help="the column with the record's id in its source"
    )
    command.add_argument(
        "--kind", choices=("person", "organization"), help="what each row is (default: by its columns)"
    )
    command.add_argument(
        "--encoding", metavar="NAME", type=text, help="of the file, where it is not UTF-8 (e.g. cp1252)"
    )
    command.add_argument(
        "--delimiter",
        metavar="CHAR",
        type=delimiter,
        help="between cells, where it cannot be told: a character, or 'tab'",
    )


def _import(commands: Commands[Parser]) -> None:
    command = new_command(commands, "import", "take over the records of CSV files; the plan is shown first")
    command.add_argument("files", metavar="FILE", nargs="+", type=path, help="a CSV file with a header")
    store_option(command)
    command.add_argument(
        "--source",
        metavar="NAME",
        type=source,
        help="the system that the file comes from (default: its name)",
    )
    command.add_argument(
        "--source-column", metavar="COLUMN", type=text, help="the column that names each row's system"
    )
    _mapping(command)
    command.add_argument(
        "--region", metavar="CC", type=region, help="the country that local phones are dialled in, e.g. US"
    )
    command.add_argument("--date-order", choices=("ymd", "mdy", "dmy"), help="of dates such as 04/05/2026")
    command.add_argument("--dry-run", action="store_true", help="show the plan and write nothing")
    command.add_argument(
        "--rejected", metavar="FILE", type=path, help="write rejected rows here, to correct and import"
    )
    command.set_defaults(run=run_import)


def _dedupe(commands: Commands[Parser]) -> None:
    command = new_command(
        commands, "dedupe", "find which records are the same: in a store, or in one CSV file"
    )
    command.add_argument(
        "file", metavar="FILE", nargs="?", type=path, help="a CSV file; without it, --store is needed"
    )
    store_option(command, required=False)
    command.add_argument("--report", metavar="FILE", type=path, help="with --store: an HTML report of it")
    command.add_argument("--out", metavar="FILE", type=path, help="with FILE: rec_id,cluster for every row")
    command.add_argument("--summary", metavar="FILE", type=path, help="with FILE: counts and times as JSON")
    _deciding(command)
    command.add_argument("--save-model", metavar="FILE", type=path, help="keep the model that decided here")
    command.add_argument(
        "--exclude",
        metavar="COLUMN",
        type=text,
        help="link no row in which this column holds something, but for no, false, 0 and the like",
    )
    command.add_argument(
        "--labels",
        metavar="FILE",
        type=path,
        help="pairs that people judged (rec_id_a,rec_id_b,same): they hold, and calibrate the threshold",
    )
    command.add_argument(
        "--review",
        metavar="FILE",
        type=path,
        help="with FILE: a page on which a person decides what is doubtful",
    )
    command.add_argument(
        "--decisions",
        metavar="FILE",
        type=path,
        action="append",
        default=[],
        help="what was decided on such a page: it holds; as often as needed",
    )
    command.add_argument(
        "--checkpoint",
        metavar="FOLDER",
        type=path,
        help="keep the work here as it gets done: after an interruption the same command goes on",
    )
    command.add_argument(
        "--memory-limit", metavar="SIZE", type=memory, help="take no more memory than this, e.g. 2G"
    )
    _mapping(command)
    command.set_defaults(run=run_dedupe)


def _deciding(command: Parser) -> None:
    command.add_argument(
        "--pairs", metavar="FILE", type=path, help="write linked, doubtful and related pairs here, and why"
    )
    command.add_argument("--model", metavar="FILE", type=path, help="decide by this model, and learn nothing")
    command.add_argument(
        "--threshold", metavar="BITS", type=bits, help="from how many bits on two are the same, e.g. 3.5"
    )
    command.add_argument(
        "--without",
        metavar="FIELD",
        action="append",
        choices=ROLES,
        default=[],
        help="a field that must not be used, e.g. national_id; as often as needed",
    )


def _link(commands: Commands[Parser]) -> None:
    command = new_command(commands, "link", "find which records of one CSV file are which of another")
    command.add_argument("a", metavar="A", type=path, help="a CSV file with a header")
    command.add_argument("b", metavar="B", type=path, help="another one")
    command.add_argument("--out", metavar="FILE", type=path, help="rec_id_a,rec_id_b,bits,verdict")
    command.add_argument(
        "--one-to-one", action="store_true", help="link no record twice: neither file holds anybody twice"
    )
    _deciding(command)
    _mapping(command)
    command.set_defaults(run=run_link)


def _evaluate(commands: Commands[Parser]) -> None:
    command = new_command(commands, "evaluate", "compare the clusters of a file with the true ones")
    command.add_argument(
        "clusters", metavar="CLUSTERS", type=path, help="a CSV file with rec_id and cluster, as dedupe writes"
    )
    command.add_argument(
        "truth", metavar="TRUTH", type=path, help="a CSV file with the true cluster of each record"
    )
    command.add_argument(
        "--id-column", metavar="COLUMN", type=text, help="of TRUTH: the record's id (default: rec_id)"
    )
    command.add_argument(
        "--cluster-column", metavar="COLUMN", type=text, help="of TRUTH: the true cluster (default: cluster)"
    )
    command.add_argument(
        "--common", action="store_true", help="compare the records that both files have, leave out the others"
    )
    command.add_argument(
        "--errors", metavar="FILE", type=path, help="write pairs that are wrongly together or apart here"
    )
    command.add_argument(
        "--encoding", metavar="NAME", type=text, help="of TRUTH, where it is not UTF-8 (e.g. cp1252)"
    )
    command.add_argument(
        "--delimiter", metavar="CHAR", type=delimiter, help="of TRUTH, where it cannot be told"
    )
    command.set_defaults(run=run_evaluate)


def _review(commands: Commands[Parser]) -> None:
    says = "put before a person what is doubtful in a store, and take over what was decided"
    both = commands.add_parser("review", help=says, description=says, epilog=EXIT_CODES)
    steps = both.add_subparsers(dest="step", required=True, metavar="page|apply")
    page = new_command(steps, "page", "write a page on which a person decides; it shows personal data")
    store_option(page)
    page.add_argument("--out", metavar="FILE", type=path, required=True, help="the page, e.g. review.html")
    page.add_argument(
        "--limit",
        metavar="N",
        type=count,
        default=500,
        help="so many at most (default: 500), likeliest first",
    )
    page.set_defaults(run=run_page)
    apply = new_command(steps, "apply", "take over what was decided on such a page, as people's judgements")
    apply.add_argument("decisions", metavar="DECISIONS", type=path, help="the file that the page saved")
    store_option(apply)
    apply.add_argument("--by", metavar="ID", type=author, help="who decided, where the file does not say")
    apply.set_defaults(run=run_apply)


def _show(commands: Commands[Parser]) -> None:
    command = new_command(commands, "show", "show one customer, with where every value comes from")
    command.add_argument(
        "ref",
        metavar="REF",
        type=text,
        help="an id, a former id, SYSTEM#RECORD, an e-mail, a phone or a name",
    )
    store_option(command)
    command.add_argument(
        "--region", metavar="CC", type=region, help="the country that a local phone is dialled in, e.g. US"
    )
    command.set_defaults(run=run_show)


def _merge(commands: Commands[Parser]) -> None:
    command = new_command(commands, "merge", "say that two records are the same customer")
    command.add_argument("a", metavar="A", type=text, help="a reference as crmcore show takes it")
    command.add_argument("b", metavar="B", type=text, help="another one")
    _author(command)
    command.set_defaults(run=run_merge)


def _unmerge(commands: Commands[Parser]) -> None:
    command = new_command(commands, "unmerge", "take a judgement back, whoever made it")
    command.add_argument(
        "judgement", metavar="JUDGEMENT", type=text, help="its id, as merge and show print it"
    )
    command.add_argument(
        "--different", action="store_true", help="and say that they are different customers, for good"
    )
    _author(command)
    command.set_defaults(run=run_unmerge)


def _backup(commands: Commands[Parser]) -> None:
    command = new_command(commands, "backup", "write a whole store into one file; it shows personal data")
    command.add_argument("store", metavar="STORE", type=path, help="the SQLite file, e.g. crm.db")
    command.add_argument("file", metavar="FILE", type=path, help="the backup, a new file")
    _key_file(command)
    command.set_defaults(run=run_backup)


def _restore(commands: Commands[Parser]) -> None:
    command = new_command(
        commands, "restore", "write a backup into a store, and erase again what was erased since"
    )
    command.add_argument("file", metavar="FILE", type=path, help="the backup")
    command.add_argument(
        "store", metavar="STORE", type=path, help="the SQLite file, made where there is none"
    )
    since = command.add_mutually_exclusive_group()
    since.add_argument("--erasures", metavar="FILE", type=path, help="what crmcore erasures wrote")
    since.add_argument(
        "--erasures-of", metavar="STORE", type=path, help="the store that the backup was taken from"
    )
    command.add_argument(
        "--erasures-only", action="store_true", help="only erase again: a restore before this was cut off"
    )
    _key_file(command)
    command.set_defaults(run=run_restore)


def _verify(commands: Commands[Parser]) -> None:
    command = new_command(commands, "verify", "look whether a store or a backup is whole; nothing is changed")
    command.add_argument("file", metavar="FILE", type=path, help="a store or a backup")
    _key_file(command)
    command.set_defaults(run=run_verify)


def _key_file(command: Parser) -> None:
    command.add_argument(
        "--key-file",
        metavar="FILE",
        type=path,
        help="the key that the backup is sealed with, 16 bytes or more",
    )


def _erasures(commands: Commands[Parser]) -> None:
    command = new_command(commands, "erasures", "print what was erased of a store, one line each, to be kept")
    command.add_argument("store", metavar="STORE", type=path, help="the SQLite file, e.g. crm.db")
    command.set_defaults(run=run_erasures)


def _author(command: Parser) -> None:
    store_option(command)
    command.add_argument("--reason", metavar="TEXT", type=text, help="why, for those who read the history")
    command.add_argument("--by", metavar="ID", type=author, default="cli", help="who says so (default: cli)")


def _testkit(commands: Commands[Parser]) -> None:
    says = "ask a store for everything that it promises, and the kit whether it can fail"
    both = commands.add_parser("testkit", help=says, description=says, epilog=EXIT_CODES)
    steps = both.add_subparsers(dest="step", required=True, metavar="run|selftest")
    run = new_command(steps, "run", "run the conformance kit over a store; it is made in a folder of its own")
    run.add_argument(
        "target",
        metavar="MODULE:NAME",
        type=text,
        help="a function from a folder to a store, a Harness, or what conformance(...) gave",
    )
    run.add_argument("--level", choices=("L1", "L2", "L3", "L4", "L5"), help="what the store must have")
    run.add_argument(
        "--budget",
        choices=("quick", "full", "soak"),
        default="quick",
        help="how long chance may look for faults",
    )
    run.add_argument(
        "--minutes", metavar="N", type=count, default=60, help="with --budget soak (default: 60)"
    )
    run.add_argument(
        "--seed", metavar="N", type=count, default=1, help="what chance begins with (default: 1)"
    )
    run.add_argument("--report", metavar="FILE", type=path, help="write the report here, as JSON")
    run.set_defaults(run=run_testkit)
    proof = new_command(steps, "selftest", "run the stores that break one promise each, and good ones")
    proof.set_defaults(run=run_selftest_of_kit)
