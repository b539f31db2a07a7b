"""What keeps records from being printed as JSON values, with the number of records and strikes by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from api.http.json import Json
from api.wording.problems import problem_values
from layers.ingest.publishable import RULES, WARNINGS, PublishProblem, PublishReport, Rule


def publish_values(report: PublishReport) -> Json:
    """Give every problem and warning, the numbers of both by rule, and those of the events."""
    return {
        "problems": [_values(one) for one in report.problems],
        "warnings": [_values(one) for one in report.warnings],
        "rules": by_rule(RULES, report.problems) | by_rule(WARNINGS, report.warnings),
        "events": {"drafts": asdict(report.drafts), "others": asdict(report.others)},
    }


def _values(one: PublishProblem) -> Json:
    return {"rule": one.rule, **problem_values(one.problem), "strikes": list(one.strikes)}


def by_rule(rules: Mapping[str, Rule], problems: tuple[PublishProblem, ...]) -> Json:
    """Count by rule the records at fault, and the strikes that cannot be printed for them, each once."""
    counts: Json = {}
    for rule in rules:
        of_rule = [one for one in problems if one.rule == rule]
        strikes = {strike for one in of_rule for strike in one.strikes}
        counts[rule] = {"records": len({one.problem.record for one in of_rule}), "strikes": len(strikes)}
    return counts
