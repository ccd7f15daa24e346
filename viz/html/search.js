// The search box: words that a node must have, api: kind: type: gen: tag: and is:error.
const searchBox = byId("search");
const MOST_HITS = 60;
let hitAt = -1;
const TESTS = {
  api: (node, value) => node.api.toLowerCase().includes(value),
  kind: (node, value) => KIND_WORDS[node.kind].includes(value) || node.kind.includes(value),
  type: (node, value) => node.type.toLowerCase().includes(value),
  gen: (node, value) => String(node.gen) === value,
  tag: (node, value) => (node.tags ?? []).some((tag) => tag.toLowerCase() === value),
  is: (node, value) => node.problems.some((problem) => problem.severity === value) || (value === "problem" && node.problems.length > 0),
};

function nodesMatching(query) {
  const tests = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const colon = word.indexOf(":");
    const key = word.slice(0, Math.max(colon, 0));
    if (!Object.hasOwn(TESTS, key)) return (node) => node.text.includes(word);
    const value = word.slice(colon + 1);
    return (node) => TESTS[key](node, value);
  });
  return tests.length ? nodes.filter((node) => tests.every((test) => test(node))) : undefined;
}

function search() {
  const found = nodesMatching(searchBox.value);
  state.hits = found?.map((node) => node.index);
  if (state.chosen.length || state.way) {
    state.chosen = [];
    state.way = undefined;
    showPanel();
  }
  relight();
  hitAt = -1;
  byId("hits").replaceChildren(...(found ?? []).slice(0, MOST_HITS).map((node, index) =>
    make("li", { role: "option", id: `hit-${index}`, "aria-selected": "false", "data-node": node.index }, own(node.id), make("small", {}, node.type, camera.view.boxOf[node.index] < 0 && " not drawn"))));
  byId("found").hidden = !found;
  searchBox.setAttribute("aria-expanded", !!found);
  searchBox.removeAttribute("aria-activedescendant");
  if (found) byId("hit-count").textContent = found.length ? `${found.length.toLocaleString("en")} of ${counted(nodes.length, "node")}` : "No node has all of this";
}

function closeHits() {
  byId("found").hidden = true;
  searchBox.setAttribute("aria-expanded", false);
}

function clearSearch() {
  searchBox.value = "";
  search();
}

function moveHit(step) {
  const hits = byId("hits").children;
  if (!hits.length) return;
  hits[hitAt]?.setAttribute("aria-selected", "false");
  hitAt = (hitAt + step + hits.length + (hitAt < 0 && step < 0 ? 1 : 0)) % hits.length;
  hits[hitAt].setAttribute("aria-selected", "true");
  hits[hitAt].scrollIntoView({ block: "nearest" });
  searchBox.setAttribute("aria-activedescendant", hits[hitAt].id);
}

function takeHit(item) {
  if (!item) return;
  closeHits();
  goTo(Number(item.dataset.node));
}

searchBox.addEventListener("input", search);
searchBox.addEventListener("focus", () => { if (state.hits) { byId("found").hidden = false; searchBox.setAttribute("aria-expanded", true); } });
searchBox.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    moveHit(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter") takeHit(byId("hits").children[Math.max(hitAt, 0)]);
  else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    if (searchBox.value) clearSearch();
    else picture.focus();
  }
});
byId("hits").addEventListener("click", (event) => takeHit(event.target.closest("li")));
document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".finder")) closeHits(); });
