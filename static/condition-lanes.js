// Conditions of an asset as spans of days in lanes, so that none lies on another. Pure.
import { daysOf } from "./edtf-days.js";

const WHOLLY = new Set(["offline", "destroyed", "occupied"]);

/** Least and largest part that did not work, 0 to 1. */
function lost({ status, working_min: least, working_max: most }) {
  if (least !== null) return [1 - most / 100, 1 - least / 100];
  if (status === "running") return [0, 0];
  return WHOLLY.has(status) ? [1, 1] : [0, 1];
}

/**
 * Spans of conditions with days: [{ row, since, until, lane, lost }], each in the first lane that is free; `until` is null
 * where no source tells the end. A condition whose days cannot be drawn is left out.
 */
export function spansOf(conditions) {
  const lanes = []; // last day of each
  const dated = conditions.map((row) => ({ row, since: daysOf(row.since), until: row.until ? daysOf(row.until) : null }))
    .filter(({ row, since, until }) => since && (until || !row.until));
  dated.sort((a, b) => a.since[0] - b.since[0]);
  return dated.map((span) => {
    const free = lanes.findIndex((end) => end <= span.since[0]);
    const lane = free < 0 ? lanes.length : free;
    lanes[lane] = span.until ? span.until[1] : Infinity;
    return { ...span, lane, lost: lost(span.row) };
  });
}
