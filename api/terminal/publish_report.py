"""What keeps records from being printed as lines and tables for the terminal."""

from __future__ import annotations

import sys

from rich.console import Group, RenderableType
from rich.table import Table

from api.http.json import Json
from api.terminal.console import add_row, visible
from api.wording.catalogue import phrase
from api.wording.problems import located_sentence
from layers.ingest.publishable import PublishReport


def print_publish_problems(report: PublishReport) -> None:
    """Print each problem as a line on standard error, in the order of files and lines."""
    for one in report.problems:
        strikes = phrase("publishable.strikes", n=len(one.strikes))
        line = phrase("publishable.in-line", sentence=located_sentence(one.problem), rule=one.rule, strikes=strikes)
        print(visible(line), file=sys.stderr)


def publish_tables(values: Json) -> RenderableType:
    """Show how many records and strikes each rule finds, and how well the events are established."""
    rules = Table("rule", "records", "strikes", "what it finds", title="What an editor would not print")
    rules.columns[0].no_wrap = True
    for name, counts in values["rules"].items():
        add_row(rules, name, counts["records"], counts["strikes"], phrase(f"publishable.{name}"))
    drafts, others = values["events"]["drafts"], values["events"]["others"]
    events = Table("events", "drafts", "others", "in all", title="Events")
    for name, words in (
        ("events", "all"),
        ("two_voices", "on two or more independent voices"),
        ("located", "located to 3 km, or on a stated line or area"),
    ):
        add_row(events, words, drafts[name], others[name], drafts[name] + others[name])
    return Group(rules, events)
