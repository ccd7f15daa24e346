// Buttons, keys and the address bar; and what is shown first.
const HELP = [
  ["/", "search; ↑ ↓ and Enter choose"], ["click, Enter", "what a node needs and what needs it"], ["← →", "to what it needs, to what needs it"],
  ["↑ ↓", "to the node above or below"], ["p", "path between the chosen node and the next one"], ["+ − f", "zoom in, out, fit (also wheel, pinch, drag)"],
  ["1 2 3", "views, from few boxes to many"], ["d", "light or dark"], ["Escape", "leave what is chosen, searched for and filtered"], ["?", "this help"],
];

function remember() {
  const parts = [];
  if (state.way) parts.push(`path=${[state.way.nodes[0], state.way.nodes.at(-1)].map((index) => encodeURIComponent(nodes[index].id)).join("..")}`);
  else if (state.chosen.length === 1) parts.push(`node=${encodeURIComponent(nodes[state.chosen[0]].id)}`);
  if (state.depth !== EVERYTHING) parts.push(`depth=${state.depth}`);
  if (camera.view.data.name !== page.first) parts.push(`view=${camera.view.data.name}`);
  if (tab !== "graph") parts.push(`tab=${tab}`);
  const address = parts.length ? `#${parts.join("&")}` : location.pathname + location.search;
  if (parts.length ? location.hash !== address : location.hash) history.replaceState(null, "", address);
}

function recall() {
  const asked = new Map(location.hash.slice(1).split("&").map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
  const read = (text) => { try { return indexOfId.get(decodeURIComponent(text)); } catch { return undefined; } };
  const depth = Number(asked.get("depth"));
  state.depth = Number.isInteger(depth) && depth > 0 ? depth : EVERYTHING;
  const view = views.some((one) => one.name === asked.get("view")) ? asked.get("view") : page.first;
  if (camera.view?.data.name !== view) showView(view);
  showTab(TABS.some(([name]) => name === asked.get("tab")) ? asked.get("tab") : "graph");
  const ends = (asked.get("path") ?? "").split("..").map(read);
  const node = read(asked.get("node") ?? "");
  if (ends.length === 2 && !ends.includes(undefined)) findWay([ends[0]], [ends[1]]);
  else if (node !== undefined) goTo(node);
  else if (asked.has("node")) say("No such node in this graph", { stays: true });
}

// Shows a node in the picture and chooses it.
function goTo(index) {
  if (tab !== "graph" && !KEEPING_TABS.has(tab)) showTab("graph");
  choose([index]);
  const box = camera.view.boxes[camera.view.boxOf[index]];
  if (!box || tab !== "graph") return;
  bringIntoView(neighbourhood([index]), 0.7);
  focusBox(box);
}

let focused;
function focusBox(box) {
  focused?.element.setAttribute("tabindex", -1);
  focused = box;
  box.element.setAttribute("tabindex", 0);
  box.element.focus({ preventScroll: true });
}

function boxAt(target) {
  const element = target.closest?.(".n[data-box]");
  return element && camera.view.boxes[Number(element.dataset.box)];
}

const isShown = (box) => !isBoxOff(box);

// The neighbour in the direction of an arrow key: along an edge, or up and down in the column.
function neighbour(box, key) {
  const { boxes } = camera.view;
  const isDownward = camera.view.data.direction === "TB";
  const middle = (one) => (isDownward ? one.x + one.width / 2 : one.y + one.height / 2);
  const nearest = (found) => found.filter(isShown).sort((a, b) => Math.abs(middle(a) - middle(box)) - Math.abs(middle(b) - middle(box)) || a.index - b.index)[0];
  const [back, forth, before] = isDownward ? ["ArrowUp", "ArrowDown", "ArrowLeft"] : ["ArrowLeft", "ArrowRight", "ArrowUp"];
  if (key === back) return nearest(box.into.map((arrow) => boxes[arrow.from]).filter((one) => one !== box));
  if (key === forth) return nearest(box.out.map((arrow) => boxes[arrow.to]).filter((one) => one !== box));
  const sign = key === before ? -1 : 1;
  const isBeside = (one) => (isDownward ? one.y < box.y + box.height && box.y < one.y + one.height : one.x < box.x + box.width && box.x < one.x + one.width);
  return nearest(boxes.filter((one) => isBeside(one) && (middle(one) - middle(box)) * sign > 0));
}

function pressInPicture(event) {
  const box = boxAt(event.target);
  if (event.key.startsWith("Arrow") && !event.altKey && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    const shown = camera.view.boxes.filter(isShown);
    const next = box ? neighbour(box, event.key) : focused && isShown(focused) && camera.view.boxes.includes(focused) ? focused : shown.sort((a, b) => a.x - b.x || a.y - b.y)[0];
    if (!next) return;
    focusBox(next);
    bringIntoSight([next]);
  } else if ((event.key === "Enter" || event.key === " ") && box) {
    event.preventDefault();
    choose(box.members);
  }
}

function showHelp() {
  const dialog = byId("help");
  dialog.replaceChildren(
    make("h2", { id: "help-title" }, "Keys"),
    make("dl", {}, ...HELP.flatMap(([keys, text]) => [make("dt", {}, ...keys.split(" ").flatMap((key) => (key === "click," ? ["click, "] : [make("kbd", {}, key), " "]))), make("dd", {}, text)])),
    make("p", {}, "Arrows run from what is needed to what needs it; what stands further left starts earlier. Switched-off strengths are not followed."),
    make("form", { method: "dialog" }, make("button", {}, "Close")),
  );
  dialog.showModal();
}

function toggleTheme() {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.chosen = "yes";
  byId("theme").setAttribute("aria-pressed", root.dataset.theme === "dark");
}

const KEYS = {
  "/": () => { searchBox.focus(); searchBox.select(); }, "?": showHelp, p: pickOther, f: fit, 0: fit, d: toggleTheme,
  "+": () => zoomBy(1.25), "=": () => zoomBy(1.25), "-": () => zoomBy(0.8), Escape: leave,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open || event.target.matches?.("input:not([type=checkbox]), textarea, select")) return;
  const view = views[Number(event.key) - 1];
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : view && (() => { showView(view.name); remember(); });
  if (!act) return;
  event.preventDefault();
  act();
});
picture.addEventListener("keydown", pressInPicture);
picture.addEventListener("click", (event) => {
  if (travelled > 4) return;
  const box = boxAt(event.target);
  if (box) {
    choose(box.members);
    focusBox(box);
  } else if (!state.isPicking) choose([]);
});
byId("zoom-in").addEventListener("click", () => zoomBy(1.25));
byId("zoom-out").addEventListener("click", () => zoomBy(0.8));
byId("fit").addEventListener("click", fit);
byId("path").addEventListener("click", pickOther);
byId("theme").addEventListener("click", toggleTheme);
byId("ask").addEventListener("click", showHelp);

// One of a row of buttons is reached by Tab, the others by arrow keys.
function rove(group, act) {
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...group.children];
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
    act(next);
    next.focus();
  });
}
byId("views").append(...views.map((view) => make("button", {
  type: "button", role: "radio", "data-view": view.name, onclick: () => { showView(view.name); remember(); },
}, view.label)));
byId("views").hidden = views.length < 2;
rove(byId("views"), (button) => button.click());
const tabs = document.querySelector("[role=tablist]");
tabs.append(...TABS.map(([name, text]) => make("button", {
  type: "button", role: "tab", "data-tab": name, "aria-controls": `${name}-page`, onclick: () => { showTab(name); remember(); },
}, text)));
rove(tabs, (button) => button.click());

if (!nodes.length) byId("stage").append(make("p", { class: "empty" }, "The graph has no nodes."));
if (innerWidth < 720) byId("legend").open = false;
byId("theme").setAttribute("aria-pressed", root.dataset.theme === "dark");
showTab("graph");
// The page itself is painted first: thousands of boxes take longer than a reader should see nothing.
requestAnimationFrame(() => setTimeout(() => {
  measure();
  recall();
  lookNow();
  window.addEventListener("hashchange", recall);
  performance.mark("shown");
}));
