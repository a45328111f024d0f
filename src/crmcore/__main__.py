"""``python -m crmcore`` is the command line."""

from crmcore.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
