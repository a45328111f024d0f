"""G3, G9 and G18 under many writers at once: what came of it must be explained by some order of the batches."""

from __future__ import annotations

from crmcore.storage.capability import CHANGES
from crmcore.testing.checks.bounded import TURNS
from crmcore.testing.history import FEED_ANOMALIES, Hammered, Plan, hammer
from crmcore.testing.kit import Broken, Subject, guarantee

_SIZES = {"quick": 40, "full": 200, "soak": 2000}


async def _hammered(subject: Subject, *, readers: int, timeout: float = 30.0) -> Hammered:
    store = await subject.fresh()
    plan = Plan(
        seed=subject.seed, batches=_SIZES[subject.budget], readers=readers, rotate=15, timeout=timeout
    )
    done = await hammer(store, plan)
    subject.saw("batches that were applied", done.applied)
    subject.saw("batches that others came before", done.conflicts)
    subject.saw("pages of the feed during the writing", done.between)
    return done


def _clean(done: Hammered, *, feed: bool) -> None:
    found = [one for one in done.anomalies if (one.name in FEED_ANOMALIES) == feed]
    if found:
        more = f" (and {len(found) - 1} more)" if found[1:] else ""
        raise Broken(f"{found[0].name}: {found[0].detail}{more}")


@guarantee("G3", least={"batches that were applied": 50, "batches that others came before": 10})
async def what_many_write_at_once_has_one_order(subject: Subject) -> None:
    """The batches of eight writers, with what each says it has read, can be put in one order that explains every
    reading: no cycle of writes and reads (G0, G1c, G-single, G2), nothing refused is read, nothing is lost."""
    _clean(await _hammered(subject, readers=0), feed=False)


@guarantee("G9", part=CHANGES, least={"pages of the feed during the writing": 3})
async def the_feed_is_whole_for_those_who_follow_it(subject: Subject) -> None:
    """Two readers who follow the feed while eight write get every change once, in the order in which it stays, those of
    a batch together, and nothing at or before a watermark that they were given."""
    _clean(await _hammered(subject, readers=2), feed=True)


@guarantee("G18", least={"batches that others came before": 10})
async def no_batch_waits_longer_than_it_was_told(subject: Subject) -> None:
    """With eight writers in each other's way, every batch ends within its timeout and one second. Where one does not,
    all is done once more, since a machine can be busy."""
    slowest = 0.0
    for _ in range(TURNS):
        slowest = (await _hammered(subject, readers=0, timeout=0.5)).slowest
        if slowest <= 1.5:
            return
    raise Broken(f"a batch with a timeout of 0.5 seconds took {slowest:.1f}")
