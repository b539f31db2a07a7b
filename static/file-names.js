// Search by name in files, as the server finds: names are kept as they sound, and a text is folded by the server's rules.

const MOST = 200; // letters that are compared

const SHORTEST_PART = 3; // letters of a key that may be looked for as a part of a word

/** Functions of the words of a text in Latin letters, and of how a word sounds; letters of other scripts are left out. */
function readers({ letters, rules }) {
  const patterns = rules.map(([pattern, to]) => [new RegExp(pattern, "g"), to]);
  const once = (text) => patterns.reduce((folded, [pattern, to]) => folded.replace(pattern, to), text);
  const sound = (given) => {
    let text = given;
    for (let again = once(text); again !== text; again = once(text)) text = again;
    return text;
  };
  const words = (given) => {
    const small = given.slice(0, MOST).normalize("NFKC").toLowerCase();
    const latin = [...small].map((letter) => letters[letter] ?? (letter < "\u0080" ? letter : "")).join("");
    return latin.replaceAll("'", "").split(/[^a-z0-9]+/).filter(Boolean);
  };
  return { words, sound };
}

/** A function that folds a text as the server does, by its letters and rules. */
export function foldWith(read) {
  const { words, sound } = readers(read);
  return (text) => sound(words(text).join(" "));
}

/** A function that spells the words of a text as the server searches them: a short sound is a whole word with its own letters. */
export function searchKeysWith(read) {
  const { words, sound } = readers(read);
  const key = (word) => ((heard) => (heard.length >= SHORTEST_PART ? heard : `=${word}=`))(sound(word));
  return (text) => words(text).map(key);
}

// How well a text fits a name: the whole of it, its begin, the begin of a word, anything in it.
function rankOf(key, name) {
  if (name === key) return 0;
  if (name.startsWith(key)) return 1;
  if (name.includes(` ${key}`)) return 2;
  return name.includes(key) ? 3 : null;
}

const BY_WORDS = 4; // the rank of what has every word in one of its names

function bestOf(each, key, words) {
  let best = null;
  each.keys.forEach((name, i) => {
    const rank = rankOf(key, name);
    const shorter = best && rank === best.rank && each.names[i].length < best.matched.length;
    if (rank !== null && (!best || rank < best.rank || shorter)) best = { each, matched: each.names[i], rank };
  });
  if (best || !words.every((word) => each.keys.some((name) => name.includes(word)))) return best;
  return { each, matched: each.name, rank: BY_WORDS };
}

/** What a text may mean, by kind, at most `limit` of each of `total`: strikes newest first, as they are kept, others best first. */
export function found({ named, fold }, text, limit, language) {
  const [key, words] = [foldWith(fold)(text), searchKeysWith(fold)(text)];
  if (!key) return [];
  const best = (a, b) => a.rank - b.rank || b.each.strikes - a.each.strikes || a.matched.length - b.matched.length || (a.each.id < b.each.id ? -1 : 1);
  const of = Object.entries(named).map(([kind, all]) => {
    const matches = all.map((each) => bestOf(each, key, words)).filter(Boolean);
    return { kind, total: matches.length, matches: (kind === "strike" ? matches : matches.sort(best)).slice(0, limit) };
  });
  const rank = ({ matches }) => Math.min(...matches.map((one) => one.rank));
  return of.filter(({ total }) => total).sort((a, b) => rank(a) - rank(b)).map(({ kind, total, matches }) => ({
    kind, total,
    results: matches.map(({ each: { id, name, spoken, country, detail, strikes }, matched }) => ({ id, name: spoken?.[language] ?? name, country, detail, strikes, matched })),
  }));
}
