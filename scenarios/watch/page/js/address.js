// Every state is an address: #run/KEY/SCREEN/…?filters. This reads and writes them.

/** Reads an address into {screen, key, parts, query}. */
export function readAddress(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?");
  const [first, key, screen, ...parts] = path.split("/").map((each) => safely(each));
  const query = Object.fromEntries(new URLSearchParams(search));
  if (first === "shadow" && key) return { screen: "shadow", key: null, shadow: key, parts: [], query, at: screen === "at" ? whole(parts[0]) : null };
  if (first !== "run" || !key) return { screen: "runs", key: null, parts: [], query };
  if (!screen || screen === "at") return { screen: "campaign", key, parts: [], query, at: whole(parts[0]) };
  return { screen, key, parts, query, at: whole(query.at) };
}

function safely(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function whole(text) {
  return /^\d{1,9}$/.test(text ?? "") ? Number(text) : null;
}

/** Writes an address. */
export function address(key, screen = "campaign", { at = null, parts = [], query = {} } = {}) {
  const path = ["run", encodeURIComponent(key)];
  if (screen === "campaign") {
    if (at !== null) path.push("at", String(at));
  } else path.push(screen, ...parts.map((each) => encodeURIComponent(each)));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, at: screen === "campaign" ? null : at })) {
    if (value !== null && value !== undefined && value !== "") search.set(name, value);
  }
  const text = search.toString();
  return `#${path.join("/")}${text ? `?${text}` : ""}`;
}

/** Writes the address of a shadow, as it stands or after a decision. */
export function shadowAddress(key, at = null) {
  return `#shadow/${encodeURIComponent(key)}${at === null ? "" : `/at/${at}`}`;
}

/** Replaces the address without a step in the history, and without a new screen. */
export function rewrite(text) {
  if (location.hash !== text) history.replaceState(null, "", text);
}
