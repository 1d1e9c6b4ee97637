// The explorer page: a batch of 512 under DCL's curricula, in the browser alone.
// The first part are pure functions with the names, arguments and rounding of the library `dcl`
// (tests/book/test_browser.py holds them equal); the second draws what `compute` returns.
"use strict";

(() => {
  // ---- dcl/schedulers.py -------------------------------------------------------------------

  function schedule(name, epoch, epochs, { decay = 0.99, value = null } = {}) {
    switch (name) {
      case "convex": return Math.max(0, Math.cos((epoch / epochs) * Math.PI / 2)); // Eq. 1
      case "linear": return 1 - epoch / epochs; // Eq. 2
      case "concave": return decay ** epoch; // Eq. 3
      case "composite": return Math.cos((epoch / epochs) * Math.PI) / 2 + 0.5; // Eq. 4
      case "constant": return value;
    }
    throw new RangeError(`unknown schedule '${name}'`);
  }

  function lossSchedule(epoch, epochs, { p = 0.3, epsilon = 0.1 } = {}) { // Eq. 11
    const point = p * epochs, before = epoch < point && point - epoch > 1e-9 * point; // but for rounding
    return before ? schedule("composite", epoch, epochs) + epsilon : epsilon;
  }

  // The epoch that the schedules are evaluated at: the position itself where they move with every
  // step, its whole part where they move once an epoch; the last such epoch is L - 1.
  function epochOf(position, epochs, moves) {
    return moves === "epoch" ? Math.min(Math.floor(position), epochs - 1) : position;
  }

  // ---- dcl/sampling.py, for one attribute ----------------------------------------------------

  const sumOf = (list) => list.reduce((a, b) => a + b);

  function targetDistribution(classCounts, g, { rule = "power", normalisation = "proportion" } = {}) {
    const least = Math.min(...classCounts);
    const d = classCounts.map((n) => (rule === "power" ? (n / least) ** g : 1 + g * (n / least - 1)));
    const unit = normalisation === "proportion" ? sumOf(d) : Math.min(...d); // Eq. 5
    return d.map((x) => x / unit);
  }

  // Eq. 7, per class: how many are kept and what one weighs. `rounding`, in [0, 1) for each class,
  // is the chance in "rounded at random": up where the fraction is at least 1 - rounding.
  function dslWeights(counts, target, { normalisation = "proportion", rounding = [] } = {}) {
    const unit = normalisation === "proportion" ? sumOf(counts) : Math.min(...counts);
    const ratio = counts.map((n, j) => target[j] / (n / unit));
    return {
      ratio,
      kept: counts.map((n, j) => (ratio[j] < 1 ? Math.floor(ratio[j] * n + (rounding[j] ?? 0.5)) : n)),
      weight: ratio.map((r) => Math.max(1, r)),
    };
  }

  // A batch with the classes in the proportions of the training set, as nearly as whole samples
  // can, and at least one of each.
  function batchOf(classCounts, batch) {
    const all = sumOf(classCounts);
    const counts = classCounts.map((n) => Math.max(1, Math.round((batch * n) / all)));
    counts[classCounts.indexOf(Math.max(...classCounts))] += batch - sumOf(counts);
    return counts;
  }

  function compute(settings) { // all that the page shows
    const { sampling, decay, value, p, epsilon, classCounts, epoch, epochs, batch = 512 } = settings;
    const { moves = "step", normalisation = "proportion", rounding } = settings;
    const linearImbalance = sampling === "linear-imbalance"; // Table 4 (*): no SF, a rule for D
    const name = linearImbalance ? "linear" : sampling;
    const l = epochOf(epoch, epochs, moves);
    const g = schedule(name, l, epochs, { decay, value });
    const counts = batchOf(classCounts, batch);
    const rule = linearImbalance ? "linear" : "power";
    const target = targetDistribution(classCounts, g, { rule, normalisation });
    const { ratio, kept, weight } = dslWeights(counts, target, { normalisation, rounding });
    const together = kept.map((n, j) => n * weight[j]);
    const f = lossSchedule(l, epochs, { p, epsilon });
    return { l, g, f, counts, target, ratio, kept, weight, together, total: sumOf(together) };
  }

  // ---- what a reader types ---------------------------------------------------------------------

  // "9,750 : 250", "9750 250", "120, 40, 3", "24000 , 600 , 12", "9750 : 250 :" or a column of a
  // table: a comma before three digits belongs to its number where something else stands between
  // the numbers. "900,100" alone can be one number or two: that is asked.
  const MOST_CLASSES = 6;
  function parseCounts(text) {
    const thousands = /^\d{1,3}(,\d{3})+$/;
    const parts = text.replace(/\s,|,\s/g, " ").replace(/^[:;/|,\s]+|[:;/|,\s]+$/g, "");
    if (thousands.test(parts)) {
      const two = parts.replaceAll(",", " : ");
      return { error: `"${parts}" can be one number or several: for several write ${two}.` };
    }
    const tokens = parts.split(/[:;/|\s]+/).map((t) => t.replace(/^,|,$/g, ""))
      .flatMap((t) => (thousands.test(t) ? [t.replaceAll(",", "")] : t.split(",")));
    const counts = tokens.map((t) => (/^\d{1,9}$/.test(t) ? Number(t) : NaN));
    const wrong = tokens[counts.findIndex((n) => !(n >= 1))];
    const allowed = `give 2 to ${MOST_CLASSES} whole numbers of 1 or more, such as 9,750 : 250`;
    if (wrong !== undefined) return { error: `"${wrong}" is no count of a class: ${allowed}.` };
    if (counts.length < 2 || counts.length > MOST_CLASSES) {
      return { error: `Found ${counts.length} number${counts.length > 1 ? "s" : ""}: ${allowed}.` };
    }
    return { counts };
  }

  window.dclExplorer = {
    schedule, lossSchedule, epochOf, targetDistribution, dslWeights, batchOf, compute, parseCounts,
  };

  // ---- the page ----------------------------------------------------------------------------

  const root = document.getElementById("explorer");
  if (!root) return;
  const IMBALANCES = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200]; // about log
  const LENGTHS = [4, 8, 16, 24, 50, 75, 100, 200, 300, 500];
  const SECONDS = 10; // one training, played
  const BATCH = 512;
  const HIGH = 16; // rows of dots
  const DOT = 0.35; // radius of a dot that weighs 1; then dots of a small class never touch
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const by = (name) => root.querySelector(`[data-${name}]`);
  const input = Object.fromEntries([...root.querySelectorAll("input, select")].map((x) => [x.name, x]));
  const fixed = (x, digits) => x.toFixed(digits).replace(/\.0+$/, "");
  const percent = (x) => `${(100 * x).toFixed(1)} %`;
  const whole = (n) => n.toLocaleString("en");

  function make(tag, attributes, parent, content = null) {
    const spaces = { svg: 1, g: 1, circle: 1, path: 1, text: 1 };
    const element = tag in spaces
      ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (content !== null) element.textContent = content;
    return parent.appendChild(element);
  }

  function text(name, content) {
    const element = by(name);
    if (element.textContent !== content) element.textContent = content;
  }

  let classCounts = [50, 1];

  function readSettings() {
    const number = (name) => Number(input[name].value);
    return {
      sampling: input.sampling.value, decay: number("decay"), value: number("value"),
      p: number("p"), epsilon: number("epsilon"), classCounts,
      epoch: number("epoch"), epochs: LENGTHS[number("epochs")], batch: BATCH,
      moves: input.moves.value, normalisation: input.normalisation.value, rounding,
    };
  }

  // Samples: each has a random rank; those of a class ranked below its `kept` are kept.
  let ranks = [], rounding = [];
  const drawRanks = () => {
    ranks = Array.from({ length: BATCH }, (_, i) => i);
    for (let i = BATCH - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [ranks[i], ranks[j]] = [ranks[j], ranks[i]];
    }
    rounding = Array.from({ length: MOST_CLASSES }, Math.random);
  };
  const rankAmong = (n) => ranks.filter((rank) => rank < n); // a shuffled 0 ... n - 1

  // ---- the classes: a field of dots, a part of the bar and a column of the table for each ------

  let drawnFor = "";
  const places = () => { // class -> its place by size, 0 the largest; equal ones in their order
    const order = classCounts.map((_, j) => j).sort((a, b) => classCounts[b] - classCounts[a] || a - b);
    return order.reduce((place, j, i) => ({ ...place, [j]: i }), {});
  };
  const nameOf = (j, place) => (classCounts.length > 2 ? `Class ${j + 1}`
    : place[j] ? "Minority" : "Majority");

  function makeClasses(counts) {
    if (drawnFor === String(classCounts)) return;
    drawnFor = String(classCounts);
    const place = places();
    const last = classCounts.length - 1;
    const colour = (j) => (place[j] === last ? "least" : `place-${place[j]}`);
    // Room for all of a class, and for what it weighs in balance: then all dots have one scale.
    const wide = counts.map((n) => Math.ceil(Math.max(n, BATCH / counts.length) / HIGH));
    const batch = by("batch"), bar = by("bar"), rows = by("rows");
    batch.replaceChildren();
    bar.replaceChildren();
    batch.style.setProperty("--columns", wide.map((w) => `${w}fr`).join(" "));
    classCounts.forEach((_, j) => {
      const box = make("div", { class: `class ${colour(j)}` }, batch);
      const words = make("p", {}, box);
      make("b", {}, words, nameOf(j, place));
      make("br", {}, words);
      make("span", { "data-words": j }, words);
      const field = make("svg", { viewBox: `0 0 ${wide[j]} ${HIGH}` }, box);
      field.style.setProperty("--part", wide[j] / Math.max(...wide));
      make("g", { "data-dots": j, "data-wide": wide[j] }, field);
      const part = make("div", { class: colour(j), "data-part": j }, bar);
      make("span", { "data-part-sum": j }, part);
    });
    const head = by("head");
    head.replaceChildren();
    make("td", {}, head);
    classCounts.forEach((_, j) => make("th", { scope: "col" }, head, nameOf(j, place).toLowerCase()));
    for (const row of rows.children) {
      while (row.cells.length > 1) row.lastChild.remove();
      if (row.dataset.row === "total") make("td", { colspan: classCounts.length, "data-total": "" }, row);
      else classCounts.forEach((_, j) => make("td", { [`data-${row.dataset.row}-${j}`]: "" }, row));
    }
  }

  function drawClass(j, n, kept, weight) {
    const parent = by(`dots="${j}"`);
    const across = Number(parent.dataset.wide);
    while (parent.childElementCount > n) parent.lastChild.remove();
    while (parent.childElementCount < n) make("circle", {}, parent);
    const columns = Math.min(across, Math.ceil(Math.sqrt((n * across) / HIGH)));
    const rows = Math.ceil(n / columns);
    const rank = rankAmong(n);
    [...parent.children].forEach((dot, i) => {
      const isKept = rank[i] < kept;
      dot.setAttribute("cx", (((i % columns) + 0.5) * across) / columns);
      dot.setAttribute("cy", ((Math.floor(i / columns) + 0.5) * HIGH) / rows);
      dot.setAttribute("r", isKept ? DOT * Math.sqrt(weight) : DOT - 0.08); // area = weight
      dot.setAttribute("class", isKept ? "kept" : "dropped");
    });
  }

  const shareKept = (kept, n) => (kept === n ? `all ${n} kept` : `${kept} of ${n} kept`);

  // ---- the curves ------------------------------------------------------------------------------

  const PLOT = { left: 24, right: 308, top: 10, bottom: 106 };

  function drawCurve(name, f, s, highest, now, jump = null) {
    const x = (epoch) => PLOT.left + (epoch / s.epochs) * (PLOT.right - PLOT.left);
    const y = (level) => PLOT.bottom - (level / highest) * (PLOT.bottom - PLOT.top);
    const line = (from, to) => Array.from({ length: 401 }, (_, i) => from + (i / 400) * (to - from))
      .map((epoch, i) => `${i ? "L" : "M"}${x(epoch).toFixed(2)} ${y(f(epoch)).toFixed(2)}`).join("");
    const parent = by(name);
    parent.replaceChildren();
    const label = (content, at, baseline, anchor) => {
      make("text", { x: at, y: baseline, "text-anchor": anchor }, parent, content);
    };
    for (const level of [0, 1]) {
      make("path", { class: "grid", d: `M${PLOT.left} ${y(level)}H${PLOT.right}` }, parent);
      label(String(level), PLOT.left - 8, y(level) + 4, "end");
    }
    label("0", PLOT.left, 124, "middle");
    label(`epoch ${s.epochs}`, PLOT.right, 124, "end");
    if (jump !== null && jump > 0 && jump < s.epochs) {
      const before = Math.min(jump, s.epochs) - 1e-9 * s.epochs;
      make("path", { class: "jump", d: `M${x(jump)} ${y(f(before))}V${y(f(jump))}` }, parent);
      if (jump > 0.06 * s.epochs && jump < 0.7 * s.epochs) {
        label(`pL = ${fixed(s.p * s.epochs, 1)}`, x(jump), 124, "middle");
      }
      make("path", { class: "curve", d: line(0, before) + line(jump, s.epochs) }, parent);
    } else {
      make("path", { class: "curve", d: line(0, s.epochs) }, parent);
    }
    make("path", { class: "now", d: `M${x(s.epoch)} ${PLOT.top - 6}V${PLOT.bottom}` }, parent);
    make("circle", { class: "now", cx: x(s.epoch), cy: y(now), r: 5 }, parent);
  }

  // ---- the two tabs --------------------------------------------------------------------------

  const tabs = [...root.querySelectorAll("[data-tab]")];

  function showTab() {
    for (const tab of tabs) {
      const chosen = tab.dataset.tab === input.tab.value;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
    }
    for (const panel of root.querySelectorAll("[data-panel]")) {
      panel.hidden = panel.dataset.panel !== input.tab.value;
    }
  }

  function chooseTab(tab) {
    input.tab.value = tab.dataset.tab;
    show();
  }

  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => chooseTab(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!way) return;
      const next = tabs[(i + way + tabs.length) % tabs.length];
      next.focus();
      chooseTab(next);
    });
  }

  // ---- a link that keeps the settings ----------------------------------------------------------

  const NAMES = [
    "sampling", "decay", "value", "p", "epsilon", "moves", "normalisation", "tab", "anchors", "hard", "k",
  ];
  const defaults = Object.fromEntries(NAMES.map((name) => [name, input[name].value]));
  const START = { counts: String(classCounts).replaceAll(",", ":"), epoch: "200", epochs: "300" };

  function hashOf(s) {
    const now = { counts: classCounts.join(":"), epoch: String(s.epoch), epochs: String(s.epochs) };
    for (const name of NAMES) now[name] = input[name].value;
    return Object.entries(now).filter(([name, value]) => value !== { ...START, ...defaults }[name])
      .map(([name, value]) => `${name}=${value}`).join("&");
  }

  function readHash() { // what is not understood is left at its default
    let hash = location.hash.slice(1);
    try { hash = decodeURIComponent(hash); } catch { hash = ""; }
    const told = new Map(hash.split("&").map((pair) => pair.split("=")));
    const isLength = LENGTHS.includes(Number(told.get("epochs")));
    input.epochs.value = LENGTHS.indexOf(isLength ? Number(told.get("epochs")) : 300);
    for (const name of NAMES) {
      input[name].value = told.get(name) ?? defaults[name];
      if (!input[name].value) input[name].value = defaults[name]; // no such choice
    }
    if (!tabs.some((tab) => tab.dataset.tab === input.tab.value)) input.tab.value = "batch";
    classCounts = parseCounts(told.get("counts") ?? "").counts ?? [50, 1];
    input.counts.value = classCounts.map(whole).join(" : ");
    setPositions();
    const epoch = Number(told.get("epoch") ?? 200);
    input.epoch.value = Number.isFinite(epoch) ? epoch : 200;
  }

  function setPositions() { // steps of the epoch's slider; short trainings need parts of an epoch
    const epochs = LENGTHS[Number(input.epochs.value)];
    input.epoch.step = epochs < 50 ? 0.1 : 1;
    input.epoch.max = epochs; // the browser clamps the epoch to it
  }

  // ---- show ------------------------------------------------------------------------------------

  function summary(s, { counts, kept, weight }) {
    const place = places();
    const who = counts.map((n, j) => `${nameOf(j, place).toLowerCase()}: ${shareKept(kept[j], n)}, `
      + `each weighs ${fixed(weight[j], 2)}`);
    return `Epoch ${s.epoch} of ${s.epochs}: ${who.join("; ")}.`;
  }

  let later = 0;
  function settle(sentence, s) { // once the reader's hand, or the film, has stopped
    clearTimeout(later);
    later = setTimeout(() => {
      text("announce", sentence);
      const hash = hashOf(s);
      history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    }, 500);
  }

  function show() {
    setPositions();
    const s = readSettings();
    const now = compute(s);
    makeClasses(now.counts);
    root.querySelector("[data-for=decay]").hidden = s.sampling !== "concave";
    root.querySelector("[data-for=value]").hidden = s.sampling !== "constant";

    const ratio = Math.max(...classCounts) / Math.min(...classCounts);
    const told = `1 : ${ratio < 10 ? fixed(ratio, 1) : whole(Math.round(ratio))}`;
    text("imbalance", told);
    input.imbalance.setAttribute("aria-valuetext", told.replace(":", "to"));
    text("epoch", `${s.epoch} of ${s.epochs}`);
    input.epoch.setAttribute("aria-valuetext", `epoch ${s.epoch} of ${s.epochs}`);
    text("epochs", String(s.epochs));
    input.epochs.setAttribute("aria-valuetext", `${s.epochs} epochs`);
    for (const name of ["decay", "value", "p", "epsilon"]) text(name, input[name].value);

    now.counts.forEach((n, j) => {
      drawClass(j, n, now.kept[j], now.weight[j]);
      text(`words="${j}"`, `${shareKept(now.kept[j], n)}, each weighs ${fixed(now.weight[j], 2)}`);
      by(`part="${j}"`).style.flexGrow = now.together[j];
      text(`part-sum="${j}"`, fixed(now.together[j], 1));
      text(`train-${j}`, whole(classCounts[j]));
      text(`count-${j}`, String(n));
      text(`current-${j}`, percent(n / BATCH));
      text(`target-${j}`, s.normalisation === "proportion" ? percent(now.target[j])
        : now.target[j].toFixed(3));
      text(`ratio-${j}`, now.ratio[j].toFixed(3));
      text(`kept-${j}`, String(now.kept[j]));
      text(`weight-${j}`, now.weight[j].toFixed(3));
      text(`sum-${j}`, now.together[j].toFixed(1));
    });
    text("total", now.total.toFixed(1));
    text("total-note", fixed(now.total, 1));
    const rare = (BATCH * Math.min(...classCounts)) / sumOf(classCounts);
    text("rare", rare < 0.5 ? `Only one batch of ${BATCH} in about ${whole(Math.round(1 / rare))} holds a `
      + "sample of the smallest class; this is one that does." : "");
    text("last", s.moves === "epoch" ? `Moved once an epoch, the last epoch has g = ${
      compute({ ...s, epoch: s.epochs }).g.toFixed(3)}.` : "");

    const settingsAt = (epoch) => compute({ ...s, epoch });
    drawCurve("g-curve", (epoch) => settingsAt(epoch).g, s, 1, now.g);
    const point = s.p * s.epochs;
    const jump = s.moves === "epoch" ? Math.ceil(point) : point;
    drawCurve("f-curve", (epoch) => settingsAt(epoch).f, s, 1.5, now.f, jump);
    text("g", now.g.toFixed(3));
    text("f", now.f.toFixed(3));
    text("g-epoch", String(now.l));
    text("f-epoch", String(now.l));
    showTab();
    let sentence = summary(s, now);
    by("picture").setAttribute("aria-label", sentence);
    const announce = (other) => { sentence = other; };
    root.dispatchEvent(new CustomEvent("dcl:shown", { detail: { settings: s, compute, announce } }));
    settle(sentence, s);
  }

  // ---- play --------------------------------------------------------------------------------

  let playing = null; // the time and epoch it was started from

  function play(on) {
    if (on && input.epoch.value === input.epoch.max) input.epoch.value = 0;
    playing = on ? { since: performance.now(), from: Number(input.epoch.value) } : null;
    text("play-word", on ? "Pause" : "Play");
    by("play").classList.toggle("playing", on);
    if (on) requestAnimationFrame(step);
  }

  function step(now) {
    if (!playing) return;
    const { epochs } = readSettings();
    const pace = still.matches ? 1 : 0; // without motion: one jump a second
    let seconds = Math.max(0, now - playing.since) / 1000;
    if (pace) seconds = Math.floor(seconds);
    const each = Number(input.epoch.step);
    const reached = playing.from + (seconds / SECONDS) * epochs;
    const epoch = Math.min(epochs, Number((Math.round(reached / each) * each).toFixed(1)));
    if (epoch !== Number(input.epoch.value)) {
      input.epoch.value = epoch;
      show();
    }
    if (epoch >= epochs) play(false);
    else requestAnimationFrame(step);
  }

  by("play").addEventListener("click", () => play(!playing));
  by("again").addEventListener("click", () => { drawRanks(); show(); });
  by("copy").addEventListener("click", async () => {
    const link = `${location.href.split("#")[0]}#${hashOf(readSettings())}`;
    const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    text("copied", copied ? "Copied." : "Please copy it from the address bar.");
    setTimeout(() => text("copied", ""), 4000);
  });
  root.addEventListener("input", ({ target }) => {
    if (playing && ["epoch", "epochs"].includes(target.name)) play(false);
    if (target.name === "imbalance") {
      classCounts = [IMBALANCES[Number(target.value)], 1];
      input.counts.value = classCounts.map(whole).join(" : ");
      input.counts.setAttribute("aria-invalid", false);
      root.classList.remove("explorer-stale");
      text("wrong", "");
    }
    if (target.name === "counts") {
      const { counts, error } = parseCounts(target.value);
      text("wrong", error ?? "");
      target.setAttribute("aria-invalid", Boolean(error));
      root.classList.toggle("explorer-stale", Boolean(error));
      if (error) return; // the last that could be read stays, dimmed
      classCounts = counts;
    }
    show();
  });
  window.addEventListener("hashchange", () => { readHash(); show(); });

  window.dclExplorer.start = () => { // once all scripts of the page are there
    root.hidden = false;
    document.documentElement.classList.add("explorer-live"); // hides the picture for print
    drawRanks();
    readHash();
    show();
  };
})();
