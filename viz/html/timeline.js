// The start as a Gantt chart: what each node waited for, and what its own start took.
function seconds(value) {
  if (value >= 1) return `${value.toFixed(2)} s`;
  return value >= 0.001 || value === 0 ? `${Math.round(value * 1000)} ms` : `${(value * 1000).toFixed(2)} ms`;
}

const chart = make("div", { class: "chart" });

function showTimeline() {
  const { captions, total, rows } = page.timeline;
  const end = Math.max(total, ...rows.map(([, , starting, settled]) => settled ?? starting ?? 0), 1e-6);
  const own = rows.map(([, , starting, settled]) => (starting === null || settled === null ? 0 : settled - starting));
  const critical = rows.filter((row) => row[5]);
  refill(chart, () => chart.replaceChildren(make("table", { class: "gantt" },
    make("caption", {}, captions.join("; ")),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Node"), make("th", { scope: "col" }, "Own time"), make("th", { scope: "col" }, axis(end)))),
    make("tbody", {}, ...rows.map((row, index) => ganttRow(row, own[index], end)))), ganttLegend(rows, critical)));
  const beside = BESIDE_TIMELINE.map((more) => more());
  if (!chart.isConnected) byId("timeline-page").replaceChildren(chart, ...beside);
}

function axis(end) {
  const ticks = make("div", { class: "track", "aria-hidden": "true" });
  for (let part = 0; part < 4; part += 1) ticks.append(at(make("span", { class: "tick" }, seconds(end * part / 4)), part / 4));
  return ticks;
}

function at(element, left, width) {
  element.style.left = `${(left * 100).toFixed(3)}%`;
  if (width !== undefined) element.style.width = `${(width * 100).toFixed(3)}%`;
  return element;
}

function ganttRow([id, available, starting, settled, result, isCritical], own_, end) {
  const index = indexOfId.get(id);
  const track = make("div", { class: "track" });
  const begun = starting ?? settled ?? available;
  const needed = Math.min(available, begun);
  if (needed > 0) track.append(at(make("span", { class: "bar needs-bar" }), 0, needed / end));
  if (begun > needed) track.append(at(make("span", { class: "bar turn-bar" }), needed / end, (begun - needed) / end));
  const isOver = starting !== null && settled !== null;
  if (isOver) track.append(at(make("span", { class: `bar own-bar${isCritical ? " critical" : ""}${result === "failed" ? " failed" : ""}` }), starting / end, Math.max(settled - starting, end / 500) / end));
  const wait = make("span", { class: "unseen" }, `waited ${seconds(begun)}`);
  return make("tr", { "data-address": id, class: isCritical ? "critical" : "" },
    make("th", { scope: "row" }, index === undefined ? own(id) : nodeLink(index)),
    make("td", {}, isOver ? seconds(own_) : result, wait), make("td", {}, track));
}

function ganttLegend(rows, critical) {
  const entry_ = (name, text) => make("span", { class: "gantt-entry" }, make("span", { class: `bar ${name}` }), text);
  return make("p", { class: "gantt-legend" }, entry_("needs-bar", "waits for what it needs"), entry_("turn-bar", "waits for its turn"), entry_("own-bar", "its own start"),
    critical.length > 0 && entry_("own-bar critical", "on the critical path"), rows.some((row) => row[4] === "failed") && entry_("own-bar failed", "failed"));
}

if (page.timeline) TABS.push(["timeline", "Timeline", showTimeline]);
