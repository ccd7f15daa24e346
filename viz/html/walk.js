// What is reached from where. Every walk takes the edges that are switched on, and no dropped ones.

// Returns the nodes reached from `starts` in at most `depth` steps, and the edges walked.
function reach(starts, direction, depth, isOn) {
  const near = direction === "needs" ? "into" : "out";
  const end = direction === "needs" ? "from" : "to";
  const found = new Map(starts.map((start) => [start, 0]));
  const walked = [];
  let edge = starts;
  for (let step = 1; edge.length && step <= depth; step += 1) {
    const next = [];
    for (const at of edge) {
      for (const one of nodes[at][near]) {
        if (!isOn(one)) continue;
        walked.push(one);
        if (!found.has(one[end])) {
          found.set(one[end], step);
          next.push(one[end]);
        }
      }
    }
    edge = next;
  }
  return { found, walked };
}

// Returns the edges of the shortest way from one node to another along the arrows, or undefined.
// Of several, it is the first by address: edges are sorted.
function wayBetween(start, goal, isOn) {
  const cameBy = new Map([[start, undefined]]);
  const queue = [start];
  for (let at = 0; at < queue.length && !cameBy.has(goal); at += 1) {
    for (const one of nodes[queue[at]].out) {
      if (!isOn(one) || cameBy.has(one.to)) continue;
      cameBy.set(one.to, one);
      queue.push(one.to);
    }
  }
  if (!cameBy.has(goal)) return undefined;
  const way = [];
  for (let one = cameBy.get(goal); one; one = cameBy.get(one.from)) way.unshift(one);
  return way;
}

// Returns which nodes cannot start when `starts` fail, and which go on without what they use.
// A node falls with any hard dependency; with its members only when all of them fell. What is only
// bound late is gone on without, too. The rules are those of rungraph.graph.failures.
function fallOf(starts) {
  const fallen = new Set(starts);
  const queue = [...starts];
  const weakened = new Set();
  for (let at = 0; at < queue.length; at += 1) {
    for (const one of nodes[queue[at]].out) {
      if (fallen.has(one.to)) continue;
      const falls = one.strength === "hard" || (one.strength === "member" &&
        nodes[one.to].into.every((other) => other.strength !== "member" || fallen.has(other.from)));
      if (falls) {
        fallen.add(one.to);
        queue.push(one.to);
      } else weakened.add(one.to);
    }
    for (const one of nodes[queue[at]].dropped) if (one.from === queue[at]) weakened.add(one.to);
  }
  for (const start of starts) fallen.delete(start);
  for (const one of [...weakened]) if (fallen.has(one) || starts.includes(one)) weakened.delete(one);
  return { fallen: [...fallen].sort((a, b) => a - b), weakened: [...weakened].sort((a, b) => a - b) };
}
