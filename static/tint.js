// Which states are tinted: those that the owners of the selected strike count to, by their share, or the chosen country.

const FADE = [3.5, 6.5]; // zooms between which the tint steps back behind what lies on it
const FAINT = 0.3;
const LEAST = 0.3; // of a state with hardly a share

const strengthOf = (percent) => +(LEAST + ((1 - LEAST) * percent) / 100).toFixed(2);
const faded = (strength) => ["interpolate", ["linear"], ["zoom"], FADE[0], strength, FADE[1], ["*", FAINT, strength]];

/** Tint states on a map; one that has no layer of whole states, as an operator's own, has none. What is hidden asks for no tiles. */
export function paintTint(map, { filter, opacity }) {
  if (map.getLayer("chosen")?.type !== "fill") return;
  const [, , [, codes]] = filter;
  if (codes.length) {
    map.setFilter("chosen", filter);
    map.setPaintProperty("chosen", "fill-opacity", opacity);
  }
  map.setLayoutProperty("chosen", "visibility", codes.length ? "visible" : "none");
}

/** The filter and the opacity of the layer of tinted states, as MapLibre takes them. */
export function tintOf({ country }, answer) {
  const shares = new Map((answer?.owners ?? []).filter((row) => row.country && row.share_max > 0)
    .map((row) => [row.country, strengthOf(row.share_max)]));
  if (country) shares.set(country, 1);
  const codes = [...shares.keys()];
  const strength = codes.length ? ["match", ["get", "iso_a2"], ...[...shares].flat(), 0] : 0;
  return { filter: ["in", ["get", "iso_a2"], ["literal", codes]], opacity: faded(strength) };
}
