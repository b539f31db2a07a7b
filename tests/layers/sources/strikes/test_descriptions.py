"""What reports say in their own words: a private claim of the strike, with its source, also in a public dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from layers.model.problems import ReadResult
from layers.model.records import DESCRIPTION, Claim
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes import timemap, viina

HEADER = "event_id_1pd,date,source_urls,target_classes,asciiname,ADM1_NAME,longitude,latitude,representative_text"
REPORT = "https://news.example/1"
WORDS = "У Вишневому горить нафтобаза"


def load(fmt: Format, path: Path, licence: str | None = None) -> ReadResult:
    return fmt.read([SourceFile.of(path)], LoadOptions("d", licence=licence))


def descriptions(read: ReadResult) -> list[Claim]:
    return [claim for claim in read.records.claims.values() if claim.field == DESCRIPTION]


def derived(folder: Path, *rows: str) -> ReadResult:
    path = folder / "derived.csv"
    path.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
    return load(viina.FORMAT, path)


def test_of_a_public_dataset_is_private_and_cites_its_report(tmp_path: Path) -> None:
    read = derived(tmp_path, f"7,20230401,{REPORT},REFINING_PETROCHEM_GAS,Odesa,Odesa,30.7,46.5,{WORDS}")
    assert read.problems == ()
    (claim,) = descriptions(read)
    assert (claim.record, claim.value, claim.private) == ("viina/7", WORDS, True)
    assert read.records.sources[claim.source].url == REPORT
    assert not read.records.strikes["viina/7"].private
    assert not read.private


def test_one_text_is_one_claim_and_an_empty_one_none(tmp_path: Path) -> None:
    rows = (
        f"{key},20230401,{REPORT},REFINING_PETROCHEM_GAS,Odesa,Odesa,30.7,46.5,{text}"
        for key, text in ((7, WORDS), (8, ""))
    )
    read = derived(tmp_path, *rows, f"7,20230401,{REPORT}?2,REFINING_PETROCHEM_GAS,Odesa,Odesa,30.7,46.5,{WORDS}")
    assert [claim.id for claim in descriptions(read)] == ["viina/7/description-1"]


@pytest.mark.parametrize("licence", [None, "CC BY 4.0"])
def test_it_stays_private_where_the_licence_of_the_data_is_given(tmp_path: Path, licence: str | None) -> None:
    event = {"id": "T1", "date": "3/7/2022", "latitude": "46.5", "longitude": "30.7", "location": "Vyshneva"}
    path = tmp_path / "events.json"
    path.write_text(json.dumps([{**event, "description": f"{'long ' * 500}end", "sources": []}]), encoding="utf-8")
    read = load(timemap.FORMAT, path, licence)
    (claim,) = descriptions(read)
    assert claim.private
    assert read.records.strikes["timemap/t1"].private == (licence is None)
    assert len(claim.value) <= 2000
