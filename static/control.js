// "Who controlled it": the second answer, apart from the shares: who held more than half at every step, or is declared to.
import { el, joined, outward } from "./dom.js";
import { spanWords } from "./edtf.js";
import { entityButton } from "./entity.js";
import { countryName, share } from "./figures.js";
import { foldedList } from "./folds.js";
import { t, word } from "./text.js";

const FEW_ASSETS = 5;

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

/** Who it was, and the steps down to the asset; or that it was nobody for sure. */
function told(control, name, sources, set) {
  if (!control) return el("p", { class: "controller nobody" }, t("controlNobody"));
  return [controller(control, set),
    el("ol", { "aria-label": t("controlSteps", { asset: name }) }, control.steps.map((row) => step(row, sources, set)))];
}

/** Control on some of the days that the strike may have been on. */
function onDays({ first, last, control }, name, { strike, sources }, set) {
  return el("li", {}, el("p", { class: "span" }, spanWords(first, last, strike)), told(control, name, sources, set));
}

function ofAsset({ asset, control, control_days: spans }, answer, set) {
  const differs = spans.length > 1;
  return el("li", {},
    answer.assets.length > 1 ? el("h4", {}, asset.name) : null,
    differs
      ? [el("p", {}, t("controlDiffers")),
        el("ul", { class: "spans" }, spans.map((span) => onDays(span, asset.name, answer, set)))]
      : told(control, asset.name, answer.sources, set));
}

/** The block of control; null where no asset is known. */
export function controlBlock(answer, set) {
  if (!answer.assets.length) return null;
  return el("section", { class: "control", "aria-labelledby": "control" },
    el("h3", { id: "control" }, t("control")),
    el("p", { class: "quiet" }, t("controlWhy")),
    foldedList("ul", {}, answer.assets, (hit) => ofAsset(hit, answer, set), FEW_ASSETS));
}
