// The one table of colours and symbols, and what paint and legend both draw from it.
import { svg } from "./dom.js";

export const TABLE = await (await fetch(new URL("style-table.json", import.meta.url))).json();
/** How a line of open data is dashed whose course is known roughly alone. */
export const OPEN_DASH = [5, 3];
const DARK = matchMedia("(prefers-color-scheme: dark)");

/** "light" or "dark", as the reader's system asks. */
export const scheme = () => (DARK.matches ? "dark" : "light");

/** Call back when the reader's system changes between light and dark. */
export const onScheme = (changed) => DARK.addEventListener("change", changed);

/** Key of a host country in the table: two countries have a colour, all others share one. */
export const hostKey = (country) => (Object.hasOwn(TABLE.host, country ?? "") ? country : "other");

/** Colours of the base map. */
export const base = () => TABLE.base[scheme()];

const shapeOf = (group) => (Object.hasOwn(TABLE.group, group ?? "") ? group : "none");
const fillOf = (status) => TABLE.status[status] ?? "hollow";

/** Legend symbol of a strike as SVG: colour is host, shape is kind, fill is status. */
export function symbol({ group, host_country, status }, size = 16) {
  const filled = fillOf(status) === "filled";
  const path = svg("path", {
    d: TABLE.group[shapeOf(group)],
    class: `host-${hostKey(host_country)} ${filled ? "filled" : "hollow"}`,
  });
  return svg("svg", { class: "symbol", viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" }, path);
}

/** Legend line of a pipeline as SVG; one of open data has a look of its own. */
export function lineSymbol(commodity, dash = TABLE.line[commodity].dash, look = "") {
  const dashes = dash ? dash.map((n) => (look ? n : n * 2)).join(" ") : null;
  const path = svg("path", { d: "M0 6H26", class: `line-${commodity} ${look}`, "stroke-dasharray": dashes });
  return svg("svg", { class: "symbol", viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true" }, path);
}

/** Legend dot of the sites of open data, as SVG. */
export function openSiteSymbol() {
  const dot = svg("circle", { cx: 6, cy: 6, r: 2.5, class: "open" });
  return svg("svg", { class: "symbol", viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" }, dot);
}

/** Give the style sheet the table's colours as custom properties. */
export function paintPage() {
  const { style } = document.documentElement;
  for (const [host, colours] of Object.entries(TABLE.host)) style.setProperty(`--host-${host}`, colours[scheme()]);
  for (const [owner, colours] of Object.entries(TABLE.owner)) style.setProperty(`--owner-${owner}`, colours[scheme()]);
  style.setProperty("--arc", TABLE.share[scheme()]);
  style.setProperty("--struck", TABLE.struck[scheme()]);
  for (const [name, line] of Object.entries(TABLE.line)) style.setProperty(`--line-${name}`, line[scheme()]);
}
