// The ownership chain of one asset as nested lists: asset, its holders, their holders, up to a state or company.
import { el, joined, outward } from "./dom.js";
import { countryName, share } from "./figures.js";
import { whenWords } from "./edtf.js";
import { t, word } from "./text.js";

const MARK = { read: "✓", excerpt: "◐", unverified: "○" };

/** Merge chains that begin alike: a tree of {step, ends, children} below the asset. */
function tree(chains) {
  const root = { children: new Map() };
  for (const chain of chains) {
    let node = root;
    for (const step of chain.steps) {
      const key = `${step.owner}|${step.share_min}|${step.share_max}|${step.since}`;
      if (!node.children.has(key)) node.children.set(key, { step, ends: [], children: new Map() });
      node = node.children.get(key);
    }
    if (node !== root) node.ends.push(chain);
  }
  return [...root.children.values()];
}

function dates({ since, until }) {
  if (since && until) return t("sinceUntil", { since: whenWords(since), until: whenWords(until) });
  if (since) return t("sinceOnly", { since: whenWords(since) });
  return until ? t("untilOnly", { until: whenWords(until) }) : null;
}

function proof(step, sources) {
  const source = sources[step.source];
  const mark = el("span", { class: `checked ${step.checked}` },
    el("span", { "aria-hidden": "true" }, `${MARK[step.checked] ?? ""} `), word("checked", step.checked));
  const link = source ? outward(source.url, t("source", { name: source.publisher })) : null;
  return el("span", { class: "step-proof quiet" }, ...joined([dates(step), mark, link]));
}

function end(chain) {
  const part = share(chain.share_min, chain.share_max);
  const why = chain.reason ?? t(`reach${chain.reach}`);
  const text = chain.country ? t("counts", { share: part, country: countryName(chain.country), why }) : t("countsToNobody", { share: part, why });
  return el("span", { class: `end ${chain.reach}` }, text);
}

function entry(node, ownedName, sources) {
  const { step } = node;
  const children = [...node.children.values()];
  const held = t("holds", { share: share(step.share_min, step.share_max), owned: ownedName });
  const where = step.country && step.type !== "state" ? `, ${countryName(step.country)}` : "";
  return el("li", {},
    el("div", { class: "step" },
      el("b", {}, step.name), where, " ",
      el("span", { class: "step-share" }, held),
      proof(step, sources),
      step.note ? el("span", { class: "step-note quiet" }, step.note) : null,
      node.ends.map(end)),
    children.length ? el("ol", {}, children.map((child) => entry(child, step.name, sources))) : null);
}

/** The chain of one hit asset. `sources` are the answer's, by id. */
export function chainBlock(hit, sources) {
  const { name } = hit.asset;
  const holders = tree(hit.chains);
  const rest = hit.rest?.share_max > 0 ? t("rest", { share: share(hit.rest.share_min, hit.rest.share_max) }) : null;
  return el("div", { class: "chain" },
    el("h5", {}, t("chain", { asset: name })),
    holders.length
      ? el("ol", { "aria-label": t("chainOf", { asset: name }) }, holders.map((node) => entry(node, name, sources)))
      : el("p", { class: "quiet" }, t("noChain")),
    rest && holders.length ? el("p", { class: "quiet" }, rest) : null,
    (hit.warnings ?? []).map((text) => el("p", { class: "warning" }, t("warning", { text }))));
}
