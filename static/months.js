// Months as whole numbers since the year 0, which is what the time range counts in.

const pad = (n, width = 2) => String(n).padStart(width, "0");

/** The month of a day yyyy-mm-dd. */
export const monthOf = (day) => +day.slice(0, 4) * 12 + +day.slice(5, 7) - 1;

/** First day of a month, yyyy-mm-dd. */
export const firstDay = (month) => `${pad(Math.floor(month / 12), 4)}-${pad((month % 12) + 1)}-01`;

/** Last day of a month, yyyy-mm-dd. */
export const lastDay = (month) => new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).toISOString().slice(0, 10);

/** January of a month's year. */
export const january = (month) => month - (month % 12);

/** A number brought between two others. */
export const clamp = (n, low, high) => Math.min(high, Math.max(low, n));
