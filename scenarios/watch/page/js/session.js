// One run that is looked at: what it is, where it stands, its course, and which moment of it is shown.

import { Course } from "./series.js";

/** Moments of the past that are kept, so that going back and forth asks for nothing. */
const MAX_KEPT = 500;
/** Points that may come behind a reduced course before it is reduced again. */
const MAX_BEHIND_REDUCED = 2000;
/** Pixels that a long course is reduced to: as wide as a chart becomes. */
const COLUMNS = 1600;

/** Most observations of a course with bands, as the server has it. */
const MAX_BANDED = 200;
/** Waits before bands are asked for again [ms], and how often in a row: the server measures 20 ms of them at a time. */
const SOON_MS = 400;
const LATER_MS = 20000;
const MAX_TURNS = 30;
/** Wait before a campaign is read again whose families are not all known [ms]. */
const MEET_MS = 2000;
/** A course of more points is megabytes: it is asked for less often. */
const LONG = 5000;

/** Tells its listeners `heard(topic)` of: campaign, families (others than before), moment, shown, points, course, link, answer. */
export class Session {
  constructor(source, key) {
    Object.assign(this, { source, key, campaign: null, latest: null, moment: null, shown: null, problem: null });
    this.course = new Course();
    this.link = { up: source.isLive, agent: "unknown", heardAt: performance.now(), asOf: null };
    this.answers = new Map();
    this.listeners = new Set();
    this.kept = new Map();
    this.asking = null;
    this.stop = null;
  }

  listen(heard) {
    this.listeners.add(heard);
    return () => this.listeners.delete(heard);
  }

  tell(topic) {
    for (const heard of [...this.listeners]) heard(topic);
  }

  /** Loads what there is, and listens to what comes. */
  async open() {
    const [campaign, latest, bytes] = await Promise.all([
      this.source.campaign(this.key),
      this.source.moment(this.key),
      this.source.series(this.key, { px: COLUMNS }).catch(() => null),
    ]);
    Object.assign(this, { campaign, latest });
    if (bytes) this.course.load(bytes);
    if (this.shown === null) this.moment = latest;
    const controls = campaign.can_control ? await this.source.controls(this.key).catch(() => []) : [];
    for (const each of controls) this.answers.set(each.message_id, { ...each, isOld: true });
    const last = this.course.sequence[this.course.sequence.length - 1] ?? 0;
    this.stop = this.source.events(this.key, (name, content) => this.#hear(name, content), last);
    if (this.source.isLive) this.#askForBands();
    this.tell("campaign");
    this.tell("course");
    this.tell("moment");
  }

  /** Asks for bands until there are as many as there will be, then now and then for those of what has come. */
  #askForBands(turns = 0) {
    const known = this.course.banded;
    const isAll = known >= Math.min(MAX_BANDED, this.course.x.length) - 2;
    const isLong = this.course.x.length > LONG;
    const wait = isAll || turns > (isLong ? MAX_TURNS / 5 : MAX_TURNS) ? LATER_MS : isLong ? 4 * SOON_MS : SOON_MS;
    this.bandTimer = setTimeout(async () => {
      const bytes = this.course.reduced || (isAll && !this.isRunning) ? null : await this.source.series(this.key, {}).catch(() => null);
      if (!this.stop) return;
      if (bytes && this.course.loadBands(bytes) !== known) this.tell("course");
      this.#askForBands(isAll ? 0 : turns + 1);
    }, wait);
  }

  get isRunning() {
    return !["finished", "interrupted"].includes(this.latest?.phase);
  }

  close() {
    clearTimeout(this.bandTimer);
    this.stop?.();
    this.stop = null;
    this.asking?.abort();
    this.listeners.clear();
  }

  get isLive() {
    return this.shown === null;
  }

  get last() {
    return Math.max(this.latest?.last_observation ?? 0, this.course.x[this.course.x.length - 1] ?? 0);
  }

  #hear(name, content) {
    if (name !== "link") this.link.heardAt = performance.now();
    if (name === "points") this.#grow(content);
    else if (name === "moment") this.#stand(content);
    else if (name === "campaign") this.#change(content);
    else if (name === "receipt") this.take(content);
    else if (name === "link") {
      this.link = { ...this.link, up: content.up, problem: content.problem ?? null };
      if (content.up) this.link.heardAt = performance.now();
      this.tell("link");
    }
  }

  #grow(points) {
    if (this.course.append(points) === 0) return;
    this.tell("points");
    if (this.course.reduced && this.course.appended > MAX_BEHIND_REDUCED) this.#reduce();
  }

  async #reduce() {
    this.course.appended = 0;
    const bytes = await this.source.series(this.key, { px: COLUMNS }).catch(() => null);
    if (bytes) this.course.load(bytes);
    this.tell("course");
  }

  #stand(moment) {
    this.latest = moment;
    const known = new Set(this.campaign.families);
    if (!this.meeting && moment.families.some((each) => !known.has(each.family))) this.#meet();
    if (this.isLive) {
      this.moment = moment;
      this.tell("moment");
    } else this.tell("latest");
  }

  /** Reads the campaign again: it has families that it had not when it was opened. */
  async #meet() {
    this.meeting = true;
    try {
      const [campaign, bytes] = await Promise.all([this.source.campaign(this.key), this.source.series(this.key, { px: COLUMNS })]);
      if (!this.stop) return;
      this.campaign = { ...campaign, can_control: this.campaign.can_control, why_not: this.campaign.why_not };
      this.course.load(bytes);
      this.tell("families");
    } catch {
      // the next moment asks again
    } finally {
      setTimeout(() => (this.meeting = false), MEET_MS);
    }
  }

  #change(told) {
    const { agent, as_of: asOf, ...rest } = told;
    this.link = { ...this.link, agent: agent ?? this.link.agent, asOf: asOf ?? this.link.asOf };
    for (const [name, value] of Object.entries(rest)) if (name in this.campaign) this.campaign[name] = value;
    if (rest.phase && this.latest && rest.phase !== this.latest.phase) this.#stand({ ...this.latest, phase: rest.phase, reason: rest.reason ?? this.latest.reason });
    this.tell("link");
  }

  /** Takes an answer to an order, of this page or of another one. */
  take(answer) {
    const known = this.answers.get(answer.message_id);
    if (known && known.status !== "sent" && answer.status === "sent") return;
    this.answers.set(answer.message_id, { ...known, ...answer, words: known?.words || answer.words, isOld: false, heardAt: Date.now() });
    this.tell("answer");
  }

  /** Shows the campaign as it stood after an observation; null: as it stands now. */
  look(observation) {
    this.asking?.abort();
    this.asking = null;
    if (observation === null) {
      this.shown = null;
      this.moment = this.latest;
      this.tell("shown");
      this.tell("moment");
      return;
    }
    const within = Math.min(Math.max(Math.round(observation), 0), this.last);
    this.shown = this.source.nearest ? this.source.nearest(within) : within;
    const kept = this.kept.get(this.shown);
    this.moment = kept ?? this.#guessed(this.shown);
    this.tell("shown");
    this.tell("moment");
    if (!kept) this.#ask(this.shown);
  }

  async #ask(observation) {
    const asking = new AbortController();
    this.asking = asking;
    try {
      const moment = await this.source.moment(this.key, observation, asking.signal);
      this.kept.set(observation, { ...moment, is_latest: false });
      if (this.kept.size > MAX_KEPT) this.kept.delete(this.kept.keys().next().value);
      if (this.shown !== observation) return;
      this.moment = this.kept.get(observation);
      this.problem = null;
      this.tell("moment");
    } catch (error) {
      if (error.name === "AbortError") return;
      this.problem = error;
      this.tell("problem");
    }
  }

  /** What the course alone tells of a moment, until the rest is there. */
  #guessed(observation) {
    const { course, campaign, moment } = this;
    const row = course.indexOf(observation);
    if (row < 0 || course.reduced) return moment ? { ...moment, observation, isGuess: true, is_latest: false } : null;
    const families = campaign.families.map((family) => ({ family, size: course.size[family]?.[row] ?? null, entropy: course.entropy[family]?.[row] ?? null, low: null, high: null, change: null }));
    const metrics = Object.fromEntries(campaign.metrics.map(({ name }) => [name, course.metric[name]?.[row] ?? null]));
    const known = families.filter((each) => each.entropy !== null);
    const poorest = known.length ? known.reduce((one, other) => (other.entropy < one.entropy ? other : one)) : null;
    return { ...moment, observation, families, metrics, starved_family: poorest?.family ?? null, is_latest: false, isGuess: true };
  }

  /** Decisions that wait for a person now. */
  get waiting() {
    return this.latest?.awaiting_approval ?? [];
  }
}
