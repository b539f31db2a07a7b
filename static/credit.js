// The map within another page: no chrome but what is selected, where it comes from, and the way to the whole page.
import { el } from "./dom.js";
import { dayWords } from "./edtf.js";
import { viewAddress } from "./publish.js";
import { t } from "./text.js";

/** Whether the server answered the page to be shown within another one. */
export const EMBEDDED = document.body.dataset.embed === "1";

/** Draw the line below the map; the way out leads to what is shown when it is taken. */
export function drawEmbedFoot(about, now) {
  if (!EMBEDDED) return;
  const out = el("a", { href: viewAddress(now()), target: "_blank", rel: "noopener" }, t("openFull"));
  for (const event of ["pointerdown", "focus"]) out.addEventListener(event, () => (out.href = viewAddress(now())));
  const source = about ? t("dataLine", { day: dayWords(about.data_date), credit: about.attribution }) : "StrikeAtlas";
  document.body.append(el("footer", { id: "embed-foot" }, el("span", {}, source), " ", out));
}
