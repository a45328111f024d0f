"""A store with the ceilings of DynamoDB, in memory: to see that an app stays within them, and that a store can."""

from crmcore.testing.ceilings.store import CeilingsStore
from crmcore.testing.ceilings.table import CeilingReached, ConditionFailed, Table

__all__ = ["CeilingReached", "CeilingsStore", "ConditionFailed", "Table"]
