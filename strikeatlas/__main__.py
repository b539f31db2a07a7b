"""The command line, as ``strikeatlas`` and as ``python -m strikeatlas``."""

from api.cli.main import main

if __name__ == "__main__":
    main()
