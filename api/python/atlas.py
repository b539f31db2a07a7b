"""An atlas of strikes, sites and owners, as GeoDataFrames: what ``import strikeatlas`` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas
import numpy as np
import pandas as pd

from api.formats.registry import FILES
from api.http.json import Json
from api.python.conditions import Condition, Day, day_of, query_of
from api.python.frames import SelectableFrame, frame_of
from api.python.own_strikes import OwnStrikes
from api.python.sources import AtlasError, AtlasSource, ServerSource, bundled, of_store
from api.settings import BASEMAP
from api.wording.catalogue import text
from geo.lonlat import Ints
from layers.attribution.readings import Reading
from layers.collections.collection import Collection
from layers.decisions.hits import SHOW_FROM, match_answer
from layers.filesystem.atomic_file import replacing
from layers.model.records import Match
from layers.model.types import Basis, CountryBasis
from layers.ownership.minority import Minority
from layers.ownership.percent import percent_text
from layers.query.strike_ties import Certainty, TieKind
from layers.reference import basemap as base_map

if TYPE_CHECKING:
    import folium

Layer = Literal["strikes", "assets", "asset-points", "asset-lines", "asset-areas", "attributions", "hits", "countries"]
_SCHEMES = ("http://", "https://")
#: Strikes of which a map can be looked at.
_MOST_DRAWN = 20_000


def open(source: str | Path | None = None, *, basemap: str | Path = BASEMAP) -> Atlas:
    """Open an atlas.

    Parameters
    ----------
    source
        A store (a GeoPackage that ``strikeatlas init`` or ``load`` wrote, or the ``postgresql://`` address of one); the
        address of a running server, such as ``http://127.0.0.1:8000``; nothing for the records that come with the
        program.
    basemap
        The base map, for the names and shapes of countries.

    Raises
    ------
    NotAStore, BasemapMissing
        If one of the files is missing or something else.

    Examples
    --------
    >>> import strikeatlas
    >>> atlas = strikeatlas.open()
    >>> atlas.strikes.crs.to_string()
    'OGC:CRS84'
    """
    if source is None:
        return Atlas(_bundled(Path(basemap)), Path(basemap))
    if isinstance(source, str) and source.lower().startswith(_SCHEMES):
        return Atlas(ServerSource(source.rstrip("/")), Path(basemap))
    return Atlas(of_store(source, Path(basemap)), Path(basemap))


_bundled = cache(bundled)


class Atlas:
    """Strikes, the sites that they hit, and whose these were.

    Made by `strikeatlas.open`. Frames have geometry in lon/lat (OGC:CRS84), days as ``datetime64``, counts as
    ``Int64`` and shares in percent. They are copies: what is changed in them changes nothing else.

    Parameters
    ----------
    source
        What it is read from.
    basemap
        The base map that `explore` draws.
    """

    def __init__(self, source: AtlasSource, basemap: Path) -> None:
        self._source = source
        self._basemap = basemap.absolute()
        self._layers = dict[str, geopandas.GeoDataFrame]()

    # --- layers -------------------------------------------------------------------------------------------------------

    @property
    def strikes(self) -> SelectableFrame:
        """All strikes, newest first; called, those that satisfy the conditions of `select`.

        Examples
        --------
        >>> import strikeatlas
        >>> atlas = strikeatlas.open()
        >>> recent = atlas.strikes(country="AZ", since="2025")
        >>> bool((recent["day_last"] >= "2025-01-01").all())
        True
        >>> len(recent) < len(atlas.strikes)
        True
        """
        return SelectableFrame.of(self._layer("strikes"), self.select)

    @property
    def assets(self) -> SelectableFrame:
        """All sites and pipelines, with their owners on the day of the data; called, those that `layer` selects."""
        return SelectableFrame.of(self._layer("assets"), partial(self.layer, "assets"))

    @property
    def hits(self) -> SelectableFrame:
        """One row for each strike, site, country and reading, with what is sure and the bounds of the share.

        Called, the rows that `layer` selects.

        The readings are by registration of the ultimate holders, by their head office, and by control. They are ways
        to read the same strikes: filter by one of them before anything is counted.

        Examples
        --------
        >>> import strikeatlas
        >>> atlas = strikeatlas.open()
        >>> sure = atlas.hits(country="AZ", reading="registration", sure=True)
        >>> sure["strike"].nunique() > 0
        True
        """
        return SelectableFrame.of(self._layer("hits"), partial(self.layer, "hits"))

    @property
    def countries(self) -> SelectableFrame:
        """All countries with how many strikes concern them; called, `count_by_country` of the conditions of `select`.

        Examples
        --------
        >>> import strikeatlas
        >>> atlas = strikeatlas.open()
        >>> counted = atlas.countries(since="2025", relation="owner")
        >>> list(counted.columns)
        ['id', 'name', 'strikes', 'geometry']
        """
        return SelectableFrame.of(self._layer("countries"), self.count_by_country)

    def layer(
        self,
        name: Layer,
        *,
        since: Day | None = None,
        until: Day | None = None,
        bbox: Sequence[float] | None = None,
        filter: str | None = None,
        sortby: str | None = None,
        **columns: Condition,
    ) -> geopandas.GeoDataFrame:
        """Return the features of a layer that may satisfy all conditions, those with days newest first, others by id.

        Parameters
        ----------
        since, until
            First and last day, both included; a year or month begins with its first day and ends with its last.
            Features without a day are kept.
        bbox
            West, south, east, north in degrees; west > east crosses the antimeridian. Features without a place are
            kept.
        filter
            CQL2 text, see filtering.md.
        sortby
            Columns, separated by commas, with ``-`` in front to descend.
        columns
            What columns must equal, and lists contain, by their names.

        Raises
        ------
        BadParameter
            With the first condition that cannot be read; a server refuses it with `AtlasError`.

        Examples
        --------
        >>> import strikeatlas
        >>> atlas = strikeatlas.open()
        >>> hits = atlas.layer("hits", reading="control", filter="share_min IS NULL", country="RU")
        >>> sorted(set(hits["reading"]))
        ['control']
        """
        query = query_of(since=since, until=until, bbox=bbox, filter=filter, sortby=sortby, **columns)
        return self._source.layer(name, query)

    def export(
        self,
        name: Layer,
        path: str | Path,
        *,
        since: Day | None = None,
        until: Day | None = None,
        bbox: Sequence[float] | None = None,
        filter: str | None = None,
        sortby: str | None = None,
    ) -> Path:
        """Write the features of a layer to a file, as ``strikeatlas export`` and the HTTP API do.

        Parameters
        ----------
        path
            Its ending says the form: geojson, geojsons, csv, xlsx, fgb, gpkg, parquet, arrow or kml. An existing file
            is replaced.
        since, until, bbox, filter, sortby
            As in `layer`.

        Raises
        ------
        AtlasError
            If the ending is of no form, or a server has more features than it gives at once.
        BadParameter
            With the first condition that cannot be read; a server refuses it with `AtlasError`.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import strikeatlas, tempfile, pathlib
        >>> atlas = strikeatlas.open()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     atlas.export("asset-lines", pathlib.Path(folder) / "lines.parquet").name
        'lines.parquet'
        """
        target = Path(path)
        form = FILES.get(target.suffix.removeprefix(".").lower())
        if form is None:
            raise AtlasError(f"{target.name}: expected a name that ends in one of {', '.join(FILES)}")
        query = query_of(since=since, until=until, bbox=bbox, filter=filter, sortby=sortby)
        with replacing(target) as fresh, fresh.open("wb") as out:
            self._source.write(name, query, form, out)
        return target

    def select(
        self,
        *,
        country: str | None = None,
        entity: str | None = None,
        relation: TieKind | None = None,
        reading: Reading | None = None,
        min_share: float | None = None,
        commodity: str | None = None,
        certainty: Certainty | None = None,
        q: str | None = None,
        since: Day | None = None,
        until: Day | None = None,
        bbox: Sequence[float] | None = None,
        filter: str | None = None,
        sortby: str | None = None,
        **columns: Condition,
    ) -> geopandas.GeoDataFrame:
        """Return the strikes that may satisfy all conditions, as ``/collections/strikes/items`` does.

        Parameters
        ----------
        country, entity
            Whose sites were hit: an ISO 3166-1 alpha-2 code, or the id of a company, person or state.
        relation
            What they were to the site: ``owner`` by default, ``related``, ``host``, ``supplier``, ``operator`` ...
        reading
            What country means of owners: ``registration`` by default, ``headquarters``, ``control``.
        min_share
            The least percent that they owned, or may have owned, of one of the sites.
        commodity
            What one of the sites makes, moves or stores.
        certainty
            ``sure`` or ``possible``: the strikes alone that surely satisfy all, or that only may.
        q
            Words of a title, place, region, attacker or damage.
        since, until, bbox, filter, sortby, columns
            As in `layer`.

        Raises
        ------
        BadParameter
            With the first condition that cannot be read; a server refuses it with `AtlasError`.

        Examples
        --------
        >>> import strikeatlas
        >>> atlas = strikeatlas.open()
        >>> all_of_it = atlas.select(country="AZ", min_share=100, certainty="sure")
        >>> "ua-socar-depot-2025-08-08" in set(all_of_it["id"])
        True
        """
        return self._source.layer("strikes", query_of(**_given(locals())))

    def count_by_country(
        self,
        *,
        country: str | None = None,
        entity: str | None = None,
        relation: TieKind | None = None,
        reading: Reading | None = None,
        min_share: float | None = None,
        commodity: str | None = None,
        certainty: Certainty | None = None,
        q: str | None = None,
        since: Day | None = None,
        until: Day | None = None,
        bbox: Sequence[float] | None = None,
        filter: str | None = None,
        **columns: Condition,
    ) -> geopandas.GeoDataFrame:
        """Return how many of the strikes of a selection concern each country, most first: ``/strikes/counts``.

        A strike counts for each country that it concerns, so the counts are never added up. Parameters and errors are
        those of `select`.

        Returns
        -------
        geopandas.GeoDataFrame
            Columns ``id`` (ISO 3166-1 alpha-2), ``name``, ``strikes`` and ``geometry``.
        """
        counted = self._source.strikes_by_country(query_of(**_given(locals())))
        shapes = self._layer("countries")[["id", "name", "geometry"]].set_index("id")
        codes = [code for code, _ in counted]
        frame = shapes.reindex(codes).reset_index(names="id")
        strikes = pd.Series([number for _, number in counted], dtype="Int64")
        frame.insert(2, "strikes", strikes)
        return frame

    def _layer(self, name: Layer) -> geopandas.GeoDataFrame:
        """Return a layer as a whole; read once, and given as a copy that shares memory until it is written to."""
        if name not in self._layers:
            self._layers[name] = self._source.layer(name, {})
        return self._layers[name].copy()

    # --- owners -------------------------------------------------------------------------------------------------------

    def owners(
        self,
        owned: str,
        on: Day | None = None,
        *,
        basis: CountryBasis = "registration",
        minority: Minority = "stay",
    ) -> pd.DataFrame:
        """Return who owned a site or an entity on a day, by country.

        Parameters
        ----------
        owned
            Id of an asset or entity; a server answers for assets alone, open its store for entities.
        on
            The day; by default that of the data.
        basis
            Country of registration or of the head office.
        minority
            Whether minorities stay with a company that is not joint, or are followed.

        Returns
        -------
        pandas.DataFrame
            A row a country, largest share first, the part that no country is known for last: ``country``, ``name``,
            ``share_min`` and ``share_max`` in percent, ``chain``, the largest way up, as ``company 24 % < state
            100 %``, ``sources``, their addresses, and ``reason`` where the part is unattributed. The answer that
            it is made of, with every chain and who controls, is ``attrs["answer"]``.

        Raises
        ------
        AtlasError
            If there is no such asset or entity.
        BadParameter
            If the day is none.

        Examples
        --------
        >>> import strikeatlas
        >>> atlas = strikeatlas.open()
        >>> owners = atlas.owners("a-cpc-kropotkinskaya", on="2025-02-17")
        >>> owners.loc[owners["country"] == "KZ", ["share_min", "share_max"]].values.tolist()
        [[20.75, 20.75]]
        """
        answer = self._source.owners(owned, day_of("on", on), basis, minority)
        frame = pd.DataFrame([_owner_row(row, answer) for row in answer["owners"]], columns=_OWNER_COLUMNS)
        frame = frame.astype({"country": "str", "name": "str", "chain": "str", "reason": "str"})
        frame.attrs["answer"] = answer
        return frame

    # --- a caller's own strikes ---------------------------------------------------------------------------------------

    def match(
        self,
        strikes: geopandas.GeoDataFrame,
        *,
        uncertainty_m: float = 1000.0,
        basis: Basis = "site",
        show_from: float = SHOW_FROM,
    ) -> geopandas.GeoDataFrame:
        """Propose which sites of the atlas a caller's own strikes hit, with probabilities and reasons.

        Parameters
        ----------
        strikes
            Points, in any CRS. Columns that are read where they are there: ``when`` (EDTF text or a date), ``title``,
            ``targets``, ``target_kinds``, ``place``, ``region``, ``host_country``, ``uncertainty_m``, ``basis``, with
            the meaning that they have in the atlas.
        uncertainty_m, basis
            Radius in metres that holds the true place, and what the point stands for (``site``, ``settlement`` ...),
            of rows that do not say so.
        show_from
            Probability from which a site is listed.

        Returns
        -------
        geopandas.GeoDataFrame
            Pairs in the order of the rows, most probable first: ``strike``, the label of the row; ``asset``,
            ``asset_name`` and ``kind`` of the site, empty for "none of these"; ``probability`` that it was hit, a
            question of each site by itself: those of a text that names several add up to more than 1; ``distance_m``;
            ``answer``, what is said of the strike (asset, none, undecided); ``published``, whether this pair is it;
            ``reasons`` in words with the log odds that each adds; ``geometry`` of the site.

        Raises
        ------
        AtlasError
            If the frame has no CRS or a value that no strike may have, each named; or if the atlas is a server's.

        Examples
        --------
        >>> import geopandas, strikeatlas
        >>> atlas = strikeatlas.open()
        >>> mine = geopandas.GeoDataFrame(
        ...     {"targets": ["Kropotkinskaya pumping station"], "when": ["2025-02-17"]},
        ...     geometry=geopandas.points_from_xy([40.55], [45.41]),
        ...     crs="OGC:CRS84",
        ... )
        >>> pairs = atlas.match(mine, uncertainty_m=5000, basis="settlement")
        >>> pairs.loc[0, "asset_name"], pairs.loc[0, "answer"]
        ('CPC Kropotkinskaya pump station', 'asset')
        >>> any(" name: " in reason for reason in pairs.loc[0, "reasons"])
        True
        """
        own = OwnStrikes(self._source.snapshot, strikes, uncertainty_m, basis)
        assets = own.snapshot.records.assets
        publish_from = own.snapshot.publish_from
        rows: list[dict[str, Any]] = []
        matches = own.snapshot.all_matches()
        for key, label in own.labels.items():
            answer = match_answer(matches[key], publish_from)
            for place, match in enumerate(matches[key]):
                if match.asset is not None and match.probability < show_from:
                    continue
                site = None if match.asset is None else assets[match.asset]
                rows.append(
                    {
                        "strike": label,
                        "asset": match.asset,
                        "asset_name": None if site is None else site.name,
                        "kind": None if site is None else site.kind,
                        "probability": match.probability,
                        "distance_m": np.nan if match.distance_m is None else match.distance_m,
                        "answer": answer,
                        "published": place == 0 and answer != "undecided",
                        "reasons": _reasons(match),
                        "geometry": None if site is None else site.geometry,
                    }
                )
        frame = geopandas.GeoDataFrame(rows, columns=_PAIR_COLUMNS, geometry="geometry", crs="OGC:CRS84")
        return frame.astype({"asset": "str", "asset_name": "str", "kind": "str", "answer": "str", "published": bool})

    def attribute(
        self, strikes: geopandas.GeoDataFrame, *, uncertainty_m: float = 1000.0, basis: Basis = "site"
    ) -> geopandas.GeoDataFrame:
        """Tell whose the sites were that a caller's own strikes probably hit, on the days of the strikes.

        Parameters
        ----------
        strikes, uncertainty_m, basis
            As in `match`. A row without ``when`` may have been on any day, and its bounds hold for all of them.

        Returns
        -------
        geopandas.GeoDataFrame
            Rows as those of `hits`, with the label of the row as ``strike``, and beside them the ``probability`` of
            the site and the ``reasons`` for it. A strike for which no site is probable enough has no row: what is said
            of it instead (none, undecided) is in ``attrs["answers"]`` by its label, and `match` has the sites.

        Raises
        ------
        AtlasError
            As in `match`.

        Examples
        --------
        >>> import geopandas, strikeatlas
        >>> atlas = strikeatlas.open()
        >>> mine = geopandas.GeoDataFrame(
        ...     {"targets": ["Kropotkinskaya pumping station"], "when": ["2025-02-17"]},
        ...     geometry=geopandas.points_from_xy([40.55], [45.41]),
        ...     crs="OGC:CRS84",
        ... )
        >>> sorted(set(atlas.attribute(mine, uncertainty_m=5000, basis="settlement")["country"].dropna()))
        ['GB', 'IT', 'KZ', 'QA', 'RU', 'US']
        """
        own = OwnStrikes(self._source.snapshot, strikes, uncertainty_m, basis)
        hits: Collection = own.snapshot.collections["hits"]
        frame = frame_of(hits, np.arange(len(hits)))
        matches = {(row, match.asset): match for row in own.labels for match in own.snapshot.matches[row]}
        pairs = [matches[pair] for pair in zip(frame["strike"], frame["asset"], strict=True)]
        place = len(frame.columns) - 1
        frame.insert(place, "probability", pd.Series([pair.probability for pair in pairs], dtype="float64"))
        frame.insert(place + 1, "reasons", pd.Series([_reasons(pair) for pair in pairs], dtype=object))
        order, hit = {row: number for number, row in enumerate(own.labels)}, {*frame["strike"]}
        rows: Ints = np.argsort([order[row] for row in frame["strike"]], kind="stable")
        publish_from, every = own.snapshot.publish_from, own.snapshot.all_matches()
        frame.attrs["answers"] = {
            label: match_answer(every[row], publish_from) for row, label in own.labels.items() if row not in hit
        }
        frame["strike"] = pd.Series([own.labels[row] for row in frame["strike"]])
        return frame.iloc[rows].reset_index(drop=True)

    # --- looking ------------------------------------------------------------------------------------------------------

    def explore(
        self, strikes: geopandas.GeoDataFrame | None = None, *, engine: Literal["folium", "lonboard"] = "folium"
    ) -> Any:
        """Draw strikes on a map for a notebook.

        Parameters
        ----------
        strikes
            Rows of `strikes` or of a selection of them; all by default.
        engine
            ``folium`` draws the owners and sources of each strike and chooses by days, and needs no network; of more
            than 1,000 strikes of a server it has the number of sources alone. ``lonboard``, where it is installed,
            draws points alone, but a million of them.

        Returns
        -------
        folium.Map or lonboard.Map

        Raises
        ------
        AtlasError
            If there are too many strikes for folium, or lonboard is not installed.

        Examples
        --------
        >>> import strikeatlas
        >>> atlas = strikeatlas.open()
        >>> atlas.explore(atlas.strikes(country="AZ")).save("azerbaijan.html")  # doctest: +SKIP
        """
        shown = self._layer("strikes") if strikes is None else strikes
        if engine == "lonboard":
            return _lonboard(shown)
        if len(shown) > _MOST_DRAWN:
            raise AtlasError(f"{len(shown):,} strikes are too many for folium: select some, or use engine='lonboard'")
        # Slow to import, and needed here alone.
        from api.exports.notebook_map.notebook_map import notebook_map

        drawn: folium.Map = notebook_map(
            shown,
            self._layer("assets"),
            base_map.read(self._basemap),
            self._source.cites(shown["id"]),
        )
        return drawn

    def _repr_html_(self) -> str:
        """Say in a notebook what is open: what it is read from, of which day, and how much."""
        items = "".join(f"<td>{number:,} {name}</td>" for name, number in self._source.sizes.items())
        title = f"<td><b>StrikeAtlas</b> {escape(self._source.title)}</td>"
        return f"<table><tr>{title}<td>{self._source.data_date.isoformat()}</td>{items}</tr></table>"

    def __repr__(self) -> str:
        """Name what it is read from."""
        return f"<Atlas of {self._source.title}>"


_OWNER_COLUMNS = ["country", "name", "share_min", "share_max", "chain", "sources", "reason"]
_PAIR_COLUMNS = [
    "strike", "asset", "asset_name", "kind", "probability", "distance_m", "answer", "published", "reasons", "geometry",
]  # fmt: skip


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the conditions among the arguments of a method, columns among them."""
    every = {**arguments, **arguments["columns"]}
    return {name: value for name, value in every.items() if name not in ("self", "columns")}


def _owner_row(row: Json, answer: Json) -> dict[str, Any]:
    chain = next((chain for chain in answer["chains"] if chain["country"] == row["country"]), None)
    steps = [] if chain is None else chain["steps"]
    sources = (answer["sources"].get(step["source"], {}).get("url") for step in steps)
    return {
        "country": row["country"],
        "name": row["name"],
        "share_min": row["share_min"],
        "share_max": row["share_max"],
        "chain": " < ".join(f"{step['name']} {_share(step)}" for step in steps) or None,
        "sources": [*dict.fromkeys(filter(None, sources))],
        "reason": "; ".join(row.get("reasons", ())) or None,
    }


def _share(step: Json) -> str:
    low, high = percent_text(step["share_min"]), percent_text(step["share_max"])
    return f"{low} %" if low == high else f"{low}-{high} %"


def _reasons(match: Match) -> list[str]:
    """Word the reasons of a pair, each with the log odds that it adds."""
    return [f"{reason.weight:+.2f} {reason.name}: {text(reason.detail)}" for reason in match.reasons]


def _lonboard(strikes: geopandas.GeoDataFrame) -> Any:
    try:
        from lonboard import viz  # type: ignore[import-not-found]
    except ImportError as error:
        raise AtlasError("lonboard is not installed: pip install lonboard, or engine='folium'") from error
    placed = strikes[~(strikes.geometry.isna() | strikes.geometry.is_empty)]
    return viz(placed[["id", "title", "when", "place", "owners", "geometry"]])
