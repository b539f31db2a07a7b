"""Receipts of RFC 3161, by an authority that the tests make with OpenSSL, with and without a network."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from api.wording.catalogue import text
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store import receipts
from layers.store.store import Store
from tests.command_runner import CommandResult, Run, shell
from tests.conftest import BASEMAP
from tests.layers.store.store_killed import strikes
from tests.store_copies import sealed_copy
from tests.store_kinds import NewStore, behind_its_back

rfc3161_client = pytest.importorskip("rfc3161_client", reason="the optional package of receipts is not installed")
if shutil.which("openssl") is None:
    pytest.skip("no OpenSSL to make an authority with", allow_module_level=True)

_CONFIGURATION = """[tsa]
default_tsa = own
[own]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[timestamping]
extendedKeyUsage = critical,timeStamping
"""


class Authority:
    """A time-stamp authority with a root certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "root.pem"
        folder.mkdir()
        (folder / "serial").write_text("01")
        (folder / "configuration").write_text(_CONFIGURATION)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self._run("req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-days", "2")
        self._run("req", *key, "-keyout", "own.key", "-out", "own.csr", "-subj", "/O=Tests/CN=Authority")
        signed = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "2", "-out", "own.pem")
        self._run("x509", "-req", "-in", "own.csr", *signed, "-extfile", "configuration", "-extensions", "timestamping")

    def answer(self, query: bytes, *more: str) -> bytes:
        (self.folder / "query").write_bytes(query)
        signing = ("-signer", "own.pem", "-inkey", "own.key", "-out", "response", *more)
        self._run("ts", "-reply", "-config", "configuration", "-queryfile", "query", *signing)
        return (self.folder / "response").read_bytes()

    def confirms(self, hash: str, response: Path) -> bool:
        """Whether OpenSSL, by the hash alone, says that the response is valid."""
        check = ["openssl", "ts", "-verify", "-digest", hash, "-in", response, "-CAfile", self.root]
        return subprocess.run(check, capture_output=True, check=False).returncode == 0

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, check=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "a")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(capsys, monkeypatch)


def load(store: Store, base: Basemap, count: int, why: str | None = None) -> None:
    store.load(strikes(count, "a"), author="Ann", derive=full_rewrite(base, text), why=why)
    store.close()


@pytest.fixture
def store(new_shared_store: NewStore, base: Basemap) -> Store:
    made = new_shared_store()
    load(made, base, 2, "The first report.")
    return made


def received(run: Run, store: Store, authority: Authority) -> Path:
    """The authority's response to a request of the last change, in a file."""
    request, response = (authority.folder / f"head.{end}" for end in ("tsq", "tsr"))
    assert run("receipt", "query", request, "--store", store.name).code == 0
    response.write_bytes(authority.answer(request.read_bytes()))
    return response


def verified(run: Run, store: Store, *options: object) -> CommandResult:
    return run("verify", store.name, *options, "--basemap", BASEMAP, "--json")


def test_a_receipt_is_asked_for_added_and_checked_without_a_network(
    run: Run, store: Store, authority: Authority, base: Basemap
) -> None:
    covered = store.head()
    response = received(run, store, authority)
    added = run("receipt", "add", response, "--store", store.name, "--json").report
    assert (added["seq"], added["hash"], added["fault"]) == (covered.seq, covered.hash, None)
    assert authority.confirms(covered.hash, Path(added["file"]))
    load(store, base, 3)

    checked = verified(run, store, "--trust", authority.root)
    (receipt,) = checked.report["receipts"]
    assert (checked.code, checked.report["findings"]) == (0, [])
    assert receipt == {**added, "at": receipt["at"], "signer": "CN=Authority,O=Tests"}
    said = run("verify", store.name, "--trust", authority.root, "--receipt", response, "--basemap", BASEMAP)
    assert f"change {covered.seq} and all before were there at {receipt['at']}" in said.out


def test_a_response_with_the_chain_of_its_certificate_is_valid_and_stored_to_the_byte(
    run: Run, store: Store, authority: Authority
) -> None:
    """OpenSSL encloses certificates in no order of DER, which the library demands."""
    response = received(run, store, authority)
    request = (authority.folder / "head.tsq").read_bytes()
    response.write_bytes(authority.answer(request, "-chain", "root.pem"))
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        rfc3161_client.decode_timestamp_response(response.read_bytes())
    added = run("receipt", "add", response, "--store", store.name, "--json").report
    assert (added["seq"], added["signer"], added["fault"]) == (store.seq(), "CN=Authority,O=Tests", None)
    assert Path(added["file"]).read_bytes() == response.read_bytes()
    assert authority.confirms(added["hash"], Path(added["file"]))
    assert verified(run, store, "--trust", authority.root).code == 0


def test_only_its_owner_reads_a_receipt(run: Run, store: Store, authority: Authority) -> None:
    before = os.umask(0)
    try:
        added = run("receipt", "add", received(run, store, authority), "--store", store.name, "--json").report
    finally:
        os.umask(before)
    path = Path(added["file"])
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]


def test_receipts_are_left_alone_unless_asked_for(run: Run, store: Store, authority: Authority) -> None:
    run("receipt", "add", received(run, store, authority), "--store", store.name)
    assert verified(run, store).report == {"store": store.name, "findings": [], "heads": [], "cached": []}
    assert verified(run, store, "--receipt", authority.folder / "head.tsr").code == 2


def test_a_rewritten_history_has_no_receipt(
    run: Run, store: Store, authority: Authority, base: Basemap, new_shared_store: NewStore
) -> None:
    """Whoever rewrites a row and computes all hashes anew has another head than the one that was signed."""
    run("receipt", "add", received(run, store, authority), "--store", store.name)
    rewritten = new_shared_store()
    load(rewritten, base, 2, "Another report.")
    shutil.copytree(receipts.folder(store.beside), receipts.folder(rewritten.beside))
    checked = verified(run, rewritten, "--trust", authority.root)
    assert (checked.code, checked.report["findings"]) == (1, [])
    assert [one["fault"]["code"] for one in checked.report["receipts"]] == ["receipts.of-another-history"]


def test_a_reason_that_is_altered_breaks_the_chain_below_the_receipt(
    run: Run, store: Store, authority: Authority
) -> None:
    run("receipt", "add", received(run, store, authority), "--store", store.name)
    behind_its_back(store, "UPDATE history SET why = 'another' WHERE seq = 1")
    checked = verified(run, store, "--trust", authority.root)
    assert checked.code == 1
    assert "verification.chain" in [one["code"] for one in checked.report["findings"]]
    assert [one["fault"]["code"] for one in checked.report["receipts"]] == ["receipts.broken-chain"]


def test_another_authority_is_not_trusted(run: Run, store: Store, authority: Authority, tmp_path: Path) -> None:
    response = received(run, store, authority)
    other = Authority(tmp_path / "other")
    for trusted in (other.root, other.folder / "own.pem"):
        checked = verified(run, store, "--trust", trusted, "--receipt", response)
        assert checked.code == 1
        (receipt,) = checked.report["receipts"]
        assert (receipt["seq"], receipt["fault"]["code"]) == (store.seq(), "receipts.signature")


@pytest.mark.parametrize("place", [-3, -40, 300])
def test_a_response_with_an_altered_byte_is_not_valid(run: Run, store: Store, authority: Authority, place: int) -> None:
    response = received(run, store, authority)
    content = bytearray(response.read_bytes())
    content[place] ^= 1
    response.write_bytes(content)
    checked = verified(run, store, "--trust", authority.root, "--receipt", response)
    assert checked.code == 1
    assert checked.report["receipts"][0]["fault"] is not None


@pytest.mark.parametrize("content", [b"", b"\x30", b"text\x00", bytes.fromhex("30053003020102")])
def test_what_is_no_token_is_refused(
    run: Run, store: Store, authority: Authority, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "any.tsr"
    file.write_bytes(content)
    refused = run("receipt", "add", file, "--store", store.name)
    assert refused.code == 2
    assert "Invalid value: " in refused.err
    assert "expected" not in refused.err
    checked = verified(run, store, "--trust", authority.root, "--receipt", file)
    assert checked.code == 1
    assert checked.report["receipts"][0]["fault"]["code"] in ("receipts.unreadable", "receipts.refused")
    assert not receipts.folder(store.beside).exists()


def test_a_file_that_is_too_long_or_no_certificate_is_refused(
    run: Run, store: Store, authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "any"
    file.write_bytes(b"\x30" * (receipts.MAX_BYTES + 1))
    assert run("receipt", "add", file, "--store", store.name).code == 2
    assert verified(run, store, "--trust", file).code == 2
    assert verified(run, store, "--trust", authority.root, "--receipt", file).code == 2


def test_a_receipt_of_another_store_is_not_added(
    run: Run, store: Store, authority: Authority, new_shared_store: NewStore
) -> None:
    other = new_shared_store()
    other.load(strikes(1, "b"), author="Ann")
    said = run("receipt", "add", received(run, store, authority), "--store", other.name)
    assert said.code == 2
    assert "Invalid value: no row of history has the hash" in said.err
    assert "another store" in said.err


def test_there_is_none_of_an_empty_history_or_a_broken_one(
    run: Run, store: Store, tmp_path: Path, new_shared_store: NewStore
) -> None:
    empty = new_shared_store()
    behind_its_back(store, "UPDATE history SET who = 'Bob' WHERE seq = 3")
    for one in (empty, store):
        assert run("receipt", "query", tmp_path / "x.tsq", "--store", one.name).code == 5
    assert not (tmp_path / "x.tsq").exists()


def test_a_receipt_of_a_store_that_is_only_read(run: Run, store: Store, authority: Authority, tmp_path: Path) -> None:
    sealed, response = sealed_copy(store, tmp_path / "sealed.gpkg"), received(run, store, authority)
    checked = run("verify", sealed, "--basemap", BASEMAP, "--json", "--trust", authority.root, "--receipt", response)
    assert (checked.code, checked.report["receipts"][0]["seq"]) == (0, store.seq())


@contextmanager
def served(answer: bytes | Authority) -> Iterator[str]:
    """An authority, or any answer, over HTTP on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"]))
            content = answer if isinstance(answer, bytes) else answer.answer(sent)
            self.send_response(200 if self.headers["content-type"] == "application/timestamp-query" else 415)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_an_authority_is_asked_by_its_address(run: Run, store: Store, authority: Authority) -> None:
    with served(authority) as url:
        added = run("receipt", "request", "--url", url, "--store", store.name, "--json").report
    assert (added["seq"], added["hash"]) == (store.seq(), store.head().hash)
    assert verified(run, store, "--trust", authority.root).code == 0


def test_what_an_address_answers_otherwise_is_refused(run: Run, store: Store) -> None:
    with served(b"<html>") as url:
        assert run("receipt", "request", "--url", url, "--store", store.name).code == 2
    assert run("receipt", "request", "--url", url, "--store", store.name).code == 6
    for other in ("file:///etc/passwd", "ftp://x/y", "nothing"):
        assert run("receipt", "request", "--url", other, "--store", store.name).code == 2
    assert not receipts.folder(store.beside).exists()
