// The switch of languages: each is a link to the same view, by its own name. The server answers the page in it.
import { el } from "./dom.js";
import { FILES, ROOT, folderOf } from "./origin.js";
import { LANG, t } from "./text.js";

/** Languages that the page comes in, by their own names. */
const NAMES = { en: "English", de: "Deutsch", uk: "Українська" };

/** The address of the page in a language, with all else that it says. */
function addressIn(language) {
  if (FILES) return new URL(`${folderOf(language)}map.html${location.hash}`, ROOT).href;
  const address = new URL(location.href);
  address.searchParams.set("lang", language);
  return address.href;
}

function choice([language, name]) {
  const link = el("a", { href: addressIn(language), lang: language, hreflang: language, "aria-current": language === LANG ? "true" : null }, name);
  // The part after # changes with the view, and is taken as it is when the link is followed.
  for (const when of ["pointerdown", "focus", "click"]) link.addEventListener(when, () => (link.href = addressIn(language)));
  return el("li", {}, link);
}

/** Fill a place with the switch. */
export function drawLanguages(place) {
  place.setAttribute("aria-label", t("languages"));
  place.replaceChildren(el("ul", {}, Object.entries(NAMES).map(choice)));
}
