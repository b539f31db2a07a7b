// The queue: strikes that wait, largest expected change first.
import { byId, el, joined } from "./dom.js";
import { whenWords } from "./edtf.js";
import { chance, countryName } from "./figures.js";
import { counted, strikeTitle, t } from "./text.js";

function line(row, current, open) {
  const best = row.best ? t("bestCandidate", { name: row.best.name, chance: chance(row.best.probability) }) : t("noCandidate");
  const gain = t("gain", { n: `${Math.round(100 * row.gain)} %` });
  return el("li", {},
    el("button", { type: "button", "data-id": row.strike, "aria-current": row.strike === current ? "true" : null, onclick: () => open(row.strike) },
      el("b", {}, strikeTitle(row)),
      el("span", { class: "quiet" }, ...joined([whenWords(row.when), row.place, row.host_country && countryName(row.host_country)])),
      el("span", { class: "quiet" }, ...joined([best, gain, row.private && t("private")].filter(Boolean)))));
}

/** Draw the queue; `open` is told the id of the strike that is chosen. */
export function drawQueue({ rows, waiting, current }, open) {
  const place = byId("queue");
  place.hidden = false;
  place.setAttribute("aria-label", t("queueLabel"));
  const shown = rows.length < waiting ? ` · ${t("queueShown", { n: rows.length })}` : "";
  place.replaceChildren(
    el("p", { class: "queue-count" }, waiting ? counted("queueCount", waiting) + shown : t("queueEmpty")),
    el("ol", {}, rows.map((row) => line(row, current, open))));
  place.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
}
