// Tiles of a PMTiles archive (github.com/protomaps/PMTiles, version 3), read by ranges of bytes. The package of its authors
// comes as a script with global names, or with imports that a browser without a bundler cannot resolve.
import { ROOT } from "./origin.js";

const FIRST = 16384; // bytes that hold header and root directory
const [PLAIN, GZIP] = [1, 2];
const DEPTH = 4; // directories from the root to a tile, at most

/** The number of a tile in an archive: along Hilbert's curve, zoom by zoom. */
export function tileNumber(z, x, y) {
  let number = (4 ** z - 1) / 3;
  for (let s = 2 ** z / 2; s >= 1; s /= 2) {
    const [rx, ry] = [x & s ? 1 : 0, y & s ? 1 : 0];
    number += s * s * ((3 * rx) ^ ry);
    if (!ry) [x, y] = rx ? [s - 1 - y, s - 1 - x] : [y, x];
  }
  return number;
}

async function unpacked(bytes, packing) {
  if (packing === PLAIN) return bytes;
  if (packing !== GZIP) throw new Error(`an archive that is packed in another way (${packing})`);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** The entries of a directory: { id, run, length, offset }; a run of 0 is a further directory. */
export function directory(buffer) {
  const bytes = new Uint8Array(buffer);
  let at = 0;
  const next = () => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  const entries = Array.from({ length: next() }, () => ({}));
  let id = 0;
  for (const entry of entries) entry.id = id += next();
  for (const entry of entries) entry.run = next();
  for (const entry of entries) entry.length = next();
  entries.forEach((entry, i) => {
    const offset = next();
    entry.offset = offset ? offset - 1 : entries[i - 1].offset + entries[i - 1].length;
  });
  return entries;
}

/** The last entry that does not begin after a tile; undefined where there is none. */
function entryOf(entries, number) {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].id <= number) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1];
}

class Archive {
  #address;
  #head;
  #whole = null; // of a server that answers no ranges
  #directories = new Map(); // by offset

  constructor(address) {
    this.#address = address;
  }

  async #bytes(from, length, signal) {
    if (this.#whole) return this.#whole.slice(from, from + length);
    const answer = await fetch(this.#address, { signal, headers: { Range: `bytes=${from}-${from + length - 1}` } });
    if (!answer.ok) throw new Error(`${this.#address}: ${answer.status}`);
    const body = await answer.arrayBuffer();
    if (answer.status === 206) return body;
    this.#whole = body;
    return body.slice(from, from + length);
  }

  async #opened() {
    const start = await this.#bytes(0, FIRST);
    const view = new DataView(start);
    const number = (at) => Number(view.getBigUint64(at, true));
    const [packing, tilePacking] = [view.getUint8(97), view.getUint8(98)];
    const [rootAt, rootLength] = [number(8), number(16)];
    const root = rootAt + rootLength <= start.byteLength ? start.slice(rootAt, rootAt + rootLength) : await this.#bytes(rootAt, rootLength);
    return { packing, tilePacking, leavesAt: number(40), tilesAt: number(56), root: directory(await unpacked(root, packing)) };
  }

  #leaf(head, { offset, length }) {
    if (!this.#directories.has(offset)) {
      const read = this.#bytes(head.leavesAt + offset, length).then((bytes) => unpacked(bytes, head.packing)).then(directory);
      read.catch(() => this.#directories.delete(offset));
      this.#directories.set(offset, read);
    }
    return this.#directories.get(offset);
  }

  /** The bytes of a tile; null where the archive has none. */
  async tile(z, x, y, signal) {
    this.#head ??= this.#opened().catch((error) => {
      this.#head = undefined;
      throw error;
    });
    const head = await this.#head;
    const number = tileNumber(z, x, y);
    let entries = head.root;
    for (let depth = 0; depth < DEPTH; depth += 1) {
      const entry = entryOf(entries, number);
      if (!entry || (entry.run && number >= entry.id + entry.run)) return null;
      if (entry.run) return unpacked(await this.#bytes(head.tilesAt + entry.offset, entry.length, signal), head.tilePacking);
      entries = await this.#leaf(head, entry);
    }
    return null;
  }
}

const archives = new Map();

/** A tile of the archive of a name in the publication, as its bytes; null where there is none. */
export function archivedTile(name, [z, x, y], signal) {
  if (!archives.has(name)) archives.set(name, new Archive(new URL(`tiles/${name}.pmtiles`, ROOT).href));
  return archives.get(name).tile(z, x, y, signal);
}

const ADDRESS = /^archive:\/\/([a-z]+)\/(\d+)\/(\d+)\/(\d+)$/;

/** Let MapLibre, given as its module, ask for tiles of archives. */
export function serveArchives(gl) {
  gl.addProtocol("archive", async ({ url }, { signal }) => {
    const [, name, ...tile] = url.match(ADDRESS);
    const data = await archivedTile(name, tile.map(Number), signal);
    // The map enlarges the nearest tile above of a base map that has none, and shows nothing of sites where there are none.
    if (!data && name === "basemap") throw new gl.AJAXError(404, "No such tile", url, new Blob());
    return { data: data ?? new ArrayBuffer(0) };
  });
}
