"""How strikes of a plain table are matched with the layer: `python -m bench.layer [--open-layer FILE|none]`.

The table has title, day, place, target, country and point of each strike of which a decision confirms a site, and is
read as any table of a publisher is: no decision, kind or source is in it. What is proposed is compared with the
decisions: right, wrong, none of these, undecided; and of right sites the countries of the owners, on the day of the
strike, with those of the curated site. With `--assets-of 'sites-*'` only sites of these files of layers/records lie
over the open layer: a strike on any other is right where the site of the open layer is proposed that was judged the
same, or to have it as a part, or, where there is none, nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

import shapely
from rich.console import Console
from rich.table import Table

from api.settings import BASEMAP, open_layer
from api.wording.catalogue import text
from layers.decisions.hits import NONE_FROM, PUBLISH_FROM
from layers.model import edtf
from layers.model.problems import ReadResult
from layers.model.records import Match, Records, Strike
from layers.reference import basemap
from layers.resolution.resolve import apply_judgements_with_remarks
from layers.snapshot.snapshot import Snapshot
from layers.sources import curated
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.reader.mapping_file import read as read_mapping
from layers.sources.registry import FORMATS

OUTCOMES = ("right", "wrong", "none", "undecided")
_MAPPING = """table = "strikes"
[source]
publisher = "A plain table"
[columns]
id = "id"
title = "title"
when = "when"
place = "place"
targets = "target"
host_country = "country"
lon = "lon"
lat = "lat"
uncertainty_m = "within_m"
basis = "basis"
[constants]
status = "reported"
"""


@dataclass(frozen=True)
class Outcome:
    """What became of a strike: one of `OUTCOMES`, the kind of site that was hit, what was proposed, whose it was."""

    strike: str
    kind: str
    outcome: str
    proposed: str | None
    probability: float
    countries: tuple[frozenset[str], frozenset[str]] | None = None


def confirmed(records: Records) -> Mapping[str, frozenset[str]]:
    """The sites that decisions confirm, by strike."""
    found: dict[str, set[str]] = defaultdict(set)
    undone = {decision.undoes for decision in records.decisions.values()}
    for decision in records.decisions.values():
        if decision.verdict == "confirmed" and decision.asset is not None and decision.id not in undone:
            found[decision.strike].add(decision.asset)
    return {strike: frozenset(sites) for strike, sites in found.items()}


def plain_strikes(records: Records, keys: Mapping[str, object]) -> Records:
    """The strikes as they come out of a plain table of them."""
    with TemporaryDirectory() as folder:
        path, mapping = Path(folder, "strikes.csv"), Path(folder, "mapping.toml")
        mapping.write_text(_MAPPING)
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["id", "title", "when", "place", "target", "country", "lon", "lat", "within_m", "basis"])
            rows.writerows(map(_row, (records.strikes[key] for key in keys)))
        options = LoadOptions("plain", mapping=read_mapping(mapping))
        return FORMATS["csv"].read([SourceFile.of(path)], options).require_clean()


def _row(strike: Strike) -> tuple[object, ...]:
    named = strike.id, strike.title, strike.when, strike.place, "; ".join(strike.targets), strike.host_country
    if strike.geometry is None:
        return (*named, "", "", "", "")
    (lon, lat) = shapely.get_coordinates(strike.geometry)[0]
    return (*named, lon, lat, strike.uncertainty_m, strike.basis)


def measure(known: Records, layer: Records, sites: Mapping[str, frozenset[str]]) -> Iterator[Outcome]:
    """Match the strikes on ``sites`` of ``known`` with the assets of ``layer``, which may lie over an open layer."""
    plain = plain_strikes(known, sites)
    asked = replace(
        layer,
        strikes=plain.strikes,
        sources={**layer.sources, **plain.sources},
        decisions={},
        claims={},
        conditions={},
    )
    merged = apply_judgements_with_remarks(asked)
    base = basemap.read(BASEMAP)
    snapshot = Snapshot(merged.records, base, 1, date.today(), wording=text)
    truth = Snapshot(known, base, 1, date.today(), wording=text)
    by_plain = {key.removeprefix("plain/"): key for key in plain.strikes}
    judged = [one for one in layer.identities.values() if one.verdict in ("same", "part")]
    for key, right in sites.items():
        also = {one.other for one in judged if one.one in right}
        allowed = {merged.merged_into.get(site, site) for site in (*right, *also)} & snapshot.records.assets.keys()
        yield _outcome(key, right, allowed, snapshot.matches[by_plain[key]], snapshot, truth)


def _outcome(
    key: str, right: frozenset[str], allowed: set[str], matches: tuple[Match, ...], now: Snapshot, truth: Snapshot
) -> Outcome:
    kind = truth.records.assets[min(right)].kind
    sites = [match for match in matches if match.asset is not None]
    best = max(sites, key=lambda match: match.probability, default=None)
    nothing = next((match.probability for match in matches if match.asset is None), 0.0)
    if best is None or best.probability < PUBLISH_FROM:
        is_none = best is None or nothing >= NONE_FROM
        return Outcome(key, kind, ("none" if allowed else "right") if is_none else "undecided", None, nothing)
    site, assets = best.asset or "", now.records.assets
    own = {site, assets[site].part_of, *(part.id for part in now.records.where("assets", "part_of", site))}
    if not own & allowed:
        return Outcome(key, kind, "wrong", site, best.probability)
    day = edtf.parse(truth.records.strikes[key].when).earliest or date.today()
    countries = tuple(
        frozenset(share.country for share in snapshot.owners(asset, day).shares)
        for snapshot, asset in ((truth, min(right)), (now, site))
    )
    return Outcome(key, kind, "right", site, best.probability, (countries[0], countries[1]))


def with_sites_of(reading: ReadResult, pattern: str) -> Records:
    """The records, of the sites those alone that are in files whose name fits a pattern."""
    records, places = reading.records, reading.locations
    assets = {
        key: asset for key, asset in records.assets.items() if fnmatch(Path(places["assets", key].file).stem, pattern)
    }
    return replace(records, assets=assets)


def main() -> None:
    """Measure, and print a table of outcomes by kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open-layer", default="bundled", help='a file, "bundled" or "none"')
    parser.add_argument("--assets-of", default="*", help="a pattern of names of files in layers/records")
    parser.add_argument("--json", type=Path, help="where to write each outcome")
    given, reading = parser.parse_args(), curated.read()
    known = reading.require_clean()
    layer, below = with_sites_of(reading, given.assets_of), open_layer(given.open_layer)
    outcomes = [*measure(known, layer if below is None else below.under(layer), confirmed(known))]
    counts = Counter((one.kind, one.outcome) for one in outcomes)
    table = Table("kind", *OUTCOMES, title=f"{len(outcomes)} strikes with a confirmed site")
    for kind in (*sorted({one.kind for one in outcomes}), "all"):
        numbers = (sum(n for (k, o), n in counts.items() if kind in (k, "all") and o == one) for one in OUTCOMES)
        table.add_row(kind, *map(str, numbers))
    console = Console()
    console.print(table)
    pairs = [one.countries for one in outcomes if one.countries is not None]
    same, unknown = sum(one == other for one, other in pairs), sum(bool(one) and not other for one, other in pairs)
    console.print(f"owner countries of {len(pairs)} right sites: the same {same}, unknown {unknown}")
    if given.json:
        rows = [
            {**vars(one), "countries": one.countries and [sorted(part) for part in one.countries]} for one in outcomes
        ]
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
