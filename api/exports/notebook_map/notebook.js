"use strict";
// Draws the records of a one-file map. Data only ever becomes text, never HTML or script.
function strikeatlasElement(parent, name, text, className) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}
function strikeatlasList(parent, heading, lines) {
  if (!lines.length) return;
  strikeatlasElement(parent, "h3", heading);
  const list = strikeatlasElement(parent, "ul", "");
  for (const line of lines) strikeatlasElement(list, "li", line);
}
function strikeatlasPopup(strike) {
  const box = document.createElement("article");
  strikeatlasElement(box, "h2", strike.title);
  strikeatlasElement(box, "p", [strike.when, strike.host, strike.status].filter(Boolean).join(" · "));
  if (strike.headline) strikeatlasElement(box, "p", `${strike.headline}.`);
  strikeatlasList(box, "Owners", strike.owners);
  strikeatlasElement(box, "p", strike.rests, "quiet");
  strikeatlasList(box, "Not owners", strike.others);
  strikeatlasElement(box, "p", strike.sources, "quiet");
  if (strike.cites.length) strikeatlasCites(box, strike.cites);
  return box;
}
function strikeatlasCites(parent, cites) {
  const list = strikeatlasElement(parent, "ul", "");
  for (const [name, url] of cites) {
    const link = strikeatlasElement(strikeatlasElement(list, "li", ""), "a", name);
    if (/^https?:/.test(url)) Object.assign(link, { href: url, target: "_blank", rel: "noopener noreferrer" });
  }
}
function strikeatlasSymbol(strike, paths) {
  const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", paths[strike.shape] || paths.none);
  path.setAttribute("fill", strike.filled ? strike.colour : "#ffffff");
  path.setAttribute("stroke", strike.filled ? "#ffffff" : strike.colour);
  path.setAttribute("stroke-width", strike.filled ? "1.5" : "3.4");
  svg.append(path);
  return svg;
}
function strikeatlasStrikes(map, layer, circles, data) {
  const shown = data.strikes.map((strike) => {
    const at = [strike.lat, strike.lon], parts = [];
    if (strike.radius) {
      const circle = L.circle(at, {
        radius: strike.radius, color: strike.colour, weight: 1, opacity: 0.5, fillOpacity: 0.08, interactive: false,
      });
      parts.push([circle, circles]);
    }
    const icon = L.divIcon({
      className: "strike", html: strikeatlasSymbol(strike, data.paths), iconSize: [22, 22],
      iconAnchor: [11 - strike.dx, 11 - strike.dy],
    });
    const popup = () => strikeatlasPopup(strike);
    const marker = L.marker(at, { icon, title: strike.title, alt: strike.title, riseOnHover: true })
      .bindPopup(popup, { maxWidth: 320, maxHeight: 320 });
    parts.push([marker, layer]);
    return [strike, parts];
  });
  const show = ([, parts], falls) => {
    for (const [part, of] of parts) if (falls) part.addTo(of); else of.removeLayer(part);
  };
  for (const one of shown) show(one, true);
  strikeatlasDays(map, shown, show);
}
// Two days: strikes that may fall between them are shown, and so are those of which no day is known.
function strikeatlasDays(map, shown, show) {
  const days = shown.flatMap(([strike]) => [strike.first, strike.last]).filter(Boolean).sort();
  if (!days.length) return;
  const control = L.control({ position: "topright" });
  control.onAdd = () => {
    const form = L.DomUtil.create("form", "days leaflet-bar");
    L.DomEvent.disableClickPropagation(form);
    const [from, to] = [["From", days[0]], ["To", days.at(-1)]].map(([name, day]) => {
      const input = strikeatlasElement(strikeatlasElement(form, "label", `${name} `), "input", "");
      return Object.assign(input, { type: "date", min: days[0], max: days.at(-1), value: day });
    });
    const count = strikeatlasElement(form, "output", `${shown.length} strikes`);
    form.addEventListener("input", () => {
      const falls = ({ first, last }) => !(to.value && first > to.value) && !(from.value && last && last < from.value);
      const fallen = shown.filter((one) => { show(one, falls(one[0])); return falls(one[0]); });
      count.textContent = `${fallen.length} of ${shown.length} strikes`;
    });
    return form;
  };
  control.addTo(map);
}
function strikeatlasLines(layer, lines) {
  for (const line of lines) {
    L.polyline(line.at, { color: line.colour, weight: 2.2, dashArray: line.dash, lineCap: "butt" })
      .bindPopup(() => {
        const box = document.createElement("article");
        strikeatlasElement(box, "h2", line.name);
        return box;
      })
      .addTo(layer);
  }
}
function strikeatlasNames(map, layer, names) {
  map.createPane("names").style.zIndex = 450; // above the land, below the strikes
  map.getPane("names").style.pointerEvents = "none";
  map.attributionControl.setPrefix(false);
  const shown = names.map((name) => {
    const text = document.createElement("span");
    text.textContent = name.text;
    const icon = L.divIcon({ className: "name " + name.kind, html: text, iconSize: [0, 0] });
    return [name.zoom, L.marker([name.lat, name.lon], { icon, interactive: false, keyboard: false, pane: "names" })];
  });
  const update = () => {
    for (const [zoom, marker] of shown) {
      if (map.getZoom() >= zoom) marker.addTo(layer); else layer.removeLayer(marker);
    }
  };
  map.on("zoomend", update);
  update();
}
