// The language of the page: the server writes it into the document, of the languages that it has.

export const LANG = globalThis.document?.documentElement.lang || "en";

/** The language as dates and numbers are written: British, for day before month. */
export const LOCALE = LANG === "en" ? "en-GB" : LANG;
