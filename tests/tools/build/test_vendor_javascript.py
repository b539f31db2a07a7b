"""The browser libraries: which files are copied, what is left out, what happens when one is missing."""

import json
import re
from pathlib import Path

import pytest

from tools.build.vendor_javascript import LIBRARIES, ROOT, MissingPackage, served_name, vendor, without_source_map

NODE_MODULES = ROOT / "node_modules"
installed = pytest.mark.skipif(not NODE_MODULES.is_dir(), reason="npm ci has not run")


def fake_modules(folder: Path) -> Path:
    """Lay out every listed package with small stand-in files."""
    for library in LIBRARIES:
        package = folder / library.package
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": "1.2.3", "license": "MIT"}))
        for file in filter(None, (library.licence, *library.files)):
            (package / file).parent.mkdir(parents=True, exist_ok=True)
            (package / file).write_bytes(f"{file}\n//# sourceMappingURL=x.map".encode())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a;\n//# sourceMappingURL=a.mjs.map", b"a;"),
        (b"a{}\n/*# sourceMappingURL=a.css.map */\n", b"a{}\n"),
        (b"a;\r\n//@ sourceMappingURL=a.js.map\r\nb;", b"a;\r\nb;"),
        (b"a = 'sourceMappingURL=kept';", b"a = 'sourceMappingURL=kept';"),
        (b"", b""),
    ],
)
def test_source_map_comments_are_taken_out(before: bytes, after: bytes) -> None:
    assert without_source_map(before) == after


def test_served_name_drops_the_packagers_folder() -> None:
    assert served_name("dist/images/layers.png") == "images/layers.png"


def test_every_file_arrives_with_its_licence_and_the_manifest(tmp_path: Path) -> None:
    target = tmp_path / "static" / "vendor"
    vendor(fake_modules(tmp_path / "node_modules"), target)
    got = contents(target)
    wanted = {"manifest.json"}
    for library in LIBRARIES:
        wanted |= {f"{library.folder}/{served_name(file)}" for file in library.files}
        wanted.add(f"{library.folder}/{library.licence or 'LICENSE'}")
    assert set(got) == wanted
    manifest = json.loads(got["manifest.json"])
    assert [entry["name"] for entry in manifest] == [library.package for library in LIBRARIES]
    assert all(entry["version"] == "1.2.3" and entry["licence"] == "MIT" for entry in manifest)
    assert got["leaflet/leaflet.js"] == b"dist/leaflet.js"
    # Only text is changed: the same bytes in a picture are left as they are.
    assert got["leaflet/images/layers.png"].endswith(b"sourceMappingURL=x.map")


def test_a_second_run_changes_nothing_and_clears_what_an_old_release_left(tmp_path: Path) -> None:
    modules, target = fake_modules(tmp_path / "node_modules"), tmp_path / "vendor"
    vendor(modules, target)
    first = contents(target)
    (target / "leaflet" / "old.js").write_text("old")
    vendor(modules, target)
    assert contents(target) == first
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".vendor-")] == []


def test_without_node_modules_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingPackage, match="make setup"):
        vendor(tmp_path / "node_modules", tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()


def test_a_missing_file_is_named_and_what_was_served_stays(tmp_path: Path) -> None:
    modules, target = fake_modules(tmp_path / "node_modules"), tmp_path / "vendor"
    vendor(modules, target)
    before = contents(target)
    (modules / "leaflet" / "dist" / "leaflet.css").unlink()
    with pytest.raises(MissingPackage, match=r"leaflet has no dist/leaflet\.css"):
        vendor(modules, target)
    assert contents(target) == before


@installed
def test_the_real_libraries_ask_for_no_file_that_is_not_served(tmp_path: Path) -> None:
    target = tmp_path / "vendor"
    vendor(NODE_MODULES, target)
    for script in [*target.rglob("*.mjs"), *target.rglob("*.js"), *target.rglob("*.css")]:
        text = script.read_text(encoding="utf-8")
        assert "sourceMappingURL=" not in text
        # Static imports of sibling modules, and the pictures of a style sheet.
        asked = re.findall(r"""(?:\bfrom|\bimport)\s*\(?["'`](\./[^"'`]+)""", text)
        if script.suffix == ".css":
            asked += re.findall(r"url\(([\w./-]+)\)", text)
        assert [name for name in asked if not (script.parent / name).is_file()] == []


@installed
def test_the_manifest_names_the_locked_versions(tmp_path: Path) -> None:
    target = tmp_path / "vendor"
    vendor(NODE_MODULES, target)
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for entry in json.loads((target / "manifest.json").read_text()):
        assert entry["version"] == lock[f"node_modules/{entry['name']}"]["version"]
        assert entry["licence"] in {"BSD-2-Clause", "BSD-3-Clause", "OFL-1.1"}
