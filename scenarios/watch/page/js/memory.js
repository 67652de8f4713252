// What a browser remembers for this page; one that remembers nothing (a file, a private window) is as well.

/** Returns what was kept under a name; empty where nothing was. */
export function recall(name) {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a text under a name. */
export function keep(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch {
    // It is forgotten with this page.
  }
}
