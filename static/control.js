// "Who controlled it": the second answer, apart from the shares: who held more than half at every step, or is declared to.
import { el, joined, outward } from "./dom.js";
import { entityButton } from "./entity.js";
import { countryName, share } from "./figures.js";
import { t, word } from "./text.js";

function holders(list, set) {
  const names = joined(list.map((holder) => entityButton(holder.entity, holder.name, set)), t("and"));
  return el("b", {}, ...names);
}

function step(row, sources, set) {
  const gaps = { share: share(row.share_min, row.share_max), owned: row.name };
  const held = row.share_max > 0 ? t(row.holders.length > 1 ? "holdTogether" : "holds", gaps) : t("controls", { owned: row.name });
  const declared = row.declared.length ? t("declared", { kinds: row.declared.map((kind) => word("control", kind)).join(", ") }) : null;
  const links = row.sources.filter((id) => sources[id]).map((id) => outward(sources[id].url, t("source", { name: sources[id].publisher })));
  return el("li", {}, holders(row.holders, set), " ", held,
    el("span", { class: "step-proof quiet" }, ...joined([declared, ...links])));
}

function controller(control, set) {
  const reach = t(`controlreach${control.reach}`);
  const country = control.reach === "state" ? null : control.country ? countryName(control.country) : t("countryUnknown");
  return el("p", { class: "controller" }, el("b", {}, entityButton(control.entity, control.name, set)), ", ",
    el("span", { class: "quiet" }, ...joined([country, reach], ", ")));
}

function ofAsset({ asset, control }, answer, set) {
  return el("li", {},
    answer.assets.length > 1 ? el("h4", {}, asset.name) : null,
    control
      ? [controller(control, set),
        el("ol", { "aria-label": t("controlSteps", { asset: asset.name }) }, control.steps.map((row) => step(row, answer.sources, set)))]
      : el("p", { class: "controller nobody" }, t("controlNobody")));
}

/** The block of control; null where no asset is known. */
export function controlBlock(answer, set) {
  if (!answer.assets.length) return null;
  return el("section", { class: "control", "aria-labelledby": "control" },
    el("h3", { id: "control" }, t("control")),
    el("p", { class: "quiet" }, t("controlWhy")),
    el("ul", {}, answer.assets.map((hit) => ofAsset(hit, answer, set))));
}
