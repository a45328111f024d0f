"""The closed algebra of conditions that packs are written in."""
