// Asks for what the page begins with, before its other modules are there: this one needs few.
import { begin } from "./api.js";
import { load } from "./results.js";
import { read, settledAddress } from "./state.js";

const view = settledAddress(location)?.split("#")[1] ?? location.hash;
begin(() => load(read(view)).catch(() => {})); // the page tells what failed
