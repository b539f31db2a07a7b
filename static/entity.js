// The name of a company, person or state as a button that shows what else it held.
import { el } from "./dom.js";
import { t } from "./text.js";

/** A button with the entity's name. `set` changes the view. */
export function entityButton(id, name, set) {
  const onclick = () => set({ entity: id });
  return el("button", { type: "button", class: "entity", "data-entity": id, title: t("seeHeld", { name }), onclick }, name);
}

/** The button that showed this entity, where the record still has it. */
export function entityButtonOf(id) {
  return document.querySelector(`#detail [data-entity="${CSS.escape(id)}"]`);
}
