// The least share from which a strike counts as the chosen owner's: a slider that stays the same while it is drawn.
import { el } from "./dom.js";
import { share } from "./figures.js";
import { t } from "./text.js";

const STEP = 5; // percent

/** Prepare the slider; `draw` shows it for a view that has an owner chosen. */
export function createThreshold(set) {
  let begun = false; // one drag is one step to go back from
  const change = () => {
    set({ min_share: Number(input.value) }, { step: !begun });
    begun = true;
  };
  const input = el("input", { id: "min-share", type: "range", min: 0, max: 100, step: STEP, oninput: change, onchange: () => (begun = false) });
  const value = el("output", { for: "min-share" });
  const node = el("p", { class: "threshold" }, el("label", { for: "min-share" }, t("minShare")), input, value);
  return {
    node,
    draw({ role, country, owner, min_share: least }) {
      node.hidden = role !== "owner" || !(country || owner);
      input.value = least;
      value.textContent = least ? share(least, least) : t("minShareAny");
      input.setAttribute("aria-valuetext", value.textContent);
    },
  };
}
