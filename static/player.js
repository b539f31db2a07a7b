// Plays time forward: a button and a speed. It waits while the page loads, and stops where there is no further step.
import { el } from "./dom.js";
import { t } from "./text.js";

const SPEEDS = [1, 2, 4, 8]; // steps a second

/** Build the player; `step` moves by one and returns whether it could, `busy` tells whether to wait. */
export function createPlayer({ step, busy }) {
  let timer = null;
  const speed = el("select", { id: "speed", onchange: () => timer && start() },
    SPEEDS.map((n) => el("option", { value: n }, t("speedOf", { n }))));
  speed.value = String(SPEEDS[1]);
  const button = el("button", { type: "button", class: "plain play", onclick: () => (timer ? stop() : start()) });
  const draw = () => {
    button.replaceChildren(el("span", { "aria-hidden": "true" }, timer ? "❚❚" : "▶"), t(timer ? "pause" : "play"));
  };
  function start() {
    clearInterval(timer);
    timer = setInterval(() => !busy() && !step() && stop(), 1000 / Number(speed.value));
    draw();
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    draw();
  }
  document.addEventListener("visibilitychange", () => document.hidden && stop());
  draw();
  return { node: el("span", { class: "player" }, button, el("label", { class: "speed" }, el("span", { class: "sr" }, t("speed")), speed)), stop };
}
