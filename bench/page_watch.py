"""A page of the map in a browser that is measured: its work, what it loads, and what follows from an input.

Milliseconds are those of the page's own clock, so that what drives the browser takes no part in them. What stands in
the page is not in sight yet: that is as the browser tells it (https://w3c.github.io/element-timing/). A map is drawn
once the commands of its canvas are done (fences of WebGL 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

PATIENCE_MS = 600_000

#: Waits until list and map are seen after the last input; gives the times.
_FOLLOWED = """() => new Promise((done) => {
  const look = (times = window.benchTimes) => (times.drawn && times.seen ? done(times) : setTimeout(look, 20));
  look();
})"""
#: Puts a text into a page, and waits until it is in sight; gives the milliseconds.
_SIGHT = """() => new Promise((done) => setTimeout(() => {
  const text = document.createElement("p");
  Object.assign(text.style, { position: "fixed", inset: "0 auto auto 0" });
  text.textContent = text.ariaLabel = `${Math.random()}`;
  text.setAttribute("elementtiming", text.ariaLabel);
  const begun = performance.now();
  new PerformanceObserver((list, watch) => {
    const [mine] = list.getEntries().filter(({ identifier }) => identifier === text.ariaLabel);
    if (mine) watch.disconnect(), text.remove(), done(mine.renderTime - begun);
  }).observe({ type: "element" });
  document.body.append(text);
}, 300))"""
#: Notes what the page's main thread does, from before its first script on, and of the last input when what follows
#: from it stands in the page, is in sight, and is drawn on the map: milliseconds of the page's own clock.
_WATCH = """
  window.benchTasks = []; window.benchShift = 0; window.benchTimes = {};
  const note = (name, at = performance.now()) => (window.benchTimes[name] ??= at);
  const begin = ({ timeStamp }) => (window.benchTimes = { input: timeStamp });
  addEventListener("change", begin, true);
  addEventListener("pointermove", (event) => event.buttons && begin(event), true);
  new PerformanceObserver((list) => list.getEntries().filter(({ element }) => element?.closest("#count"))
    .forEach(({ renderTime }) => renderTime > (window.benchTimes.listed ?? Infinity) && note("seen", renderTime)))
    .observe({ type: "element", buffered: true });
  const drawn = async () => {
    const mine = window.benchTimes, gl = document.querySelector("#map canvas")?.getContext("webgl2");
    const fence = gl?.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl?.flush();
    while (fence && gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED)
      await new Promise((done) => setTimeout(done, 4));
    mine.drawn ??= performance.now();
  };
  window.benchDraw = drawn;
  addEventListener("DOMContentLoaded", () => {
    const watch = (id, options, then) => document.getElementById(id) &&
      new MutationObserver(then).observe(document.getElementById(id), options);
    const ends = (id, then) =>
      watch(id, { attributeFilter: ["aria-busy"] }, ([{ target }]) => target.ariaBusy || then());
    ends("results", () => note("listed"));
    ends("map-frame", drawn);
    watch("count", { childList: true }, ([{ target }]) => {
      const said = target.querySelector("strong");
      if (said && !said.hasAttribute("elementtiming")) said.setAttribute("elementtiming", "count");
    });
  });
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.benchTasks.push(duration)))
    .observe({ type: "longtask", buffered: true });
  new PerformanceObserver((list) => list.getEntries()
    .forEach((entry) => (window.benchShift += entry.hadRecentInput ? 0 : entry.value)))
    .observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed from an input, in milliseconds.

    Attributes
    ----------
    listed, seen
        Until the list and its counts stood in the page, and until the reader saw them.
    drawn
        Until whatever draws had drawn the map.
    work
        Processor time that the page's main thread took.
    """

    listed: float
    seen: float
    drawn: float
    work: float


class PageWatch:
    """A page of the map, and what its browser tells of it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self._client: CDPSession = page.context.new_cdp_session(page)
        self.received = 0
        # Time of the processor: that the page waits for others is none of its own work.
        self._client.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._client.send("Network.enable")
        self._client.on("Network.loadingFinished", self._receive)
        page.add_init_script(_WATCH)

    def _receive(self, event: Mapping[str, Any]) -> None:
        self.received += int(event["encodedDataLength"])

    def work_ms(self) -> float:
        """Milliseconds of processor time that the main thread has taken."""
        metrics = self._client.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration") * 1000

    def longest_ms(self) -> float:
        """The longest task since this was asked before."""
        tasks: list[float] = self.page.evaluate("window.benchTasks.splice(0)")
        return max(tasks, default=0.0)

    def settle(self, *parts: str) -> None:
        """Wait until parts of the page, by default list, counts and map, show what was selected last."""
        for part in parts or ("#results", "#map-frame"):
            self.page.wait_for_selector(f"{part}:not([aria-busy])", state="attached", timeout=PATIENCE_MS)

    def text_ms(self) -> float:
        """Milliseconds until a text that is put into the page is in sight."""
        took: float = self.page.evaluate(_SIGHT)
        return took

    def drawn(self) -> None:
        """Wait until whatever draws has drawn the map as it is."""
        self.page.evaluate("window.benchDraw()")

    @contextmanager
    def timed(self, took: list[Followed]) -> Iterator[None]:
        """Add what followed from the last input of the block, which changes what is selected."""
        worked = self.work_ms()
        yield
        times = self.page.evaluate(_FOLLOWED)
        waited = {name: times[name] - times["input"] for name in ("listed", "seen", "drawn")}
        took.append(Followed(**waited, work=self.work_ms() - worked))
