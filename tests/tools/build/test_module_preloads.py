"""The head of the page names all modules that it imports, so that a browser loads them at once."""

from __future__ import annotations

import re
from pathlib import Path

from tools.build.module_preloads import ASKED_FOR, ENTRIES, LATER, LIBRARY, PAGE, STATIC, imported, with_preloads


def test_the_page_names_its_modules() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_preloads(page) == page, "run `python -m tools.build.module_preloads`"
    assert page.count('rel="modulepreload"') > 40


def test_imports_are_followed_and_named_once(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(
        'import { a } from "./a.js";\nimport {\n  b,\n} from "./b.js";\nconst c = await import("./later.js");\n'
    )
    (tmp_path / "a.js").write_text('export { b } from "./b.js";\n// import { d } from "./d.js";\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\n')
    assert imported(("app.js",), tmp_path) == ["app.js", "a.js", "b.js"]


def test_links_take_the_place_of_older_ones(tmp_path: Path) -> None:
    for name in (*ENTRIES, *LATER, *ASKED_FOR):
        (tmp_path / name).write_text("")
    page = (
        '<head>\n<link rel="modulepreload" href="static/old.js">\n<script type="module" src="static/app.js"></script>'
    )
    links = with_preloads(page, tmp_path)
    assert [line.split('href="')[1].split('"')[0] for line in links.splitlines()[1:-1]] == [
        f"static/{name}" for name in (*ENTRIES, *LATER, LIBRARY, *ASKED_FOR)
    ]
    assert with_preloads(links, tmp_path) == links


def test_the_library_is_where_the_page_looks_for_it() -> None:
    assert (STATIC / LIBRARY).is_file()


def test_what_the_page_imports_later_is_named() -> None:
    """All but what most readers never need: the still map in place of the drawn one, pictures, and published files."""
    imports = re.findall(r'import\("\./([a-z-]+\.js)"\)', "".join(path.read_text() for path in STATIC.glob("*.js")))
    rare = {"still-map.js", "view-picture.js", "files.js", "archive.js"}
    assert set(imports) - rare <= {*LATER, *imported((*LATER, *ASKED_FOR))}
