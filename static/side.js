// The right-hand side: the record of a strike and, over it, what one entity held.
import { byId, el } from "./dom.js";
import { FILES } from "./origin.js";
import { PHONE } from "./sheet.js";

// A server says it in the page; files are the same for every address.
if (FILES && new URLSearchParams(location.search).get("embed") === "1") document.body.dataset.embed = "1";

/** Whether the page is shown within another one. */
export const EMBEDDED = document.body.dataset.embed === "1";

/** Prepare the side; returns a function that makes room for what the view shows there. */
export function createSide() {
  let open = false;
  // On a phone the side lies over all else, which must then not take the keyboard.
  const cover = () => ["panel", "map-frame", "time"].forEach((id) => (byId(id).inert = open && PHONE.matches && !EMBEDDED));
  PHONE.addEventListener("change", cover);
  return ({ strike, entity }) => {
    open = Boolean(strike || entity);
    document.body.classList.toggle("has-detail", open);
    byId("detail").inert = Boolean(entity);
    cover();
  };
}

/** The head of what the side shows: a mark or none, a title that can take the focus, and a button that closes it. */
export function sideHead(id, title, mark, { label, close }) {
  return el("header", { class: "detail-head" }, mark, el("h2", { id, tabindex: "-1" }, title),
    el("button", { type: "button", class: "close", "aria-label": label, onclick: close },
      el("span", { "aria-hidden": "true" }, "×")));
}
