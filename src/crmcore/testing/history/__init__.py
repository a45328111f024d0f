"""Whether a store keeps its batches apart: many write and read at once, and what they saw is checked.

Invariant: the checkers are pure functions from what clients saw to what is wrong with it. They take a history of any
store, and are tested on histories made by hand.

The long form is a command, ``python -m crmcore.testing.history``.
"""

from crmcore.testing.history.check import anomalies
from crmcore.testing.history.events import (
    Anomaly,
    Attempt,
    FeedHistory,
    FeedPageSeen,
    History,
    Look,
    Observed,
    Seen,
    Wrote,
)
from crmcore.testing.history.feed import FEED_ANOMALIES, feed_anomalies
from crmcore.testing.history.hammer import Hammered, hammer
from crmcore.testing.history.workload import Plan

__all__ = [
    "FEED_ANOMALIES",
    "Anomaly",
    "Attempt",
    "FeedHistory",
    "FeedPageSeen",
    "Hammered",
    "History",
    "Look",
    "Observed",
    "Plan",
    "Seen",
    "Wrote",
    "anomalies",
    "feed_anomalies",
    "hammer",
]
