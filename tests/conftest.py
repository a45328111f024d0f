"""Settings for all tests: no deadlines, since a slow moment of the machine is no error."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("crmcore", deadline=None, print_blob=True)
settings.load_profile("crmcore")
