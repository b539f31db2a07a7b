// The question "whose assets were hit?": the country picker, the role, and what is known of the country.
import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { amount, countryName, share, surePart } from "./figures.js";
import { hostKey } from "./style.js";
import { KEYS } from "./symbols.js";
import { PHONE } from "./sheet.js";
import { EVERYTHING, ROLES, TIES, narrowing, parametersOf } from "./selection.js";
import { createThreshold } from "./threshold.js";
import { LOCALE, counted, number, t, word } from "./text.js";

const CHIPS = 6;

const { compare: order } = new Intl.Collator(LOCALE);

function options(counts, view) {
  const byName = counts.filter(({ value }) => value).map(({ value, strikes }) => ({ code: value, n: strikes, name: countryName(value) }))
    .sort((a, b) => order(a.name, b.name));
  if (view.country && !byName.some((entry) => entry.code === view.country))
    byName.push({ code: view.country, n: 0, name: countryName(view.country) });
  const option = ({ code, n, name }) => el("option", { value: code, selected: code === view.country }, `${name} (${number(n)})`);
  return [el("option", { value: "" }, t("allCountries")), ...byName.map(option)];
}

function chip({ value: code, strikes: n }, most, view, set) {
  const bar = el("span", { class: `meter ${view.role === "host" ? `host-${hostKey(code)}` : `owner-${KEYS.owner(code)}`}`, "aria-hidden": "true" });
  bar.style.width = `${(n / most) * 100}%`;
  const pressed = code === view.country;
  const pick = () => set({ country: pressed ? null : code });
  return el("button", { type: "button", "aria-pressed": String(pressed), onclick: pick },
    el("span", { class: "chip-name" }, countryName(code)), el("span", { class: "chip-n" }, number(n)), bar);
}

const isTie = (role) => role === "related" || TIES.includes(role);

function roleChoice(role, n, view, set) {
  const input = el("input", { type: "radio", name: "role", value: role, onchange: () => set({ role }) });
  input.checked = role === view.role || (role === "related" && isTie(view.role));
  return el("label", { class: "role" }, input, el("span", {}, t(`role${role}`), el("b", {}, n === undefined ? "" : ` ${number(n)}`)));
}

function roles(counts, view, set) {
  return el("fieldset", { class: "roles" }, el("legend", { class: "sr" }, t("roleLegend")),
    ROLES.map((role) => roleChoice(role, counts[role], view, set)));
}

/** Which tie but owning, where one of them is chosen. */
function tieChoice(view, set) {
  if (!isTie(view.role)) return null;
  const option = (role) => el("option", { value: role, selected: role === view.role }, role === "related" ? t("anyTie") : word("relation", role));
  return el("label", { class: "tie-choice" }, t("whichTie"),
    el("select", { id: "tie-select", onchange: (event) => set({ role: event.target.value }) }, ["related", ...TIES].map(option)));
}

/** Prepare the picker; returns a function that draws it for the rows that match all but the country. */
export function createCountry(set) {
  const form = byId("country");
  form.addEventListener("submit", (event) => event.preventDefault());
  const select = el("select", { id: "country-select", onchange: () => set({ country: select.value || null }) });
  const choices = el("div", { class: "choices" });
  form.append(el("label", { for: "country-select" }, t("country")), select, choices);
  const threshold = createThreshold(set);
  form.append(threshold.node);
  let offered = null; // counts of the countries that can be chosen
  const offer = (countries, view) => {
    const isOffered = countries === offered && [...select.options].some(({ value }) => value === (view.country ?? ""));
    if (!isOffered) select.replaceChildren(...options(countries, view));
    select.value = view.country ?? "";
    offered = countries;
  };
  return ({ countries, roles: ofRoles }, view) => {
    const held = form.contains(document.activeElement) ? document.activeElement : null;
    const name = held?.value || held?.textContent;
    offer(countries, view);
    const named = countries.filter(({ value }) => value);
    const chips = named.slice(0, CHIPS).map((entry) => chip(entry, named[0].strikes, view, set));
    const group = el("div", { class: "chips" }, chips);
    choices.replaceChildren(roles(ofRoles, view, set), ...[tieChoice(view, set), view.country || view.owner ? null : group].filter(Boolean));
    threshold.draw(view);
    if (held && !held.isConnected)
      ([...form.querySelectorAll("input, button, select")].find((n) => (n.value || n.textContent) === name) ?? select).focus();
  };
}

function ownedAssets(owned) {
  const assets = new Map();
  for (const row of owned) {
    const known = assets.get(row.asset) ?? { name: row.asset_name, min: 100, max: 0, strikes: new Set(), maybe: true };
    known.min = Math.min(known.min, row.share_min);
    known.max = Math.max(known.max, row.share_max);
    known.maybe &&= !row.site_sure;
    known.strikes.add(row.strike);
    assets.set(row.asset, known);
  }
  return [...assets.values()].sort((a, b) => b.max - a.max);
}

function assetLine(asset) {
  const facts = `${share(asset.min, asset.max)}, ${counted("times", asset.strikes.size)}`;
  return el("li", {}, el("span", {}, asset.name, asset.maybe ? ` (${t("verdictpossible")})` : ""),
    el("span", { class: "quiet" }, facts));
}

function relatedLine(row) {
  return el("li", {}, el("span", {}, row.asset_name), el("span", { class: "quiet" }, `${row.name}: ${word("relation", row.relation)}`));
}

function unlike(rows) {
  return [...new Map(rows.map((row) => [`${row.asset}|${row.entity}|${row.relation}`, row])).values()];
}

const FEW = 6;

function block(title, lines, wanted) {
  const open = wanted && lines.length <= FEW && !PHONE.matches;
  return lines.length ? el("details", { open }, el("summary", {}, `${title} (${lines.length})`), el("ul", {}, lines)) : null;
}

/** How an owner fared in all: strikes, how many are sure, and what its shares come to in site equivalents. */
function ownedInAll({ strikes, strikes_sure: sure, hits, assets_min: min, assets_max: max }) {
  const gaps = { strikes: counted("times", strikes), sure: surePart(strikes, sure), assets: amount(min, max), hits };
  return t(hits === 1 ? "ownedInAllOne" : "ownedInAll", gaps);
}

/** One sentence a relation of the chosen role, with its number of strikes; null where there is none. */
function inAll({ relations }, role) {
  if (role === "control") return null; // its strikes are those of the sentence below
  if (role === "owner") return relations.owner.strikes ? ownedInAll(relations.owner) : null;
  if (role === "host") return relations.host.strikes ? sentence(tied(t("rolehost"), relations.host)) : null;
  const ties = Object.entries(relations)
    .filter(([name, { strikes }]) => strikes && name !== "owner" && name !== "host" && (role === "related" || role === name));
  const words = ties.map(([name, count]) => tied(word("relation", name), count));
  return words.length ? sentence(words.join("; ")) : null;
}

const tied = (relation, { strikes, strikes_sure: sure }) =>
  t("tiedIn", { relation, strikes: counted("times", strikes), sure: surePart(strikes, sure) });
const sentence = (words) => `${words[0].toLocaleUpperCase(LOCALE)}${words.slice(1)}.`;

/** Whether the selection has filters that the card does not know. */
const isNarrower = (view) => view.min_share > 0 || narrowing(view).some((name) => name !== "country" && name !== "dates");

async function summaryOf(answer, view) {
  const { capacityBlock } = await import("./capacity.js");
  const name = { country: countryName(answer.country) };
  const total = inAll(answer, view.role);
  return el("section", { class: "card", "aria-label": name.country },
    el("p", {}, t(`rolewhy${isTie(view.role) ? "related" : view.role}`, name), " ", el("span", { class: "quiet" }, t("notAdded"))),
    total && el("p", { class: "in-all" }, total),
    total && isNarrower(view) ? el("p", { class: "quiet" }, t("cardIsWider")) : null,
    answer.owned.length ? null : el("p", {}, t("noOwned", name)),
    block(t("ownedAssets", name), ownedAssets(answer.owned).map(assetLine), view.role === "owner"),
    capacityBlock(answer, view.role, (code) => api.capacityAddress(code, view)),
    el("p", {}, el("a", { href: api.pageAddress("countries", answer.country) }, t("countryPage", name))),
    block(t("relatedAssets", name), unlike(answer.related).map(relatedLine), isTie(view.role)));
}

/** Strikes of one country whose sites the card lists; of more it tells how many they are. */
const LISTED_MAX = 3000;

// The days of the view are all that the card knows of the selection.
const countsOf = (view, role) => api.counts(parametersOf({ ...EVERYTHING, basis: view.basis, country: view.country, role, from: view.from, to: view.to }));

let every = null; // the number of all strikes, which the time range asks for too: where they are few, a country's are

function everyStrike() {
  every ??= api.counts({ by: "month" }).then(({ strikes }) => strikes, (error) => {
    every = null;
    throw error;
  });
  return every;
}

/** Whether more strikes concern the country, as owner, by another tie or as host, than are listed. */
async function isOfMany(view) {
  if ((await everyStrike()) <= LISTED_MAX) return false;
  const answers = await Promise.all(["owner", "related", "host"].map((role) => countsOf(view, role)));
  return answers.reduce((sum, { strikes }) => sum + strikes, 0) > LISTED_MAX;
}

async function summaryOfMany(view) {
  const name = { country: countryName(view.country) };
  const { strikes, sure } = await countsOf(view, view.role);
  const relation = t(ROLES.includes(view.role) ? `role${view.role}` : "anyTie");
  const total = tied(relation, { strikes, strikes_sure: sure });
  return el("section", { class: "card", "aria-label": name.country },
    el("p", {}, t(`rolewhy${isTie(view.role) ? "related" : view.role}`, name), " ", el("span", { class: "quiet" }, t("notAdded"))),
    el("p", { class: "in-all" }, sentence(total)),
    isNarrower(view) ? el("p", { class: "quiet" }, t("cardIsWider")) : null,
    el("p", { class: "quiet" }, t("cardOfMany", { n: number(LISTED_MAX) })));
}

let asked = null; // what is waited for
let subject = null; // of whom, and as what, the card is that is drawn
const subjectOf = ({ country, role, basis }) => [country, role, basis].join(" ");

/** Take the card of another country, role or reading than a view's away. */
export function leaveSummary(view) {
  if (subjectOf(view) === subject) return;
  subject = asked = null;
  byId("summary").replaceChildren();
}

/** Draw what is known of the chosen country above the list; nothing where none is chosen. What stood there before stays until then. */
export async function showSummary(view) {
  const mine = (asked = {});
  everyStrike().catch(() => {});
  if (!view.country) return;
  const draw = async () => ((await isOfMany(view)) ? summaryOfMany(view) : summaryOf(await api.country(view.country, view), view));
  const card = await draw().catch(({ message }) => el("p", { class: "card" }, message === t("needsServer") ? message : t("countryFailed")));
  if (asked !== mine) return;
  subject = subjectOf(view);
  byId("summary").replaceChildren(card);
}
