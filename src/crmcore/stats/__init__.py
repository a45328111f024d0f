"""Numbers with their uncertainty: small, exact to the method named, each with its source.

Invariant: functions of plain numbers. An estimate lies within its interval, and what cannot be estimated is refused.
"""

from crmcore.stats.intervals import Estimate, ratio, weighted_sum, wilson

__all__ = ["Estimate", "ratio", "weighted_sum", "wilson"]
