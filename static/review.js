// Starts the review page: signs in, walks the queue, saves decisions.
import { byId, el } from "./dom.js";
import * as api from "./review-api.js";
import { drawCase, missing } from "./review-case.js";
import { keysHelp, listen } from "./review-keys.js";
import * as pairs from "./review-pairs.js";
import { drawQueue } from "./review-queue.js";
import { onScheme, paintPage } from "./style.js";
import { strikeTitle, t } from "./text.js";

const MOST = 200;

let rows = [];
let waiting = 0;
let answer = null; // of the strike that is open
let last = null; // {strike, title, id} of the decision made last, for undoing
let map = null;
let atPairs = false; // whether duplicates are shown, and not strikes

const say = (text) => (byId("said").textContent = text);
const current = () => answer?.strike.id ?? null;
const draw = () => drawQueue({ rows, waiting, current: current() }, (id) => tried(open(id)));

// A number before each name on the map, as in the list of candidates; the chosen one is tied to the strike by a full line.
function drawMap(chosen) {
  const assets = answer.candidates.map((row, i) => ({
    asset: { geometry: row.geometry, name: `${i + 1} ${row.name}` }, sure: row.asset === chosen,
  }));
  map?.pick({ strike: answer.strike, assets }, { move: !chosen, glide: false });
}

async function open(id, { focus = true } = {}) {
  answer = await api.strike(id);
  drawCase(answer, { save: (values) => tried(save(values)), undo: (decision) => tried(undo(id, strikeTitle(answer.strike), decision)), chosen: drawMap });
  draw();
  drawMap();
  if (focus) byId("case-title").focus({ preventScroll: true });
  byId("case").scrollTop = 0;
}

async function load() {
  const told = await api.queue(MOST);
  rows = told.queue;
  waiting = told.numberMatched;
  draw();
}

function step(by) {
  if (atPairs) return pairs.step(by, { tried, say });
  const at = rows.findIndex((row) => row.strike === current());
  const next = rows[at + by];
  if (next) tried(open(next.strike));
}

async function save(values) {
  const lacks = missing(values);
  byId("fault").textContent = lacks ? t(lacks) : "";
  if (lacks) return byId(lacks === "needWhy" ? "why" : "decision").focus();
  const { id } = answer.strike;
  const title = strikeTitle(answer.strike);
  say(t("saving"));
  const made = await api.decide({ strike: id, seen: answer.seen, ...values });
  last = { strike: id, title, id: made.decision.id };
  say(t("saved", { title, verdict: values.verdict }));
  const at = rows.findIndex((row) => row.strike === id);
  if (at >= 0 && values.verdict !== "unsure" && values.verdict !== "possible") {
    rows = rows.toSpliced(at, 1);
    waiting -= 1;
  }
  const next = rows[values.verdict === "unsure" || values.verdict === "possible" ? at + 1 : at] ?? rows[0];
  await open(next?.strike ?? id);
}

async function undo(strike, title, decision) {
  const { seen } = current() === strike ? answer : await api.strike(strike);
  await api.decide({ strike, verdict: "undone", undoes: decision, why: t("undoWhy"), seen });
  last = null;
  say(t("undone", { title }));
  await load();
  await open(strike);
}

// Whatever the server refuses is said; after a conflict the newer decision is shown and what was written is kept.
async function tried(work) {
  try {
    await work;
  } catch (error) {
    if (error.status === 401) return signOut(error.message);
    if (error.status !== 409 || atPairs) return say(t("reviewFailed", { why: error.message }));
    const written = byId("why")?.value ?? "";
    await open(current(), { focus: false });
    byId("why").value = written;
    byId("fault").textContent = t("conflict");
  }
}

function signOut(why = "") {
  api.token.drop();
  atPairs = false;
  [rows, answer] = [[], null];
  byId("queue").hidden = byId("map-frame").hidden = true;
  byId("review-tools").replaceChildren(el("a", { href: "map", class: "plain" }, t("backToMap")));
  const field = el("input", { id: "token", type: "password", autocomplete: "off", required: true, "aria-describedby": "token-why" });
  const form = el("form", { id: "sign-in" },
    el("p", {}, t("reviewTagline")),
    el("label", { for: "token" }, t("token")), field,
    el("p", { id: "token-why", class: "quiet small" }, t("tokenWhy")),
    el("p", { role: "alert" }, why),
    el("button", { type: "submit", class: "plain primary" }, t("signIn")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    api.token.set(field.value.trim());
    tried(begin());
  });
  byId("case").replaceChildren(form);
  field.focus();
}

async function startMap() {
  try {
    const { createMap } = await import("./map.js");
    const nothing = () => {};
    map = await createMap({ view: { map: null }, onSelect: nothing, onMove: nothing, onTrouble: nothing });
    await map.ready;
  } catch {
    byId("map-note").hidden = false;
    byId("map-note").textContent = t("mapOff");
  }
}

async function toPairs() {
  atPairs = true;
  answer = null;
  byId("map-frame").hidden = true;
  drawTools();
  await pairs.begin({ tried, say });
}

async function toStrikes() {
  atPairs = false;
  await begin();
}

function drawTools() {
  const other = atPairs ? [toStrikes, "strikesTool"] : [toPairs, "pairsTool"];
  byId("review-tools").replaceChildren(keysHelp(),
    el("button", { type: "button", class: "plain", onclick: () => tried(other[0]()) }, t(other[1])),
    el("a", { href: "map", class: "plain" }, t("backToMap")),
    el("button", { type: "button", class: "plain", onclick: () => signOut() }, t("signOut")));
}

async function begin() {
  await load();
  byId("map-frame").hidden = false;
  byId("map-frame").setAttribute("aria-label", t("mapFrame"));
  drawTools();
  if (rows.length) await open(rows[0].strike);
  else byId("case").replaceChildren(el("p", {}, t("queueEmpty")));
  if (!map) await startMap();
  if (answer) drawMap();
  document.body.dataset.ready = "1";
}

function start() {
  paintPage();
  onScheme(paintPage);
  listen({
    next: () => step(1), previous: () => step(-1),
    save: () => byId("decision")?.requestSubmit(), undo: () => last && !atPairs && tried(undo(last.strike, last.title, last.id)),
  });
  if (api.token.get()) tried(begin());
  else signOut();
}

start();
