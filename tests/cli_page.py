"""Writes docs/cli.md from the help of the commands: ``python -m tests.cli_page``."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: An option that so many commands describe in the same words is described once.
SHARED = 3

_OPTION = re.compile(r"^\* `(?P<name>--?[a-z-]+)[^\n]*$", flags=re.MULTILINE)
_COMMANDS = re.compile(r"(?:^\* `[a-z][a-z-]*`: [^\n]*\n)+", flags=re.MULTILINE)
_USAGE = re.compile(r"\*\*Usage\*\*:\n\n```console\n\$ (?P<usage>[^\n]*)\n```")


def markdown() -> str:
    """The whole page."""
    command = [sys.executable, "-m", "typer", "api.cli.main", "utils", "docs", "--name", "strikeatlas"]
    written = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text = _USAGE.sub(r"`\g<usage>`", html.unescape(written))
    text = _COMMANDS.sub(
        lambda match: ", ".join(re.findall(r"^\* (`[a-z-]+`)", match[0], flags=re.MULTILINE)) + ".\n", text
    )
    head, *commands = re.split(r"(?=^##+ `)", text, flags=re.MULTILINE)
    options = Counter(match[0] for command in commands for match in _OPTION.finditer(command))
    shared = sorted(option for option, count in options.items() if count >= SHARED)
    parts = [
        head,
        "## Options of many commands\n\n",
        "\n".join(shared),
        "\n\n",
        *(_section(one, shared) for one in commands),
    ]
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip() + "\n"


def _section(command: str, shared: list[str]) -> str:
    """A command, whose shared options are named alone, and whose usage is told where it says more than its name."""
    command = re.sub(r"^`(strikeatlas [a-z -]+?)( \[OPTIONS\])?`\n\n", "", command, flags=re.MULTILINE)
    found = [match for match in _OPTION.finditer(command) if match[0] in shared]
    for match in found:
        command = command.replace(f"{match[0]}\n", "", 1)
    if not found:
        return command
    also = ", ".join(f"`{match['name']}`" for match in found if match["name"] != "--help")
    before, heading, after = command.partition("**Options**:\n\n")
    own, _, rest = after.partition("\n\n") if after.startswith("* ") else ("", "", after)
    options = f"{heading}{own}\n\n" if own else ""
    return f"{before}{options}{f'Also {also}.' if also else ''}\n\n{rest.lstrip()}"


if __name__ == "__main__":
    print(markdown(), end="")
