// Duplicates for a reviewer: pairs of records that may be one, both side by side with the reasons, and the judgement.
import { byId, el, joined } from "./dom.js";
import { whenWords } from "./edtf.js";
import { chance, countryName, length } from "./figures.js";
import * as api from "./review-api.js";
import { counted, strikeTitle, t, word } from "./text.js";

const MOST = 200;
const TABLES = ["assets", "strikes", "entities"];

let table = TABLES[0];
let [rows, waiting, current, last] = [[], 0, null, null];

const nameOf = (side) => (side.title ? strikeTitle(side) : side.name);
const key = (row) => `${row.one.id} ${row.other.id}`;

function line(row, act) {
  return el("li", {},
    el("button", { type: "button", "aria-current": row === current ? "true" : null, onclick: () => act.tried(open(row, act)) },
      el("b", {}, nameOf(row.one)), el("span", {}, nameOf(row.other)),
      el("span", { class: "quiet" }, ...joined([chance(row.score),
        row.distance_m !== null && t("kmApart", { distance: length(row.distance_m) })].filter(Boolean)))));
}

function drawList(act) {
  const place = byId("queue");
  place.hidden = false;
  place.setAttribute("aria-label", t("pairsLabel"));
  const choice = el("select", { id: "pairs-table", onchange: () => act.tried(begin(act, choice.value)) },
    TABLES.map((one) => el("option", { value: one, selected: one === table }, t(`pairs${one}`))));
  const shown = rows.length < waiting ? ` · ${t("queueShown", { n: rows.length })}` : "";
  place.replaceChildren(
    el("p", { class: "queue-count" }, el("label", { for: "pairs-table" }, t("pairsOf")), " ", choice, " ",
      waiting ? counted("pairsCount", waiting) + shown : t("pairsEmpty")),
    el("ol", {}, rows.map((row) => line(row, act))));
}

function side(record) {
  const others = [...Object.values(record.names ?? {}), ...(record.aliases ?? [])];
  const kind = record.kind ? word("kind", record.kind) : null;
  const facts = [
    [t("pairsId"), record.id],
    [t("pairsNames"), others.join(" · ")],
    [t("pairsKind"), [kind, record.type, record.commodity].filter(Boolean).join(", ")],
    [t("pairsWhen"), record.when && whenWords(record.when)],
    [t("pairsPlace"), [record.place, record.region, record.host_country && countryName(record.host_country),
      record.registered_in && countryName(record.registered_in)].filter(Boolean).join(", ")],
    [t("pairsUnsure"), record.uncertainty_m === null || record.uncertainty_m === undefined ? null : length(record.uncertainty_m)],
    [t("pairsCapacity"), record.capacity ? `${record.capacity} ${record.capacity_unit ?? ""}`.trim() : null],
    [t("pairsTargets"), (record.targets ?? []).join(" · ")],
    [t("pairsIds"), Object.entries(record.external_ids ?? {}).map((pair) => pair.join(" ")).join(" · ")],
    [t("pairsSources"), [...new Set((record.sources ?? []).map((source) => source.publisher))].join(" · ")],
  ].filter(([, value]) => value);
  return el("section", { class: "pair-side" },
    el("h3", {}, nameOf(record)), record.private ? el("p", { class: "private" }, t("private")) : null,
    el("dl", {}, facts.map(([name, value]) => [el("dt", { class: "quiet" }, name), el("dd", {}, value)])));
}

function reason({ detail, name, weight }) {
  const sign = weight > 0 ? "+" : "−";
  return el("li", {}, detail || name, weight === null ? null : [" ", el("span", { class: "weight" }, `${sign}${Math.abs(weight).toFixed(1)}`)]);
}

function takenBack(act) {
  if (!last) return null;
  return el("p", {}, t("pairsLast", last.words), " ",
    el("button", { type: "button", class: "plain", onclick: () => act.tried(undo(act)) }, t("undo")));
}

async function open(row, act) {
  current = row;
  drawList(act);
  const title = el("h2", { id: "case-title", tabindex: "-1" }, t("pairsTitle"));
  if (!row) return byId("case").replaceChildren(title, el("p", {}, t("pairsEmpty")), takenBack(act) ?? "");
  const form = el("form", { id: "decision", class: "grounds" },
    el("label", { for: "why" }, t("why")),
    el("textarea", { id: "why", name: "why", rows: "3", maxlength: "2000", "aria-describedby": "why-hint" }),
    el("p", { id: "why-hint", class: "quiet small" }, t("whyHint")),
    el("p", { id: "fault", role: "alert" }),
    el("button", { type: "submit", class: "plain primary", value: "same" }, t("pairsSame")), " ",
    el("button", { type: "submit", class: "plain", value: "different" }, t("pairsDifferent")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // A key alone does not say which of the two it is.
    if (event.submitter) act.tried(save(event.submitter.value, byId("why").value.trim(), act));
  });
  byId("case").replaceChildren(title, takenBack(act) ?? "",
    el("div", { class: "case-body" },
      el("div", { class: "pair" }, side(row.one), side(row.other)),
      el("div", { class: "deciding" },
        el("p", {}, `${t("pairsScore")}: ${chance(row.score)}`),
        el("ul", { class: "reasons quiet" }, row.reasons.map(reason)),
        el("p", { class: "quiet small" }, t("pairsKept", { name: nameOf(row.one) })), form)));
  title.focus({ preventScroll: true });
}

async function save(verdict, why, act) {
  byId("fault").textContent = why ? "" : t("needWhy");
  if (!why) return byId("why").focus();
  const { one, other } = current;
  act.say(t("saving"));
  await api.judge({ one: one.id, other: other.id, verdict, why });
  const words = { one: nameOf(one), other: nameOf(other), verdict: t(verdict === "same" ? "pairsSame" : "pairsDifferent") };
  last = { pair: [one.id, other.id], words };
  act.say(t("pairsLast", words));
  await reloaded(act, key(current));
}

async function undo(act) {
  const [one, other] = last.pair;
  await api.judge({ one, other, verdict: "undone", why: t("undoWhy") });
  act.say(t("undone", { title: `${last.words.one}, ${last.words.other}` }));
  last = null;
  await reloaded(act, `${one} ${other}`);
}

// The pair that is named, else that in its place, else the first: what was judged is gone, and others may be with it.
async function reloaded(act, named) {
  const at = rows.findIndex((row) => key(row) === named);
  await fetched();
  await open(rows.find((row) => key(row) === named) ?? rows[at] ?? rows[0] ?? null, act);
}

async function fetched() {
  const told = await api.duplicates(table, MOST);
  [rows, waiting] = [told.pairs, told.numberMatched];
}

/** Show the pairs of a collection; `act` has tried (awaits, and says what failed) and say. */
export async function begin(act, chosen = table) {
  table = chosen;
  await fetched();
  await open(rows[0] ?? null, act);
}

/** Go to the next or an earlier pair. */
export function step(by, act) {
  const next = rows[rows.indexOf(current) + by];
  if (next) act.tried(open(next, act));
}
