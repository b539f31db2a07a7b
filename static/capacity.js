// How much of a country's capacity was hit and for how long it was lost; how far one asset worked, and who says so.
import { conditionSpans } from "./condition-spans.js";
import { el, joined, outward } from "./dom.js";
import { whenWords } from "./edtf.js";
import { surePart } from "./figures.js";
import { WRITTEN, foreign } from "./foreign.js";
import { LOCALE, counted, t, word } from "./text.js";

const FEW = 3;
const exact = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 3 });

/** A capacity, or the range it lies in, with its unit. */
function capacity(min, max, unit) {
  const ends = [...new Set([exact.format(min), exact.format(max)])];
  return `${ends.length > 1 ? t("amountRange", { min: ends[0], max: ends[1] }) : ends[0]}\u00a0${unit}`;
}

function sourceLinks(ids, sources) {
  const known = [...new Map(ids.filter((id) => sources[id]).map((id) => [sources[id].publisher, sources[id]])).values()];
  const links = known.slice(0, FEW).map((source) => outward(source.url, source.publisher));
  const rest = known.length - FEW;
  return el("span", { class: "quiet small" }, ...joined([...links, rest > 0 ? t("moreSources", { n: rest }) : null], ", "));
}

function line(what, amount, row, sources) {
  return el("li", {}, el("span", {}, what, " ", sourceLinks(row.sources, sources)),
    el("span", { class: "quiet" }, ...joined([amount, `${counted("sites", row.sites)} (${surePart(row.sites, row.sites_sure)})`])));
}

function lostAmount(row) {
  const days = capacity(row.capacity_days_min, row.capacity_days_max, t("capacityDays", { unit: row.unit }));
  return row.volume_unit ? capacity(row.volume_min, row.volume_max, row.volume_unit) : days;
}

/** What of a country's capacity was hit and lost in a relation, unit by unit; null where none is known. */
export function capacityBlock({ capacity: of, country, sources }, role, address) {
  const { hit, lost, untold } = of[role] ?? { hit: [], lost: [], untold: 0 };
  const known = (row) => row.unit !== null;
  const unknown = hit.find((row) => !known(row));
  if (!hit.some(known) && !lost.length) return null;
  return el("details", { class: "capacity" }, el("summary", {}, t(`capacity${role}`)),
    el("ul", {},
      hit.filter(known).map((row) => line(t("capacityHit"), capacity(row.capacity_min, row.capacity_max, row.unit), row, sources)),
      lost.map((row) => line(t(`lost${row.cause}`), known(row) ? lostAmount(row) : t("capacityUnknown"), row, sources))),
    el("p", { class: "quiet" },
      ...joined([unknown && t("sitesUnknown", { n: unknown.sites }), unknown?.withheld && t("sitesWithheld", { n: unknown.withheld }), untold ? t("sitesUntold", { n: untold }) : null,
        el("a", { href: address(country) }, t("capacitySites"))])));
}

function worked({ working_min: min, working_max: max }) {
  if (min === null) return "";
  return min === max ? `${exact.format(min)}\u00a0%` : `${exact.format(min)}–${exact.format(max)}\u00a0%`;
}

function conditionRow(row, sources) {
  const source = sources[row.source];
  return el("tr", {},
    el("td", {}, whenWords(row.since)),
    el("td", {}, row.until ? whenWords(row.until) : t("endNotKnown")),
    el("td", {}, worked(row)),
    el("td", {}, word("working", row.status), row.note ? el("span", { class: "quiet small" }, " ", foreign(row.note, WRITTEN)) : null),
    el("td", {}, source ? outward(source.url, source.publisher) : row.source));
}

/** How far an asset worked before and after a strike, as a drawing and a small table; null where no source tells. */
export function conditionsBlock(conditions, sources, when) {
  if (!conditions?.length) return null;
  return el("div", { class: "conditions", role: "group", tabindex: "0", "aria-label": t("conditions") },
    conditionSpans(conditions, when),
    el("table", {},
      el("caption", {}, t("conditions")),
      el("thead", {}, el("tr", {}, ["conditionSince", "conditionUntil", "conditionWorked", "conditionStatus", "conditionSource"]
        .map((name) => el("th", { scope: "col" }, t(name))))),
      el("tbody", {}, conditions.map((row) => conditionRow(row, sources)))));
}
