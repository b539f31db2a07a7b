"""Keys of requests that are worked on: held against threads and other workers, and free again however a worker ends."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from api.server.keys_at_work import KeyAtWork, KeysAtWork

KEY = "a" * 64


@pytest.mark.parametrize("shared", [True, False])
def test_a_key_is_held_until_its_request_is_answered(tmp_path: Path, shared: bool) -> None:
    keys = KeysAtWork(tmp_path if shared else None)
    with keys.holding("ann", KEY):
        with pytest.raises(KeyAtWork), keys.holding("ann", KEY):
            pass
        with keys.holding("ben", KEY), keys.holding("ann", "b" * 64):
            pass
    with keys.holding("ann", KEY):
        pass


def test_another_worker_holds_it_too_and_a_request_that_fails_frees_it(tmp_path: Path) -> None:
    one, other = KeysAtWork(tmp_path), KeysAtWork(tmp_path)

    def answer() -> None:
        with one.holding("ann", KEY):
            with pytest.raises(KeyAtWork), other.holding("ann", KEY):
                pass
            with other.holding("ben", KEY):
                pass
            raise RuntimeError("it fails")

    with pytest.raises(RuntimeError, match="it fails"):
        answer()
    with other.holding("ann", KEY):
        pass


def _hold(folder: str, held: Event) -> None:
    with KeysAtWork(Path(folder)).holding("ann", KEY):
        held.set()
        os._exit(1)


def test_a_worker_that_is_killed_leaves_no_key_at_work(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    held = context.Event()
    worker = context.Process(target=_hold, args=(str(tmp_path), held))
    worker.start()
    assert held.wait(60)
    worker.join()
    with KeysAtWork(tmp_path).holding("ann", KEY):
        pass
