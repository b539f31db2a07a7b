// The card of a site or line on the map: what it is, whose it was and as of when, whether it was struck, and who says so.
import { FILES, about, featureAddress, owners, site } from "./api.js";
import { leftOut } from "./disclosure.js";
import { el, joined, outward } from "./dom.js";
import { whenWords } from "./edtf.js";
import { collection } from "./features.js";
import { countryName, length, ownersOf, share } from "./figures.js";
import { bounds, positions } from "./geodesy.js";
import { framed, glide } from "./map-options.js";
import { commodityWords, counted, inLanguage, number, t, word } from "./text.js";

const CLOSE_UP = 9; // zoom at which a site that was asked for is shown, at most

const held = ({ name, owner, share_min: min, share_max: max }) => `${name ?? owner} ${share(min, max)}`;

/** Lines on those who hold a site themselves, and on who is tied to it otherwise. */
function holders({ chains, related }) {
  const direct = new Map(chains.filter(({ steps }) => steps.length).map(({ steps: [first] }) => [first.owner, held(first)]));
  const ties = related.map((row) => `${row.name} (${word("relation", row.relation)})`);
  return [["cardHeld", [...direct.values()]], ["cardTied", ties]].filter(([, names]) => names.length)
    .map(([name, names]) => el("span", {}, t(name, { names: names.join(", ") })));
}

/** As of which day that is: of open data that of its publisher, else that of the records. */
async function dayOf({ asset, on }) {
  const { open_layer: layer } = await about();
  return layer?.origins.find(({ dataset }) => dataset === asset.dataset)?.published ?? on;
}

/** Countries of owners with their shares, in words. */
function ownedIn(text) {
  const owners = ownersOf(text);
  if (!owners.length) return t("noOwner");
  if (!owners.some(({ country }) => country)) return t("cardNowhere");
  return t("cardOwned", { shares: owners.map(({ country, min, max }) => `${countryName(country)} ${share(min, max)}`).join(", ") });
}

/** What a card says of a site: its columns, the answer to whose it is where that came, and buttons of others at its place. */
export function cardOf(row, answer, day, others, leave) {
  const source = answer?.sources[answer.asset.sources[0]];
  const { capacity, capacity_unit: unit } = answer?.asset ?? {};
  const escape = (event) => event.key === "Escape" && (event.preventDefault(), leave());
  return el("div", { class: "pick site-card", tabindex: "-1", onkeydown: escape },
    el("strong", {}, inLanguage(row, "name")),
    el("span", {}, joined([word("kind", row.kind), row.commodity && commodityWords(row.commodity), row.host_country && countryName(row.host_country),
      row.length_km && length(row.length_km * 1000)])),
    el("span", {}, ownedIn(row.owners), day && ` (${t("cardAsOf", { day: whenWords(day) })})`),
    answer && holders(answer),
    answer && leftOut(answer.asset, "capacity", "capacity_unit") ? el("span", {}, t("capacityOf", { amount: t("withheldValue") }))
      : unit && el("span", {}, t("capacityOf", { amount: `${number(capacity)}\u00a0${unit}` })),
    row.basis === "line-end" && el("span", {}, t("cardRough")),
    el("span", {}, row.n_strikes ? counted("count", row.n_strikes) : t("cardNoStrike")),
    source && el("span", { class: "quiet small" }, t("source", { name: "" }), outward(source.url, joined([source.publisher, source.title], ", ")), source.licence && ` (${source.licence})`),
    (!FILES || row.n_strikes > 0) && el("a", { href: featureAddress("assets", row.id) }, t("cardPage")),
    others.length > 0 && [el("span", { class: "quiet" }, t("cardOthers")), others]);
}

/** Prepare to show cards on a map in its popup; `say` shows content at a place, as seen from an event. */
export function createCards(map, popup, say) {
  let newest; // the id of the site that was asked for last
  const outline = (geometry) => map.getSource("card")?.setData(collection(geometry ? [{ type: "Feature", geometry, properties: {} }] : []));
  popup.on("close", () => newest && outline((newest = null)));
  const leave = () => (popup.remove(), map.getCanvas().focus());

  async function show(row, answer, at, event = { lngLat: { lng: at[0] } }, others = []) {
    const day = answer && await dayOf(answer);
    if (row.id !== newest) return;
    newest = null; // which the popup that closes would take for its own
    popup.remove();
    outline(answer?.asset.geometry ?? row.geometry);
    newest = row.id;
    const card = cardOf(row, answer, day, others, leave);
    say(card, at, event);
    card.focus({ preventScroll: true });
  }

  return {
    /** Show the card of the first of the sites that are drawn where one was pointed at, from which to go on to the others. */
    async point([first, ...rest], event) {
      const { properties, geometry } = first;
      const buttons = rest.map((one) => el("button", { type: "button", onclick: () => this.point([one, first, ...rest.filter((other) => other !== one)], event) },
        inLanguage(one.properties, "name")));
      const mine = (newest = properties.id);
      const answer = await owners(properties.id).catch(() => null);
      if (mine === newest) show({ ...properties, geometry }, answer, geometry.type === "Point" ? geometry.coordinates : event.lngLat.toArray(), event, buttons);
    },
    /** Bring a site into view and show its card, or with null none. */
    async open(id) {
      if (!id) return popup.remove();
      const mine = (newest = id);
      const [row, answer] = await Promise.all([site(id), owners(id)]).catch(() => []);
      const places = row?.geometry ? positions(row.geometry) : [];
      if (mine !== newest || !places.length) return;
      map.fitBounds(bounds(places), { ...framed(map, 90, CLOSE_UP), duration: glide() });
      show(row, answer, places[places.length >> 1]);
    },
  };
}
