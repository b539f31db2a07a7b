// One box that finds strikes, sites, companies, persons, states, countries and places by name or id, in any script.
// A combobox with a list of groups (ARIA Authoring Practices Guide): the keyboard stays in the box, arrows move the choice.
import * as api from "./api.js";
import { byId, el, joined } from "./dom.js";
import { whenWords } from "./edtf.js";
import { countryName } from "./figures.js";
import { remember } from "./sentence.js";
import { LOCALE, counted, number, t, word } from "./text.js";

const EACH = 8; // results of a kind
const MOST = 50; // of one kind whose others are asked for
const WAIT = 140; // milliseconds after the last key
const CLOSE_UP = 9; // zoom at which a place is shown
const LANGUAGES = [...new Set([LOCALE, "en", "uk", "de", "ru"])];
const bare = (text) => text.toLocaleLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const NO_COUNTRIES = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"]);
let regions = null; // [code, names in several languages] of every country that the browser can name

/** Every country with its names, small and without marks; worked out when it is first asked for. */
function everyRegion() {
  const named = LANGUAGES.map((language) => new Intl.DisplayNames([language], { type: "region", fallback: "none" }));
  const codes = LETTERS.flatMap((a) => LETTERS.map((b) => a + b)).filter((code) => !NO_COUNTRIES.has(code) && named[0].of(code));
  return codes.map((code) => [code, named.map((names) => bare(names.of(code) ?? ""))]);
}

/** Countries that the API found by their English name, and those whose name in another language begins so. */
function withCountries(groups, text) {
  const begin = bare(text);
  regions ??= everyRegion();
  const { results: known = [], total = 0 } = groups.find(({ kind }) => kind === "country") ?? {};
  const more = regions.filter(([code, names]) => !known.some(({ id }) => id === code) && names.some((name) => name.startsWith(begin)))
    .map(([code]) => code).slice(0, EACH);
  const countries = [...known, ...more.map((id) => ({ id, name: countryName(id), country: null }))];
  const others = groups.filter(({ kind }) => kind !== "country");
  if (!countries.length) return others;
  const first = more.length || groups[0]?.kind === "country";
  const found = { kind: "country", results: countries, total: total + more.length };
  return first ? [found, ...others] : [...others, found];
}

/** What a result is, in a few words. */
function detailOf(kind, { id, country, detail, strikes, name, matched }) {
  const where = country && kind !== "country" ? countryName(country) : null;
  const also = matched && matched !== name && kind !== "place" && kind !== "strike" && matched !== id ? t("alsoCalled", { names: matched }) : null;
  const what = { asset: () => word("kind", detail), strike: () => whenWords(detail), place: () => detail }[kind]?.();
  const n = strikes ? counted("times", strikes) : null;
  return joined([what, where, n && (kind === "country" ? t("ownerIn", { strikes: n }) : n), also]).join("");
}

/** The changes of the view that a result stands for. */
function chosen(kind, { id, name, lon, lat }) {
  if (kind === "strike") return { strike: id, entity: null };
  if (kind === "country") return { country: id };
  if (kind === "place") return { map: [lon, lat, CLOSE_UP] };
  if (kind === "asset") return remember("assets", id, name), { asset: id };
  if (kind === "text") return { q: id };
  return remember("entities", id, name), { owner: id, role: "owner" };
}

class Search {
  #set;
  #input = el("input", { id: "search-input", type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: 200,
    "aria-autocomplete": "list", "aria-controls": "search-list", "aria-expanded": "false", enterkeyhint: "search" });
  #list = el("div", { id: "search-list", role: "listbox", hidden: true });
  #said = el("span", { class: "sr", role: "status" });
  #options = []; // { node, choose }
  #active = -1;
  #timer;
  #request = new AbortController();

  constructor(set) {
    this.#set = set;
    const form = byId("search");
    form.setAttribute("aria-label", t("search"));
    this.#input.placeholder = t("searchHint");
    this.#list.setAttribute("aria-label", t("searchResults"));
    form.append(el("label", { class: "sr", for: "search-input" }, t("search")), this.#input, el("kbd", { "aria-hidden": "true" }, t("searchKey")), this.#list, this.#said);
    form.addEventListener("submit", (event) => event.preventDefault());
    this.#input.addEventListener("input", () => this.#wait());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("focus", () => this.#options.length && this.#open(true));
    form.addEventListener("focusout", (event) => !form.contains(event.relatedTarget) && this.#open(false));
    addEventListener("keydown", (event) => this.#shortcut(event));
  }

  #shortcut(event) {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, select, textarea");
    const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!slash && !((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k")) return;
    event.preventDefault();
    this.#input.focus();
    this.#input.select();
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#request.abort();
    const text = this.#input.value.trim();
    if (!text) return this.#show("", []);
    this.#timer = setTimeout(() => this.#find(text), WAIT);
  }

  async #find(text, each = EACH) {
    const mine = (this.#request = new AbortController());
    const answer = await api.search(text, each, mine.signal).catch(() => null);
    if (mine.signal.aborted) return;
    this.#show(text, withCountries(answer?.groups ?? [], text), answer === null, answer?.searched);
  }

  // As words the strikes are all listed: with the name that a place has on record, where that is what was found.
  #show(text, groups, failed = false, searched = text) {
    this.#options = [];
    const strikes = groups.find(({ kind }) => kind === "strike")?.total;
    const all = strikes ? t("searchAll", { text: searched, strikes: counted("count", strikes) }) : t("searchText", { text });
    const words = text ? [this.#group({ kind: "text", results: [{ id: searched, name: all }] })] : [];
    const parts = groups.map((group) => this.#group(group, text));
    // What is found comes before the words themselves, and its options too.
    this.#list.replaceChildren(...parts, ...words, ...(failed ? [el("p", { class: "quiet" }, t("searchFailed"))] : []));
    this.#options = [...this.#list.querySelectorAll("[role=option]")].map((node) => this.#options.find((each) => each.node === node));
    this.#said.textContent = text ? counted("found", groups.reduce((n, { total }) => n + total, 0)) : "";
    this.#open(Boolean(text));
    this.#point(text ? 0 : -1);
  }

  #group({ kind, results, total }, text) {
    const head = `search-${kind}`;
    const options = results.map((result, i) => this.#option(`${head}-${i}`, () => this.#choose(() => chosen(kind, result)),
      el("span", { class: "search-name" }, kind === "country" ? countryName(result.id) : result.name),
      el("span", { class: "quiet" }, detailOf(kind, result))));
    return el("div", { role: "group", "aria-labelledby": head }, el("div", { id: head, class: "search-kind", role: "presentation" }, t(`kindOf${kind}`)),
      options, total > results.length && this.#rest(kind, results.length, total, text));
  }

  // What of a kind is not shown: strikes are listed by the words below, of others more are asked for.
  #rest(kind, shown, total, text) {
    const n = number(total - shown);
    if (kind === "strike" || shown > EACH) return el("p", { class: "quiet" }, t(kind === "strike" ? "searchBelow" : "searchNarrow", { n }));
    return this.#option(`search-${kind}-more`, () => this.#find(text, MOST), el("span", { class: "quiet" }, t("searchMore", { n })));
  }

  #option(id, choose, ...content) {
    const node = el("div", { id, role: "option", "aria-selected": "false", class: "search-option" }, content);
    // The box keeps the keyboard: a press would else take it away before the click is known.
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", choose);
    this.#options.push({ node, choose });
    return node;
  }

  #choose(changes) {
    this.#input.value = "";
    this.#show("", []);
    this.#set(changes());
  }

  #open(open) {
    this.#list.hidden = !open;
    this.#input.setAttribute("aria-expanded", String(open));
    if (!open) this.#input.removeAttribute("aria-activedescendant");
  }

  #point(at) {
    this.#options[this.#active]?.node.setAttribute("aria-selected", "false");
    this.#active = at;
    const node = this.#options[at]?.node;
    if (!node) return this.#input.removeAttribute("aria-activedescendant");
    node.setAttribute("aria-selected", "true");
    this.#input.setAttribute("aria-activedescendant", node.id);
    node.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const n = this.#options.length;
    const open = !this.#list.hidden;
    const to = { ArrowDown: this.#active + 1, ArrowUp: this.#active - 1 + n }[event.key];
    if (to !== undefined && n) {
      if (open) this.#point(to % n);
      else this.#open(true), this.#point(Math.max(0, this.#active));
    } else if (event.key === "Enter" && open && this.#options[this.#active]) this.#options[this.#active].choose();
    else if (event.key === "Escape" && (open || this.#input.value)) {
      if (!open) this.#input.value = "";
      this.#open(false);
    } else return;
    event.preventDefault();
  }
}

/** Prepare the search; `set` changes the view. */
export function createSearch(set) {
  return new Search(set);
}
