"""May we: the ledger, the rules, the packs, the decision. Until the rules come, every answer is no."""

from crmcore.consent.decision import Decision, decide

__all__ = ["Decision", "decide"]
