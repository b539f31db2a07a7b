// One strike for a reviewer: what the reports say, the candidates with their reasons, and the form to decide with.
import { facts, whenAndWhere } from "./detail.js";
import { byId, el, joined } from "./dom.js";
import { whenWords } from "./edtf.js";
import { claimsBlock, sourcesBlock } from "./evidence.js";
import { chance, countryName, length } from "./figures.js";
import { strikeTitle, t, word } from "./text.js";

/** The verdicts a reviewer may give, with the key of each. */
export const VERDICTS = [
  ["confirmed", "verdictdoConfirmed", "c"],
  ["possible", "verdictdoPossible", "p"],
  ["none", "verdictdoNone", "n"],
  ["unsure", "verdictdoUnsure", "u"],
  ["not-a-strike", "verdictdoNotAStrike", "x"],
];
/** Verdicts that are about an asset. */
export const NAMES_AN_ASSET = new Set(["confirmed", "possible"]);
const KEYED = 9;

function reason({ detail, name, weight }) {
  const sign = weight > 0 ? "+" : "−";
  return el("li", {}, detail || name, " ", el("span", { class: "weight" }, `${sign}${Math.abs(weight).toFixed(1)}`));
}

function candidate(row, i) {
  const about = joined([word("kind", row.kind), row.host_country && countryName(row.host_country),
    row.distance_m !== null && t("kmApart", { distance: length(row.distance_m) })].filter(Boolean));
  return el("li", { class: "candidate" },
    el("label", {},
      el("input", { type: "radio", name: "asset", value: row.asset }),
      i < KEYED ? el("kbd", { "aria-hidden": "true" }, String(i + 1)) : null,
      el("span", {}, el("b", {}, row.name), el("span", { class: "quiet" }, ...about)),
      el("span", { class: "chance" }, chance(row.probability))),
    el("details", { open: i === 0 },
      el("summary", {}, t("reasons")), el("ul", { class: "reasons quiet" }, row.reasons.map(reason))));
}

function candidates(answer) {
  return el("fieldset", { class: "candidates" },
    el("legend", {}, t("candidates")),
    answer.candidates.length ? el("ol", {}, answer.candidates.map(candidate)) : el("p", {}, t("noCandidate")),
    el("p", { class: "quiet" }, `${t("noneOfThese")}: ${chance(answer.none_probability)}`),
    answer.more_candidates ? el("p", { class: "quiet small" }, t("candidatesMore", { n: answer.more_candidates })) : null);
}

function verdicts() {
  return el("fieldset", { class: "verdicts" },
    el("legend", {}, t("verdictLegend")),
    VERDICTS.map(([value, name, key]) => el("label", {},
      el("input", { type: "radio", name: "verdict", value }), el("kbd", { "aria-hidden": "true" }, key), el("span", {}, t(name)))));
}

function grounds() {
  return el("div", { class: "grounds" },
    el("label", { for: "why" }, t("why")),
    el("textarea", { id: "why", name: "why", rows: "3", maxlength: "2000", "aria-describedby": "why-hint" }),
    el("p", { id: "why-hint", class: "quiet small" }, t("whyHint")),
    el("p", { id: "fault", role: "alert" }),
    el("button", { type: "submit", class: "plain primary" }, t("save")));
}

function decided(answer, undo) {
  if (!answer.decisions.length) return null;
  const undone = new Set(answer.decisions.map((one) => one.undoes));
  const name = (id) => answer.candidates.find((row) => row.asset === id)?.name ?? id;
  const line = (one) => el("li", {},
    t("decisionLine", { verdict: word("decisionverdict", one.verdict), who: one.who, when: whenWords(one.when) }),
    one.asset ? [" · ", name(one.asset)] : null, el("p", { class: "quiet" }, one.why),
    undone.has(one.id) || one.verdict === "undone" ? null
      : el("button", { type: "button", class: "plain", onclick: () => undo(one.id) }, t("undo")));
  return el("section", { class: "decided", "aria-labelledby": "decided" },
    el("h3", { id: "decided" }, t("decisionsSoFar")), el("ol", {}, answer.decisions.map(line)));
}

/** Show a strike's answer. `save` is told {verdict, asset, why}; `undo` the id of a decision; `chosen` an asset. */
export function drawCase(answer, { save, undo, chosen }) {
  const form = el("form", { id: "decision" }, candidates(answer), verdicts(), grounds());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(said(form));
  });
  form.addEventListener("change", ({ target }) => target.name === "asset" && chosen(target.value));
  const title = el("h2", { id: "case-title", tabindex: "-1" }, strikeTitle(answer.strike));
  byId("case").replaceChildren(
    answer.strike.private ? el("header", {}, title, el("p", { class: "private" }, t("private"))) : title,
    el("div", { class: "case-body" },
      el("section", { class: "reads detail-body", "aria-labelledby": "reads" },
        el("h3", { id: "reads" }, t("reads")),
        whenAndWhere(answer), facts(answer), claimsBlock(answer), sourcesBlock(answer)),
      el("div", { class: "deciding" }, form, decided(answer, undo))));
}

/** What the form says now. */
export function said(form) {
  const data = new FormData(form);
  const verdict = data.get("verdict");
  return { verdict, asset: NAMES_AN_ASSET.has(verdict) ? data.get("asset") : null, why: (data.get("why") ?? "").trim() };
}

/** What is missing before it can be saved: the name of a text, or null. */
export function missing({ verdict, asset, why }) {
  if (!verdict) return "needVerdict";
  if (NAMES_AN_ASSET.has(verdict) && !asset) return "needAsset";
  return why ? null : "needWhy";
}
