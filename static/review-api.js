// Asks the server in a reviewer's name. The token lives in this tab alone and travels in a header, never in an address.
import { ROOT } from "./api.js";
import { LANG } from "./language.js";

const PLACE = "strikeatlas.token";

export const token = {
  get: () => sessionStorage.getItem(PLACE),
  set: (value) => sessionStorage.setItem(PLACE, value),
  drop: () => sessionStorage.removeItem(PLACE),
};

/** What the server refused, with its HTTP status. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? String(status));
    this.status = status;
  }
}

async function asked(path, options = {}) {
  const headers = { Accept: "application/json", "Accept-Language": LANG, Authorization: `Bearer ${token.get()}`, ...options.headers };
  const response = await fetch(new URL(path, ROOT), { ...options, headers });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, body);
  return body;
}

/** The strikes that wait, at most `limit`. */
export const queue = (limit) => asked(`review/queue?limit=${limit}`);

/** All that a decision on one strike may be based on. */
export const strike = (id) => asked(`review/strikes/${encodeURIComponent(id)}`);

const posted = (path, body) => asked(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

/** Append a decision. */
export const decide = (decision) => posted("review/decisions", decision);

/** Pairs of a collection that may be one, at most `limit`. */
export const duplicates = (table, limit) => asked(`review/duplicates?table=${table}&limit=${limit}`);

/** Append a judgement on two records. */
export const judge = (judgement) => posted("review/judgements", judgement);
