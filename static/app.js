// Starts the page: the list first, then the map, so that the records are there even where no map can be drawn.
import * as api from "./api.js";
import { createBrush } from "./brush.js";
import { createCountry, showSummary } from "./country.js";
import { createDetail } from "./detail.js";
import { byId, el } from "./dom.js";
import { matching } from "./filter.js";
import { createFilters } from "./filters.js";
import { drawKey } from "./key.js";
import { createHoldings } from "./holdings.js";
import { createList, focusRow, markRow } from "./list.js";
import { createState } from "./state.js";
import { onScheme, paintPage } from "./style.js";
import { createSheet } from "./sheet.js";
import { createSide } from "./side.js";
import { t } from "./text.js";

let rows = [];
let map = null;
let selectedByReader = false;
let entityByReader = false;

const state = createState(change);
const set = (changes, how) => {
  if (changes.strike) selectedByReader = true;
  if (changes.entity) entityByReader = true;
  state.set(changes, how);
};
const select = (id) => set({ strike: id, entity: null });

const sheet = createSheet();
const drawCountry = createCountry(set);
const drawFilters = createFilters(set);
const drawBrush = createBrush(set);
const drawList = createList(select);
const showDetail = createDetail(set);
const drawSide = createSide();
const showHoldings = createHoldings(set);

const rowOf = (id) => rows.find((row) => row.id === id);
const differs = (a, b, names) => names.some((name) => String(a?.[name]) !== String(b?.[name]));
const FILTERS = ["country", "role", "min_share", "kinds", "status", "from", "to"];

function drawRows(view) {
  const shown = matching(rows, view);
  drawCountry(matching(rows, view, "country"), view);
  drawFilters(rows, view);
  drawBrush(rows, matching(rows, view, "time"), view);
  drawList(shown, rows.length, view);
  map?.show(shown, view);
  drawKey(view);
  sheet.count(shown.length);
}

async function drawDetail(view, before) {
  const opened = view.strike && view.strike !== before?.strike;
  const focus = Boolean(opened && selectedByReader);
  const answer = await showDetail(view, rowOf(view.strike), { focus });
  map?.resize();
  map?.pick(answer ?? null, { view, row: rowOf(view.strike), move: Boolean(opened && (selectedByReader || !view.map)) });
  selectedByReader = false;
  return answer;
}

// Holdings are those of the last day the strike may have been on.
function drawEntity(view) {
  showHoldings(view, rowOf(view.strike)?.day_last ?? null, { focus: entityByReader });
  entityByReader = false;
}

function change(view, before) {
  if (differs(view, before, ["strike", "entity"])) drawSide(view);
  if (differs(view, before, FILTERS)) drawRows(view);
  if (view.country && !view.strike && differs(view, before, ["country", "role"])) map?.frame();
  if (differs(view, before, ["country", "role", "basis", "minority", "from", "to"])) showSummary(view);
  if (differs(view, before, ["strike", "country", "basis", "minority"])) drawDetail(view, before);
  if (differs(view, before, ["strike", "entity"])) drawEntity(view);
  if (view.strike !== before?.strike) markRow(view.strike);
  if (before?.strike && !view.strike) focusRow(before.strike);
  if (view.map && differs(view, before, ["map"]) && !moving) map?.go(view.map);
}

let moving = false;
function moved(place) {
  moving = true;
  state.set({ map: place }, { step: false });
  moving = false;
}

function noMap(error) {
  document.body.dataset.map = "off";
  const note = byId("map-note");
  note.hidden = false;
  note.textContent = t("mapOff");
  note.title = String(error?.message ?? error);
}

async function startMap() {
  try {
    const trouble = () => (byId("map-trouble").textContent = t("mapFailed"));
    const { createMap } = await import("./map.js");
    const headline = async (id) => `${(await api.attribution(id, state.now)).headline}.`;
    map = await createMap({ view: state.now, headline, onSelect: select, onMove: moved, onTrouble: trouble });
    map.show(matching(rows, state.now), state.now);
    await map.ready;
    document.body.dataset.ready = "1";
  } catch (error) {
    noMap(error);
  }
}

function failed(error) {
  const again = el("button", { type: "button", class: "plain", onclick: () => location.reload() }, t("retry"));
  byId("count").replaceChildren(t("failed", { why: error.message }), " ", again);
}

async function credit() {
  const about = await api.about().catch(() => null);
  const told = [about?.attribution, t("credit")].filter(Boolean).join(". ");
  byId("credit").replaceChildren(told, ". ", el("a", { href: "connect" }, t("connect")), " · ",
    el("a", { href: "corrections?f=html" }, t("corrections")), " · ", el("a", { href: "policy?f=html" }, t("policy")));
}

async function start() {
  paintPage();
  onScheme(paintPage);
  byId("tagline").textContent = t("tagline");
  byId("map-frame").setAttribute("aria-label", t("mapFrame"));
  byId("count").textContent = t("loading");
  addEventListener("keydown", escape);
  document.querySelector(".skip").addEventListener("click", skip);
  try {
    rows = await api.strikes();
  } catch (error) {
    failed(error);
    return;
  }
  drawRows(state.now);
  showSummary(state.now);
  credit();
  drawSide(state.now);
  drawEntity(state.now);
  const detail = drawDetail(state.now, null);
  await startMap();
  const answer = await detail;
  if (answer) map?.pick(answer, { view: state.now, row: rowOf(state.now.strike), move: !state.now.map, smooth: false });
}

// The address after # is the view's, so the link's own jump must not replace it.
function skip(event) {
  event.preventDefault();
  sheet.show(true);
  focusRow(state.now.strike);
}

// Escape closes what lies on top: the holdings, the record, then the sheet.
function escape(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (state.now.entity) set({ entity: null });
  else if (state.now.strike) set({ strike: null });
  else sheet.show(false);
}

start();
