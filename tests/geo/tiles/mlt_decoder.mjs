// Decodes MapLibre Tiles with the decoder of the specification's authors: a JSON list of base64 in, one of layers out.
import { Buffer } from "node:buffer";
import { register } from "node:module";
import process from "node:process";
import { text } from "node:stream/consumers";

// The package is made for bundlers: its imports are without endings.
const endings = `export async function resolve(name, context, next) {
  try { return await next(name, context); } catch (error) {
    if (name.startsWith(".")) return next(name + ".js", context);
    throw error;
  }
}`;
register(`data:text/javascript,${encodeURIComponent(endings)}`);
const { decodeTile } = await import("@maplibre/mlt");

const feature = ({ id, geometry, properties }) => ({ id, type: geometry.type, paths: geometry.coordinates, properties });
const layer = (table) => ({ name: table.name, extent: table.extent, features: table.getFeatures().map(feature) });
const tiles = JSON.parse(await text(process.stdin));
const decoded = tiles.map((tile) => decodeTile(new Uint8Array(Buffer.from(tile, "base64"))).map(layer));
process.stdout.write(JSON.stringify(decoded, (_, value) => (typeof value === "bigint" ? Number(value) : value)));
