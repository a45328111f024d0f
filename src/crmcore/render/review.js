// The review page: shows one item at a time and keeps what a person decides of it.
//
// Invariant: what records hold is put in as text, never as markup. Nothing leaves the page but the file that its
// reader saves, which can be taken over; whatever the browser refuses (storage, segmenting) is done without.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const KEPT = `crmcore.review.${data.page.id}`;
  const FORMAT = "crmcore.decisions/1";
  const VERDICTS = { same: "Same", different: "Different", skip: "Skipped" };
  const items = data.items.map(([id, kind, records, links, more]) => ({
    id, more, links, kind: kind ? "customer" : "pair", records: records.map((at) => data.records[at]),
    all: [...records.map((at) => data.records[at][0]), ...more], // the ids of its records
  }));
  const places = new Map(items.map((item, at) => [item.id, at]));
  const decisions = new Map();
  const outdated = new Set(); // the items that were decided on another page, as they are no more
  const undoable = [];
  let at = 0;
  let marked = new Set(); // the ids of the records to split off of the item in view
  let unsaved = false;

  // --- elements, made of text ---

  const element = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
  const drawn = (name, attributes = {}, ...children) =>
    filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  function filled(made, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }
  const number = (value) => value.toLocaleString("en");
  const bits = (hundredths) => {
    const text = (Math.abs(hundredths) / 100).toFixed(1);
    return (hundredths < 0 && text !== "0.0" ? "−" : "+") + text;
  };
  const say = (text) => { by("said").textContent = text; };

  // --- values side by side ---

  // Characters that would make a reader see something else than what is stored are shown by their numbers.
  const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/u;
  const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter() : null;
  const letters = (text) => (segmenter ? Array.from(segmenter.segment(text), (one) => one.segment) : Array.from(text));

  const code = (letter) => `U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  const control = (letter) => element("span", { class: "control", title: "an invisible character" }, code(letter));
  const plain = (text) => text.replace(new RegExp(CONTROL, "gu"), code);

  // Which letters of two texts are in both, in their order: the longest common subsequence. Long texts are compared
  // from their ends only, since the table grows with the product of their lengths.
  function common(one, other) {
    const kept = [new Set(), new Set()];
    let start = 0;
    while (start < one.length && start < other.length && one[start] === other[start]) {
      kept[0].add(start);
      kept[1].add(start);
      start += 1;
    }
    let ends = [one.length, other.length];
    while (ends[0] > start && ends[1] > start && one[ends[0] - 1] === other[ends[1] - 1]) {
      ends = [ends[0] - 1, ends[1] - 1];
      kept[0].add(ends[0]);
      kept[1].add(ends[1]);
    }
    const rows = ends[0] - start, columns = ends[1] - start;
    if (rows * columns > 90000) return kept;
    const longest = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
    for (let i = rows - 1; i >= 0; i -= 1) {
      for (let k = columns - 1; k >= 0; k -= 1) {
        longest[i][k] = one[start + i] === other[start + k]
          ? longest[i + 1][k + 1] + 1 : Math.max(longest[i + 1][k], longest[i][k + 1]);
      }
    }
    for (let i = 0, k = 0; i < rows && k < columns;) {
      if (one[start + i] === other[start + k]) {
        kept[0].add(start + i);
        kept[1].add(start + k);
        i += 1;
        k += 1;
      } else if (longest[i + 1][k] >= longest[i][k + 1]) i += 1;
      else k += 1;
    }
    return kept;
  }

  // A text with those of its letters marked that the text beside it does not have.
  function compared(text, beside) {
    const own = letters(text);
    let shared = null; // all of it
    if (beside !== undefined && beside !== text) {
      shared = common(own, letters(beside))[0];
      if (shared.size * 3 < own.length) shared = new Set(); // two texts with little in common are two texts
    }
    const whole = element("bdi");
    let run = "", isMarked = false;
    const close = () => {
      if (run) whole.append(isMarked ? element("mark", {}, run) : run);
      run = "";
    };
    own.forEach((letter, place) => {
      const differs = shared !== null && !shared.has(place);
      if (differs !== isMarked) close();
      isMarked = differs;
      for (const part of Array.from(letter)) {
        if (!CONTROL.test(part)) {
          run += part;
          continue;
        }
        close();
        whole.append(control(part));
      }
    });
    close();
    return whole;
  }

  // What to set a value beside: nothing if the other record has it too, else the value in the same place.
  function counterpart(value, place, others) {
    if (others.length === 0) return undefined;
    return others.includes(value) ? value : others[Math.min(place, others.length - 1)];
  }

  function row(label, columns) {
    const first = columns.find((values) => values.length > 0) ?? [];
    const cells = columns.map((values, column) => {
      const others = column === 0 || values === first ? columns.find((v, k) => k !== column && v.length) ?? [] : first;
      const lines = values.map((value, place) =>
        element("p", {}, compared(value, counterpart(value, place, others))));
      return element("td", { role: "cell" }, ...(lines.length ? lines : [element("span", { class: "quiet", "aria-label": "nothing" }, "–")]));
    });
    const known = columns.map((values) => JSON.stringify(values));
    const alike = known.every((text) => text === known[0]);
    return element("tr", { role: "row", class: alike && "alike" },
      element("th", { scope: "row", role: "rowheader" }, compared(data.labels[label])), ...cells);
  }

  function table(item) {
    const labels = [...new Set(item.records.flatMap(([, , fields]) => fields.map(([label]) => label)))];
    const columns = item.records.map(([id, others], place) => element(
      "th", { scope: "col", role: "columnheader" },
      element("span", { class: marked.has(id) && "gone" }, `Record ${item.kind === "pair" ? "AB"[place] : place + 1}`),
      data.page.of === "file" ? element("small", {}, compared(id)) : null,
      others ? element("small", {}, `and ${number(others)} more of its customer`) : null,
      item.kind === "customer" ? splitter(item, id, place) : null));
    const body = labels.sort((a, b) => a - b).map((label) => row(label, item.records.map(
      ([, , fields]) => fields.filter(([other]) => other === label).map(([, value]) => value))));
    const many = item.records.length > 2;
    // The roles are said, since a small screen lays the table out in another way.
    const made = element("table", { class: `sides ${many ? "many" : "two"}`, role: "table" },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, element("td", { role: "cell" }), ...columns)),
      element("tbody", { role: "rowgroup" }, ...body));
    if (many) made.style.setProperty("--records", item.records.length);
    return element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "The records side by side" }, made);
  }

  function splitter(item, id, place) {
    const pressed = String(marked.has(id));
    const button = element("button", { class: "off", type: "button", "aria-pressed": pressed }, "split off ",
      place < 9 ? element("kbd", {}, String(place + 1)) : null);
    button.addEventListener("click", () => toggle(place));
    return button;
  }

  // --- the way to the score ---

  function flow(link) {
    const [, , score, steps] = link;
    const reach = [0];
    for (const [, points] of steps) reach.push(reach.at(-1) + points);
    const ends = [...reach, score, ...data.marks.map(([, value]) => value)];
    const least = Math.min(...ends), span = Math.max(...ends) - least || 1;
    const x = (value) => `${(1 + 98 * (value - least) / span).toFixed(2)}%`;
    const bar = (from, to, y, kind) => drawn("rect", {
      x: x(Math.min(from, to)), width: `${Math.max(98 * Math.abs(to - from) / span, .5).toFixed(2)}%`, y, height: 9, rx: 2, class: kind,
    });
    const line = (label, value, from, to, y, kind) => drawn("g", {}, bar(from, to, y + 6, kind),
      drawn("text", { x: 0, y }, label), drawn("text", { x: "100%", y, "text-anchor": "end" }, value));
    const rows = steps.map(([label, points], place) => line(
      plain(data.labels[label]), bits(points), reach[place], reach[place + 1], 20 + 32 * place, points < 0 ? "down" : "up"));
    const bottom = 20 + 32 * steps.length;
    const marks = data.marks.map(([name, value], place) => drawn("g", {},
      drawn("line", { class: "mark", x1: x(value), x2: x(value), y1: 4, y2: bottom + 22 + 15 * place }),
      drawn("text", { class: "quiet", x: x(value), y: bottom + 34 + 15 * place,
        "text-anchor": value - least < span / 2 ? "start" : "end" }, `${name} ${bits(value)}`)));
    const told = steps.map(([label, points]) => `${plain(data.labels[label])} ${bits(points)}`).join("; ");
    return element("div", { class: "flow" }, drawn(
      "svg", { height: bottom + 24 + 15 * data.marks.length, role: "img", "aria-label": `How the score comes about: ${told}; in all ${bits(score)} bits` },
      drawn("line", { class: "grid", x1: x(0), x2: x(0), y1: 4, y2: bottom + 16 }), ...marks, ...rows,
      line("in all", `${bits(score)} bits`, 0, score, bottom, "total")));
  }

  // --- the item in view ---

  function why(item) {
    const [a, b, score] = item.links[0];
    if (item.kind === "pair") return `The matcher is unsure of these two, at ${bits(score)} bits.`;
    const count = item.all.length;
    const hidden = item.more.length ? `, of which ${item.records.length} are shown` : "";
    return `One customer of ${number(count)} records${hidden}. Its weakest link joins ${a + 1} and ${b + 1}, at ${bits(score)} bits.`;
  }

  function show() {
    const item = items[at];
    const said = decisions.get(item.id);
    const asked = outdated.has(item.id) ? element("span", { class: "badge note" }, "changed since it was decided") : null;
    const tone = { same: "good", different: "bad", skip: "note" }[said?.verdict];
    const note = element("textarea", { id: "note", maxlength: data.limits.note, "aria-keyshortcuts": "n" });
    note.value = said?.note ?? "";
    note.addEventListener("input", () => annotate(item, note.value));
    by("item").replaceChildren(
      element("div", { class: "what" },
        element("h2", {}, `${item.kind === "pair" ? "Pair" : "Joined customer"} ${number(at + 1)} of ${number(items.length)}`),
        said ? element("span", { class: `badge ${tone}` }, VERDICTS[said.verdict] + (said.by ? `, ${said.by}` : "")) : asked),
      element("p", { class: "why" }, why(item)),
      table(item),
      element("div", { class: "below" }, flow(item.links[0]),
        element("div", { class: "remark" }, element("label", { for: "note" }, "Note ", element("kbd", {}, "n")), note)));
    by("split").textContent = item.all.length === 2 ? "Different" : "Split off";
    count();
  }

  function count() {
    const verdicts = [...decisions.values()].map((said) => said.verdict);
    const skipped = verdicts.filter((verdict) => verdict === "skip").length;
    const decided = verdicts.length - skipped;
    by("bar").max = items.length || 1;
    by("bar").value = decided;
    by("count").textContent = `${number(decided)} of ${number(items.length)} decided`
      + (skipped ? `, ${number(skipped)} skipped` : "") + (unsaved ? ", not saved yet" : "");
    by("undo").disabled = undoable.length === 0;
    by("save").disabled = decisions.size === 0;
  }

  function go(to) {
    if (items.length === 0) return;
    at = (to + items.length) % items.length;
    marked = new Set(decisions.get(items[at].id)?.apart ?? []);
    show();
    window.scrollTo(0, 0);
  }

  // --- deciding ---

  function decide(verdict) {
    if (items.length === 0) return;
    const item = items[at];
    let apart = verdict === "different" && item.kind === "customer" ? [...marked] : [];
    if (verdict === "different" && item.kind === "customer" && apart.length === 0) {
      if (item.all.length > 2) {
        say("Mark the records to split off first: press their numbers, or the buttons above them.");
        return;
      }
      apart = [item.records[1][0]];
    }
    if (apart.length >= item.all.length) {
      say("At least one record has to stay.");
      return;
    }
    if (split(item, apart) > data.limits.pairs) {
      say("These are too many to split off at once: mark fewer.");
      return;
    }
    undoable.push([item.id, decisions.get(item.id)]);
    const said = { verdict, apart, note: remark(by("note").value), at: new Date().toISOString() };
    const who = person(by("by").value);
    if (who) said.by = who;
    decisions.set(item.id, said);
    changed();
    say(`${VERDICTS[verdict]}: ${item.kind === "pair" ? "pair" : "customer"} ${number(at + 1)}.`);
    forward();
  }

  // How many pairs of records it makes different to split some off.
  const split = (item, apart) => apart.length * (item.all.length - apart.length);

  // A note, and whoever decided, as a file of decisions can say them.
  const text = (value) => (typeof value === "string" ? value : "");
  const remark = (value) => text(value).trim().slice(0, data.limits.note).replace(/[\u0000\ud800-\udfff]/gu, "\ufffd");
  const person = (value) => text(value).replace(/[\u0000-\u001f\u007f-\u009f\ud800-\udfff]/gu, " ").trim()
    .slice(0, data.limits.name).replace(/[\ud800-\udfff]/gu, "").trim();

  // To the next one that nothing was said of; when there is none, it stays and says so.
  function forward() {
    for (let step = 1; step <= items.length; step += 1) {
      const next = (at + step) % items.length;
      if (!decisions.has(items[next].id)) {
        go(next);
        return;
      }
    }
    go(at);
    say("Nothing is left to decide: save the decisions.");
  }

  function undo() {
    const last = undoable.pop();
    if (last === undefined) return;
    const [id, before] = last;
    if (before === undefined) decisions.delete(id);
    else decisions.set(id, before);
    changed();
    go(places.get(id));
    say("Undone.");
  }

  function toggle(place) {
    const item = items[at];
    if (item?.kind !== "customer" || place >= item.records.length) return;
    const [id] = item.records[place];
    if (!marked.delete(id)) marked.add(id);
    const note = by("note").value; // not lost when all is drawn again
    show();
    by("note").value = note;
    document.querySelectorAll(".off")[place]?.focus();
    say(`${number(marked.size)} to split off.`);
  }

  function annotate(item, text) {
    const said = decisions.get(item.id);
    if (said === undefined) return; // it goes with the decision
    decisions.set(item.id, { ...said, note: remark(text) });
    changed();
    count();
  }

  // --- keeping, saving, loading ---

  function changed() {
    unsaved = true;
    keep();
  }

  function keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ decisions: [...decisions], by: by("by").value }));
    } catch { /* storage is off or full: the file is what counts */ }
  }

  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
      by("by").value = typeof kept.by === "string" ? kept.by : "";
      for (const [id, said] of kept.decisions ?? []) take(id, said);
      unsaved = decisions.size > 0;
    } catch { /* nothing was kept, or nothing that can be used */ }
  }

  // Takes a decision over if it is one that can be made of an item of this page.
  function take(id, said) {
    if (!places.has(id) || typeof said !== "object" || said === null || !Object.hasOwn(VERDICTS, said.verdict)) return false;
    const item = items[places.get(id)];
    const apart = [...new Set(Array.isArray(said.apart) ? said.apart : [])];
    const splits = said.verdict === "different" && item.kind === "customer";
    if (splits !== apart.length > 0 || apart.length >= item.all.length || split(item, apart) > data.limits.pairs) return false;
    if (!apart.every((record) => item.all.includes(record))) return false;
    const taken = { verdict: said.verdict, apart, note: remark(said.note), at: instant(said.at) };
    const who = person(said.by);
    if (who) taken.by = who;
    decisions.set(id, taken);
    return true;
  }

  // An instant as this page writes them; nothing if it is none.
  function instant(value) {
    const known = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text(value));
    const found = new Date(known ? value : NaN);
    return Number.isNaN(found.getTime()) ? "" : found.toISOString();
  }

  // Whether a decision of another page is about the very records of an item, joined by the very links.
  function isAbout(item, said) {
    if (said.kind !== item.kind || !Array.isArray(said.records)) return false;
    if (said.records.length !== item.all.length || !alike(said.records, item.all)) return false;
    if (item.kind === "pair") return true;
    const joined = (links, records) => links.map((link) => JSON.stringify([records[link?.[0]], records[link?.[1]]].sort()));
    return Array.isArray(said.links) && alike(joined(said.links, said.records), joined(item.links, item.all));
  }

  function alike(some, others) {
    const one = new Set(some), other = new Set(others);
    return one.size === other.size && [...one].every((value) => other.has(value));
  }

  function saved() {
    const made = [...decisions].map(([id, said]) => {
      const item = items[places.get(id)];
      return { item: id, kind: item.kind, records: item.all, links: item.links.map(([a, b]) => [a, b]), ...said };
    });
    return JSON.stringify({ format: FORMAT, page: data.page, decisions: made }, null, 1) + "\n";
  }

  function save() {
    if (decisions.size === 0) return;
    const link = element("a", {
      href: URL.createObjectURL(new Blob([saved()], { type: "application/json" })), download: "decisions.json",
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    unsaved = false;
    count();
    say("Saved as decisions.json.");
  }

  async function load(file) {
    let found;
    try {
      found = JSON.parse(await file.text());
    } catch {
      found = null;
    }
    if (found?.format !== FORMAT || !Array.isArray(found.decisions)) {
      say("This is no file of decisions: choose one that a review page has saved.");
      return;
    }
    const came = { taken: 0, outdated: 0, other: 0 };
    for (const said of found.decisions) came[loaded(said, found.page)] += 1;
    changed();
    forward();
    const told = [`${number(came.taken)} of ${number(found.decisions.length)} decisions taken over`];
    if (came.outdated === 1) told.push("1 is about an item that changed since it was decided: look at it again");
    if (came.outdated > 1) told.push(`${number(came.outdated)} are about items that changed since they were decided: look at them again`);
    if (came.other) told.push(`${number(came.other)} ${came.other === 1 ? "is" : "are"} about nothing that is on this page`);
    say(`${told.join("; ")}.`);
  }

  // What becomes of a decision of another page. Who made it knew no more than was known when that page was made.
  function loaded(said, page) {
    const item = items[places.get(said?.item)];
    if (item === undefined) return "other";
    if (!isAbout(item, said)) {
      outdated.add(item.id);
      return "outdated";
    }
    const ages = page?.id === data.page.id ? [said.at] : [said.at, page?.made_at];
    return take(item.id, { ...said, at: ages.map(instant).filter(Boolean).sort()[0] }) ? "taken" : "other";
  }

  // --- hands ---

  const presses = {
    s: () => decide("same"), d: () => decide("different"), u: () => decide("skip"), z: undo,
    j: () => go(at + 1), ArrowRight: () => go(at + 1), k: () => go(at - 1), ArrowLeft: () => go(at - 1),
    n: () => by("note")?.focus(), "?": () => by("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || by("help").open) return;
    if (event.target.matches?.("input, textarea")) {
      if (event.key === "Escape") by("item").focus();
      return;
    }
    const press = /^[1-9]$/.test(event.key) ? () => toggle(Number(event.key) - 1)
      : presses[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (press === undefined) return;
    // A frame that scrolls sideways keeps its arrows.
    if (event.key.startsWith("Arrow") && event.target.matches?.(".scroll") && event.target.scrollWidth > event.target.clientWidth) return;
    event.preventDefault();
    press();
  });
  const clicks = {
    same: presses.s, different: presses.d, skip: presses.u, undo, back: presses.k, on: presses.j, save,
    load: () => by("file").click(), ask: presses["?"],
  };
  for (const [id, click] of Object.entries(clicks)) by(id).addEventListener("click", click);
  by("by").addEventListener("input", keep);
  by("file").addEventListener("change", () => {
    const [file] = by("file").files;
    by("file").value = ""; // so that the same file can be chosen again
    if (file) load(file);
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });

  // --- the beginning ---

  const day = data.page.made_at.slice(0, 10);
  by("about").textContent = [data.page.of === "file" ? data.page.name : "", `made on ${day}`, ...data.page.decided_by,
    "shows personal data"].filter(Boolean).map(plain).join(" · ");
  recall();
  if (items.length === 0) {
    by("item").replaceChildren(element("p", { class: "notice good" }, "Nothing waits for a person."));
    for (const id of ["same", "different", "skip", "back", "on"]) by(id).disabled = true;
    count();
  } else {
    const first = items.findIndex((item) => !decisions.has(item.id));
    go(first < 0 ? 0 : first);
  }
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
