// For whoever publishes what the page shows: its own address, a citation, files of exactly these strikes, a picture, HTML to embed it.
import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { parametersOf } from "./selection.js";
import { written } from "./state.js";
import { counted, number, t } from "./text.js";
import { late } from "./timing.js";

const FILE_MAX = 10000; // strikes of one answer of the server: a file has all of the selection or is not offered
const FILES = { csv: "csv", json: "geojson", gpkg: "gpkg" }; // forms and the endings of their files
const CITATIONS = { bibtex: "bib", ris: "ris", csl: "json" };

/** The address of the map at a view, whose title and picture the server makes. */
export function viewAddress(view) {
  const address = new URL(api.siteAddress("map"));
  address.search = written({ ...view, map: null }).slice(1);
  return address.href;
}

/** The address of a file of all strikes of a selection. */
function fileAddress(view, form) {
  const address = new URL("collections/strikes/items", api.ROOT);
  const given = { ...parametersOf(view), f: form, limit: FILE_MAX };
  for (const [name, value] of Object.entries(given)) address.searchParams.set(name, value);
  return address.href;
}

const link = (address, words, file) => el("a", { class: "plain", href: address, download: file ?? null }, words);

const draw = late(async () => (await import("./view-picture.js")).pictureOfView);

/** A button that gives the picture of what the map shows. */
function pictureButton(now, map) {
  const button = el("button", { type: "button", class: "plain" }, t("picturePng"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    const blob = await Promise.resolve(map()?.asShown && draw(map(), now())).catch(() => null);
    button.disabled = false;
    button.textContent = t(blob ? "picturePng" : "pictureFailed");
    if (!blob) return;
    const address = URL.createObjectURL(blob);
    el("a", { href: address, download: "strikeatlas.png" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });
  return button;
}

function embedHtml(address) {
  const source = `${address}${address.includes("?") ? "&" : "?"}embed=1`.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<iframe src="${source}" width="800" height="520" loading="lazy" title="StrikeAtlas"></iframe>`;
}

/** How an address is cited: fetched when it is opened. */
export function citeBlock(address) {
  // Files have the citation of a strike on its page, and none of a selection.
  if (api.FILES) return address.includes("/strikes/") ? el("p", { class: "tools" }, link(`${address}#cite`, t("cite"))) : null;
  const words = el("p", { class: "citation" });
  const load = async () => {
    if (words.textContent) return;
    words.textContent = t("loading");
    words.textContent = await api.citation(address).then(({ text }) => text, ({ message }) => t("citeFailed", { why: message }));
  };
  const links = Object.entries(CITATIONS).map(([form, ending]) => link(api.citationAddress(address, form), t(`cite${form}`), `strikeatlas.${ending}`));
  return el("details", { class: "cite", ontoggle: (event) => event.target.open && load() },
    el("summary", {}, t("cite")), words, el("p", { class: "tools" }, links));
}

/** HTML to embed the map and where it works; nothing where the operator lets no other site show it, or that is not known yet. */
function embedBlock(address) {
  const block = el("details", { hidden: true }, el("summary", {}, t("embedMap")), el("code", {}, embedHtml(address)));
  const offer = (embedders) => {
    block.hidden = false;
    if (!embedders.includes("*")) block.append(el("p", { class: "quiet" }, api.FILES ? t("embedFiles") : t("embedFor", { origins: embedders.join(", ") })));
  };
  api.about().then(({ embedders }) => (api.FILES || embedders.length) && offer(embedders ?? []), () => null);
  return block;
}

/** Of files: those of all strikes, and what needs a server. */
function drawWhole(address, now, map) {
  const whole = ["csv", "geojson", "parquet"].map((ending) => link(new URL(`data/strikes.${ending}`, api.ROOT).href, `strikes.${ending}`, `strikes.${ending}`));
  byId("reuse").replaceChildren(el("h2", {}, t("allStrikes")), el("p", { class: "tools" }, whole, pictureButton(now, map), link(address, t("permalink"))),
    el("p", { class: "quiet" }, t("needsServer"), " ", el("a", { href: api.siteAddress("connect") }, t("needsServerMore"))),
    embedBlock(address));
}

/** Prepare what can be taken away of the selection, below the list; returns a function that draws it for so many strikes; nothing of none. `map` gives the map, once it is there. */
export function createReuse(now, map) {
  return (total) => {
    const address = viewAddress({ ...now(), strike: null, entity: null });
    if (api.FILES) return drawWhole(address, now, map);
    if (!total) return byId("reuse").replaceChildren();
    const files = total > FILE_MAX
      ? el("p", {}, t("tooManyForFile", { n: number(FILE_MAX) }))
      : el("p", { class: "tools" }, Object.entries(FILES).map(([form, ending]) => link(fileAddress(now(), form), t(`file${form}`), `strikes.${ending}`)));
    byId("reuse").replaceChildren(
      el("h2", {}, counted("reuse", total)), files,
      el("p", { class: "tools" }, pictureButton(now, map), link(address, t("permalink"))),
      citeBlock(address),
      embedBlock(address));
  };
}
