// What goes along the arrows: the calls of the last minute, as the server counts them.
const TRAFFIC_MS = 2000;
let flows = [];

function flowTexts({ calls, errors, rate, p95 }) {
  const failed = errors / calls;
  const share = `${(failed * 100).toFixed(failed < 0.1 ? 1 : 0)} %`;
  return [rate < 1 ? `${(rate * 60).toFixed(0)}/min` : `${rate.toFixed(1)}/s`, errors > 0 && `${symbols.failed} ${share}`, seconds(p95)].filter(Boolean);
}

function flowFacts(node) {
  return flows.filter(({ from, to }) => from === node.index || to === node.index).map((flow) => {
    const other = nodes[flow.from === node.index ? flow.to : flow.from];
    return [`${flow.from === node.index ? "To" : "From"} ${other.name}`, flowTexts(flow).join(", ")];
  });
}

// Several edges can be one arrow: its p95 is the longest of theirs.
function flowsByArrow(view) {
  const found = new Map();
  for (const flow of flows) {
    for (const arrow of view.arrowOf.get(`${view.boxOf[flow.from]} ${view.boxOf[flow.to]}`) ?? []) {
      const { calls, errors, rate, p95 } = found.get(arrow) ?? { calls: 0, errors: 0, rate: 0, p95: 0 };
      found.set(arrow, { calls: calls + flow.calls, errors: errors + flow.errors, rate: rate + flow.rate, p95: Math.max(p95, flow.p95) });
    }
  }
  return found;
}

function showFlows(view) {
  const found = flowsByArrow(view);
  for (const arrow of view.busy ?? []) if (!found.has(arrow)) {
    arrow.element.classList.remove("busy", "failing");
    arrow.flow.remove();
  }
  for (const [arrow, flow] of found) {
    if (!arrow.flow) {
      const { x, y } = arrow.element.getPointAtLength(arrow.element.getTotalLength() / 2);
      arrow.flow = draw("text", { class: "flow", transform: `translate(${x},${y})` });
    }
    const lines = flowTexts(flow);
    arrow.flow.replaceChildren(...lines.map((text, index) => draw("tspan", { x: 0, y: (index - lines.length) * 11 + 5 }, text)));
    arrow.flow.classList.toggle("failing", flow.errors > 0);
    arrow.element.classList.add("busy");
    arrow.element.classList.toggle("failing", flow.errors > 0);
    arrow.element.style.setProperty("--rate", Math.min(6, 2 + Math.log2(1 + flow.rate)).toFixed(1));
    if (!arrow.flow.isConnected) view.group.append(arrow.flow);
  }
  view.busy = [...found.keys()];
}
WHEN_DRAWN.push((view) => requestAnimationFrame(() => showFlows(view)));
MORE_MARKS.push(() => make("p", {}, sample(draw("path", { class: "e busy", d: "M0,7H26" })), `calls of the last minute: how many, ${symbols.failed} failed, p95`));

async function askFlows() {
  if (!document.hidden && !live.isPaused) {
    const { edges: told } = await jsonAt("/graph/traffic") ?? { edges: [] };
    // A graph that has changed has nodes that are not in this picture.
    flows = told.map((one) => ({ ...one, from: indexOfId.get(one.dependency), to: indexOfId.get(one.dependent) })).filter(({ from, to }) => nodes[from] && nodes[to]);
    for (const view of drawn.values()) showFlows(view);
    if (state.chosen.length === 1) showNow();
  }
  setTimeout(askFlows, TRAFFIC_MS);
}
askFlows();
