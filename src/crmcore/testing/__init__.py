"""For authors of stores: the conformance kit, which checks every promise of a store and has been seen to fail."""
