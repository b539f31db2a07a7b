// What the server will answer of a country, found among the rows of every country that the page holds: list and counts are
// there at once. Nothing is guessed: it is found only where it has as many strikes as the server counted of that country.
import { isSure, ownerShares } from "./marks.js";
import { BASES } from "./state.js";
import { countriesByRole } from "./results.js";
import { ROLES, mayFall, parametersOf, without } from "./selection.js";
import { later } from "./timing.js";

let held = null; // { view, rows, byRole }

const stands = ({ status }) => status !== "draft" && status !== "retracted";
const isDated = (row) => Boolean(row.day_first && row.day_last);

// Rows tell the shares of owners by registration.
const isTold = (view) => view.role === "owner" && view.basis === BASES[0] && !view.min_share && !view.certainty && !view.owner;

// Whether it was its owner's whichever site was hit, and whether one of them was, is not in a row; nor are the bounds of an area.
const isOpen = (row, view) => (row.rests_on === "alternatives" && isSure(row, view)) || (row.geometry && row.geometry.type !== "Point");

const everywhere = (view) => JSON.stringify(parametersOf(without(view, "country")));

function reasonsOf(open, view) {
  const counted = { drafts: 0, undated: 0, across: 0, unsettled: 0 };
  for (const row of open) {
    const falls = mayFall(row, view);
    counted[!stands(row) ? "drafts" : falls && !isDated(row) ? "undated" : falls ? "across" : "unsettled"] += 1;
  }
  return counted;
}

function boundsOf(rows) {
  const at = rows.filter(({ geometry }) => geometry).map(({ geometry }) => geometry.coordinates);
  if (!at.length) return null;
  const [lon, lat] = [at.map(([x]) => x), at.map(([, y]) => y)];
  return [Math.min(...lon), Math.min(...lat), Math.max(...lon), Math.max(...lat)];
}

function countsOf(rows, view) {
  const open = rows.filter((row) => !isSure(row, view) || mayFall(row, view));
  return {
    strikes: rows.length, sure: rows.length - open.length, possible: open.length, reasons: reasonsOf(open, view),
    unplaced: rows.filter(({ geometry }) => !geometry).length, undated: rows.filter((row) => !isDated(row)).length, bbox: boundsOf(rows),
  };
}

/** Hold all rows of a view without a country; how many each country has of them is asked for when nothing else waits. */
export function hold(view, rows) {
  const mine = (held = { view, rows, byRole: null });
  later(async () => held === mine && (mine.byRole = await countriesByRole(view).catch(() => null)));
}

/** The rows and counts of a view's country, as `foundAmong`, in what is held. */
export const found = (view) => foundAmong(held, view);

/**
 * The rows and counts of a view's country among all rows of the same selection, { view, rows, byRole }:
 * { rows, counts, countries, roles }; null where they do not tell.
 */
export function foundAmong(held, view) {
  if (!held?.byRole || !view.country || !isTold(view) || everywhere(held.view) !== everywhere(view)) return null;
  const sizeOf = (role) => held.byRole[role].find(({ value }) => value === view.country)?.strikes ?? 0;
  const rows = held.rows.filter(({ owners }) => ownerShares(owners).some(([code, , most]) => code === view.country && most > 0));
  if (rows.length !== sizeOf("owner") || rows.some((row) => isOpen(row, view))) return null;
  return { rows, counts: countsOf(rows, view), countries: held.byRole.owner, roles: Object.fromEntries(ROLES.map((role) => [role, sizeOf(role)])) };
}

/** Whether the server has answered as was found: the same rows in the same order, as far as both are there, and counts. */
export function isAnswered({ rows, counts, roles }, loaded) {
  const told = ({ strikes, sure, possible, reasons, unplaced, undated }) => JSON.stringify([strikes, sure, possible, Object.entries(reasons).sort(), unplaced, undated]);
  return loaded.rows.total === rows.length && told(counts) === told(loaded.counts) && JSON.stringify(roles) === JSON.stringify(loaded.roles)
    && rows.every(({ id }, i) => (loaded.rows.at(i)?.id ?? id) === id);
}
