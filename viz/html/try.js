// Asking the stack that runs: a playground for its models, and forms that register resources.
async function asked(path, body, signal) {
  const answer = await fetch(path, body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({ error: { message: `${path}: ${answer.status}` } }));
  throw Object.assign(new Error(error.message), { isLater: answer.status === 503 });
}

function section(key, text, show) {
  panel.before(make("section", { id: `${key}-page`, role: "tabpanel", "aria-label": text }));
  // What there is to ask changes: whoever comes back, or waits for the start, sees it as it is then.
  TABS.push([key, text, () => show().catch((error) => {
    say(error.message);
    if (error.isLater) setTimeout(() => tab === key && showTab(key), RETRY_MS);
  }).finally(() => shownOnce.delete(key))]);
}

function field(text, control) {
  return make("label", { class: "field" }, make("span", {}, text), control);
}

// --- playground ---

// A value as Python writes it: texts and numbers are those of JSON.
function pythonOf(value) {
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${pythonOf(one)}`).join(", ")}}`;
  return typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);
}

// Where keys are on, the key of who logged in is no script's: it comes from the environment.
function codesOf(body, needsKey) {
  const quoted = `'${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
  const header = needsKey ? ' -H "authorization: Bearer $KEY"' : "";
  const [imports, key] = needsKey ? ["import os\n\n", 'os.environ["KEY"]'] : ["", '"none"'];
  return [
    ["curl", `curl -N ${location.origin}/v1/chat/completions${header} -H 'content-type: application/json' -d ${quoted}`],
    ["Python", `${imports}from openai import OpenAI\n\nclient = OpenAI(base_url="${location.origin}/v1", api_key=${key})\nbody = ${pythonOf(body)}\nfor chunk in client.chat.completions.create(**body):\n    for choice in chunk.choices:\n        print(choice.delta.content or "", end="")`],
  ];
}

async function* deltasOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    for (const line of lines.filter((one) => one.startsWith("data: ") && one !== "data: [DONE]")) {
      const chunk = JSON.parse(line.slice(6));
      if (chunk.error) throw new Error(chunk.error.message);
      yield [chunk.choices?.[0]?.delta?.content ?? "", chunk.usage?.completion_tokens];
    }
  }
}

let askModels;
async function showTry() {
  const target = byId("try-page");
  if (target.firstChild) return askModels();
  const model = make("select", { id: "try-model" });
  const before = [];
  const earlier = make("ol", { id: "try-before", "aria-label": "Earlier messages" });
  const system = make("textarea", { id: "try-system", rows: 1 });
  const message = make("textarea", { id: "try-message", rows: 3, required: true });
  const most = make("input", { type: "number", min: 1, value: 64 });
  const warmth = make("input", { type: "number", min: 0, max: 2, step: 0.1, value: 0 });
  const send = make("button", { type: "submit", disabled: true }, "Send");
  const stop = make("button", { type: "button", disabled: true }, "Stop");
  const anew = make("button", { type: "button", onclick: () => { before.splice(0); earlier.replaceChildren(); } }, "New conversation");
  const said = make("pre", { id: "try-answer", "aria-live": "polite" });
  const figures = make("p", { id: "try-figures" });
  const more = make("div", {});
  const form = make("form", {}, field("Model", model), field("System", system), field("Message", message), field("Tokens at most", most), field("Temperature", warmth), make("div", { class: "actions" }, send, stop, anew));
  target.replaceChildren(form, earlier, said, figures, more);
  let [needsKey, chats] = [false, []];
  askModels = async () => {
    needsKey = (await fetch("/v1/models", { credentials: "omit" })).status === 401;
    const { data } = await (await asked("/v1/models")).json();
    chats = data.filter((one) => one.custom_metadata.model_type !== "embedding");
    model.replaceChildren(...chats.map((one) => make("option", { value: one.id, selected: one.id === model.value }, one.id)));
    send.disabled = !chats.length || !stop.disabled;
    send.title = chats.length ? "" : "none of the models here can chat";
  };
  const pathFrom = (id) => {
    const [provider, router] = [indexOfId.get(`provider:inference/${id}`), indexOfId.get("router:inference")];
    if (provider === undefined || router === undefined) return "";
    return make("button", { type: "button", class: "node-link", onclick: () => { showTab("graph"); findWay([provider], [router]); } }, "the path of the call in the graph");
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const question = { role: "user", content: message.value };
    earlier.replaceChildren(...before.map((one) => make("li", {}, make("b", {}, `${one.role}: `), own(one.content))));
    const body = { model: model.value, messages: [...(system.value ? [{ role: "system", content: system.value }] : []), ...before, question], max_tokens: most.valueAsNumber, temperature: warmth.valueAsNumber, stream: true };
    const way = make("div", {}, pathFrom(chats.find((one) => one.id === model.value)?.owned_by));
    more.replaceChildren(
      way,
      ...codesOf(body, needsKey).map(([text, code]) => make("details", {}, make("summary", {}, text), make("pre", {}, code))));
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    [send.disabled, stop.disabled, said.textContent, figures.textContent] = [true, false, "", ""];
    const begun = performance.now();
    let [first, pieces, tokens] = [undefined, 0, undefined];
    try {
      const answer = await asked("/v1/chat/completions", { ...body, stream_options: { include_usage: true } }, abort.signal);
      const member = answer.headers.get("x-rungraph-member"); // Which of several providers of the model it is.
      if (member) way.replaceChildren(pathFrom(decodeURIComponent(member)));
      for await (const [text, told] of deltasOf(answer)) {
        tokens = told ?? tokens;
        if (!text) continue;
        first ??= performance.now();
        pieces += 1;
        said.append(text);
      }
      before.push(question, { role: "assistant", content: said.textContent });
      const count = tokens ?? pieces;
      const speed = count > 1 ? ((count - 1) / (performance.now() - first)) * 1000 : 0;
      figures.textContent = `first token after ${seconds(((first ?? performance.now()) - begun) / 1000)}; ${counted(count, tokens === undefined ? "piece" : "token")}, ${speed.toFixed(1)} a second`;
    } catch (error) {
      figures.textContent = error.name === "AbortError" ? "stopped" : error.message;
    }
    [send.disabled, stop.disabled] = [false, true];
  });
  return askModels();
}
section("try", "Try", showTry);

// --- registering ---

let document_;
const resolved = (schema) => (schema.$ref ? document_.components.schemas[schema.$ref.split("/").at(-1)] : schema);
const typesOf = (schema) => (schema.anyOf ? schema.anyOf.map((one) => resolved(one).type) : [schema.type]);

function controlFor(schema) {
  const options = schema.enum ?? (schema.const !== undefined ? [schema.const] : undefined);
  if (options) return make("select", {}, ...options.map((one) => make("option", { value: one, selected: one === schema.default }, one)));
  if (typesOf(schema).includes("boolean")) return make("input", { type: "checkbox" });
  if (typesOf(schema).some((one) => one === "integer" || one === "number")) return make("input", { type: "number", step: "any", value: schema.default ?? "" });
  if (typesOf(schema).some((one) => one === "object" || one === "array")) return make("textarea", { rows: 2, placeholder: "JSON" });
  return make("input", { type: "text", value: schema.default ?? "" });
}

function valueOf(control) {
  if (control.type === "checkbox") return control.checked;
  if (control.value === "") return undefined;
  if (control.type === "number") return control.valueAsNumber;
  if (control.tagName !== "TEXTAREA") return control.value;
  try { return JSON.parse(control.value); } catch { return control.value; }
}

const refreshes = [];
// One form a kind of resource: its fields are those of the JSON Schema by which the server validates.
function registerForm(path) {
  const root_ = Object.entries(resolved(document_.paths[path].post.requestBody.content["application/json"].schema).properties)[0];
  const [key, schema] = [root_[0], resolved(root_[1])];
  const variants = schema.oneOf ? schema.oneOf.map(resolved) : [schema];
  const fields = make("div", {});
  const said = make("p", { class: "wrong", role: "alert" });
  const list = make("ul", { class: "registered" });
  const controls = new Map();
  const names = variants.map((one) => one.properties.type?.const ?? one.title);
  const which = make("select", {}, ...names.map((one, index) => make("option", { value: index }, one)));
  const fill = () => {
    controls.clear();
    fields.replaceChildren(...Object.entries(variants[Number(which.value || 0)].properties).filter(([, one]) => !one.readOnly).map(([text, one]) => {
      const control = controlFor(resolved(one));
      control.dataset.field = text;
      const wrong = make("small", { class: "wrong" });
      controls.set(text, [control, wrong]);
      return make("div", {}, field(text, control), wrong);
    }));
  };
  which.addEventListener("change", fill);
  fill();
  const base = path.slice(0, path.lastIndexOf("/"));
  const refresh = async () => {
    const found = await (await asked(`${base}/list`)).json();
    list.replaceChildren(...found.map((one) => make("li", {}, own(`${one.identifier} (${one.provider_id}) `), make("button", {
      type: "button", "data-unregister": one.identifier, onclick: () => asked(`${base}/unregister`, { identifier: one.identifier, provider_id: one.provider_id }).then(refresh, (error) => { said.textContent = error.message; }),
    }, "Unregister"))));
  };
  const form = make("form", { novalidate: true, "data-register": key }, variants.length > 1 && field("kind", which), fields, make("button", { type: "submit" }, "Register"), said);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    for (const [, wrong] of controls.values()) wrong.textContent = "";
    said.textContent = "";
    const value = Object.fromEntries([...controls].map(([text, [control]]) => [text, valueOf(control)]).filter(([, one]) => one !== undefined));
    try {
      await asked(path, { [key]: value });
      said.textContent = "registered";
      await refresh();
    } catch (error) {
      // A line of an error begins with the path of what it is about.
      for (const line of error.message.split("\n")) {
        const about = [...controls.keys()].find((text) => line.slice(0, line.indexOf(": ")).split(".").includes(text));
        if (about) controls.get(about)[1].textContent += line.slice(line.indexOf(": ") + 2);
        else said.textContent += `${line}\n`;
      }
    }
  });
  refreshes.push(refresh);
  return make("section", {}, make("h2", {}, key.replaceAll("_", " ")), list, make("details", {}, make("summary", {}, "Register another"), form));
}

async function showRegister() {
  const target = byId("register-page");
  if (!target.firstChild) {
    document_ = await (await asked("/openapi.json")).json();
    const paths = Object.keys(document_.paths).filter((path) => path.endsWith("/register"));
    target.replaceChildren(...(paths.length ? paths.map(registerForm) : [make("p", {}, "This stack has nothing to register.")]));
  }
  await Promise.all(refreshes.map((refresh) => refresh()));
}
section("register", "Register", showRegister);
