// The sheet of paper: the map drawn anew to its width, then what is selected or the record, and how it is cited.
import { byId, el } from "./dom.js";
import { dayWords } from "./edtf.js";
import { strikeAddress } from "./api.js";
import { viewAddress } from "./publish.js";
import { t } from "./text.js";

const WIDTH = 720; // CSS pixels between the margins of A4
const HEIGHTS = [300, 520]; // of the map on it, by the shape that it has on the screen

function foot(about, view) {
  const address = view.strike ? strikeAddress(view.strike) : viewAddress(view);
  const version = about && t("printVersion", { day: dayWords(about.data_date), history: about.history.slice(0, 16) });
  return el("footer", { id: "print-foot" }, el("p", {}, about?.attribution ?? "StrikeAtlas", version ? `. ${version}` : ""), el("p", {}, address));
}

/** Draw the sheet whenever the reader prints; `map` and `about` may still be on their way. */
export function preparePrint({ map, about, now }) {
  let undo = [];

  function begin() {
    end();
    const folded = [...document.querySelectorAll("#detail details:not([open])")];
    for (const node of folded) node.open = true;
    const frame = byId("map-frame").getBoundingClientRect();
    const size = { width: WIDTH, height: Math.round(Math.min(Math.max((WIDTH * frame.height) / (frame.width || 1), HEIGHTS[0]), HEIGHTS[1])) };
    const picture = map()?.picture(size);
    const added = [foot(about(), now())];
    document.body.append(added[0]);
    if (picture) {
      // Arcs are drawn over the map, not in it.
      const arcs = document.querySelector("#map .arcs")?.cloneNode(true);
      arcs?.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
      added.push(el("figure", { id: "print-map" }, el("img", { src: picture.image, alt: byId("map-frame").getAttribute("aria-label") ?? "" }), arcs));
      // Above the record, or between the sentence and its strikes.
      if (now().strike) byId("detail").before(added[1]);
      else byId("count").after(added[1]);
    }
    undo = [() => folded.forEach((node) => (node.open = false)), () => added.forEach((node) => node.remove()), () => picture?.restore()];
  }

  function end() {
    for (const step of undo.splice(0)) step();
  }

  addEventListener("beforeprint", begin);
  addEventListener("afterprint", end);
}
