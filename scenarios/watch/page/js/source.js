// Where what is shown comes from: a running `entropilot watch`, or the file itself. Nobody else asks for anything.

import { LiveSource } from "./live_source.js";
import { SavedSource } from "./saved_source.js";

/** Returns the source of this page: what is saved in it, else the server that it came from. */
export function openSource() {
  return document.getElementById("saved") ? new SavedSource() : new LiveSource();
}
