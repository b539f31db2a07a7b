// What the map says in a popup: of one strike, and of several that lie on each other.
import { el } from "./dom.js";
import { whenWords } from "./edtf.js";
import { countryName, share, surePart } from "./figures.js";
import { shareOf } from "./marks.js";
import { counted, number, strikeTitle, t } from "./text.js";

/** Strikes of one mark that can be chosen from. */
export const MOST = 60;

const isDraft = ({ status }) => Number(status === "draft");
const newestFirst = (rows) => rows.toSorted((a, b) => isDraft(a) - isDraft(b) || (b.day_last ?? "").localeCompare(a.day_last ?? "") || a.title.localeCompare(b.title));

const isSpot = ([west, south, east, north]) => west === east && south === north;

/** Whether the strikes of a mark lie at more than one place. */
function isSpread({ box, rows }) {
  return box ? !isSpot(box) : rows.some((row) => row.geometry.coordinates.join() !== rows[0].geometry.coordinates.join());
}

/**
 * The strikes of one mark, each to be chosen; `rows` are its own, or the first of them. `closer` brings them apart, `leave`
 * is for who wants none.
 */
export function choice(group, rows, { select, closer, leave }) {
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    leave();
  };
  const shown = newestFirst(rows).slice(0, MOST);
  const more = group.n - shown.length;
  return el("div", { class: "pick", onkeydown: escape }, el("strong", {}, t("pick", { n: number(group.n) })),
    isSpread(group) ? el("button", { type: "button", class: "closer", onclick: closer }, t("closer")) : null,
    shown.map((row) => el("button", { type: "button", onclick: () => select(row.id) },
      el("span", { class: "quiet" }, whenWords(row.when, row.when_note)), " ", strikeTitle(row))),
    more > 0 ? el("span", { class: "quiet" }, t("pickMore", { n: number(more) })) : null);
}

/** How many strikes a mark stands for, and how many of them are sure. */
export function several(group) {
  const { n } = group;
  const sure = group.sure ?? group.rows.filter(({ isSure }) => isSure).length;
  return el("div", {}, el("strong", {}, counted("count", n)), el("br"),
    el("span", { class: "quiet" }, surePart(n, sure)));
}

/** One strike; what its answer says of its owners is fetched once the pointer rests on it. */
export function tip(row, headline) {
  return el("div", {}, el("strong", {}, strikeTitle(row)), el("br"), whenWords(row.when, row.when_note),
    row.host_country ? ` · ${countryName(row.host_country)}` : "",
    headline ? el("p", { class: "tip-headline" }, headline) : null);
}

/** A mark in words: the strike that it stands for, or how many. */
export function labelOf({ n, rows }) {
  if (n > 1) return counted("count", n);
  return `${strikeTitle(rows[0])}, ${whenWords(rows[0].when, rows[0].when_note)}`;
}

/** The share of the chosen country beside a single mark; null where marks do not say it. */
export function shareLabel({ mark, rows: [row] }, { country }) {
  return mark.look === "share" ? share(...shareOf(row, country), row.assets.length) : null;
}
