"""May we: the ledger, the rules, the packs, the decision."""
