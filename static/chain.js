// The ownership chain of one asset as a drawing and as nested lists: its holders, theirs, up to a state or company.
import { chainDrawing, drawingKey } from "./chain-drawing.js";
import { chainTree } from "./chain-tree.js";
import { el, joined, outward, spoken } from "./dom.js";
import { whenWords } from "./edtf.js";
import { entityButton } from "./entity.js";
import { countryName, share } from "./figures.js";
import { WRITTEN, foreign } from "./foreign.js";
import { checkedWords, t } from "./text.js";

const FEW = 8; // chains whose text is open from the start
const MARK = { read: "✓", excerpt: "◐", unverified: "○" };

function dates({ since, until }) {
  if (since && until) return t("sinceUntil", { since: whenWords(since), until: whenWords(until) });
  if (since) return t("sinceOnly", { since: whenWords(since) });
  return until ? t("untilOnly", { until: whenWords(until) }) : null;
}

function proof(step, sources) {
  const source = sources[step.source];
  const mark = el("span", { class: `checked ${step.checked}` },
    el("span", { "aria-hidden": "true" }, `${MARK[step.checked] ?? ""} `), checkedWords("checkedShare", step.checked));
  const link = source ? outward(source.url, t("source", { name: source.publisher })) : null;
  return el("span", { class: "step-proof quiet" }, ...joined([dates(step), mark, link]));
}

/** A share that stays with a company further down the chain is said to count with that company. */
function end(chain) {
  const part = share(chain.share_min, chain.share_max);
  const below = chain.stays_with && chain.stays_with.entity !== chain.steps.at(-1).owner ? chain.stays_with.name : null;
  const why = chain.reason ?? t(`reach${chain.reach}`);
  const gaps = { share: part, country: countryName(chain.country), why, name: below };
  const text = below ? (chain.country ? "countsWith" : "countsWithNobody") : chain.country ? "counts" : "countsToNobody";
  return el("span", { class: `end ${chain.reach}` }, t(text, gaps));
}

function piece(kind, width) {
  const part = el("span", { class: `part ${kind}` });
  part.style.width = `${width}%`;
  return width > 0.005 ? part : null;
}

/** A bar of the whole asset: what ends at this holder, what goes on to its own holders, and the range above. */
function bar({ part: [min, max], ends }) {
  const ended = ends.reduce((sum, chain) => sum + chain.share_min, 0);
  const kinds = ends.map((chain) => piece(chain.reach === "unattributed" ? "nobody" : chain.reach, chain.share_min));
  return el("span", { class: "owner-bar thin", "aria-hidden": "true" },
    kinds, piece("through", min - ended), piece("range", max - Math.max(min, ended)));
}

function entry(node, ownedName, { sources, set }) {
  const { step, part } = node;
  const children = [...node.children.values()];
  const held = t("holds", { share: share(step.share_min, step.share_max), owned: ownedName });
  const where = step.country && step.type !== "state" ? `, ${countryName(step.country)}` : "";
  return el("li", {},
    el("div", { class: "step" },
      el("span", { class: "step-name" }, el("b", {}, entityButton(step.owner, step.name, set)), where), " ",
      el("b", { class: "step-part" }, share(...part), spoken(` ${t("ofWhole")},`)),
      bar(node), " ",
      el("span", { class: "step-share" }, held),
      proof(step, sources),
      step.note ? el("span", { class: "step-note quiet" }, foreign(step.note, WRITTEN)) : null,
      node.ends.map(end)),
    children.length ? el("ol", {}, children.map((child) => entry(child, step.name, { sources, set }))) : null);
}

function asText(hit, holders, sources, set) {
  const { name } = hit.asset;
  const rest = hit.rest?.share_max > 0 ? t("rest", { share: share(hit.rest.share_min, hit.rest.share_max) }) : null;
  return el("details", { open: hit.chains.length <= FEW },
    el("summary", {}, t("chainText")),
    el("div", { class: "chain" },
      el("p", { class: "quiet small" }, t("chainHow")),
      el("ol", { "aria-label": t("chainOf", { asset: name }) }, holders.map((node) => entry(node, name, { sources, set }))),
      rest ? el("p", { class: "quiet" }, rest) : null));
}

/** The chain of one hit asset. `sources` are the answer's, by id; `set` changes the view. */
export function chainBlock(hit, sources, set) {
  const holders = chainTree(hit.chains);
  return el("div", {},
    el("h5", {}, t("chain", { asset: hit.asset.name })),
    holders.length ? [chainDrawing(hit), drawingKey([hit]), asText(hit, holders, sources, set)] : el("p", { class: "quiet" }, t("noChain")),
    (hit.warnings ?? []).map((text) => el("p", { class: "warning" }, t("warning", { text }))));
}
