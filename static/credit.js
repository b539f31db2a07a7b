// Where the records come from: the last lines of the list and, of a map within another page, the line below it, with the way
// to the whole page.
import { siteAddress } from "./api.js";
import { byId, el } from "./dom.js";
import { dayWords } from "./edtf.js";
import { viewAddress } from "./publish.js";
import { EMBEDDED } from "./side.js";
import { t } from "./text.js";

// The way out leads to what is shown when it is taken.
function drawFoot(about, now) {
  const out = el("a", { href: viewAddress(now()), target: "_blank", rel: "noopener" }, t("openFull"));
  for (const event of ["pointerdown", "focus"]) out.addEventListener(event, () => (out.href = viewAddress(now())));
  const source = about ? t("dataLine", { day: dayWords(about.data_date), credit: about.attribution }) : "StrikeAtlas";
  document.body.append(el("footer", { id: "embed-foot" }, el("span", {}, source), " ", out));
}

/** Draw what the server says of its data, or null; `now` gives what is shown. */
export function drawCredit(about, now) {
  if (EMBEDDED) drawFoot(about, now);
  const told = [about?.attribution, t("credit")].filter(Boolean).join(". ");
  byId("credit").replaceChildren(told, ". ",
    el("a", { href: siteAddress("countries?f=html") }, t("countriesRanked")), " · ", el("a", { href: siteAddress("connect") }, t("connect")), " · ",
    el("a", { href: siteAddress("corrections?f=html") }, t("corrections")), " · ", el("a", { href: siteAddress("policy?f=html") }, t("policy")));
}
