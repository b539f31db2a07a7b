// Links at the head of the page, for those who use a keyboard or hear it: to the list, the map, the dates and the record.
import { byId } from "./dom.js";
import { t } from "./text.js";

const holds = (frame, box) => box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;

/** A mark on the map that is in view, or the map itself, or the frame of a still one without marks. */
function onMap() {
  const frame = byId("map-frame").getBoundingClientRect();
  const marks = [...document.querySelectorAll(".mark-keys button")];
  return marks.find((mark) => holds(frame, mark.getBoundingClientRect())) ?? document.querySelector("#map canvas.maplibregl-canvas") ?? byId("map-frame");
}

function dates(sheet) {
  sheet.show(true); // on a phone they lie among the filters
  if (byId("filters").contains(document.querySelector(".time-main"))) byId("filters").open = true;
  return document.querySelector(".handle");
}

/** Word the links and make them go; `list` puts the keyboard on the list. */
export function createSkips(sheet, list) {
  const ways = {
    "#list": () => (sheet.show(true), list(), document.activeElement),
    "#map-frame": () => (sheet.show(false), onMap()),
    "#time": () => dates(sheet),
    "#detail": () => byId("holdings-title") ?? byId("detail-title"),
  };
  for (const link of document.querySelectorAll(".skips a")) {
    const way = link.getAttribute("href");
    link.textContent = t(`skip${way}`);
    // The address after # is the view's, so the link's own jump must not replace it.
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const place = ways[way]();
      place?.focus();
      place?.scrollIntoView({ block: "nearest" });
    });
  }
}
