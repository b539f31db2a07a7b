// The key on the map, drawn from the same table as the paint.
import { byId, el } from "./dom.js";
import { TABLE, lineSymbol, siteSymbol, symbol } from "./style.js";
import { t, word } from "./text.js";

const entry = (mark, label) => el("li", {}, mark, label);
const spot = (host_country, status) => symbol({ group: "oil", host_country, status }, 14);

/** Draw the key. */
export function drawKey() {
  const hosts = Object.keys(TABLE.host).map((host) => entry(spot(host, "verified"), t(`key${host}`)));
  const status = [entry(spot(null, "verified"), t("keyFilled")), entry(spot(null, "reported"), t("keyHollow"))];
  const lines = [entry(lineSymbol("gas"), t("keyGas")), entry(lineSymbol("oil"), t("keyOil"))];
  const sites = Object.keys(TABLE.kind).map((kind) => entry(siteSymbol(kind), word("kind", kind)));
  byId("key").replaceChildren(
    el("ul", { "aria-label": t("keyLegend") }, hosts),
    el("ul", { "aria-label": t("statusLegend") }, status),
    el("ul", { "aria-label": t("keyLines") }, lines),
    ...(sites.length ? [el("ul", { "aria-label": t("keySites") }, sites)] : []),
    el("p", { class: "quiet", id: "base-credit" }, t("credit")));
}
