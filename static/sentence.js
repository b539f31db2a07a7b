// What is selected, in words: one sentence, why some strikes only may belong to it, and a chip for each filter.
import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { spanOfDays } from "./edtf.js";
import { countryName, length, share } from "./figures.js";
import { EVERYTHING, cleared, narrowing } from "./selection.js";
import { commodityWords, counted, inLanguage, listed, small, t, word } from "./text.js";

const names = new Map(); // of owners and assets by table and id, as far as they are known

/** Remember the name of a record, so that it need not be asked for. */
export function remember(table, id, name) {
  names.set(`${table}/${id}`, name);
}

async function learn(table, id) {
  const known = await api.record(table, id).then((row) => inLanguage(row, "name"), () => id);
  remember(table, id, known);
}

const nameOf = (table, id) => names.get(`${table}/${id}`) ?? id;

/** Ask for the names of what is chosen; resolves once they are known. */
export async function learnNames({ owner, asset }) {
  const wanted = [["entities", owner], ["assets", asset]].filter(([table, id]) => id && !names.has(`${table}/${id}`));
  await Promise.all(wanted.map(([table, id]) => learn(table, id)));
}

const least = ({ min_share: n }) => share(n, n);

/** Whose the sites were: "on assets owned at least 25 % in Azerbaijan". */
function tieWords(view) {
  const who = [view.country && countryName(view.country), view.owner && nameOf("entities", view.owner)].filter(Boolean).join(t("and"));
  if (!who) return null;
  const by = view.owner ? "By" : "";
  if (view.role === "owner") return t(view.min_share ? `saidOwnedLeast${by}` : `saidOwned${by}`, { who, share: least(view) });
  if (view.role === "control" || view.role === "host" || view.role === "related") return t(`said${view.role}${by}`, { who });
  return t("saidTie", { who, tie: word("relation", view.role) });
}

const WORDS = {
  q: (view) => t("saidText", { text: view.q }),
  kinds: (view) => t("saidKinds", { list: listed(view.kinds.map((kind) => small(word("group", kind)))) }),
  commodity: (view) => t("saidCommodity", { name: commodityWords(view.commodity) }),
  weapon: (view) => t("saidWeapon", { name: small(word("weapon", view.weapon)) }),
  status: (view) => listed(view.status.map((status) => small(word("status", status)))),
  asset: (view) => t("saidAsset", { name: nameOf("assets", view.asset) }),
  within: (view) => (view.within === "none" ? t("saidNoPlace") : t("saidWithin", { length: length(+view.within) })),
  rests_on: (view) => t(`said${view.rests_on}`),
  certainty: (view) => t(`saidonly${view.certainty}`),
};

/** The parts of the sentence after the number, in their order. */
function partsOf(view) {
  const rest = narrowing(view).filter((name) => WORDS[name]).map((name) => WORDS[name](view));
  return [view.from || view.to ? spanOfDays(view.from, view.to) : null, tieWords(view), ...rest];
}

/** "23 strikes, 14 March to 9 September 2025, on assets owned at least 25 % in Azerbaijan; 3 more may fall in it". */
function sentenceOf({ sure, possible, reasons: why }, view) {
  const first = view.certainty === "possible" ? possible : sure;
  const more = view.certainty || !possible ? null : counted(why.across + why.undated === possible ? "mayFall" : "mayCount", possible);
  return { main: [counted("count", first), ...partsOf(view).filter(Boolean)].join(", "), more };
}

/** Why some only may belong to it, and what the map or the time range cannot show. */
function reasons({ reasons: why, unplaced, undated }, { from, to }) {
  const said = Object.entries(why).filter(([, n]) => n).map(([name, n]) => counted(`why${name}`, n));
  const open = said.length ? t("whyMay", { list: listed(said) }) : null;
  return [open, unplaced ? counted("unplaced", unplaced) : null, undated && !(from || to) ? counted("undated", undated) : null];
}

const CHIPS = {
  country: (view) => `${countryName(view.country)}: ${word("role", view.role)}${view.role === "owner" && view.min_share ? ` ≥ ${least(view)}` : ""}`,
  owner: (view) => nameOf("entities", view.owner),
  q: (view) => t("quoted", { text: view.q }),
  kinds: (view) => view.kinds.map((kind) => word("group", kind)).join(", "),
  status: (view) => view.status.map((status) => word("status", status)).join(", "),
  weapon: (view) => word("weapon", view.weapon),
  commodity: (view) => commodityWords(view.commodity),
  asset: (view) => nameOf("assets", view.asset),
  dates: (view) => spanOfDays(view.from, view.to),
  certainty: (view) => t(`certainty${view.certainty}`),
  within: (view) => t(view.within === "none" ? "withinnone" : "withinOf", { length: length(+view.within) }),
  rests_on: (view) => t(`rests_on${view.rests_on}`),
};

function chip(name, view, set) {
  const said = CHIPS[name](view);
  const remove = () => set(cleared(name, view));
  return el("li", {}, el("button", { type: "button", class: "filter-chip", "data-chip": name, onclick: remove, "aria-label": t("removeFilter", { filter: said }) },
    el("span", {}, said), el("span", { "aria-hidden": "true" }, "×")));
}

/** Take every filter away. */
export const CLEAR = { ...EVERYTHING };

/** Draw the chips of the active filters. */
export function drawChips(view, set) {
  const home = byId("chips");
  const held = home.contains(document.activeElement);
  const active = narrowing(view);
  home.setAttribute("aria-label", t("activeFilters"));
  home.hidden = !active.length;
  const all = el("li", {}, el("button", { type: "button", class: "plain", onclick: () => set(CLEAR) }, t("reset")));
  home.replaceChildren(...active.map((name) => chip(name, view, set)), ...(active.length > 1 ? [all] : []));
  if (held) (home.querySelector("button") ?? byId("search-input")).focus();
}

/** Say what is selected; returns the element of the sentence. */
export function drawSentence(counts, view) {
  const { main, more } = sentenceOf(counts, view);
  const home = byId("count");
  const said = el("strong", {}, main, more ? el("span", { class: "may" }, "; ", more, ".") : ".");
  home.replaceChildren(
    said,
    ...reasons(counts, view).filter(Boolean).map((text) => el("span", { class: "quiet" }, `${text}. `)));
  document.title = `${main}${more ? `; ${more}` : ""} · StrikeAtlas`;
  return said;
}

