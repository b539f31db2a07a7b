// The chains of an asset as one tree, and as rows of a drawing in which few small owners are folded away: pure.

const MOST = 8; // ends that a drawing shows before it folds

const partOf = ({ part: [min, max] }, step) => [(min * step.share_min) / 100, (max * step.share_max) / 100];

/** Merge chains that begin alike: a tree of {step, part, ends, children} below the asset; `part` is of the asset. */
export function chainTree(chains) {
  const root = { part: [100, 100], children: new Map() };
  for (const chain of chains) {
    let node = root;
    for (const step of chain.steps) {
      const key = `${step.owner}|${step.share_min}|${step.share_max}|${step.since}`;
      if (!node.children.has(key)) node.children.set(key, { step, part: partOf(node, step), ends: [], children: new Map() });
      node = node.children.get(key);
    }
    if (node !== root) node.ends.push(chain);
  }
  return [...root.children.values()];
}

const sum = (list, name) => list.reduce((total, each) => total + each[name], 0);

/** The largest chains, and what the others come to together: { shown, folded: { n, share_min, share_max } or null }. */
export function folded(chains, most = MOST) {
  const largest = chains.toSorted((a, b) => b.share_max - a.share_max || b.share_min - a.share_min);
  // One that is left over is shown rather than folded.
  const shown = largest.length <= most + 1 ? largest : largest.slice(0, most);
  const rest = largest.slice(shown.length);
  const max = Math.min(100, sum(rest, "share_max"));
  return { shown, folded: rest.length ? { n: rest.length, share_min: Math.min(max, sum(rest, "share_min")), share_max: max } : null };
}

const bySize = (a, b) => b.part[1] - a.part[1] || b.part[0] - a.part[0];

/** Rows of a drawing from top to bottom: { node, depth, parent }, the number of the parent's row; -1 is the asset's. */
export function drawnRows(nodes, depth = 1, parent = -1, rows = []) {
  for (const node of nodes.toSorted(bySize)) {
    const row = rows.push({ node, depth, parent }) - 1;
    drawnRows([...node.children.values()], depth + 1, row, rows);
  }
  return rows;
}

/** What ends at a holder, least and most, in percent of the asset; null where all of it is passed on. */
export function endsAt({ ends, part }) {
  // Each nationality of a person may have all of it, and together they have no more.
  return ends.length ? [sum(ends, "share_min"), Math.min(part[1], sum(ends, "share_max"))] : null;
}
