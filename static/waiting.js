// What the page waits for, and how it says so.
import { byId } from "./dom.js";

const PARTS = ["results", "map-frame"];
// Milliseconds: what comes sooner is not announced, as to draw that would hold it up; at the start the map waits for it too.
const SLOW = 150;
const SLOW_START = 600;

/** The state of waiting for a selection; `onSlow` is called where its list takes long. */
export function createWaiting(onSlow) {
  const list = byId("results");
  let timer = null;
  let patience = SLOW_START;
  let onListed;
  return {
    /** Resolves once the list of the newest selection is in sight: whatever is drawn besides comes after it. */
    listed: Promise.resolve(),
    /** Whether the list waits. */
    get isBusy() {
      return list.getAttribute("aria-busy") === "true";
    },
    begin() {
      this.listed = new Promise((done) => (onListed = done));
      for (const part of PARTS) byId(part).setAttribute("aria-busy", "true");
      timer ??= setTimeout(() => (list.classList.add("slow"), onSlow()), patience);
    },
    /** End it for a part; `inSight` resolves once that of the list is seen. */
    end(part, inSight) {
      byId(part).removeAttribute("aria-busy");
      if (part !== list.id) return;
      clearTimeout(timer);
      [timer, patience] = [null, SLOW];
      list.classList.remove("slow");
      onListed(inSight);
    },
  };
}
