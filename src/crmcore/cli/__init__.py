"""The command line: ``crmcore`` and ``python -m crmcore``."""

from crmcore.cli.main import main

__all__ = ["main"]
