// Marks on the map for those who use a keyboard or hear the page: one stop of Tab, then arrow keys from mark to mark.
import { el } from "./dom.js";
import { nextSpot } from "./spots.js";
import { t } from "./text.js";

const MOST = 120; // marks in view that can be reached; all strikes are in the list
/** What tells a group from others, whether or not its rows are here. */
const nameOf = ({ rows, box }) => rows[0]?.id ?? box.join();
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Prepare the marks over a map. `label` words a group, `point` is called when one is reached, with null when all are left,
 * and `choose` when one is chosen. Returns a function that lays out the groups that are drawn.
 */
export function createMarkKeys(map, { label, point, choose }) {
  const place = el("div", { class: "mark-keys", role: "group", "aria-label": t("marksInView") });
  map.getCanvasContainer().after(place);
  let spots = []; // { group, x, y, button } in view

  function put(spot) {
    [spot.x, spot.y] = Object.values(map.project(spot.group.at));
    spot.button.style.left = `${spot.x}px`;
    spot.button.style.top = `${spot.y}px`;
  }

  function stop(spot) {
    for (const { button } of spots) button.tabIndex = button === spot?.button ? 0 : -1;
  }

  function walk(event, from) {
    const direction = ARROWS[event.key];
    if (!direction) return;
    event.preventDefault();
    nextSpot(spots, from, direction)?.button.focus({ preventScroll: true });
  }

  function spotOf(group) {
    const spot = { group, x: 0, y: 0 };
    spot.button = el("button", { type: "button", tabindex: "-1", "aria-label": label(group), onclick: () => choose(group),
      onfocus: () => (stop(spot), point(group)), onblur: () => point(null), onkeydown: (event) => walk(event, spot) });
    put(spot);
    return spot;
  }

  map.on("move", () => place.contains(document.activeElement) && spots.forEach(put));
  return (groups) => {
    const focused = spots.find(({ button }) => button === document.activeElement)?.group;
    const held = focused && nameOf(focused);
    const { width, height } = map.getContainer().getBoundingClientRect();
    const inside = ({ x, y }) => x > 0 && y > 0 && x < width && y < height;
    const seen = groups.filter((group) => {
      const [x, y] = Object.values(map.project(group.at));
      return inside({ x, y });
    });
    spots = seen.slice(0, MOST).map(spotOf);
    place.replaceChildren(...spots.map(({ button }) => button));
    const again = held && spots.find(({ group }) => nameOf(group) === held || group.rows.some(({ id }) => id === held));
    stop(again ?? spots[0]);
    again?.button.focus({ preventScroll: true });
  };
}
