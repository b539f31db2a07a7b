// When something is done: after a rest, once what was drawn is in sight, later, or when it is first needed.

const REST = 60; // milliseconds
const UNSEEN = 500; // milliseconds, for a page that is not shown: it draws no frames
const UNDRAWN = 3000; // milliseconds
const LATER = 1000; // milliseconds

/** Resolves after a short rest; rejects where the signal comes before. */
export const rest = (signal) => new Promise((done, left) => {
  setTimeout(done, REST);
  signal.addEventListener("abort", () => left(signal.reason), { once: true });
});

/** Resolves once what was drawn is in sight: what waits for the graphics card would else hold up the page meanwhile. */
export const painted = () => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
  setTimeout(done, UNSEEN);
});

const TELLS = globalThis.PerformanceObserver?.supportedEntryTypes?.includes("element");
let texts = 0; // that were watched

/**
 * Resolves once the text of an element that was just put into the page is in sight. A browser without Element Timing
 * (https://w3c.github.io/element-timing/) does not tell: there two frames are waited for.
 */
export const inSight = (node) => new Promise((done) => {
  painted().then(() => (TELLS && node.checkVisibility({ visibilityProperty: true })) || done());
  if (!TELLS) return;
  const name = `text-${(texts += 1)}`;
  const watch = new PerformanceObserver((list) => list.getEntries().some(({ identifier }) => identifier === name) && end());
  const end = () => (watch.disconnect(), done());
  watch.observe({ type: "element" });
  node.setAttribute("elementtiming", name);
  setTimeout(end, UNSEEN);
});

/**
 * Resolves once whatever draws is free: without a graphics card it is the processor, which takes long for a page, and whoever
 * calls it meanwhile waits with all else. A thread of its own waits instead. Where there is none, it is not waited for.
 */
export const whenDrawn = () => new Promise((done) => {
  const worker = new Worker(new URL("graphics-worker.js", import.meta.url));
  const end = () => (worker.terminate(), done());
  Object.assign(worker, { onmessage: end, onerror: end });
  setTimeout(end, UNDRAWN);
}).catch(() => {});

/** Resolves once the browser has done what waits for it, as a key that was pressed: between two parts of what would be long. */
export const breath = () => globalThis.scheduler?.yield?.() ?? new Promise((done) => setTimeout(done));

/** Call in an idle moment. */
export const idly = (call) => (globalThis.requestIdleCallback ?? setTimeout)(() => call());

/** Call in an idle moment, but not before the page has had time for what matters more. */
export const later = (call) => setTimeout(() => idly(call), LATER);

/** A function of a part of the page that is loaded when it is first called; calls are answered in their order. */
export function late(load) {
  let part = null;
  return async (...given) => {
    part ??= load();
    part.catch(() => (part = null)); // what failed may be loaded again
    return (await part)(...given);
  };
}
