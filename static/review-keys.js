// Single keys for a reviewer who goes through many strikes. They can be turned off (WCAG 2.2, 2.1.4).
import { el } from "./dom.js";
import { VERDICTS } from "./review-case.js";
import { t } from "./text.js";

const PLACE = "strikeatlas.keys";
const WRITING = "textarea, input:not([type=radio]):not([type=checkbox]), select";

const isOn = () => localStorage.getItem(PLACE) !== "off";

/** The box that turns the keys on and off, and what each does. */
export function keysHelp() {
  const box = el("input", { type: "checkbox", id: "keys-on", onchange: () => localStorage.setItem(PLACE, box.checked ? "on" : "off") });
  box.checked = isOn();
  const rows = [["j", "keyNext"], ["k", "keyPrevious"], ["1–9", "keyCandidate"], ["c", "keyConfirmed"], ["p", "keyPossible"], ["n", "keyNone"],
    ["u", "keyUnsure"], ["x", "keyNotAStrike"], ["w", "keyWhy"], ["Ctrl+Enter", "keySave"], ["z", "keyUndo"], ["?", "keyHelp"]];
  return el("details", { id: "keys" },
    el("summary", {}, t("keys")),
    el("div", { class: "keys-body" }, el("label", {}, box, " ", t("keysOn")),
      el("dl", {}, rows.map(([key, name]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, t(name))]))));
}

const choose = (name, value) => {
  const input = [...document.querySelectorAll(`#decision input[name="${name}"]`)].find((one, i) => one.value === value || i === value);
  input?.click();
  input?.focus();
};

/** Listen for keys; `act` has next, previous, save and undo. */
export function listen(act) {
  const does = {
    j: act.next, k: act.previous, z: act.undo, w: () => document.getElementById("why")?.focus(),
    "?": () => document.getElementById("keys").toggleAttribute("open"),
    ...Object.fromEntries(VERDICTS.map(([value, , key]) => [key, () => choose("verdict", value)])),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [String(n), () => choose("asset", n - 1)])),
  };
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return act.save();
    if (!isOn() || event.ctrlKey || event.metaKey || event.altKey || event.target.matches(WRITING)) return;
    const what = does[event.key];
    if (!what) return;
    event.preventDefault();
    what();
  });
}
