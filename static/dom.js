// Makes page elements. Whatever comes from data goes in as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";
const WEB = /^https?:\/\//i;

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An HTML element; attributes named `onclick` and the like become listeners. */
export function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** A link to another site, or plain text where the address is no web address. */
export function outward(url, ...children) {
  if (!WEB.test(url ?? "")) return el("span", {}, ...children);
  return el("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, ...children);
}

/** Text that only screen readers hear. */
export function spoken(text) {
  return el("span", { class: "sr" }, text);
}

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Elements with a separator between them; empty ones are left out. */
export function joined(parts, separator = " · ") {
  const kept = parts.filter((part) => part !== null && part !== undefined && part !== "");
  return kept.flatMap((part, i) => (i ? [separator, part] : [part]));
}
