"""G14, byte by byte: what is left of the erased in the files that a store owns, and whether its report says so."""

from __future__ import annotations

from crmcore.storage import eraser_of, tenants_of
from crmcore.storage.capability import ERASER, TENANTS
from crmcore.testing.kit import Inconclusive, Subject, Writer, guarantee, holds, put, ref
from crmcore.testing.subject_of_erasure import MARKS, erasure, found_in, settle

_LOGS = ("wal", "journal", "log")


@guarantee("G14", part=ERASER, durable=True, least={"files searched": 1})
async def no_byte_of_the_erased_is_left_but_where_the_report_says(subject: Subject) -> None:
    """After an erasure no file of the store holds a text of the erased, in UTF-8, UTF-16, hexadecimal or Base64, while
    it is open, after it was closed and after it was opened again, unless the report names a place where it remains."""
    store = await subject.fresh()
    await settle(store)
    report = await eraser_of(store).erase(erasure())
    places = {one.place for one in report.residual}
    for one in report.residual:
        holds(one.place and one.what and one.remedy, "what remains has a place, a description and a remedy")
    for when in ("at once", "when it was opened again"):
        files = subject.files(store)
        subject.saw("files searched", len(files))
        for path, mark in found_in(files, MARKS):
            word = mark.split("-")[1]
            holds(
                places,
                f"{when}, {path.suffix or path.name} holds a {word} of the erased, and the report names no place",
            )
            only_logs = places <= {"write_ahead_log"} and not any(log in path.name.lower() for log in _LOGS)
            holds(
                not only_logs,
                f"{when}, {path.suffix or path.name} holds a {word}, and the report names the log alone",
            )
        store = await subject.reopen(store)
    if not subject.files(store):
        raise Inconclusive("a store that keeps things has no files at its place: say where by files=...")


@guarantee("G14", part=TENANTS, durable=True, least={"files searched": 1})
async def no_byte_of_a_dropped_tenant_is_left_but_where_the_report_says(subject: Subject) -> None:
    """After a tenant was dropped no file of the store holds its name or a text of it, unless the report names a place
    where it remains."""
    store = await subject.fresh()
    name = "canary-tenant-q7Xz"
    for step in range(3):
        one = ref(step, tenant=name)
        await Writer(store, name)(put(one, 0, {"text": "canary-body-q7Xz"}), idem=f"canary-idem-q7Xz-{step}")
    report = await tenants_of(store).drop_tenant(name)
    for _ in range(2):
        files = subject.files(store)
        subject.saw("files searched", len(files))
        found = found_in(files, [name, "canary-body-q7Xz", "canary-idem-q7Xz"])
        holds(
            report.residual or not found,
            "a file holds a text of the dropped tenant, and the report names no place",
        )
        store = await subject.reopen(store)
