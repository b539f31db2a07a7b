// "Whose was it?": countries with their shares, each split by how far it reaches; and, apart, who was no owner.
import { FILES } from "./api.js";
import { el, outward, spoken } from "./dom.js";
import { countryName, share } from "./figures.js";
import { WRITTEN, foreign } from "./foreign.js";
import { foldedList } from "./folds.js";
import { BASES, MINORITIES } from "./state.js";
import { checkedWords, t, word } from "./text.js";

const FEW_OWNERS = 10;
const FEW_TIES = 8;
const LONG = 160; // letters of a sentence that is not set in bold
const REACHES = ["state", "holder", "company"];
const range = (pair) => pair ?? [0, 0];

function piece(kind, width) {
  const part = el("span", { class: `part ${kind}` });
  part.style.width = `${Math.max(0, width)}%`;
  return width > 0 ? part : null;
}

/** A bar of one row: what is certain by reach, what is certain but of open split, and the range above it. */
function bar(row) {
  const certain = row.country ? REACHES.map((reach) => [reach, range(row[reach])[0]]) : [["nobody", row.share_min]];
  const known = certain.reduce((sum, [, n]) => sum + n, 0);
  return el("span", { class: "owner-bar", "aria-hidden": "true" },
    certain.map(([reach, n]) => piece(reach, n)),
    piece("split", row.share_min - known),
    piece("range", row.share_max - Math.max(row.share_min, known)));
}

function splitWords(row, sites) {
  const parts = REACHES.map((reach) => [reach, ...range(row[reach])]).filter(([, , most]) => most > 0);
  return parts.map(([reach, min, max]) => `${t(`${reach}Short`)} ${share(min, max, sites)}`).join(", ");
}

function ownerRow(row, chosen, sites) {
  const name = row.country ? countryName(row.country) : t("unattributed");
  return el("li", { class: row.country && row.country === chosen ? "owner chosen" : "owner" },
    el("span", { class: "owner-name" }, name), " ",
    el("span", { class: "owner-share" }, share(row.share_min, row.share_max, sites)),
    bar(row),
    el("span", { class: "owner-split quiet" }, row.country ? splitWords(row, sites) : (row.reasons ?? []).join("; ")));
}

function barKey(owners) {
  const has = (reach) => owners.some((row) => row.country && range(row[reach])[1] > 0);
  const open = owners.some((row) => row.share_max > row.share_min);
  const split = owners.some((row) => row.country && row.share_min - REACHES.reduce((n, reach) => n + range(row[reach])[0], 0) > 1);
  const keys = [...REACHES.filter(has), ...(split ? ["split"] : []), ...(open ? ["range"] : [])];
  return el("ul", { class: "bar-key", "aria-hidden": "true" },
    keys.map((kind) => el("li", {}, el("span", { class: `part ${kind}` }), t(kind))));
}

/** The list of owners, largest first; their shares are of so many sites together. */
export function ownersList(owners, chosen, sites = 1) {
  return foldedList("ul", { class: "owners" }, owners, (row) => ownerRow(row, chosen, sites), FEW_OWNERS);
}

function assetNames(answer, code) {
  const hits = answer.assets.filter((hit) => hit.owners.some((row) => row.country === code));
  return hits.map((hit) => hit.asset.name).join(answer.rests_on === "alternatives" ? t("or") : ", ");
}

/** One sentence on the chosen country's part in it; null where none is chosen. */
function ofChosen(answer, code) {
  if (!code) return null;
  const country = countryName(code);
  const row = answer.owners.find((owner) => owner.country === code);
  const assets = assetNames(answer, code);
  if (row) {
    const open = answer.rests_on === "alternatives" && answer.assets.length > 1;
    const text = !open ? "ofChosen" : row.share_min > 0 ? "ofChosenEither" : "ofChosenPossible";
    return t(text, { country, assets, share: share(row.share_min, row.share_max, answer.readings.sites_together) });
  }
  const ties = answer.related.filter((tie) => tie.country === code).map((tie) => `${word("relation", tie.relation)} (${tie.name})`);
  if (ties.length) return t("ofChosenRelated", { country, relations: [...new Set(ties)].join(", ") });
  return t(answer.host?.country === code ? "ofChosenHost" : "ofChosenNone", { country });
}

function choice(name, values, view, set) {
  const select = el("select", { id: `view-${name}`, onchange: () => set({ [name]: select.value }) },
    values.map((value) => el("option", { value, selected: view[name] === value }, t(`${name}${value}`))));
  return el("p", {}, el("label", { for: `view-${name}` }, t(name)), " ", select);
}

function counting(view, set) {
  if (FILES) return null; // which have one way of counting
  return el("details", { class: "counting" }, el("summary", {}, t("counting")),
    choice("basis", BASES, view, set), choice("minority", MINORITIES, view, set));
}

/** The block of owners. */
export function ownersBlock(answer, view, set) {
  const sentence = ofChosen(answer, view.country);
  const sure = answer.assets.filter((hit) => hit.verdict === "confirmed").length;
  return el("section", { class: "whose", "aria-labelledby": "whose" },
    el("h3", { id: "whose" }, t("whose")),
    answer.headline_parts.map((sentence) => el("p", { class: sentence.length > LONG ? "headline long" : "headline" }, `${sentence}.`)),
    sentence && el("p", { class: "of-chosen" }, sentence),
    el("p", { class: `rests ${answer.rests_on}` }, word("rests", answer.rests_on)),
    sure > 1 ? el("p", { class: "rests together" }, t("allOfThese", { count: sure })) : null,
    answer.owners.length ? [ownersList(answer.owners, view.country, answer.readings.sites_together), barKey(answer.owners)] : null,
    counting(view, set));
}

function tie(row, answer) {
  const asset = answer.assets.find((hit) => hit.asset.id === row.asset)?.asset.name;
  const source = answer.sources[row.source];
  const relation = word("relation", row.relation);
  return el("li", {},
    el("span", { class: "tie" }, relation), " ",
    el("b", {}, row.name), row.country && countryName(row.country) !== row.name ? `, ${countryName(row.country)}` : "",
    asset && answer.assets.length > 1 ? spoken(` ${t("relationOf", { relation, asset })}`) : null,
    row.note ? el("span", { class: "tie-note" }, foreign(row.note, WRITTEN)) : null,
    el("span", { class: "quiet small" }, checkedWords("checkedTie", row.checked), source ? [" · ", outward(source.url, source.publisher)] : null));
}

/** The block of ties that are not ownership; null where there is none. */
export function othersBlock(answer) {
  if (!answer.related.length) return null;
  return el("section", { class: "others", "aria-labelledby": "others" },
    el("h3", { id: "others" }, t("notOwners")),
    el("p", { class: "quiet" }, t("notOwnersWhy")),
    foldedList("ul", {}, answer.related, (row) => tie(row, answer), FEW_TIES));
}
