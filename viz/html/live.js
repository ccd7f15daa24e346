// A running stack: what its nodes do now, told by the server's events, or did, told by them again.
const live = { ...page.live, doing: new Map(), told: new Map(), changed: new Set(), facts: new Map(), log: [], before: new Map(), shown: 0, isPaused: false, isPlaying: false };
const MOST_TOLD = 50;
const MOST_ERRORS = 5;
const MOST_LOGGED = 10_000;
const RETRY_MS = 2000;
const LATER_MS = 250;
const LOG_MS = 100;
const FRAME_SECONDS = 0.016;
const LONGEST_PAUSE_MS = 1000;
// What a node that runs goes through: no start or stop is in it.
const LASTING = new Set(["NodeDegraded", "NodeRecovered"]);
page.timeline ??= { captions: ["the start so far"], total: 0, rows: [] };

// What the server tells at `path`; undefined while it does not, or breaks off.
async function jsonAt(path) {
  const answer = await fetch(path).catch(() => undefined);
  return answer?.ok ? answer.json().catch(() => undefined) : undefined;
}

function roleOf(doing) {
  return live.roles[doing] ?? "warned";
}

// The most telling state of the nodes that a box stands for, and how many are in it.
function markFor(box) {
  const found = tally(box.members.filter((member) => live.doing.has(member)), (member) => live.doing.get(member));
  const [first] = [...found.keys()].sort((a, b) => live.urgency.indexOf(roleOf(a)) - live.urgency.indexOf(roleOf(b)));
  if (first === undefined) return live.isPaused ? [roleOf("waiting"), "not started"] : undefined;
  return [roleOf(first), found.size > 1 ? `${found.get(first)} ${first}` : first];
}

function markBox(box) {
  const mark = markFor(box);
  if (!mark || (box.mark && box.mark[0] === mark[0] && box.mark[1] === mark[1])) return;
  box.mark = mark;
  box.element.classList.remove(...[...box.element.classList].filter((one) => one.startsWith("m-") || one === "loud"));
  box.element.classList.add(...markClasses(mark[0]));
  const text = `${symbols[mark[0]]} ${mark[1]}`.trim();
  box.lines = box.lines.map((line) => (line[0] === "m" ? `m${text}` : line));
  const written_ = box.element.querySelector("text.mark");
  if (written_) written_.textContent = text;
  box.element.removeAttribute("aria-label");
  name(box);
}

// What was so when the page was drawn is no caption of what is so later.
function showCaption(view) {
  const states = [...tally(live.doing.values(), (doing) => doing)].map(([doing, count]) => `${count} ${doing}`);
  view.data.caption = [...(states.length ? [states.join(", ")] : []), ...view.caption];
  if (view === camera.view) byId("caption").textContent = view.data.caption.join(" · ");
}

WHEN_DRAWN.push((view) => {
  view.data.meanings = live.meanings;
  view.caption = view.data.caption.filter((text) => !text.startsWith("status: "));
  view.boxes.forEach(markBox);
  showCaption(view);
});

// What has changed is drawn once a frame, however much has happened.
function touch(index) {
  if (!live.changed.size) requestAnimationFrame(showChanges);
  live.changed.add(index);
}

function showChanges() {
  for (const view of drawn.values()) {
    for (const box of new Set([...live.changed].map((index) => view.boxes[view.boxOf[index]]))) if (box) markBox(box);
    showCaption(view);
  }
  const [chosen] = state.chosen;
  if (state.chosen.length === 1 && live.changed.has(chosen)) {
    showNow();
    if (!live.isPaused) askFactsLater(nodes[chosen]);
  }
  live.changed.clear();
  showReplay();
  later();
}

// --- a node ---

function wordsOf(event) {
  return event.event.replace(/^Node/, "").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

function whyOf(event) {
  const told = event.error ? event.error.text ?? `${event.error}` : event.reason || event.detail || event.problem || event.steps?.join("; ");
  return [event.identifier, told].filter(Boolean).join(": ");
}

const isWrong = (event) => !!event.error || ["failed", "warned", "lost"].includes(roleOf(live.events[event.event] ?? "ready"));

function eventItem(event) {
  return make("li", { class: isWrong(event) && "wrong" }, `${event.at.toFixed(2)} s  ${wordsOf(event)} `, own(event.address ?? event.table ?? ""), make("small", {}, own(whyOf(event))));
}

function nowOf(node) {
  const told = live.told.get(node.index) ?? [];
  const { health, resources } = live.facts.get(node.index) ?? {};
  const errors = told.filter(isWrong).slice(-MOST_ERRORS).reverse();
  return [
    heading("Now"),
    facts([
      ["State", live.doing.get(node.index) ?? "not started"], ["Since", told.length ? `${told.at(-1).at.toFixed(2)} s` : ""],
      ["Health", health && !live.isPaused ? [health.status, health.message].filter(Boolean).join(": ") : ""], ...(live.isPaused ? [] : flowFacts(node)),
    ]),
    ...(errors.length ? [heading("Last errors"), listOf(errors, eventItem)] : []),
    ...(resources?.length ? [heading(`Serves ${resources.length}`), listOf(resources, (one) => make("li", {}, own(one)))] : []),
    make("details", {}, make("summary", {}, counted(told.length, "event")), listOf([...told].reverse(), eventItem)),
  ];
}

function showNow() {
  const now = byId("now");
  if (!now) return;
  refill(now, () => {
    const isOpen = now.querySelector("details").open;
    const parts = nowOf(nodes[state.chosen[0]]);
    parts.at(-1).open = isOpen;
    now.replaceChildren(...parts);
  });
}
MORE_PARTS.push((node) => {
  askFacts(node);
  return [make("div", { id: "now", "aria-live": "polite" }, ...nowOf(node))];
});

// How a provider is and what it serves, as the stack's own routes tell it.
let isAskingFacts;
async function askFacts(node) {
  if (isAskingFacts) return;
  isAskingFacts = true;
  const found = {};
  try {
    if (node.kind === "provider") found.health = (await (await asked("/providers/list")).json())[node.api]?.find((one) => one.provider_id === node.name)?.health;
    const tables = node.kind === "table" ? [node] : node.out.map((edge) => nodes[edge.to]).filter((one) => node.kind === "provider" && one.kind === "table");
    const listed = await Promise.all(tables.map(async (table) => (await asked(`/${table.name}/list`)).json()));
    found.resources = listed.flat().filter((one) => node.kind === "table" || one.provider_id === node.name).map((one) => one.identifier);
  } catch { /* While it starts or stops a stack does not say. */ }
  isAskingFacts = false;
  live.facts.set(node.index, found);
  if (state.chosen.length === 1) {
    showNow();
    if (state.chosen[0] !== node.index) askFacts(nodes[state.chosen[0]]);
  }
}

let areFactsOld;
function askFactsLater(node) {
  if (areFactsOld) return;
  areFactsOld = true;
  setTimeout(() => {
    areFactsOld = false;
    if (state.chosen[0] === node.index) askFacts(node);
  }, 4 * LATER_MS);
}

// --- what happens ---

// The nodes that an event is about: of a resource, its table and its provider.
function nodesOf(event) {
  const table = nodes[indexOfId.get(event.table)];
  const provider = table?.into.find((edge) => nodes[edge.from].name === event.provider_id)?.from;
  return [indexOfId.get(event.address), table?.index, provider].filter((index) => index !== undefined);
}

function take(event) {
  if (event.event === "Recording") forget();
  else {
    live.log.push({ ...event, about: nodesOf(event) });
    if (live.log.length > MOST_LOGGED) forgetOldest(MOST_LOGGED / 10);
    if (!live.isPaused) showUpTo(live.log.length);
    else showReplay();
    if (event.event in live.events && !LASTING.has(event.event)) askTimes();
    if (event.event === "StackReady" || event.event === "ReloadEnded") checkGraph();
  }
}

function forget() {
  for (const index of live.doing.keys()) touch(index);
  Object.assign(live, { doing: new Map(), told: new Map(), before: new Map(), log: [], shown: 0 });
}

function forgetOldest(count) {
  if (live.shown < count) showUpTo(count);
  for (const event of live.log.splice(0, count)) follow(event, live.before);
  live.shown -= count;
}

function follow(event, doing) {
  const now = live.events[event.event];
  if (now) for (const index of event.about) doing.set(index, now);
}

// Shows the nodes as they were when so many events of the log had happened.
function showUpTo(count) {
  if (count < live.shown) {
    for (const index of live.doing.keys()) touch(index);
    Object.assign(live, { doing: new Map(live.before), told: new Map(), shown: 0 });
  }
  for (const event of live.log.slice(live.shown, count)) {
    follow(event, live.doing);
    for (const index of event.about) {
      live.told.set(index, [...(live.told.get(index) ?? []), event].slice(-MOST_TOLD));
      touch(index);
    }
  }
  live.shown = count;
  showReplay();
  later();
}

// What the log has forgotten, the server still knows the end of.
async function askStates() {
  forget();
  for (const [id, doing] of Object.entries(await jsonAt("/graph/status") ?? {})) {
    const index = indexOfId.get(id);
    if (index === undefined || live.doing.has(index)) continue;
    live.doing.set(index, doing);
    live.before.set(index, doing);
    touch(index);
  }
}

// Asked only where it is seen. What takes long, there or here, is done less often.
let isAsking;
let pauseMs = LATER_MS;
function askTimes() {
  shownOnce.delete("timeline");
  live.areTimesOld = true;
  if (isAsking || tab !== "timeline") return;
  isAsking = true;
  setTimeout(async () => {
    const begun = performance.now();
    live.areTimesOld = false;
    const found = await jsonAt("/timeline");
    isAsking = false;
    if (!found) return;
    const { total, critical_path: critical, nodes: listed } = found;
    const settled = new Map(listed.map((one) => [one.address, one.ready ?? one.gave_up]));
    const rows = listed.filter((one) => one.starting !== null || one.gave_up !== null).map((one) => [
      one.address, Math.max(0, ...one.needs.map((need) => settled.get(need) ?? 0)), one.starting, settled.get(one.address), one.state, Number(critical.includes(one.address))]);
    page.timeline = { captions: [`${counted(rows.length, "node")} in ${seconds(total ?? 0)}`], total: total ?? 0, rows: rows.sort((a, b) => (a[2] ?? a[3]) - (b[2] ?? b[3])) };
    showTimeline();
    pauseMs = Math.max(LATER_MS, 10 * (performance.now() - begun));
    if (live.areTimesOld) askTimes();
  }, pauseMs);
}

// --- the log beside the timeline ---

const log = make("section", { id: "log", "aria-label": "Event log", tabindex: 0 });
BESIDE_TIMELINE.push(() => {
  if (live.areTimesOld) askTimes();
  later();
  return log;
});
KEEPING_TABS.add("timeline");
WHEN_CHOSEN.push(showLog);

let isLater;
function later() {
  shownOnce.delete("timeline");
  if (isLater || tab !== "timeline") return;
  isLater = true;
  setTimeout(() => { isLater = false; showLog(); }, LOG_MS);
}

function showLog() {
  refill(log, () => {
    const chosen = new Set(state.chosen);
    const found = live.log.slice(0, live.shown).filter((event) => !chosen.size || event.about.some((index) => chosen.has(index)));
    const newest = found.slice(-MOST_LISTED);
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.replaceChildren(
      make("h2", {}, chosen.size ? own(`${counted(found.length, "event")} of ${titleOfChosen()}`) : counted(found.length, "event")),
      chosen.size ? make("button", { type: "button", onclick: () => choose([]) }, "of all nodes") : "",
      make("ol", {}, ...(found.length > newest.length ? [make("li", {}, make("small", {}, counted(found.length - newest.length, "earlier event")))] : []), ...newest.map(eventItem)),
    );
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  });
}

// --- pausing and replaying ---

const slider = make("input", { type: "range", min: 0, step: 1, "aria-label": "Events that have happened" });
const replayed = make("output", {});
const play = make("button", { type: "button", "aria-pressed": "false" }, "Replay");
const replay = make("div", { id: "replay", class: "group", role: "group", "aria-label": "Replay", hidden: true }, play, slider, replayed);

function showReplay() {
  // What goes along the arrows is known of now only.
  picture.classList.toggle("past", live.isPaused && live.shown < live.log.length);
  if (!live.isPaused) return;
  const last = live.log[live.shown - 1];
  slider.max = live.log.length;
  slider.value = live.shown;
  const text = last ? `${last.at.toFixed(2)} s  ${wordsOf(last)} ${last.address ?? ""}` : "before the start";
  slider.setAttribute("aria-valuetext", text);
  replayed.textContent = `${live.shown} of ${live.log.length}: ${text}`;
}

function setPlaying(isPlaying) {
  live.isPlaying = isPlaying;
  play.setAttribute("aria-pressed", isPlaying);
}

// As fast as it happened, but for long pauses.
function playOn() {
  const next = live.log[live.shown];
  if (!live.isPlaying || !next) {
    setPlaying(false);
    return;
  }
  const since = live.log[live.shown - 1]?.at ?? next.at;
  setTimeout(() => {
    if (!live.isPlaying) return;
    const end = live.log.findIndex((event, index) => index > live.shown && event.at > next.at + FRAME_SECONDS);
    showUpTo(end < 0 ? live.log.length : end);
    playOn();
  }, Math.min(LONGEST_PAUSE_MS, (next.at - since) * 1000));
}

slider.addEventListener("input", () => { setPlaying(false); showUpTo(slider.valueAsNumber); });
play.addEventListener("click", () => {
  setPlaying(!live.isPlaying);
  if (live.isPlaying && live.shown >= live.log.length) showUpTo(0);
  playOn();
});

const pause = make("button", { id: "pause", type: "button", "aria-pressed": "false", title: "Hold what happens back, and replay it" }, "Pause");
pause.addEventListener("click", () => {
  live.isPaused = !live.isPaused;
  pause.setAttribute("aria-pressed", live.isPaused);
  replay.hidden = !live.isPaused;
  setPlaying(false);
  if (live.isPaused) showReplay();
  else showUpTo(live.log.length);
});

// --- the server ---

// After a reload, or a restart with another config, this is the picture of a graph that is no more.
let isChecking;
async function checkGraph() {
  if (isChecking) return;
  isChecking = true;
  const running = await jsonAt("/graph/status");
  isChecking = false;
  if (!running) return;
  if (Object.keys(running).every((id) => indexOfId.has(id)) && nodes.every((node) => node.ghost || node.id in running)) return;
  byId("changed")?.remove();
  byId("link").after(make("button", { id: "changed", type: "button", title: "Load the page again", onclick: () => location.reload() }, "The graph has changed"));
}

function showLink(text, isWell) {
  const line = byId("link");
  line.textContent = text;
  line.classList.toggle("broken", !isWell);
}

function listen() {
  const source = new EventSource("/events");
  source.addEventListener("open", () => showLink("live", true));
  source.addEventListener("message", ({ data }) => take(JSON.parse(data)));
  source.addEventListener("gap", askStates);
  // A browser tries again by itself, unless the server has refused or told that this is too slow.
  source.addEventListener("error", async () => {
    const isRefused = source.readyState === EventSource.CLOSED;
    const answer = isRefused ? await fetch("/events", { method: "HEAD" }).catch(() => undefined) : undefined;
    showLink(answer?.status === 401 ? "logged out; load the page again" : "no connection; trying again", false);
    if (isRefused) setTimeout(listen, RETRY_MS);
  });
}

byId("stage").append(replay);
document.querySelector(".tools").prepend(make("span", { id: "link", role: "status" }, "connecting"), pause);
listen();
