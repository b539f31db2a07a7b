"""The command line, as ``strikeatlas`` and as ``python -m strikeatlas``."""

import sys


def main() -> None:
    """Run the command line; interrupted while its modules are read, which takes a second, it ends without a word."""
    try:
        from api.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
