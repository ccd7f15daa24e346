// A running stack: what its nodes do now, told by the server's events.
const live = { ...page.live, doing: new Map(), told: new Map(), changed: new Set(), isPaused: false, held: [] };
const MOST_TOLD = 50;
const RETRY_MS = 2000;
page.timeline ??= { captions: ["the start so far"], total: 0, rows: [] };

function roleOf(doing) {
  return live.roles[doing] ?? "warned";
}

// The most telling state of the nodes that a box stands for, and how many are in it.
function markFor(box) {
  const found = tally(box.members.filter((member) => live.doing.has(member)), (member) => live.doing.get(member));
  const [first] = [...found.keys()].sort((a, b) => live.urgency.indexOf(roleOf(a)) - live.urgency.indexOf(roleOf(b)));
  if (first === undefined) return undefined;
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

WHEN_DRAWN.push((view) => {
  view.data.meanings = live.meanings;
  view.boxes.forEach(markBox);
});

// What has changed is drawn once a frame, however much has happened.
function showChanges() {
  for (const view of drawn.values()) for (const box of new Set([...live.changed].map((index) => view.boxes[view.boxOf[index]]))) if (box) markBox(box);
  const [chosen] = state.chosen;
  if (state.chosen.length === 1 && live.changed.has(chosen)) byId("now")?.replaceChildren(...nowOf(nodes[chosen]));
  live.changed.clear();
}

function nowOf(node) {
  const told = live.told.get(node.index) ?? [];
  const failure = told.findLast((one) => one.error);
  return [
    heading("Now"),
    facts([["State", live.doing.get(node.index) ?? "not started"], ["Since", told.length ? `${told.at(-1).at.toFixed(2)} s` : ""], ["Last error", failure ? `${failure.error.text ?? failure.error}` : ""]]),
    make("details", {}, make("summary", {}, counted(told.length, "event")), listOf([...told].reverse(), (one) =>
      make("li", {}, `${one.at.toFixed(2)} s  ${one.event}`, make("small", {}, own(one.error?.text ?? one.reason ?? one.detail ?? ""))))),
  ];
}
MORE_PARTS.push((node) => [make("div", { id: "now", "aria-live": "polite" }, ...nowOf(node))]);

function take(event) {
  const index = indexOfId.get(event.address);
  if (index === undefined) return;
  const doing = live.events[event.event];
  if (doing) live.doing.set(index, doing);
  const told = live.told.get(index) ?? [];
  live.told.set(index, [...told, event].slice(-MOST_TOLD));
  if (!live.changed.size) requestAnimationFrame(showChanges);
  live.changed.add(index);
  askTimes();
}

let isAsking;
function askTimes() {
  if (isAsking) return;
  isAsking = true;
  setTimeout(async () => {
    isAsking = false;
    const answer = await fetch("/timeline").catch(() => undefined);
    if (!answer?.ok) return;
    const { total, critical_path: critical, nodes: listed } = await answer.json();
    const settled = new Map(listed.map((one) => [one.address, one.ready ?? one.gave_up]));
    const rows = listed.filter((one) => one.starting !== null || one.gave_up !== null).map((one) => [
      one.address, Math.max(0, ...one.needs.map((need) => settled.get(need) ?? 0)), one.starting, settled.get(one.address), one.state, Number(critical.includes(one.address))]);
    page.timeline = { captions: [`${counted(rows.length, "node")} in ${seconds(total ?? 0)}`], total: total ?? 0, rows: rows.sort((a, b) => (a[2] ?? a[3]) - (b[2] ?? b[3])) };
    if (tab === "timeline") showTimeline();
  }, 250);
}

function showLink(text, isWell) {
  const line = byId("link");
  line.textContent = text;
  line.classList.toggle("broken", !isWell);
}

function listen() {
  const source = new EventSource("/events");
  source.addEventListener("open", () => showLink("live", true));
  source.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    if (live.isPaused) live.held.push(event);
    else take(event);
  });
  source.addEventListener("gap", () => live.told.clear());
  // A browser tries again by itself, unless the server has refused or told that this is too slow.
  source.addEventListener("error", () => {
    showLink("no connection; trying again", false);
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  });
}

const pause = make("button", { id: "pause", type: "button", "aria-pressed": "false", title: "Hold what happens back" }, "Pause");
pause.addEventListener("click", () => {
  live.isPaused = !live.isPaused;
  pause.setAttribute("aria-pressed", live.isPaused);
  if (!live.isPaused) live.held.splice(0).forEach(take);
});
document.querySelector(".tools").prepend(make("span", { id: "link", role: "status" }, "connecting"), pause);
listen();
