// The record of one strike: when, where, whose, by which chain, on what evidence.
import * as api from "./api.js";
import { controlBlock } from "./control.js";
import { leftOut, placeWords, withheldWords } from "./disclosure.js";
import { byId, el, joined } from "./dom.js";
import { dayWords, precision, whenWords } from "./edtf.js";
import { assetsBlock, claimsBlock, sourcesBlock } from "./evidence.js";
import { countryName, span } from "./figures.js";
import { WRITTEN, foreign } from "./foreign.js";
import { othersBlock, ownersBlock } from "./owners.js";
import { citeBlock } from "./publish.js";
import { sideHead } from "./side.js";
import { rowMark } from "./symbols.js";
import { inLanguage, known, small, sourcesWords, strikeTitle, t, word } from "./text.js";

const written = (text) => foreign(text, WRITTEN);

/** A kind of weapon in words; one that the page has no word for stays as it was written. */
function weaponName({ kind }) {
  const name = known("weapon", kind);
  return name ? small(name) : written(kind);
}

function weaponsWords(weapons) {
  if (typeof weapons === "string") return written(weapons);
  return joined((weapons ?? []).map((w) => joined([weaponName(w), span(w.count_min, w.count_max)], ": ")), "; ");
}

function casualtyWords(strike) {
  const count = (name) => {
    const n = span(strike[`${name}_min`], strike[`${name}_max`]);
    return n === null ? null : t(name, { n });
  };
  return joined([count("killed"), count("injured"), written(strike.casualties)]);
}

function whereWords(strike) {
  const names = new Set([inLanguage(strike, "place"), inLanguage(strike, "region")]); // a place may be its region
  return [...joined([...names], ", "), " ", el("span", { class: "quiet" }, `(${placeWords(strike)})`)];
}

function whenLine(strike) {
  const hours = strike.when_note && (known("hours", strike.when_note) ?? written(strike.when_note));
  const note = joined([t(precision(strike.when)), hours]);
  return [whenWords(strike.when, strike.when_note), " ", el("span", { class: "quiet" }, "(", note, ")")];
}

function listed(rows, kind) {
  const shown = rows.filter(([, value]) => value && value.length);
  return el("dl", { class: kind }, shown.map(([name, value]) => [el("dt", {}, t(name)), el("dd", {}, value)]));
}

/** When and where it happened, as a list. */
export function whenAndWhere({ strike, host, host_basis }) {
  const hostName = t(`host${host_basis ?? (leftOut(strike, "geometry") ? "withheld" : "unknown")}`, { country: host && countryName(host.country) });
  return listed([["when", whenLine(strike)], ["where", whereWords(strike)], ["host", hostName]], "first");
}

/** What else is known of it, as a list. */
export function facts({ strike, updated }) {
  const rows = [
    ["status", joined([word("status", strike.status), written(strike.status_note)])],
    ["reports", sourcesWords(strike)],
    ["attacker", written(strike.attacker)],
    ["weapons", weaponsWords(strike.weapons)],
    ["damage", written(strike.damage)],
    ["casualties", casualtyWords(strike)],
    ["targets", (strike.targets ?? []).join("; ")],
    ["note", written(strike.note)],
    ["withheld", withheldWords(strike)],
    ["updated", updated ? dayWords(updated.slice(0, 10)) : ""],
  ];
  return listed(rows, "more");
}

async function copyLink(button) {
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = t("copied");
  } catch {
    button.textContent = t("copyFailed");
  }
}

function tools(id, view) {
  const copy = el("button", { type: "button", class: "plain", onclick: () => copyLink(copy) }, t("copy"));
  return el("p", { class: "tools" }, copy, el("a", { class: "plain", href: api.strikeAddress(id) }, t("strikePage")),
    api.FILES ? null : el("a", { class: "plain", href: api.geojsonAddress(id) }, t("geojson")),
    el("a", { class: "plain", href: api.attributionAddress(id, view) }, t("answerJson")),
    el("a", { class: "plain", href: api.correctionsAddress(id) }, t("corrections")));
}

const head = (title, mark, close) => sideHead("detail-title", title, mark, { label: t("close"), close });

function body(answer, row, view, set) {
  return [
    head(strikeTitle(answer.strike), row ? rowMark(row, view, 18) : null, () => set({ strike: null })),
    el("div", { class: "detail-body" },
      whenAndWhere(answer), ownersBlock(answer, view, set), controlBlock(answer, set), othersBlock(answer), facts(answer),
      assetsBlock(answer, set), claimsBlock(answer), sourcesBlock(answer), tools(answer.strike.id, view),
      citeBlock(api.strikeAddress(answer.strike.id))),
  ];
}

function failure(why, again, set) {
  return [
    head(t("detailLabel"), null, () => set({ strike: null })),
    el("div", { class: "detail-body" }, el("p", { role: "alert" }, t("detailFailed", { why })),
      el("button", { type: "button", class: "plain", onclick: again }, t("retry"))),
  ];
}

/** The answer with the names of its sites in the language of the page, where they have one. */
const named = (answer) => ({ ...answer, assets: answer.assets.map((hit) => ({ ...hit, asset: { ...hit.asset, name: inLanguage(hit.asset, "name") } })) });

/** Prepare the detail; returns a function that shows the view's strike and resolves to its answer, or null. */
export function createDetail(set) {
  const place = byId("detail");
  place.setAttribute("aria-label", t("detailLabel"));
  let asked = new AbortController();

  return async function show(view, row, { focus = false } = {}) {
    asked.abort();
    place.hidden = !view.strike;
    if (!view.strike) return place.replaceChildren();
    const mine = (asked = new AbortController());
    place.setAttribute("aria-busy", "true");
    try {
      const answer = named(await api.attribution(view.strike, view, mine.signal));
      if (mine.signal.aborted) return null;
      place.replaceChildren(...body(answer, row, view, set));
      return answer;
    } catch (error) {
      if (mine.signal.aborted) return null;
      place.replaceChildren(...failure(error.message, () => show(view, row, { focus: true }), set));
      return null;
    } finally {
      if (!mine.signal.aborted) settle(place, focus);
    }
  };
}

function settle(place, focus) {
  place.removeAttribute("aria-busy");
  place.scrollTop = 0;
  if (focus) byId("detail-title")?.focus({ preventScroll: true });
}
