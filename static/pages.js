// What a script adds to the pages of the API: a button to copy each piece of text. They are whole without it.
import { el } from "./dom.js";
import { t } from "./text.js";

const said = el("p", { class: "sr", role: "status" });

/** Copies text; where the clipboard is closed to the page, as over plain HTTP, selects it to be copied by hand. */
async function copy(pre) {
  const text = pre.textContent;
  try {
    await navigator.clipboard.writeText(text);
    return t("textCopied");
  } catch {
    getSelection().selectAllChildren(pre);
    return t("textSelected");
  }
}

function withButton(pre) {
  const name = pre.getAttribute("aria-label") ?? document.getElementById(pre.getAttribute("aria-labelledby"))?.textContent;
  const button = el("button", { class: "plain", type: "button", "aria-label": `${t("copyText")}: ${name}` }, t("copyText"));
  button.addEventListener("click", async () => {
    const told = await copy(pre);
    button.textContent = told;
    said.textContent = told;
    setTimeout(() => {
      button.textContent = t("copyText");
      said.textContent = "";
    }, 2000);
  });
  const box = el("div", { class: "copy-box" });
  pre.replaceWith(box);
  box.append(pre, button);
}

for (const pre of document.querySelectorAll("pre.copy")) withButton(pre);
document.body.append(said);
