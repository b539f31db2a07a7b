// A picture of what a map shows, for paper and to take away.

/** Give a picture of what a map shows, as it is; what was drawn is there as long as nothing else is done. */
export function pictureNow(map) {
  map.redraw();
  return map.getCanvas().toDataURL();
}

/** Give a picture of the same ground, as far as it fits, at another size in pixels, and what draws the map as it was. */
export function pictureOf(map, { width, height }) {
  const frame = map.getContainer();
  const before = { center: map.getCenter(), zoom: map.getZoom() };
  const closer = Math.log2(Math.max(width / frame.clientWidth, height / frame.clientHeight));
  const draw = (size, place) => {
    Object.assign(frame.style, size);
    map.resize({ still: true });
    map.jumpTo(place, { still: true });
    map.redraw();
  };
  draw({ inset: "auto", width: `${width}px`, height: `${height}px` }, { zoom: before.zoom + closer });
  const image = map.getCanvas().toDataURL();
  return { image, restore: () => draw({ inset: "", width: "", height: "" }, before) };
}
