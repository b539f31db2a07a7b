"""All that is published of a store: nothing private, no dead link, the same bytes again, and records that load back."""

from __future__ import annotations

import hashlib
import html
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from shapely import Point

from api.app import create_app
from api.html.published import CitedVersion
from api.publishing import site_files
from api.publishing.directory import MANIFEST, Publication, PublishedFile, PublishedFolder
from api.publishing.pages import Answers
from api.publishing.publish import PublishedAtlas, PublishOrder
from api.server.version_builder import published_version
from api.settings import Settings
from api.wording.catalogue import text
from layers.collections.collection import Collection
from layers.collections.update_times import UPDATED
from layers.disclosure.policy import OPEN, Policy, parse
from layers.model.records import RECORD_TYPES, Asset, Claim, Entity, Record, Records, Strike
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.snapshot.derived_layers import full_rewrite
from layers.sources.data_package import FORMAT
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.store.backends import open_store
from layers.store.store import ANY, Edit, Store
from tests.api.asgi import ask
from tests.api.private_doors import DATASET, secret, telling
from tests.api.publishing.pmtiles_check import pmtiles_faults
from tests.command_runner import Run
from tests.conftest import FEW_COUNTRIES
from tests.few_records import with_all_they_rest_on
from tests.layers.load_builders import asset, decision, entity, of, source, stake, strike
from tests.store_copies import opened_copy
from tests.store_kinds import NewAddress, NewStore, set_policy

BASE = "https://atlas.example/maps"
DEPOT, OTHER = "ua-socar-depot-2025-08-08", "ua-orlivka-2025-08-06"
ORDER = PublishOrder(BASE, ("en", "uk"))


@pytest.fixture(scope="module")
def base() -> Basemap:
    """That of few countries."""
    return basemap.read(FEW_COUNTRIES)


@pytest.fixture(scope="module", autouse=True)
def few_tiles() -> Iterator[None]:
    """Archives of few zooms: what is in a tile is for the tests of tiles."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MAX_ZOOM", "MAX_ZOOM_COUNTRIES", "MAX_ZOOM_BASEMAP"):
            patch.setattr(site_files, name, 1)
        yield


@pytest.fixture(scope="module")
def vault(records: Records, base: Basemap, new_shared_store: NewStore) -> Iterator[Store]:
    """Two public strikes, with private records of every kind that speak of them."""
    made = new_shared_store()
    made.load(with_all_they_rest_on(records, (DEPOT, OTHER)), author="tests", derive=full_rewrite(base, text))
    made.load(secret(), author="tests", private={DATASET: "not to be told"}, derive=full_rewrite(base, text))
    with closing(made):
        yield made


def publish(
    store: Store, folder: Path, policy: Policy = OPEN, dry: bool = False, order: PublishOrder = ORDER
) -> Publication:
    set_policy(store, policy)
    settings = Settings(basemap=FEW_COUNTRIES)
    return PublishedAtlas(store, settings, order).publish(folder, dry=dry)


@pytest.fixture(scope="module")
def site(vault: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "site"
    publish(vault, folder)
    return folder


def content_of(folder: Path) -> Mapping[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_no_file_tells_of_private_records(site: Path) -> None:
    assert {path: found for path, content in content_of(site).items() if (found := telling(content))} == {}
    assert not [path for path in content_of(site) if "qqj" in path or "qqk" in path]


def test_pages_are_those_of_the_server_but_for_their_addresses(vault: Store, site: Path) -> None:
    app = create_app(vault, Settings(basemap=FEW_COUNTRIES, follow_every_s=0, embedders=("*",)))
    own = "Works on pages of any site, unless the server of these files forbids it. "

    def said(page: str) -> str:
        body = page[page.index("<main") : page.index("</main>")]
        body = re.sub(
            r'(?s)<section class="links".*?</section>|<figure.*?</figure>|<ul class="ways">.*?</ul>', "", body
        )
        body = re.sub(r"(?s)<p class=\"actions noprint\">.*?</p>|<code>.*?</code>|https?://[^\s<]+", "", body)
        return " ".join(re.sub(r"<[^>]*>", " ", body).split())

    for address, file in {
        f"/collections/strikes/items/{DEPOT}": f"strikes/{DEPOT}.html",
        "/countries/AZ": "countries/AZ.html",
        "/method": "method.html",
    }.items():
        page = ask(app, address, {"accept": "text/html"}).body.decode()
        published = said((site / file).read_text(encoding="utf-8"))
        assert (own in published) == (file != "method.html")
        assert published.replace(own, "") == said(page)
        assert said(page)


def test_every_link_leads_to_a_file(site: Path) -> None:
    files = content_of(site)
    root = urlsplit(BASE).path
    dead = set()
    for path, content in files.items():
        if not path.endswith((".html", ".xml")) or path.endswith("map.html"):
            continue
        for found in re.findall(r'(?:href|src)="([^"]*)"|<loc>([^<]*)</loc>', content.decode()):
            address = html.unescape(found[0] or found[1])
            if not address.startswith(BASE):
                assert address.startswith(("http", "#", "data:text/plain")), (path, address)
                continue
            file = unquote(urlsplit(address).path.removeprefix(root)).lstrip("/")
            part = urlsplit(address).fragment
            if file not in files or (
                part and not part.startswith("strike=") and f'id="{part}"' not in _text(files, file)
            ):
                dead.add((path, address))
    assert dead == set()


def _text(files: Mapping[str, bytes], path: str) -> str:
    # The map reads what follows # itself.
    return 'id="' if path.endswith("map.html") else files[path].decode()


def test_a_page_says_what_it_is_to_programs(site: Path) -> None:
    for folder, language in (("", "en"), ("uk/", "uk")):
        page = (site / f"{folder}strikes/{DEPOT}.html").read_text(encoding="utf-8")
        assert f'<html lang="{language}">' in page
        assert f'<link rel="canonical" href="{BASE}/{folder}strikes/{DEPOT}.html">' in page
        found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
        assert found
        data = orjson.loads(found[1])
        assert data["url"] == f"{BASE}/{folder}strikes/{DEPOT}.html"
        assert data["about"]["identifier"] == DEPOT
        assert "application/json+oembed" not in page
        assert "Content-Security-Policy" in page
        assert 'download="strikeatlas.bib"' in page


def test_pages_name_one_picture_to_whoever_shares_them(site: Path) -> None:
    picture = Image.open(site / "share.png")
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 10, "it shows a map"
    for page in ("map.html", "uk/map.html", f"strikes/{DEPOT}.html"):
        text = (site / page).read_text()
        assert f'<meta property="og:image" content="{BASE}/share.png">' in text
        assert '<meta property="og:image:width" content="1200">' in text
    assert '<html lang="uk"' in (site / "uk/map.html").read_text()


def test_feeds_sitemap_and_robots_name_the_files(site: Path) -> None:
    files = content_of(site)
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ElementTree.fromstring(files["corrections.xml"])
    own = [link.get("href") for link in feed.iter(f"{atom}link") if link.get("rel") == "alternate"]
    assert own
    assert all(str(address).removeprefix(f"{BASE}/") in files for address in own)
    located = [one.text for one in ElementTree.fromstring(files["sitemap.xml"]).iter() if one.tag.endswith("loc")]
    pages = {path for path in files if path.endswith(".html") and not path.endswith("404.html")}
    assert {unquote(str(address)).removeprefix(f"{BASE}/") for address in located} == pages
    assert f"Sitemap: {BASE}/sitemap.xml" in files["robots.txt"].decode()


def test_the_package_states_every_file_of_data(site: Path) -> None:
    package = orjson.loads((site / "datapackage.json").read_bytes())
    manifest = orjson.loads((site / MANIFEST).read_bytes())["files"]
    stated = {one["path"]: (one["bytes"], one["hash"]) for one in package["resources"]}
    data = {
        path: (one["size"], f"sha256:{one['sha256']}") for path, one in manifest.items() if path.startswith("data/")
    }
    assert stated == data
    names = [one["name"] for one in package["resources"]]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names)
    tables = {one["strikeatlas:table"]: one["schema"] for one in package["resources"] if "strikeatlas:table" in one}
    for table, model in RECORD_TYPES.items():
        fields = [field["name"] for field in tables[table]["fields"]]
        assert fields == [*(name for name in model.model_fields if name != "private"), "withheld"]
        # A text, as the standard says; its first JSON Schema had an array.
        assert tables[table]["fieldsMatch"] == "superset"
    assert {one["format"] for one in package["resources"]} == {"json", "csv", "geojson", "geoparquet"}
    for one in package["resources"]:
        if one["format"] == "csv":
            head = (site / one["path"]).read_text(encoding="utf-8").splitlines()[0].split(",")
            assert head == [field["name"] for field in one["schema"]["fields"]]
        for key in one.get("schema", {}).get("foreignKeys", ()):
            assert key["reference"]["resource"] in names


def test_what_is_published_loads_back_to_equal_records_and_countries(
    vault: Store, site: Path, base: Basemap, new_shared_address: NewAddress, run: Run
) -> None:
    again = new_shared_address()
    assert run("init", "--empty", "--store", again, "--basemap", FEW_COUNTRIES).code == 0
    loaded = run("load", "auto", site / "datapackage.json", "--store", again, "--basemap", FEW_COUNTRIES, "--json")
    assert loaded.code == 0, loaded.err
    with closing(open_store(again)) as opened:
        told, expected = (published_version(one, base).snapshot for one in (opened, vault))
        for table in RECORD_TYPES:
            assert dict(told.records.table(table)) == dict(expected.records.table(table)), table
        for name, collection in expected.collections.items():
            assert _undated(told.collections[name]) == _undated(collection), name


SETS = ("a", "b", "c")
TITLES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip)


@st.composite
def some_records(draw: st.DrawFn) -> Records:
    """Sites, owners, strikes and what people judged of them, of three datasets that speak of each other's."""
    found: list[Record] = [source(f"{name}/s", name) for name in SETS]
    datasets, shares = st.sampled_from(SETS), st.integers(0, 100)
    for number in range(draw(st.integers(1, 3))):
        lon, name = 30 + number / 10, draw(datasets)
        place = {"geometry": Point(lon, 46.5), "uncertainty_m": 500.0, "basis": "site", "place_source": f"{name}/s"}
        found.append(asset(f"{name}/site{number}", name, host_country="UA", **place))
        found.append(entity(f"{name}/firm{number}", name, registered_in=draw(st.sampled_from(["UA", "AZ"]))))
        found.append(strike(f"{name}/strike{number}", name, title=draw(TITLES), host_country="UA", **place))
    sites, firms, strikes = ([one.id for one in found if isinstance(one, kind)] for kind in (Asset, Entity, Strike))
    for number, name in enumerate(draw(st.lists(datasets, max_size=4))):
        hit, site, firm = (draw(st.sampled_from(ids)) for ids in (strikes, sites, firms))
        least = draw(shares)
        found.append(stake(site, firm, name, id=f"{name}/k{number}", share_min=least, share_max=100))
        judgement = draw(st.sampled_from([{}, {"verdict": "confirmed", "asset": site}, {"verdict": "none"}]))
        found.append(decision(hit, name, id=f"{name}/d{number}", why=draw(TITLES), **judgement))
        cited = {"record": hit, "source": f"{name}/s", "checked": "read"}
        found.append(Claim(id=f"{name}/c{number}", dataset=name, field="damage", value=draw(TITLES), **cited))
    return of(*found)


def test_whatever_is_published_loads_back_equal_without_what_is_private(
    base: Basemap, tmp_path_factory: pytest.TempPathFactory, new_shared_store: NewStore
) -> None:
    derive = full_rewrite(base, text)

    @given(some_records(), st.sets(st.sampled_from(SETS), max_size=2))
    @settings(max_examples=5)
    def holds(records: Records, private: set[str]) -> None:
        folder = tmp_path_factory.mktemp("round")
        with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
            # The files of data alone: pages and tiles are not loaded.
            patch.setattr(PublishedAtlas, "_files", PublishedAtlas._data)
            own, again = (stack.enter_context(closing(new_shared_store())) for _ in range(2))
            own.load(records, author="tests", private=dict.fromkeys(private, "not to be told"), derive=derive)
            publish(own, folder / "site")
            package = SourceFile.of(folder / "site/datapackage.json")
            again.load(FORMAT.read([package], LoadOptions("given")).require_clean(), author="tests", derive=derive)
            back, expected = (published_version(one, base).snapshot for one in (again, own))
        for table in RECORD_TYPES:
            found = dict(back.records.table(table))
            assert found == dict(expected.records.table(table)), table
            assert private.isdisjoint(record.dataset for record in found.values())
            # Stakes that say the same are shown as one.
            assert private or table == "stakes" or found == dict(records.table(table))
        for name, collection in expected.collections.items():
            assert _undated(back.collections[name]) == _undated(collection), name

    holds()


def test_decisions_of_one_day_load_back_in_the_order_of_their_append(
    base: Basemap, tmp_path: Path, new_shared_store: NewStore
) -> None:
    """The latest of a strike and a site holds; ids do not tell which that is."""
    place = {"geometry": Point(30, 46.5), "uncertainty_m": 500.0, "basis": "site", "place_source": "a/s"}
    site, hit = asset("a/site", "a", host_country="UA", **place), strike("a/strike", "a", host_country="UA", **place)
    taken = [
        decision(hit.id, "a", id=f"a/{name}", why=name, verdict=verdict, asset=about)
        for name, verdict, about in (("z", "confirmed", site.id), ("m", "none", None), ("b", "possible", site.id))
    ]
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(PublishedAtlas, "_files", PublishedAtlas._data)
        own, again = (stack.enter_context(closing(new_shared_store())) for _ in range(2))
        own.load(of(source("a/s", "a"), site, hit, *taken), author="tests")
        publish(own, tmp_path / "site")
        package = SourceFile.of(tmp_path / "site/datapackage.json")
        again.load(FORMAT.read([package], LoadOptions("given")).require_clean(), author="tests")
        back, expected = (published_version(one, base).snapshot for one in (again, own))
    assert [*back.records.decisions] == [*expected.records.decisions] == ["a/z", "a/m", "a/b"]
    assert set(expected.collections["strikes"].features.columns["rests_on"]) == {"alternatives"}
    assert _undated(back.collections["strikes"]) == _undated(expected.collections["strikes"])


def _undated(collection: Collection) -> list[bytes]:
    """Features without the time of their last change, which is that of the store which has them."""
    found = [orjson.loads(fragment) for fragment in collection.fragments]
    for feature in found:
        feature["properties"].pop(UPDATED, None)
    return sorted(orjson.dumps(feature) for feature in found)


def test_the_tiles_are_archives_of_each_collection(site: Path) -> None:
    archive = BasemapArchive(site / "tiles/strikes.pmtiles")
    assert (archive.min_zoom, archive.max_zoom) == (0, 1)
    assert [layer["id"] for layer in archive.layers] == ["strikes"]
    assert set(archive.tile_boxes) == {0, 1}
    assert BasemapArchive(site / "tiles/basemap.pmtiles").layers


def test_the_archives_are_as_their_headers_say(site: Path, tmp_path: Path) -> None:
    archives = sorted((site / "tiles").glob("*.pmtiles"))
    assert len(archives) > 4
    assert {path.name: list(pmtiles_faults(path)) for path in archives} == {path.name: [] for path in archives}
    cut_off = tmp_path / "cut-off.pmtiles"
    cut_off.write_bytes(archives[0].read_bytes()[:-1])
    assert list(pmtiles_faults(cut_off)) == ["the length is not that of its sections"]


def test_the_same_again_touches_nothing_and_one_edit_what_tells_of_it(
    vault: Store, site: Path, base: Basemap, tmp_path: Path
) -> None:
    with closing(opened_copy(vault, tmp_path / "atlas.gpkg")) as store:
        folder = tmp_path / "site"
        publish(store, folder)
        assert content_of(folder) == content_of(site)
        assert publish(store, folder).written == []

        before = store.records().strikes[OTHER]
        store.write(Edit("strikes", OTHER, before.model_copy(update={"note": "Seen again."}), ANY), author="Ann")
        done = publish(store, folder)
        assert done.removed == []
        told = {path.removeprefix("uk/") for path in done.written}
        own = {f"strikes/{OTHER}.html", f"strikes/{OTHER}.json", "data/records/strikes.json"}
        version = {"about.html", "about.json", "index.html", "datapackage.json"}
        # The correction has a page, and rows that are based on the record say when it changed.
        log = {path for path in told if path.startswith("corrections")} | {"sitemap.xml"}
        layers = {path for path in content_of(folder) if path.startswith("data/") and UPDATED in _columns(folder, path)}
        dated = layers | {"map/strikes.json"}
        assert {path.partition(".")[0] for path in layers} == {
            f"data/{name}" for name in ("strikes", "assets", "attributions", "hits")
        }
        assert own | version | log | dated <= told
        # Sites and owners that it concerns list the correction; nothing else is touched.
        entry = f"{BASE}/corrections/{store.head().hash[:32]}.html".encode()
        opening = {path for path in told if path.startswith(("map/opening", "map/clusters/"))}
        assert "map/opening.json" in opening
        more = told - own - version - log - dated - opening
        assert more
        assert all(path.startswith(("assets/", "entities/")) and entry in (folder / path).read_bytes() for path in more)
        assert not [path for path in told if DEPOT in path]
        assert len(done.written) < 100, "however many files there are of what was not edited"


def _edits(store: Store) -> Iterator[tuple[str, str, Record | None]]:
    """An edit of each kind that pages may follow from: of what they are about, and of all that they are based on."""
    records = store.records()
    hits = sorted(one for one in records.assets if one in _struck(store))
    site, strike = records.assets[hits[0]], records.strikes[OTHER]
    chain = [one for one in records.stakes.values() if one.owned == site.id]
    held = chain[0] if chain else next(iter(records.stakes.values()))
    owner, cited = records.entities[held.owner], records.sources[strike.sources[0]]
    yield "strikes", OTHER, strike.model_copy(update={"title": "Named anew"})
    yield (
        "claims",
        "x-claim",
        Claim(id="x-claim", dataset="o", record=OTHER, source=cited.id, field="damage", value="All", checked="read"),
    )
    yield "claims", "x-claim", None
    yield "assets", site.id, site.model_copy(update={"name": "Site named anew"})
    yield "entities", owner.id, owner.model_copy(update={"name": "Owner named anew"})
    yield "stakes", held.id, held.model_copy(update={"share_min": 1.0, "share_max": 2.0})
    yield (
        "decisions",
        "x-decision",
        decision(OTHER, "o", id="x-decision", why="Seen", verdict="confirmed", asset=site.id),
    )
    yield "stakes", held.id, None
    near = site.model_copy(
        update={"id": "x-near", "name": "Near by", "names": {}, "geometry": strike.geometry, "part_of": None}
    )
    yield "assets", near.id, near
    yield "assets", near.id, near.model_copy(update={"name": "Near by, named anew"})
    tied = records.entities[next(iter(records.relations.values())).entity]
    yield "entities", tied.id, tied.model_copy(update={"name": "Tied owner named anew"})
    yield "sources", cited.id, cited.model_copy(update={"title": "Source named anew"})


def _struck(store: Store) -> frozenset[str]:
    return frozenset(one.asset for one in store.records().decisions.values() if one.asset)


def test_what_is_left_alone_is_what_rendering_it_again_would_give(
    vault: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers.__iter__

    def few(self: Answers) -> Iterator[PublishedFile]:
        """All but most of the countries that no strike concerns."""
        return (one for one in answers(self) if not re.match(r"countries/(?!AZ|UA|FR)", one.path))

    # Pages and answers alone; files of data are always rendered, and tiles go by their own rows.
    monkeypatch.setattr(Answers, "__iter__", few)
    for name in ("_data", "_tiles"):
        monkeypatch.setattr(PublishedAtlas, name, lambda self: iter(()))
    monkeypatch.setattr("api.publishing.publish.map_files", lambda snapshot: iter(()))
    monkeypatch.setattr("api.publishing.publish.opening_files", lambda asked, snapshot, rows: iter(()))
    monkeypatch.setattr(site_files, "static_files", lambda folder: iter(()))
    left: list[str] = []
    differing: list[str] = []
    add = PublishedFolder._add

    def checked(self: PublishedFolder, done: Publication, file: PublishedFile, *rest: Any) -> None:
        asked: list[object] = []

        def noting(cited: CitedVersion | None) -> bytes:
            asked.append(cited)
            return file.render(cited)

        add(self, done, replace(file, render=noting), *rest)
        if not asked:
            left.append(file.path)
            entry, known_version = done.files[file.path], rest[1]
            cited = None if entry.change is None else known_version(entry.change)
            if hashlib.sha256(file.render(cited)).hexdigest() != entry.sha256:
                differing.append(file.path)

    monkeypatch.setattr(PublishedFolder, "_add", checked)
    with closing(opened_copy(vault, tmp_path / "atlas.gpkg")) as store:
        publish(store, tmp_path / "site", order=PublishOrder(BASE, ("en",)))
        assert left == []
        for table, key, record in _edits(store):
            known = ANY if key in store.records().table(table) else None
            store.write(Edit(table, key, record, known), author="Ann")
            left.clear()
            publish(store, tmp_path / "site", order=PublishOrder(BASE, ("en",)))
            assert differing == [], (table, key)
            # A source is in no row, so that all is rendered again.
            assert bool(left) == (table != "sources"), (table, key)


def _columns(folder: Path, path: str) -> list[str]:
    """Columns of the collection that a file of data holds, as the package describes its CSV."""
    package = orjson.loads((folder / "datapackage.json").read_bytes())
    stem = path.rpartition(".")[0]
    schemas = {one["path"]: one["schema"] for one in package["resources"] if one["format"] == "csv"}
    return [field["name"] for field in schemas.get(f"{stem}.csv", {"fields": ()})["fields"]]


def test_a_record_that_is_gone_loses_its_pages(vault: Store, base: Basemap, tmp_path: Path) -> None:
    with closing(opened_copy(vault, tmp_path / "atlas.gpkg")) as store:
        source = next(iter(store.records().strikes[OTHER].sources))
        gone = strike("x-gone", "o", sources=(source,), title="Told for a day")
        store.write(Edit("strikes", gone.id, gone, None), author="Ann")
        folder = tmp_path / "site"
        publish(store, folder)
        assert (folder / "strikes/x-gone.html").exists()
        store.write(Edit("strikes", gone.id, None, ANY), author="Ann")
        dry = publish(store, folder, dry=True)
        assert (folder / "strikes/x-gone.html").exists()
        done = publish(store, folder)
        assert dry.removed == done.removed
        pages = {f"{part}strikes/x-gone.{end}" for part in ("", "uk/") for end in ("html", "json")}
        assert pages == {path for path in done.removed if path.startswith(("strikes/", "uk/strikes/"))}
        assert not [path for path in pages if (folder / path).exists()]


def test_what_a_policy_withholds_is_in_no_file(vault: Store, base: Basemap, tmp_path: Path) -> None:
    with closing(opened_copy(vault, tmp_path / "atlas.gpkg")) as store:
        before = store.records().strikes[DEPOT]
        marked = before.model_copy(update={"damage": "withheldmarker", "note": "withheldmarker"})
        store.write(Edit("strikes", DEPOT, marked, ANY), author="Ann")
        policy = parse('[[withhold]]\ntable = "strikes"\nfields = ["damage", "note"]\n')
        publish(store, tmp_path / "site", policy)
    assert [path for path, content in content_of(tmp_path / "site").items() if b"withheldmarker" in content] == []
    page = (tmp_path / f"site/strikes/{DEPOT}.html").read_text()
    assert "withheld by the publisher" in page
    assert "no source says" not in page
    rows = orjson.loads((tmp_path / "site/data/records/strikes.json").read_bytes())
    assert next(row for row in rows if row["id"] == DEPOT)["withheld"] == ["damage", "note"]


def test_an_atlas_that_is_not_published_leaves_no_thread(vault: Store, tmp_path: Path) -> None:
    before = {*threading.enumerate()}
    atlas = PublishedAtlas(vault, Settings(basemap=FEW_COUNTRIES), ORDER)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        atlas.publish(tmp_path)
    assert [one for one in {*threading.enumerate()} - before if not one.daemon] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--base-url", "ftp://x"), 2),
        (("--base-url", "https://x/?a"), 2),
        (("--base-url", BASE, "--language", "fr"), 2),
        (("--base-url", BASE, "--language", "uk"), 2),
        ((), 2),
    ],
)
def test_wrong_usage_has_its_exit_code(
    vault: Store, tmp_path: Path, run: Run, options: tuple[str, ...], code: int
) -> None:
    done = run("publish", tmp_path / "site", "--store", vault.name, "--basemap", FEW_COUNTRIES, *options)
    assert done.code == code
    assert not (tmp_path / "site").exists()


def test_a_folder_of_something_else_is_in_the_way(vault: Store, tmp_path: Path, run: Run) -> None:
    (tmp_path / "mine").write_text("mine")
    assert run("publish", tmp_path, "--base-url", BASE, "--store", vault.name, "--basemap", FEW_COUNTRIES).code == 4


def test_a_dry_run_reports_as_json_and_writes_nothing(vault: Store, tmp_path: Path, run: Run) -> None:
    options = ("--base-url", f"{BASE}/", "--language", "en", "--dry-run", "--json")
    done = run("publish", tmp_path / "site", *options, "--store", vault.name, "--basemap", FEW_COUNTRIES)
    assert done.code == 0, done.err
    report = done.report
    assert report["is_dry_run"]
    assert report["address"] == BASE
    assert report["files"] == len(report["written"]) == sum(report["kinds"].values())
    assert [*tmp_path.iterdir()] == []
