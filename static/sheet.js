// On a phone the list lies in a sheet over the map's lower part; one button opens and closes it. So it does in a window
// that is so low, as a phone on its side or a page enlarged to 400 percent, but there the list follows what is above it.
import { byId } from "./dom.js";
import { t } from "./text.js";

export const PHONE = matchMedia("(max-width: 760px), (max-height: 560px)");

/** Prepare the sheet; `count` tells the button how many strikes the list has. */
export function createSheet() {
  const button = byId("grip");
  let open = false;
  let n = null;
  const draw = () => {
    document.body.classList.toggle("sheet-open", open);
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? t("closeList") : n === null ? t("openList") : t("openListOf", { n });
  };
  const show = (wanted) => {
    open = wanted;
    draw();
  };
  button.addEventListener("click", () => show(!open));
  draw();
  return {
    show,
    count(shown) {
      n = shown;
      draw();
    },
  };
}
