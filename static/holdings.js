// What one entity held on the day of the strike, directly and through others; it lies over the record.
import * as api from "./api.js";
import { byId, el, joined } from "./dom.js";
import { dayWords } from "./edtf.js";
import { entityButton, entityButtonOf } from "./entity.js";
import { countryName, share } from "./figures.js";
import { remember } from "./sentence.js";
import { sideHead } from "./side.js";
import { inLanguage, t } from "./text.js";

const amount = ({ min, max }) => (max > 0 ? share(min, max) : t("nothing"));

function bar({ min, max }) {
  const piece = (kind, width) => {
    const part = el("span", { class: `part ${kind}` });
    part.style.width = `${width}%`;
    return width > 0 ? part : null;
  };
  return el("span", { class: "owner-bar thin", "aria-hidden": "true" }, piece("holder", min), piece("range", max - min));
}

function line(row, set) {
  const name = row.kind === "entity" ? entityButton(row.id, row.name, set) : row.name;
  return el("tr", {},
    el("th", { scope: "row" }, name, bar(row.effective)),
    el("td", {}, amount(row.direct)), el("td", {}, amount(row.effective)));
}

function table(kind, rows, set) {
  if (!rows.length) return null;
  return el("table", { class: `held held-${kind}` },
    el("caption", {}, t(`held${kind}`)),
    el("thead", {}, el("tr", {}, ["heldWhat", "direct", "effective"].map((name) => el("th", { scope: "col" }, t(name))))),
    el("tbody", {}, rows.map((row) => line(row, set))));
}

function about({ registered_in, headquartered_in, aliases, type }) {
  const also = aliases?.length ? t("alsoCalled", { names: aliases.join("; ") }) : null;
  const at = [registered_in && type !== "state" && t("registeredIn", { country: countryName(registered_in) }),
    headquartered_in && headquartered_in !== registered_in && t("headOfficeIn", { country: countryName(headquartered_in) })];
  return el("p", { class: "quiet small" }, ...joined([...at.filter(Boolean), also]));
}

const heading = (title, set) => sideHead("holdings-title", title, null, { label: t("closeHoldings"), close: () => set({ entity: null }) });

function back(view, set) {
  if (!view.strike) return null;
  return el("p", {}, el("button", { type: "button", class: "plain", onclick: () => set({ entity: null }) }, t("backToRecord")));
}

/** A button that selects the strikes on what the entity held, on their own days. */
function strikesButton({ id, name }, set) {
  remember("entities", id, name);
  const select = () => set({ owner: id, role: "owner", strike: null, entity: null });
  return el("p", {}, el("button", { type: "button", class: "plain", onclick: select }, t("strikesOnHeld")));
}

function body({ entity, on, holdings }, view, set) {
  const of = (kind) => table(kind, holdings.filter((row) => row.kind === kind), set);
  return [heading(t("heldOn", { name: inLanguage(entity, "name"), date: dayWords(on) }), set),
    el("div", { class: "detail-body" }, back(view, set), about(entity), strikesButton(entity, set),
      el("p", {}, el("a", { href: api.pageAddress("entities", entity.id, "/holdings") }, t("ownerPage", { name: inLanguage(entity, "name") }))),
      holdings.length ? [el("p", {}, t("heldWhy")), of("asset"), of("entity")] : el("p", {}, t("heldNothing", { name: inLanguage(entity, "name") })))];
}

function failure(why, again, view, set) {
  return [heading(t("holdingsLabel"), set),
    el("div", { class: "detail-body" }, back(view, set), el("p", { role: "alert" }, t("holdingsFailed", { why })),
      el("button", { type: "button", class: "plain", onclick: again }, t("retry")))];
}

/** Prepare the panel; returns a function that shows the view's entity on a day (yyyy-mm-dd), or that of the data. */
export function createHoldings(set) {
  const place = byId("holdings");
  place.setAttribute("aria-label", t("holdingsLabel"));
  let asked = new AbortController();
  let opener = null; // the entity whose button was used to get here from the record

  function leave() {
    if (!opener) return;
    (entityButtonOf(opener) ?? byId("detail-title"))?.focus();
    opener = null;
  }

  return async function show(view, on, { focus = false } = {}) {
    asked.abort();
    place.hidden = !view.entity;
    place.replaceChildren();
    if (!view.entity) return leave();
    if (focus) opener ??= view.entity;
    const mine = (asked = new AbortController());
    place.setAttribute("aria-busy", "true");
    const again = () => show(view, on, { focus: true });
    const shown = await api.holdings(view.entity, on, mine.signal)
      .then((answer) => body(answer, view, set), (error) => failure(error.message, again, view, set));
    if (mine.signal.aborted) return;
    place.removeAttribute("aria-busy");
    place.replaceChildren(...shown);
    place.scrollTop = 0;
    if (focus) byId("holdings-title").focus({ preventScroll: true });
  };
}
