// The explorer page: a batch of 512 under DCL's curricula, in the browser alone.
// The first half are pure functions with the names, arguments and rounding of the library `dcl`
// (tests/test_browser.py holds them equal); the second half draws what `compute` returns.
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
    return epoch < p * epochs ? schedule("composite", epoch, epochs) + epsilon : epsilon;
  }

  // ---- dcl/sampling.py, for one attribute of two classes: [majority, minority] -------------

  function targetDistribution(classCounts, g, { rule = "power" } = {}) { // Eq. 5
    const least = Math.min(...classCounts);
    const d = classCounts.map((n) => (rule === "power" ? (n / least) ** g : 1 + g * (n / least - 1)));
    const sum = d.reduce((a, b) => a + b);
    return d.map((x) => x / sum);
  }

  function roundHalfToEven(x) { // as torch.round
    const below = Math.floor(x);
    return x - below === 0.5 ? below + (below % 2) : Math.round(x);
  }

  function dslWeights(counts, target) { // Eq. 7: per class, how many are kept and what one weighs
    const batch = counts.reduce((a, b) => a + b);
    const ratio = counts.map((n, j) => target[j] / (n / batch));
    return {
      ratio,
      kept: counts.map((n, j) => (ratio[j] < 1 ? roundHalfToEven(ratio[j] * n) : n)),
      weight: ratio.map((r) => Math.max(1, r)),
    };
  }

  // All that the page shows. `imbalance`: training samples of the majority to one of the minority;
  // the batch holds the two in the same proportion, as nearly as whole samples can.
  function compute(settings) {
    const { sampling, decay, value, p, epsilon, imbalance, epoch, epochs, batch = 512 } = settings;
    const linearImbalance = sampling === "linear-imbalance"; // Table 4 (*): no SF, a rule for D
    const name = linearImbalance ? "linear" : sampling;
    const g = schedule(name, epoch, epochs, { decay, value });
    const classCounts = [imbalance, 1];
    const minority = Math.max(1, Math.round(batch / (imbalance + 1)));
    const counts = [batch - minority, minority];
    const target = targetDistribution(classCounts, g, { rule: linearImbalance ? "linear" : "power" });
    const { ratio, kept, weight } = dslWeights(counts, target);
    const together = kept.map((n, j) => n * weight[j]);
    const f = lossSchedule(epoch, epochs, { p, epsilon });
    const total = together[0] + together[1];
    return { g, f, classCounts, counts, target, ratio, kept, weight, together, total };
  }

  window.dclExplorer = { schedule, lossSchedule, targetDistribution, dslWeights, compute };

  // ---- the page ----------------------------------------------------------------------------

  const root = document.getElementById("explorer");
  if (!root) return;
  const IMBALANCES = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200]; // about log
  const SECONDS = 10; // one training, played
  const BATCH = 512;
  const DOT = 0.35; // radius of a dot that weighs 1; then minority dots never touch
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const by = (name) => root.querySelector(`[data-${name}]`);
  const input = Object.fromEntries([...root.querySelectorAll("input, select")].map((x) => [x.name, x]));
  const fixed = (x, digits) => x.toFixed(digits).replace(/\.0+$/, "");
  const percent = (x) => `${(100 * x).toFixed(1)} %`;

  function svg(tag, attributes, parent) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return parent.appendChild(element);
  }

  function text(name, content) {
    const element = by(name);
    if (element.textContent !== content) element.textContent = content;
  }

  function readSettings() {
    const number = (name) => Number(input[name].value);
    return {
      sampling: input.sampling.value, decay: number("decay"), value: number("value"),
      p: number("p"), epsilon: number("epsilon"), imbalance: IMBALANCES[number("imbalance")],
      epoch: number("epoch"), epochs: number("epochs"), batch: BATCH,
    };
  }

  // Samples: each has a random rank; those of a class ranked below its `kept` are kept.
  let ranks = [];
  const drawRanks = () => {
    ranks = Array.from({ length: BATCH }, (_, i) => i);
    for (let i = BATCH - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [ranks[i], ranks[j]] = [ranks[j], ranks[i]];
    }
  };
  const rankAmong = (n) => ranks.filter((rank) => rank < n); // a shuffled 0 ... n - 1

  function drawClass(name, n, kept, weight, columns, wide, high) { // cells of wide x high
    const parent = by(name);
    while (parent.childElementCount > n) parent.lastChild.remove();
    while (parent.childElementCount < n) svg("circle", {}, parent);
    const rank = rankAmong(n);
    [...parent.children].forEach((dot, i) => {
      const isKept = rank[i] < kept;
      dot.setAttribute("cx", ((i % columns) + 0.5) * wide);
      dot.setAttribute("cy", (Math.floor(i / columns) + 0.5) * high);
      dot.setAttribute("r", isKept ? DOT * Math.sqrt(weight) : DOT - 0.08); // area = weight
      dot.setAttribute("class", isKept ? "kept" : "dropped");
    });
  }

  function drawBatch({ counts, kept, weight }) {
    drawClass("majority", counts[0], kept[0], weight[0], 32, 1, 1);
    const columns = Math.ceil(Math.sqrt(counts[1]));
    const rows = Math.ceil(counts[1] / columns);
    drawClass("minority", counts[1], kept[1], weight[1], columns, 16 / columns, 16 / rows);
  }

  const PLOT = { left: 24, right: 308, top: 10, bottom: 106 };

  function drawCurve(name, f, s, highest, now, jump = null) {
    const x = (epoch) => PLOT.left + (epoch / s.epochs) * (PLOT.right - PLOT.left);
    const y = (level) => PLOT.bottom - (level / highest) * (PLOT.bottom - PLOT.top);
    const line = (from, to) => Array.from({ length: 101 }, (_, i) => from + (i / 100) * (to - from))
      .map((epoch, i) => `${i ? "L" : "M"}${x(epoch).toFixed(2)} ${y(f(epoch)).toFixed(2)}`).join("");
    const parent = by(name);
    parent.replaceChildren();
    const label = (content, at, baseline, anchor) => {
      svg("text", { x: at, y: baseline, "text-anchor": anchor }, parent).textContent = content;
    };
    for (const level of [0, 1]) {
      svg("path", { class: "grid", d: `M${PLOT.left} ${y(level)}H${PLOT.right}` }, parent);
      label(String(level), PLOT.left - 8, y(level) + 4, "end");
    }
    label("0", PLOT.left, 124, "middle");
    label(`epoch ${s.epochs}`, PLOT.right, 124, "end");
    if (jump !== null && jump > 0 && jump < s.epochs) {
      const before = Math.min(jump, s.epochs) - 1e-9 * s.epochs;
      svg("path", { class: "jump", d: `M${x(jump)} ${y(f(before))}V${y(f(jump))}` }, parent);
      if (jump > 0.06 * s.epochs && jump < 0.7 * s.epochs) {
        label(`pL = ${fixed(jump, 1)}`, x(jump), 124, "middle");
      }
      svg("path", { class: "curve", d: line(0, before) + line(jump, s.epochs) }, parent);
    } else {
      svg("path", { class: "curve", d: line(0, s.epochs) }, parent);
    }
    svg("path", { class: "now", d: `M${x(s.epoch)} ${PLOT.top - 6}V${PLOT.bottom}` }, parent);
    svg("circle", { class: "now", cx: x(s.epoch), cy: y(now), r: 5 }, parent);
  }

  function summary(s, { counts, kept, weight }) {
    const who = [["majority", 0], ["minority", 1]].map(([name, j]) => {
      const share = kept[j] < counts[j] ? `${kept[j]} of ${counts[j]}` : `all ${counts[j]}`;
      return `${share} of the ${name} are kept and weigh ${fixed(weight[j], 2)} each`;
    });
    return `Epoch ${s.epoch} of ${s.epochs}: ${who.join("; ")}.`;
  }

  let announcing = 0;
  function announce(sentence) { // once the reader's hand, or the film, has stopped
    clearTimeout(announcing);
    announcing = setTimeout(() => text("announce", sentence), 500);
  }

  function show() {
    input.epoch.max = input.epochs.value; // the browser clamps the epoch to it
    const s = readSettings();
    const now = compute(s);
    root.querySelector("[data-for=decay]").hidden = s.sampling !== "concave";
    root.querySelector("[data-for=value]").hidden = s.sampling !== "constant";

    text("imbalance", `1 : ${s.imbalance}`);
    input.imbalance.setAttribute("aria-valuetext", `1 to ${s.imbalance}`);
    text("epoch", `${s.epoch} of ${s.epochs}`);
    input.epoch.setAttribute("aria-valuetext", `epoch ${s.epoch} of ${s.epochs}`);
    for (const name of ["epochs", "decay", "value", "p", "epsilon"]) text(name, input[name].value);

    drawBatch(now);
    ["majority", "minority"].forEach((name, j) => {
      const all = now.kept[j] === now.counts[j] ? "all " : "";
      text(`${name}-kept`, `${all}${now.kept[j]}`);
      text(`${name}-of`, all ? "kept" : `of ${now.counts[j]} kept`);
      text(`${name}-each`, fixed(now.weight[j], 2));
      by(`${name}-bar`).style.flexGrow = now.together[j];
      text(`${name}-sum`, fixed(now.together[j], 1));
      text(`train-${j}`, String(now.classCounts[j]));
      text(`count-${j}`, String(now.counts[j]));
      text(`current-${j}`, percent(now.counts[j] / BATCH));
      text(`target-${j}`, percent(now.target[j]));
      text(`ratio-${j}`, now.ratio[j].toFixed(3));
      text(`kept-${j}`, String(now.kept[j]));
      text(`weight-${j}`, now.weight[j].toFixed(3));
      text(`sum-${j}`, now.together[j].toFixed(1));
    });
    text("total", now.total.toFixed(1));
    text("total-note", fixed(now.total, 1));

    const settingsAt = (epoch) => compute({ ...s, epoch });
    drawCurve("g-curve", (epoch) => settingsAt(epoch).g, s, 1, now.g);
    drawCurve("f-curve", (epoch) => settingsAt(epoch).f, s, 1.5, now.f, s.p * s.epochs);
    text("g", now.g.toFixed(3));
    text("f", now.f.toFixed(3));
    text("g-epoch", String(s.epoch));
    text("f-epoch", String(s.epoch));
    const sentence = summary(s, now);
    by("picture").setAttribute("aria-label", sentence);
    announce(sentence);
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
    const epochs = Number(input.epochs.value);
    const pace = still.matches ? 1 : 0; // without motion: one jump a second
    let seconds = Math.max(0, now - playing.since) / 1000;
    if (pace) seconds = Math.floor(seconds);
    const epoch = Math.min(epochs, Math.round(playing.from + (seconds / SECONDS) * epochs));
    if (epoch !== Number(input.epoch.value)) {
      input.epoch.value = epoch;
      show();
    }
    if (epoch >= epochs) play(false);
    else requestAnimationFrame(step);
  }

  by("play").addEventListener("click", () => play(!playing));
  by("again").addEventListener("click", () => { drawRanks(); show(); });
  root.addEventListener("input", (event) => {
    if (playing && ["epoch", "epochs"].includes(event.target.name)) play(false);
    show();
  });

  root.hidden = false;
  document.documentElement.classList.add("explorer-live"); // hides the picture for print
  drawRanks();
  show();
})();
