// The server that the page came from: JSON and bytes by fetch, what is new by one stream of events.

const TOKEN = "entropilot-token";
/** Wait before a stream that broke is opened again [ms], doubled up to the second. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 10000;
/** Wait before an answer that is still computed is asked for again [ms]. */
const COMPUTING_MS = 400;

/** What the server says it cannot do: found, expected, action. */
export class Refusal extends Error {
  constructor(problem, status) {
    super(problem.found);
    Object.assign(this, problem, { status });
  }
}

function keptToken() {
  const match = /(?:^#|[#&])token=([\w-]+)/.exec(location.hash);
  if (match) {
    sessionStorage.setItem(TOKEN, match[1]);
    history.replaceState(null, "", location.pathname + location.search + location.hash.replace(/[#&]?token=[\w-]+&?/, "#"));
  }
  return sessionStorage.getItem(TOKEN) ?? "";
}

function problemOf(body, status) {
  if (body?.found) return body;
  return { found: `The server answered ${status}`, expected: "an answer", action: "load the page again with the address that `entropilot watch` printed" };
}

function queryOf(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** Everything below api/, with the token of this start. */
export class LiveSource {
  isLive = true;

  constructor() {
    this.base = new URL("api/", document.baseURI.replace(/#.*/, ""));
    this.token = keptToken();
  }

  async #fetch(path, options = {}) {
    const headers = { Accept: "application/json", ...options.headers };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    let response;
    try {
      response = await fetch(new URL(path, this.base), { ...options, headers, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal({ found: "The server of this page does not answer", expected: "a running `entropilot watch`", action: "start it again; the page goes on by itself" }, 0);
    }
    if (!response.ok) {
      const body = await response.json().catch(() => null);
      throw new Refusal(problemOf(body, response.status), response.status);
    }
    return response;
  }

  async #json(path, options) {
    return (await this.#fetch(path, options)).json();
  }

  async #computed(path, signal) {
    for (;;) {
      const response = await this.#fetch(path, { signal });
      const told = await response.json();
      if (response.status !== 202 && told.status !== "computing") return told;
      await new Promise((resolve) => setTimeout(resolve, COMPUTING_MS));
      if (signal?.aborted) throw new DOMException("left", "AbortError");
    }
  }

  #run(key, rest = "") {
    return `runs/${encodeURIComponent(key)}${rest}`;
  }

  runs() {
    return this.#json("runs");
  }

  shadow(key, shown) {
    return this.#json(`shadows/${encodeURIComponent(key)}${queryOf({ shown })}`);
  }

  campaign(key) {
    return this.#json(this.#run(key));
  }

  moment(key, observation, signal) {
    return this.#json(this.#run(key, `/at/${observation ?? "latest"}`), { signal });
  }

  async series(key, window = {}, signal) {
    return (await this.#fetch(this.#run(key, `/series${queryOf(window)}`), { signal })).arrayBuffer();
  }

  decisions(key, offset, limit) {
    return this.#json(this.#run(key, `/decisions${queryOf({ offset, limit })}`));
  }

  decision(key, number) {
    return this.#json(this.#run(key, `/decisions/${number}`));
  }

  why(key, number, signal) {
    return this.#computed(this.#run(key, `/decisions/${number}/why`), signal);
  }

  whatIf(key, policy, from, signal) {
    return this.#computed(this.#run(key, `/what-if${queryOf({ policy, from })}`), signal);
  }

  instruments(key) {
    return this.#json(this.#run(key, "/instruments"));
  }

  dataset(key, parameters) {
    return this.#json(this.#run(key, `/dataset${queryOf(parameters)}`));
  }

  setAside(key) {
    return this.#json(this.#run(key, "/set-aside"));
  }

  journal(key, parameters) {
    return this.#json(this.#run(key, `/journal${queryOf(parameters)}`));
  }

  trust(key) {
    return this.#json(this.#run(key, "/trust"));
  }

  verify(key) {
    return this.#json(this.#run(key, "/verify"), this.#post({}));
  }

  controls(key) {
    return this.#json(this.#run(key, "/controls"));
  }

  control(key, body) {
    return this.#json(this.#run(key, "/controls"), this.#post(body));
  }

  #post(body) {
    return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  }

  compare(left, right) {
    return this.#json(`compare${queryOf({ left, right })}`);
  }

  policies() {
    return this.#json("policies");
  }

  async exported(key, parameters) {
    return (await this.#fetch(this.#run(key, `/export${queryOf(parameters)}`))).blob();
  }

  /** Listens to a run; `heard` gets every event by name, and "link" {up}. Returns what ends it. */
  events(key, heard, lastId) {
    const stop = new AbortController();
    this.#listen(key, heard, lastId, stop.signal);
    return () => stop.abort();
  }

  async #listen(key, heard, lastId, signal) {
    let wait = RETRY_MS;
    while (!signal.aborted) {
      try {
        const headers = { Accept: "text/event-stream" };
        if (lastId !== null && lastId !== undefined) headers["Last-Event-ID"] = String(lastId);
        const response = await this.#fetch(this.#run(key, "/events"), { headers, signal });
        heard("link", { up: true });
        wait = RETRY_MS;
        for await (const event of eventsIn(response.body)) {
          if (event.id !== null) lastId = event.id;
          heard(event.name, event.content);
        }
      } catch (error) {
        if (signal.aborted) return;
        heard("link", { up: false, problem: error });
        if (error.status === 401) return; // another start's token; a run that is not there yet may come
      }
      if (signal.aborted) return;
      heard("link", { up: false });
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(2 * wait, MAX_RETRY_MS);
    }
  }
}

/** Yields {name, id, content} of a stream of server-sent events; a comment is {name: "beat"}. */
async function* eventsIn(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) yield eventOf(part);
  }
}

function eventOf(text) {
  const event = { name: "message", id: null, content: null };
  const lines = [];
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const field = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event.name = value;
    else if (field === "id") event.id = value;
    else if (field === "data") lines.push(value);
  }
  if (lines.length === 0) return { ...event, name: "beat" };
  event.content = JSON.parse(lines.join("\n"));
  return event;
}
