// What was hit and why that is thought; what sources say differently; where it all comes from.
import { leftOut, placeWords } from "./disclosure.js";
import { el, joined, outward } from "./dom.js";
import { conditionsBlock } from "./capacity.js";
import { chainBlock } from "./chain.js";
import { whenWords } from "./edtf.js";
import { chance, countryName, length } from "./figures.js";
import { WRITTEN, foreign, languageMark } from "./foreign.js";
import { foldedList } from "./folds.js";
import { ownersList } from "./owners.js";
import { checkedWords, commodityWords, known, t, word } from "./text.js";

const FEW_ASSETS = 5;
const FEW_CANDIDATES = 8;
const FEW_SOURCES = 20;
const DATES = new Set(["when", "published", "since", "until"]);

function reasons(list) {
  return list?.length
    ? el("ul", { class: "reasons quiet" }, list.map((r) => el("li", {}, r.detail ? t("reasonWords", { name: known("reason", r.name) ?? r.name, detail: r.detail }) : r.name)))
    : null;
}

function grounds(hit) {
  const { decision, match } = hit;
  const said = [];
  if (decision) {
    const by = t("decidedBy", { who: decision.who, when: whenWords(decision.when) });
    said.push(el("p", {}, t("decision", { why: "" }), foreign(decision.why, WRITTEN), " ", el("span", { class: "quiet" }, `(${by})`)));
  }
  if (match) {
    const text = t("match", { chance: chance(match.probability), distance: length(match.distance_m) });
    said.push(el("details", {}, el("summary", {}, text), reasons(match.reasons)));
  }
  return said;
}

// Of a site at one point the uncertainty is a radius around it, of a line how far it may lie off.
const isSpot = ({ geometry }) => !geometry || geometry.type === "Point";

function assetBlock(hit, answer, set) {
  const { asset, verdict } = hit;
  const site = (asset.basis || leftOut(asset, "geometry")) && placeWords(asset, isSpot(asset) ? "within" : "course");
  const facts = [word("kind", asset.kind), asset.commodity && commodityWords(asset.commodity), asset.host_country && countryName(asset.host_country), site];
  return el("li", { class: `asset ${verdict}` },
    el("h4", {}, asset.name),
    el("p", { class: "asset-facts quiet" }, el("span", { class: `verdict ${verdict}` }, t(`verdict${verdict}`)), " ", ...joined(facts)),
    grounds(hit),
    conditionsBlock(hit.conditions, answer.sources, answer.strike.when),
    answer.assets.length > 1 && hit.owners.length ? ownersList(hit.owners, null) : null,
    chainBlock(hit, answer.sources, set));
}

function others(answer) {
  const shown = new Set(answer.assets.map((hit) => hit.asset.id));
  const rest = answer.candidates.filter((candidate) => !shown.has(candidate.asset));
  const nothing = answer.none_probability;
  if (!rest.length && !(answer.candidates.length && nothing)) return null;
  const line = (name, probability, list) => el("li", {}, `${name}: ${chance(probability)}`, reasons(list));
  const said = answer.rests_on === "nothing" && answer.match_answer !== "asset";
  return el("details", {}, el("summary", {}, t("otherCandidates")),
    said ? el("p", { class: "quiet" }, t(`says${answer.match_answer}`)) : null,
    foldedList("ul", {}, rest, (c) => line(c.name, c.probability, c.reasons), FEW_CANDIDATES),
    nothing === null ? null : el("ul", {}, line(t("noneOfThese"), nothing)));
}

/** The assets that were or may have been hit, each with its grounds and its chain. */
export function assetsBlock(answer, set) {
  const several = answer.assets.length > 1 && answer.rests_on === "alternatives";
  if (!answer.assets.length && !answer.candidates.length) return null;
  return el("section", { "aria-labelledby": "hit" },
    el("h3", { id: "hit" }, t("hit")),
    several ? el("p", { class: "several" }, t("oneOfThese")) : null,
    foldedList("ul", { class: "assets" }, answer.assets, (hit) => assetBlock(hit, answer, set), FEW_ASSETS),
    others(answer));
}

function claim(row, sources) {
  const source = sources[row.source];
  return el("li", {},
    el("b", {}, DATES.has(row.field) ? whenWords(row.value) : foreign(row.value, WRITTEN)),
    row.quote ? el("q", {}, foreign(row.quote, source?.language)) : null,
    el("span", { class: "quiet small" }, ...joined([source && outward(source.url, source.publisher), checkedWords("checkedValue", row.checked)])));
}

function used(field, strike) {
  const value = strike[field];
  if (typeof value !== "string") return null;
  return el("span", { class: "quiet" }, t("claimsUse", { value: field === "when" ? whenWords(value, strike.when_note) : value }));
}

/** Names of the sites and holders that claims may be about, by id. */
function namesOf({ assets }) {
  const holders = assets.flatMap((hit) => hit.chains.flatMap((chain) => chain.steps)).map((step) => [step.owner, step.name]);
  return new Map([...holders, ...assets.map((hit) => [hit.asset.id, hit.asset.name])]);
}

/** Claims that differ, by what they are about and by field; null where there is none. */
export function claimsBlock(answer) {
  const { claims, sources, strike } = answer;
  if (!claims.length) return null;
  const names = namesOf(answer);
  const about = (row) => (row.record === strike.id ? null : names.get(row.record) ?? "");
  const fields = Map.groupBy(claims, (row) => JSON.stringify([row.field, about(row)]));
  return el("section", { class: "claims", "aria-labelledby": "claims" },
    el("h3", { id: "claims" }, t("claims")),
    [...fields.values()].map((rows) => {
      const [{ field }] = rows;
      const name = about(rows[0]);
      return el("div", { class: "claim" },
        el("h4", {}, word("field", field), " ", name === null ? used(field, strike) : el("span", { class: "quiet" }, name)),
        el("ul", {}, rows.map((row) => claim(row, sources))));
    }));
}

function sourceLine([id, source]) {
  const title = source.title ?? source.url ?? id;
  return el("li", { id: `source-${id}` },
    el("span", { lang: source.title && source.language }, outward(source.url, title)), " ",
    el("span", { class: "quiet small" }, ...joined([
      source.publisher,
      source.published && whenWords(source.published),
      source.language && languageMark(source.language),
      source.licence,
      source.archive_url && outward(source.archive_url, t("archived")),
    ])));
}

/** Every source of the record and of the chains. */
export function sourcesBlock({ sources }) {
  const all = Object.entries(sources);
  if (!all.length) return null;
  return el("section", { class: "sources", "aria-labelledby": "sources" },
    el("h3", { id: "sources" }, t("sources")), foldedList("ol", {}, all, sourceLine, FEW_SOURCES));
}
