// The key on the map: what colour, shape, outline and place mean in the view, drawn by what draws the map.
import { FILES, about } from "./api.js";
import { CREDIT } from "./basemap.js";
import { byId, el } from "./dom.js";
import { countryName } from "./figures.js";
import { lookOf } from "./marks.js";
import { OPEN_DASH, TABLE, lineSymbol, onScheme, openSiteSymbol } from "./style.js";
import { RATIO, markCanvas, ringCanvas, siteCanvas } from "./symbols.js";
import { t, word } from "./text.js";

const SIZE = 14;
const PLAIN = { shape: "oil", look: "pie", parts: [], level: null, outline: "solid", heavy: true, area: false };

function shown(canvas) {
  canvas.style.width = `${canvas.width / RATIO}px`;
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

const picture = (mark) => shown(markCanvas({ ...PLAIN, ...mark }, SIZE));
const entry = (mark, label) => el("li", {}, mark, el("span", {}, label));
const part = (title, entries) => el("section", {}, el("h2", {}, title), el("ul", {}, entries));

function shares(country) {
  const level = (least, most, label) => entry(picture({ look: "share", level: [least, most] }), label);
  return part(t("legendShare", { country: countryName(country) }), [
    level(0.25, 0.25, "25\u00a0%"), level(0.5, 0.5, "50\u00a0%"), level(1, 1, "100\u00a0%"), level(0.3, 0.7, t("legendRange"))]);
}

function owners() {
  const codes = Object.keys(TABLE.owner).filter((code) => code !== "other");
  const swatch = (key, label) => entry(picture({ parts: [[key, 1]] }), label);
  return part(t("legendOwners"), [
    ...codes.map((code) => swatch(code, countryName(code))), swatch("other", t("legendOtherOwner")), entry(picture({}), t("legendNobody")),
    entry(picture({ parts: [["RU", 0.5], ["US", 0.25], ["other", 0.15]] }), t("legendPie"))]);
}

function ties() {
  const swatch = (parts, label) => entry(picture({ look: "tie", parts }), label);
  return part(t("legendTies"), [
    ...Object.keys(TABLE.tie).map((key) => swatch([[key, 1]], t(`legendTie${key}`))), swatch([], t("legendTienone"))]);
}

function hosts() {
  const swatch = (key, heavy, label) => entry(picture({ look: "host", parts: [[key, 1]], heavy }), label);
  return part(t("legendHost"), [
    ...Object.keys(TABLE.host).map((key) => swatch(key, true, t(`legend${key}`))), swatch("other", false, t("legendHollow"))]);
}

function fills(view) {
  return { host: hosts, tie: ties, pie: owners, share: () => shares(view.country) }[lookOf(view)]();
}

function shapes() {
  return part(t("legendShapes"), Object.keys(TABLE.group).map((shape) => entry(picture({ shape }), word("group", shape))));
}

function outlines() {
  const ring = ringCanvas([["other", 0.6, "sure"], ["other", 0.4, "possible"]], "pie", 22);
  return part(t("legendOutline"), [
    entry(picture({ outline: "solid" }), t("legendSure")), entry(picture({ outline: "dashed" }), t("legendPossible")),
    entry(picture({ heavy: true }), t("legendHeavy")), entry(picture({ heavy: false }), t("legendThin")),
    entry(shown(ring), t("legendRing"))]);
}

function places() {
  return part(t("legendPlaces"), [
    entry(picture({ area: true }), t("legendArea")),
    entry(el("span", { class: "key-area", "aria-hidden": "true" }), t("legendWithin")),
    entry(shown(siteCanvas(true)), t("legendSite")), entry(shown(siteCanvas(false)), t("legendCandidate"))]);
}

function lines() {
  return part(t("legendLines"), [
    entry(lineSymbol("gas"), t("legendGas")), entry(lineSymbol("oil"), t("legendOil")),
    entry(el("span", { class: "key-struck", "aria-hidden": "true" }), t("legendStruck"))]);
}

// What lies under the records and was never hit; a publication has none of it.
function openData() {
  return part(t("legendOpen"), [
    entry(lineSymbol("gas", null, "open"), t("legendOpenLine")), entry(lineSymbol("gas", OPEN_DASH, "open"), t("legendOpenRough")),
    entry(openSiteSymbol(), t("legendOpenSite"))]);
}

const credit = el("p", { class: "quiet", id: "base-credit" }, CREDIT);
let drawn = null; // what the key was last drawn for

/** Draw the key for a view. */
export function drawKey(view) {
  const wanted = `${view.role}|${view.country}`;
  if (drawn?.wanted === wanted) return;
  drawn = { wanted, view };
  const place = byId("key");
  const open = place.querySelector("details")?.open ?? false;
  const body = { class: "key-body", tabindex: "0", role: "group", "aria-label": t("legendTitle") };
  const under = el("div", {});
  place.replaceChildren(
    el("div", { class: "key-shapes" }, shapes()),
    el("div", { class: "key-fill" }, fills(view)),
    el("details", { open }, el("summary", {}, t("legendTitle")), el("div", body, outlines(), places(), lines(), under, credit)));
  if (!FILES) about().then(({ open_layer: layer }) => layer && under.append(openData()), () => {});
}

onScheme(() => {
  const last = drawn?.view;
  drawn = null;
  if (last) drawKey(last);
});
