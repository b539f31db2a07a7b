"""Scores of the page of the map by Lighthouse: `make run` in one terminal, `make lighthouse` in another.

Lighthouse lies in `bench/lighthouse`, apart from what the page and its tests need. It loads the page in Chromium with
software rendering as on a desktop: 10 Mbit/s, 40 ms a round trip, a processor as fast as this one. The exit code is 1
where a score is below what `LEAST` asks for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMAND = Path(__file__).parent / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
FLAGS = "--headless=new --no-sandbox --use-angle=swiftshader --enable-unsafe-swiftshader"
#: Least score of each category, of 100.
LEAST = {"performance": 80, "accessibility": 100, "best-practices": 100}
#: Audits whose values are printed, as Lighthouse names them.
TIMES = (
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "cumulative-layout-shift",
    "speed-index",
)


def measured(address: str) -> Mapping[str, Any]:
    """Return Lighthouse's report on a page (its JSON, version 12)."""
    command = ["node", str(COMMAND), address, "--preset=desktop", "--quiet", "--output=json", f"--chrome-flags={FLAGS}"]
    command.append(f"--only-categories={','.join(LEAST)}")
    environment = {"CHROME_PATH": "/usr/bin/chromium"} | os.environ
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    report: Mapping[str, Any] = json.loads(done.stdout)
    return report


def summary(report: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Return lines of a report, and whether all scores are as large as `LEAST`."""
    scores = {name: round((report["categories"][name]["score"] or 0) * 100) for name in LEAST}
    audits = report["audits"]
    lines = [f"{name:16} {score:4}  (at least {LEAST[name]})" for name, score in scores.items()]
    lines += [f"{name:26} {audits[name]['displayValue']}" for name in TIMES if "displayValue" in audits[name]]
    for category in report["categories"].values():
        short = [audits[one["id"]] for one in category["auditRefs"] if one["weight"]]
        lines += [f"- {one['id']}: {one['title']}" for one in short if one["score"] is not None and one["score"] < 0.9]
    return lines, all(score >= LEAST[name] for name, score in scores.items())


def main() -> int:
    """Measure the page at the address that is given; return the exit code."""
    lines, enough = summary(measured(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/map"))
    print("\n".join(lines))
    return 0 if enough else 1


if __name__ == "__main__":
    raise SystemExit(main())
