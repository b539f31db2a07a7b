// Long lists: the first entries, and a button that shows the rest.
import { el } from "./dom.js";
import { number, t } from "./text.js";

/**
 * A list of which `few` entries are drawn, and a button below it that draws the others where there are more; `draw` makes
 * an entry of an item. One more than `few` is shown at once: a button would take the room that it needs.
 */
export function foldedList(tag, attributes, items, draw, few) {
  const list = el(tag, attributes);
  if (items.length <= few + 1) {
    list.append(...items.map(draw));
    return [list];
  }
  list.append(...items.slice(0, few).map(draw));
  const rest = () => {
    const shown = items.slice(few).map(draw);
    list.append(...shown);
    button.remove();
    // Whoever pressed the button goes on at what it showed.
    shown[0].tabIndex = -1;
    shown[0].focus({ preventScroll: true });
  };
  const button = el("button", { type: "button", class: "plain unfold", onclick: rest }, t("showAll", { n: number(items.length) }));
  return [list, button];
}
