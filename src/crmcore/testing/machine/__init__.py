"""Random calls, answers compared with the plain model: what one store does, the plain words say.

Invariant: after every write everything that can be read of its tenant is what the model has, and whatever is asked is
answered as the model answers it, so two stores that pass are equal in what they answer.
"""

from crmcore.testing.machine.running import run_machine

__all__ = ["run_machine"]
