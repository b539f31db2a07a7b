"""The command line, as ``strikeatlas`` and as ``python -m strikeatlas``."""

import sys


def main() -> None:
    """Run the command line; where it cannot even be loaded, say so, with the exit code of a system that refused.

    Interrupted while its modules are read, which takes a second, it ends without a word.
    """
    try:
        from api.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    except (ImportError, MemoryError) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        print(f"error: the program cannot be loaded, for want of memory or of a library: {reason}", file=sys.stderr)
        sys.exit(6)
    run()


if __name__ == "__main__":
    main()
