// Places of assets, asked for once each, as they come into view.
import { assetsById } from "./api.js";

const MOST = 40; // ids in one request

/** A cache of assets; `onMore` is called when some have come that were asked for. */
export function createSites(onMore) {
  const known = new Map(); // id: { name, geometry, basis, uncertainty_m }, or null while it is under way
  return {
    get: (id) => known.get(id) ?? null,
    /** Ask for those that are not known yet. What cannot be had stays unknown, and strikes stand where they are reported. */
    async want(ids) {
      const missing = ids.filter((id) => !known.has(id));
      missing.forEach((id) => known.set(id, null));
      const parts = Array.from({ length: Math.ceil(missing.length / MOST) }, (_, i) => missing.slice(i * MOST, (i + 1) * MOST));
      const answers = await Promise.all(parts.map((part) => assetsById(part).catch(() => [])));
      const came = answers.flat();
      came.forEach((asset) => known.set(asset.id, asset));
      if (came.length) onMore();
    },
  };
}
