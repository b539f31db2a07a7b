// Starts the page: the list first, then the map, so that the records are there even where no map can be drawn. What the
// list does not need is loaded once it is there.
import * as api from "./api.js";
import { createBrush } from "./brush.js";
import { createCountry, leaveSummary, showSummary } from "./country.js";
import { byId, el } from "./dom.js";
import { createFilters } from "./filters.js";
import { drawLanguages } from "./languages.js";
import { createList, focusRow } from "./list.js";
import { FEW, allRows, aroundView, sightAt, startView } from "./in-view.js";
import { createRowOf, foreseeRoles, load, loadFacets } from "./results.js";
import { createSearch } from "./search.js";
import { EVERYTHING } from "./selection.js";
import { drawChips, drawSentence, learnNames } from "./sentence.js";
import { createState } from "./state.js";
import { onScheme, paintPage } from "./style.js";
import { createSheet } from "./sheet.js";
import { createSide } from "./side.js";
import { createSkips } from "./skips.js";
import { counted, t } from "./text.js";
import { inSight, late, later, rest } from "./timing.js";
import { createWaiting } from "./waiting.js";

let shown = null; // what was loaded of the selection: { rows, counts, countries, roles }
let map = null;
let about = null; // what the server says of its data
let many = null; // what the map shows, or will show, where very many strikes are selected
let picked = null; // what the map was last given of a strike: { answer, view, row }
let selectedByReader = false;
let entityByReader = false;
let loading = new AbortController();

const state = createState(change);
const set = (changes, how) => {
  if (changes.strike) selectedByReader = true;
  if (changes.entity) entityByReader = true;
  state.set(changes, how);
};
const select = (id) => set({ strike: id, entity: null });
const sheet = createSheet();
const drawCountry = createCountry(set);
const filters = createFilters(set, () => drawFacets(state.now));
const waiting = createWaiting(() => drawHead(state.now));
const drawBrush = createBrush(set, () => waiting.isBusy);
let onMap; // called once the map is there, or a picture in its place
const list = createList(select, new Promise((done) => (onMap = done)));
const drawSide = createSide();
const showDetail = late(async () => (await import("./detail.js")).createDetail(set));
const showHoldings = late(async () => (await import("./holdings.js")).createHoldings(set));
const drawReuse = late(async () => (await import("./publish.js")).createReuse(() => state.now, () => map));
const drawKey = late(async () => (await import("./key.js")).drawKey);
const rowOf = createRowOf(() => shown?.rows);
const differs = (a, b, names) => names.some((name) => String(a?.[name]) !== String(b?.[name]));
const FILTERS = [...Object.keys(EVERYTHING), "basis"];

function drawHead(view) {
  drawChips(view, set);
  filters.head(view);
}

/** Load and draw what is selected, and where it is to be framed bring it into view; a change that comes meanwhile ends it. */
async function drawSelection(view, framed = false) {
  loading.abort();
  const { signal } = (loading = new AbortController());
  const follows = shown && waiting.isBusy;
  waiting.begin();
  if (!shown) drawHead(view);
  many = null;
  const onCounts = (counts) => !signal.aborted && counts.strikes > FEW && foresee(view, framed && counts.bbox);
  // It asks after what the list waits for, a browser having six connections to a server, and draws what came after it.
  queueMicrotask(() => drawBrush(view, waiting.listed));
  try {
    // Of changes that follow each other, as while the time range is dragged, the last is asked for.
    if (follows) await rest(signal);
    const again = () => !signal.aborted && drawSelection(state.now);
    const [loaded] = await Promise.all([load(view, signal, { changed: again, onCounts }), learnNames(view)]);
    if (signal.aborted) return;
    shown = loaded;
  } catch (error) {
    if (!signal.aborted) failed(error);
    return;
  }
  drawHead(state.now);
  drawCountry(shown, view);
  leaveSummary(view);
  list.draw(shown.rows, state.now);
  list.mark(state.now.strike);
  sheet.count(shown.counts.strikes);
  const sentence = drawSentence(shown.counts, view);
  document.body.classList.remove("starting");
  waiting.end("results", inSight(sentence));
  await waiting.listed;
  if (signal.aborted) return;
  drawReuse(shown.counts.strikes);
  drawFacets(view);
  await drawOnMap(view, signal, framed && shown.counts.bbox, drawKey(view));
}

async function drawFacets(view) {
  if (!filters.open) return;
  const { signal } = loading;
  const facets = await loadFacets(view, signal).catch(() => null);
  if (facets && !signal.aborted) filters.body(facets, view);
}

const mapTrouble = () => (byId("map-trouble").textContent = t("mapFailed"));

// Very many are asked for once they are counted, also ahead of the map, unless that is to be brought to another place.
function foresee(view, box) {
  const mine = (many = aroundView(view, mapTrouble));
  if (map) map.foresee?.(mine, box);
  else if (view.map || !isChosen(view)) waiting.listed.then(() => mine === many && mine.want(...sightAt(view.map ?? startView())));
}

// Few strikes are drawn from their rows; of more those in view, as the server puts them together.
async function drawOnMap(view, signal, box, key) {
  const { rows, counts } = shown, all = rows.total <= FEW ? rows.all().catch(() => null) : null;
  if (!map) return waiting.end("map-frame");
  await waiting.listed; // without a graphics card a map that moves holds up all else
  const [every] = await Promise.all([all, box && key]); // strikes are brought into view beside what the key covers
  if (signal.aborted) return;
  if (every && state.now.strike) list.mark(state.now.strike); // which may not have been among the first rows
  await map.show(every ? allRows(every) : (many ??= aroundView(view, mapTrouble)), view, box);
  if (signal.aborted) return;
  map.open?.(box === null ? view.asset : null); // a site that no strike hit
  byId("map-frame").setAttribute("aria-label", counted("mapOf", counts.strikes - counts.unplaced));
  waiting.end("map-frame");
}

async function drawDetail(view, before) {
  const isNew = view.strike && view.strike !== before?.strike;
  const focus = Boolean(isNew && selectedByReader);
  const move = Boolean(isNew && (selectedByReader || !view.map));
  selectedByReader = false;
  const row = await rowOf(view);
  if (view.strike !== state.now.strike) return null;
  const answer = await showDetail(view, row ?? undefined, { focus });
  map?.resize();
  picked = { answer: answer ?? null, view, row: row ?? undefined };
  map?.pick(picked.answer, { ...picked, move });
  return answer;
}

// Holdings are those of the last day the strike may have been on.
async function drawEntity(view) {
  const focus = entityByReader;
  entityByReader = false;
  const row = view.entity ? await rowOf(view) : null;
  if (view.entity === state.now.entity) showHoldings(view, row?.day_last ?? null, { focus });
}

/** Whether a view is of what somebody has, or of words: that is brought into view. */
const isChosen = (view) => (view.country || view.owner || view.asset || view.q) && !view.strike;

function change(view, before) {
  if (differs(view, before, ["strike", "entity"])) drawSide(view);
  const chosen = isChosen(view) && differs(view, before, ["country", "role", "owner", "asset", "q"]);
  if (differs(view, before, FILTERS)) drawSelection(view, chosen);
  if (differs(view, before, [...FILTERS, "minority"])) waiting.listed.then(() => showSummary(state.now)); // whose list may be there before
  if ((view.strike || before?.strike) && differs(view, before, ["strike", "country", "basis", "minority"])) drawDetail(view, before);
  if (differs(view, before, ["strike", "entity"])) drawEntity(view);
  if (view.strike !== before?.strike) list.mark(view.strike);
  if (before?.strike && !view.strike) focusRow(before.strike);
  if (view.map && differs(view, before, ["map"]) && !moving) map?.go(view.map);
}

let moving = false;
function moved(place) {
  moving = true;
  state.set({ map: place }, { step: false });
  moving = false;
}

// Without WebGL, or once the browser has taken it away, a still picture stands in for the map.
async function noMap(error) {
  document.body.dataset.map = "off";
  map?.remove();
  const note = Object.assign(byId("map-note"), { hidden: false, title: String(error?.message ?? error) });
  note.replaceChildren(t("mapOff"), " ", el("button", { type: "button", class: "plain", onclick: () => location.reload() }, t("retry")));
  if (api.FILES) return void (map = null); // a server draws the picture
  const { createStillMap } = await import("./still-map.js");
  map = createStillMap({ view: state.now, onSelect: select, onMove: moved });
  if (shown) drawOnMap(state.now, loading.signal);
  if (picked) map.pick(picked.answer, { ...picked, move: false });
}

async function startMap() {
  try {
    const note = Object.assign(byId("map-note"), { hidden: false, textContent: t("mapLoading") });
    const { createMap } = await import("./map.js");
    const headline = async (id) => `${(await api.attribution(id, state.now)).headline}.`;
    map = await createMap({ view: state.now, headline, onSelect: select, onMove: moved, onTrouble: mapTrouble, onLost: noMap });
    if (shown) await drawOnMap(state.now, loading.signal, !state.now.map && isChosen(state.now) && shown.counts.bbox);
    await map.ready;
    if (document.body.dataset.map === "off") return; // it was lost meanwhile
    note.hidden = true;
    document.body.dataset.ready = "1";
  } catch (error) {
    await noMap(error);
  }
}

function failed(error) {
  document.body.classList.remove("starting");
  waiting.end("results");
  waiting.end("map-frame");
  const again = el("button", { type: "button", class: "plain", onclick: () => drawSelection(state.now) }, t("retry"));
  byId("count").replaceChildren(t("failed", { why: error.message }), " ", again);
}

async function credit() {
  about = await api.about().catch(() => null);
  (await import("./credit.js")).drawCredit(about, () => state.now);
}

async function start() {
  paintPage();
  onScheme(paintPage);
  byId("tagline").textContent = t("tagline");
  drawLanguages(byId("languages"));
  byId("map-frame").setAttribute("aria-label", t("mapFrame"));
  byId("count").textContent = t("loading");
  createSearch(set);
  addEventListener("keydown", escape);
  createSkips(sheet, () => focusRow(state.now.strike));
  const first = state.now;
  drawSide(first);
  await drawSelection(first);
  showSummary(state.now).then(() => state.now.strike && list.mark(state.now.strike)); // above which the card came to be
  credit();
  // What the reader opened meanwhile is drawn already, and has their focus.
  if (first.entity && state.now.entity === first.entity) drawEntity(first);
  const detail = first.strike && state.now.strike === first.strike ? drawDetail(state.now, null) : null;
  import("./print.js").then(({ preparePrint }) => preparePrint({ map: () => map, about: () => about, now: () => state.now }));
  await startMap();
  onMap();
  later(() => foreseeRoles(state.now));
  await detail;
  if (picked?.answer) map?.pick(picked.answer, { ...picked, move: !state.now.map, smooth: false });
}

// Escape closes what lies on top: the holdings, the record, then the sheet.
function escape(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (state.now.entity) set({ entity: null });
  else if (state.now.strike) set({ strike: null });
  else sheet.show(false);
}

start();
