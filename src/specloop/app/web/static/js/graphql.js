// Runs GraphQL queries without leaving the page. Without this script the form still sends them by GET.
const KEY = "specloop.graphql";
const KEPT = 20;

const form = document.querySelector("[data-graphql]");
const query = form.elements.query;
const variables = form.elements.variables;
const find = (name) => document.querySelector(`[data-graphql-${name}]`);
const [result, status, problem, history] = ["result", "status", "problem", "history"].map(find);
let running = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
find("forget").addEventListener("click", () => {
  localStorage.removeItem(KEY);
  showHistory();
});
find("find").addEventListener("input", (event) => narrow(event.target.value.trim().toLowerCase()));
document.addEventListener("click", openLinkedType);

const shared = new URLSearchParams(location.hash.slice(1));
if (shared.has("query")) query.value = shared.get("query");
if (shared.has("variables")) variables.value = shared.get("variables");
showHistory();

async function run() {
  const parsed = parsedVariables();
  if (parsed === undefined) return;
  running?.abort();
  running = new AbortController();
  const started = performance.now();
  result.setAttribute("aria-busy", "true");
  status.textContent = "Running…";
  try {
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify({ query: query.value, variables: parsed }),
      signal: running.signal,
    });
    const text = await answer.text();
    result.textContent = pretty(text);
    status.textContent = `${answer.status}, ${Math.round(performance.now() - started)} ms, ${text.length} characters`;
    remember();
  } catch (error) {
    if (error.name === "AbortError") return;
    result.textContent = "The server could not be reached. Run the query again in a moment.";
    status.textContent = "No answer";
  }
  result.removeAttribute("aria-busy");
}

function parsedVariables() {
  problem.hidden = true;
  variables.removeAttribute("aria-invalid");
  if (!variables.value.trim()) return null;
  try {
    return JSON.parse(variables.value);
  } catch (error) {
    problem.textContent = `This is no JSON: ${error.message}`;
    problem.hidden = false;
    variables.setAttribute("aria-invalid", "true");
    variables.focus();
    return undefined;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function earlier() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}

function remember() {
  const now = { query: query.value, variables: variables.value };
  const others = earlier().filter((one) => one.query !== now.query || one.variables !== now.variables);
  localStorage.setItem(KEY, JSON.stringify([now, ...others].slice(0, KEPT)));
  const address = new URLSearchParams({ query: now.query, ...(now.variables && { variables: now.variables }) });
  window.history.replaceState(null, "", `#${address}`);
  showHistory();
}

function showHistory() {
  const entries = earlier().map((one) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small quiet";
    button.textContent = one.query.replace(/\s+/g, " ").slice(0, 120);
    button.addEventListener("click", () => {
      query.value = one.query;
      variables.value = one.variables;
      query.focus();
    });
    item.append(button);
    return item;
  });
  if (!entries.length) {
    const none = document.createElement("li");
    none.className = "small muted";
    none.textContent = "None yet. They are kept in this browser only.";
    entries.push(none);
  }
  history.replaceChildren(...entries);
}

function narrow(word) {
  for (const type of document.querySelectorAll(".graphql-type")) {
    const isHit = type.textContent.toLowerCase().includes(word);
    type.hidden = !isHit;
    type.open = isHit && word !== "";
  }
}

function openLinkedType(event) {
  const link = event.target.closest('a[href^="#type-"]');
  if (!link) return;
  event.preventDefault(); // the address keeps the query
  const type = document.getElementById(link.hash.slice(1));
  if (!type) return;
  type.hidden = false;
  type.open = true;
  type.querySelector("summary").focus();
  type.scrollIntoView({ block: "nearest" });
}
