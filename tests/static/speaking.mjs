// Loads modules of the page in a language, as its document has it: a process has one.
import { readFile } from "node:fs/promises";

const STATIC = new URL("../../static/", import.meta.url);

/** Say in which language the page is; modules are imported after it. */
export function speak(language) {
  globalThis.document = { documentElement: { lang: language } };
  globalThis.fetch = async (address) => ({ ok: true, json: async () => JSON.parse(await readFile(new URL(address), "utf8")) });
}

/** Import a module of the page. */
export const load = (name) => import(new URL(name, STATIC));
