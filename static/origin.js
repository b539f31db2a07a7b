// Where answers come from: a server, or the files of a publication, whose page of the map says so. Nothing else decides it.
import { LANG } from "./language.js";

/** Whether answers are files. */
export const FILES = globalThis.document?.documentElement.dataset?.files !== undefined;

/** The last zoom of the tiles of sites, which the page of a publication says. */
export const SITES_ZOOM = FILES ? Number(document.documentElement.dataset.files) : 12;

/** The address that all others are relative to. */
export const ROOT = new URL("../", import.meta.url);

/** The folder of files in a language: that of all for English. */
export const folderOf = (language) => (language === "en" ? "" : `${language}/`);

const odd = new Map(); // ids that no folder can hold, with the names of their files

/** Remember the files of ids that are no names of files. */
export const learnFiles = (names) => Object.entries(names).forEach(([key, name]) => odd.set(key, name));

const nameOf = (kind, id) => odd.get(`${kind}/${id}`) ?? `${kind}/${id}`;

/** The address of a file in the language of the page. */
export const fileAddress = (path) => new URL(folderOf(LANG) + path.split("/").map(encodeURIComponent).join("/"), ROOT).href;

/** The address of a file on a strike, a site, an owner or a country. */
export const subjectAddress = (kind, id, ending) => fileAddress(`${nameOf(kind, id)}.${ending}`);

/** The address by which the map asks for tiles of an archive of the publication. */
export const archiveAddress = (name) => `archive://${name}/{z}/{x}/{y}`;
