"""nginx as deploy/nginx.conf configures it, on ports and in folders of a test, as an operator would fill them in."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
_MODULE = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
_LISTENS, _CACHE, _RUN = "listen 80;", "/var/cache/strikeatlas-proxy", "/run/strikeatlas-proxy"


def missing() -> str | None:
    """Why no proxy can be started here; None where one can."""
    return None if shutil.which("nginx") and _MODULE.exists() else "needs the packages nginx and libnginx-mod-http-js"


@dataclass
class Proxy:
    """A process of nginx with its files in a folder."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def configure(self, workers: Sequence[int]) -> None:
        """Write its files for workers at ports of this machine; nothing but addresses and folders is other."""
        text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
        for written, here in (
            (_LISTENS, f"listen 127.0.0.1:{self.port};"),
            (_CACHE, f"{self.folder}/cache"),
            (_RUN, str(self.folder)),
        ):
            assert written in text
            text = text.replace(written, here)
        (self.folder / "cache").mkdir(parents=True)
        (self.folder / "nginx.conf").write_text(text, encoding="utf-8")
        shutil.copy(DEPLOY / "newest.js", self.folder)
        lines = (DEPLOY / "workers.conf").read_text(encoding="utf-8")
        for written, port in zip((8001, 8002), workers, strict=False):
            assert f":{written} " in lines
            lines = lines.replace(f":{written} ", f":{port} ")
        kept = [line for line in lines.splitlines() if not any(f":{port} " in line for port in (8001, 8002))]
        (self.folder / "workers.conf").write_text("\n".join(kept) + "\n", encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait until it listens."""
        # Started by root it would give up what it needs to read the folder of a test.
        user = "user root; " if os.geteuid() == 0 else ""
        command = ["nginx", "-c", str(self.folder / "nginx.conf"), "-g", f"{user}daemon off;"]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True)
        log.close()
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return
            time.sleep(0.02)
        raise RuntimeError("the proxy does not listen")

    def kill(self) -> None:
        """Kill it with all its processes, as systemd does with what is left of a service."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
