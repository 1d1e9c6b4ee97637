// The page "Bring your scores": what a reader does, and what of the numbers is shown where. Numbers
// come from scores_numbers.js, in workers; figures from scores_figures.js.
"use strict";

(() => {
  const root = document.getElementById("scores");
  if (!root) return;
  const numbers = window.dclScores, figures = window.dclFigures;
  const by = (name) => root.querySelector(`[data-${name}]`);
  const input = Object.fromEntries([...root.querySelectorAll("[name]")].map((x) => [x.name, x]));
  const slider = root.querySelector("#s-threshold"), costSlider = root.querySelector("#s-cost");
  const exact = by("exact");
  const STEPS = 400; // of the slider
  const COSTS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  const SMALL = 400_000; // scores, below which one worker is enough
  const AT_ONCE = 5_000; // rows of a label that the page itself computes without a pause
  const CHUNK = 100; // rows of the table of results that are made at once

  function make(tag, attributes, parent, content = null) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (content !== null) element.textContent = content;
    return parent.appendChild(element);
  }
  function text(name, content) {
    const element = by(name);
    if (element.textContent !== content) element.textContent = content;
  }
  const whole = (n) => n.toLocaleString("en");
  const points = (share, digits = 1) => (Number.isNaN(share) ? "–" : (100 * share).toFixed(digits));
  const percent = (share) => (Number.isNaN(share) ? "–" : `${points(share)} %`);
  const ratio = (n) => (n >= 1 ? `${whole(n)} : 1` : `1 : ${whole(Math.round(1 / n))}`);
  function shown(threshold) { // as many digits as a reader can use
    if (Number.isNaN(threshold)) return "–";
    if (state.scale === "logit") return threshold.toFixed(2).replace("-", "\u2212");
    const digits = Math.min(6, Math.max(3, 2 - Math.floor(Math.log10(Math.min(threshold, 1 - threshold)))));
    return threshold.toFixed(threshold > 0 && threshold < 1 ? digits : 2).replace("-", "\u2212");
  }

  const state = {
    file: "", table: null, scale: "probability", options: {}, result: null,
    label: 0, decision: "tuned-mA", yours: new Map(), cost: null, costs: null, curves: [], curve: null,
    axis: null, ask: null,
  };

  // ---- workers: started from the numbers' own text, for a page on a disk has no others -------------

  const address = URL.createObjectURL(new Blob(
    [`"use strict";\nconst numbers = (${dclScoresNumbers})();\n`
      + "onmessage = numbers.work((message, owned = []) => postMessage(message, owned));"],
    { type: "text/javascript" }));
  let running = [], tuning = false; // not costs alone

  function stop() {
    for (const worker of running) worker.terminate();
    running = [];
    tuning = false;
  }

  function start(message, take, fail) {
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => (data.error ? fail(data.error) : take(data));
    worker.onerror = (event) => fail({ message: event.message || "the computation stopped" });
    worker.postMessage(message);
    return worker;
  }

  // A function that asks for one label: of a small table at once, else its reader, the worker that
  // holds it. Of several questions of a kind the last alone is answered.
  function askerOf(table, reader) {
    if (table.rows <= AT_ONCE) {
      const answer = numbers.asker(table);
      reader.terminate();
      return Object.assign((question, take) => take(answer(question)), { end() {} });
    }
    const last = {};
    let asked = 0;
    reader.onmessage = ({ data }) => {
      if (data.error) fail(data.error);
      const kind = Object.keys(last).find((name) => last[name].number === data.number);
      if (kind) last[kind].take(data.answer);
    };
    return Object.assign((question, take) => {
      last[question.ask] = { number: ++asked, take };
      reader.postMessage({ ...question, number: asked });
    }, { end: () => reader.terminate() });
  }

  const withLabels = (table, from, to) => ({
    ...table, names: table.names.slice(from, to), y: table.y.slice(from, to), s: table.s.slice(from, to),
  });

  // Tunes all labels, shared among workers: `done(report)` without draws, then with them.
  function tuneAll(table, scale, options, { tell = () => {}, done, fail }) {
    const labels = table.names.length;
    const cores = labels * table.rows < SMALL ? 1 : Math.min(navigator.hardwareConcurrency || 2, 8, labels);
    const rounds = new Map();
    const failed = (error) => { stop(); fail(error); };
    const total = labels * (options.bootstrap ? 2 : 1);
    let arrived = 0;
    for (let k = 0; k < cores; k++) {
      const from = Math.floor((k * labels) / cores), to = Math.floor(((k + 1) * labels) / cores);
      running.push(start({ table: withLabels(table, from, to), scale, options, first: from }, (data) => {
        const round = rounds.get(data.bootstrap) ?? { left: labels, described: [], metrics: [] };
        rounds.set(data.bootstrap, round);
        round.described[data.a] = data.label;
        round.metrics[data.a] = data.metrics;
        tell(++arrived, total);
        if (--round.left) return;
        const last = data.bootstrap === (options.bootstrap ?? 0);
        if (last) stop();
        let report;
        try {
          report = numbers.report(table, round.described, round.metrics, scale, options);
        } catch (error) {
          failed(error);
          return;
        }
        done(report, last);
      }, failed));
    }
  }

  // ---- a table comes in --------------------------------------------------------------------------

  const results = by("results");
  let waiting = 0, next = null; // the table that was read last
  let reader = null; // the worker that reads one
  function progress(words, share = null) {
    clearTimeout(waiting);
    const show = () => {
      by("progress").hidden = !words;
      text("progress-words", words);
      if (share === null) by("progress-bar").removeAttribute("value");
      else by("progress-bar").value = share;
    };
    if (!words || !by("progress").hidden) show();
    else waiting = setTimeout(show, 250); // what is done at once needs no word
  }

  const asSentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`.replace(/([.?])[.]+$/, "$1");

  function fail(error) {
    stop();
    progress("");
    text("wrong", asSentence(error.message));
    results.classList.add("stale");
  }

  function read(content, file) { // a text, or a file that the worker opens
    stop();
    reader?.terminate();
    text("wrong", "");
    results.classList.add("stale");
    progress(`Reading ${file} …`);
    reader = start({ text: content }, ({ table }) => {
      if (next && next.table !== state.table) next.ask.end();
      next = { table, file, ask: askerOf(table, reader) };
      reader = null;
      for (const name of ["scale", "prior", "recall", "precision"]) input[name].value = "";
      begin();
    }, fail);
  }

  // ---- the settings --------------------------------------------------------------------------------

  function readShare(name) {
    const typed = input[name].value.trim().replace(",", ".");
    if (!typed) return null;
    const value = typed.endsWith("%") ? Number(typed.slice(0, -1)) / 100 : Number(typed);
    if (!(value > 0 && value < 1)) {
      throw new RangeError(`${name} must lie between 0 and 1, got "${input[name].value}"`);
    }
    return value;
  }

  // "0.02" for all, "0.02, 0.4", one for each label, or "cat 0.02, dog 0.4".
  function readPrior(typed, names) {
    const parts = typed.trim().split(/[,;\n]+/).map((part) => part.trim()).filter(Boolean);
    if (!parts.length) return null;
    const named = parts.map((part) => part.match(/^(?:(.*?)[\s:=]+)?(\S+)$/));
    if (named.every(([, name]) => name === undefined)) {
      if (parts.length > 1 && parts.length !== names.length) {
        throw new RangeError(`prior must be 1 or ${names.length} rates, got ${parts.length}`);
      }
      return Object.fromEntries(names.map((name, i) => [name, Number(parts[parts.length > 1 ? i : 0])]));
    }
    return Object.fromEntries(named.map(([part, name, value]) => {
      if (name === undefined) throw new RangeError(`prior: "${part}" names no label`);
      return [name, Number(value)];
    }));
  }

  // Tunes with the settings as they are. What is shown changes once there is something to show.
  function begin() {
    stop();
    const { table, file, ask } = next;
    let options, scale;
    text("wrong", "");
    try {
      options = {
        seed: 0, bootstrap: numbers.BOOTSTRAP, scale: input.scale.value || null,
        prior: readPrior(input.prior.value, table.names),
        recall: readShare("recall"), precision: readShare("precision"),
      };
      numbers.checkOptions(table, options);
      scale = numbers.scaleOf(table, options.scale);
    } catch (error) {
      fail(error);
      return;
    }
    results.classList.add("stale");
    progress("Tuning …", 0);
    let first = true;
    tuning = true;
    tuneAll(table, scale, options, {
      tell: (n, of) => progress("Tuning …", n / of),
      done: (result, last) => {
        if (first && state.table !== table) open(table, ask);
        if (first) Object.assign(state, { file, scale, options, costs: null });
        state.result = result;
        showReport();
        const draw = first; // the draws move no threshold: they change the report alone
        first = false;
        const settle = () => {
          results.classList.remove("stale");
          progress(last ? "" : "Drawing the bootstrap samples …", 0.5);
          if (last && state.cost !== null) tuneCosts();
        };
        setTimeout(() => (draw ? showLabel(settle) : settle()));
      },
      fail,
    });
  }

  function open(table, ask) {
    state.ask?.end();
    Object.assign(state, { table, ask, label: 0, decision: "tuned-mA", cost: null });
    state.yours.clear();
    input.rows.value = "0";
    costSlider.value = COSTS.indexOf(10);
    input.label.replaceChildren();
    table.names.forEach((name, a) => make("option", { value: a }, input.label, name));
  }

  // ---- the decisions -------------------------------------------------------------------------------

  const decisions = () => [
    ...state.result.decisions, ...(state.costs ? ["cost"] : []), ...(state.yours.size ? ["yours"] : []),
  ];
  const number = (name) => { // of its ring
    const all = ["0.5", "prior", "tuned-mA", "tuned-f1", "recall", "precision", "cost", "yours"];
    return String(all.indexOf(name) + 1);
  };
  function words(name) {
    const { recall, precision } = state.result.targets;
    return {
      "0.5": "0.5", prior: "prior",
      "tuned-mA": "best balanced accuracy", "tuned-f1": "best F1",
      recall: `recall ≥ ${recall}`, precision: `precision ≥ ${precision}`,
      cost: `cheapest, ${ratio(state.costs?.targets.cost ?? 1)}`, yours: "yours",
    }[name];
  }
  const short = (name) => ({ "tuned-mA": "best bal. acc." }[name] ?? words(name));

  function thresholdOf(a, decision) {
    if (decision === "yours") return state.yours.get(a) ?? thresholdOf(a, state.decision);
    if (decision === "cost") return state.costs.labels[a].thresholds.cost;
    return state.result.labels[a].thresholds[decision];
  }

  function now() { // the threshold that the figures show
    const chosen = state.yours.get(state.label) ?? thresholdOf(state.label, state.decision);
    return Number.isNaN(chosen) ? numbers.halfOf(state.scale) : chosen;
  }

  // ---- the table -------------------------------------------------------------------------------------

  function ring(parent, name) {
    make("span", { class: "ring", "aria-hidden": "true" }, parent, number(name));
  }

  function cellOf(source, a, name, measure) {
    if (measure === "threshold") {
      const ends = source.intervals?.[name];
      return [shown(source.thresholds[name]), ends && ends.map(shown)];
    }
    const [value, ...ends] = source.metrics[name][measure];
    return [points(value), ends.map((x) => points(x))];
  }

  let filling = 0;
  function showTable() {
    clearTimeout(filling);
    const measure = input.measure.value, { result, costs } = state;
    const names = [...result.decisions, ...(costs ? ["cost"] : [])];
    const head = by("head"), rows = by("rows");
    head.replaceChildren();
    rows.replaceChildren();
    const line = make("tr", {}, head);
    make("th", { scope: "col" }, line, "label");
    make("th", { scope: "col" }, line, "positives");
    for (const name of names) {
      const cell = make("th", { scope: "col" }, line);
      ring(cell, name);
      cell.append(short(name));
    }
    const fill = (row, source, a) => {
      for (const name of names) {
        const cell = make("td", {}, row);
        const from = name === "cost" ? (a === null ? { metrics: costs.mean } : costs.labels[a]) : source;
        if (a === null && measure === "threshold") continue;
        const [value, ends] = cellOf(from, a, name, measure);
        cell.append(value);
        if (ends && ends[0] !== "–") make("small", {}, cell, `${ends[0]} – ${ends[1]}`);
      }
    };
    if (result.labels.length > 1 && measure !== "threshold") {
      const row = make("tr", { class: "mean" }, rows);
      make("th", { scope: "row" }, row, "mean");
      make("td", {}, row);
      fill(row, { metrics: result.mean }, null);
    }
    const put = (label, a) => {
      const row = make("tr", { "data-label": a, class: a === state.label ? "chosen" : "" }, rows);
      const name = make("th", { scope: "row" }, row);
      const button = make("button", { type: "button", "aria-label": `Show ${label.name}` }, name);
      label.name.split(/(?<=_)/).forEach((part) => button.append(part, document.createElement("wbr")));
      if (label.few) make("span", { class: "few", title: "fewer than 20 rows of its rarer class" }, name, "few");
      const cell = make("td", {}, row, whole(label.scored.positives));
      make("small", {}, cell, `of ${whole(label.scored.positives + label.scored.negatives)}`);
      fill(row, label, a);
    };
    const putFrom = (from) => {
      result.labels.slice(from, from + CHUNK).forEach((label, i) => put(label, from + i));
      if (from + CHUNK < result.labels.length) filling = setTimeout(() => putFrom(from + CHUNK));
    };
    putFrom(0);
    const where = result.two ? "Tuned on val, scored on test" : "Cross-fitted in 5 folds: each is decided by thresholds "
      + "of the four others";
    const ends = result.draws ? " Below a number, its 95 % interval." : "";
    const named = (what) => result.labels.filter((label) => label[what]).map((label) => label.name).join(", ");
    const [missing, backwards] = [named("undefined"), named("backwards")];
    text("table-note", `${where}.${ends}${missing && ` No metric for ${missing}: without a positive or a negative to `
      + "score."}`);
    const { copied } = state.table;
    text("copies", copied ? `${whole(copied)} rows have the scores of another row, digit for digit. If they are copies, `
      + "or of one person, give them one group, or the intervals are too narrow." : "");
    text("backwards", backwards && `Negatives score above positives, surely: ${backwards}. Were the scores those of the `
      + "negative class? Give 1 minus a probability, minus a logit.");
  }

  // ---- one label -------------------------------------------------------------------------------------

  // Where a threshold lies on the axis of the figures: log-odds for probabilities.
  const onAxis = (threshold) => {
    const at = state.scale === "logit" ? threshold : figures.logit(Math.min(1, Math.max(0, threshold)));
    return Math.min(state.axis[1], Math.max(state.axis[0], at));
  };
  const fromAxis = (at) => (state.scale === "logit" ? at : 1 / (1 + Math.exp(-at)));

  function axisOf(a) {
    const { s } = { s: state.table.s[a] };
    const odds = state.scale === "logit" ? (x) => x : figures.logit;
    let low = Infinity, high = -Infinity;
    for (const score of s) {
      const at = odds(score);
      if (!Number.isFinite(at)) continue;
      if (at < low) low = at;
      if (at > high) high = at;
    }
    for (const name of state.result.decisions) {
      const at = odds(state.result.labels[a].thresholds[name]);
      if (!Number.isFinite(at)) continue;
      low = Math.min(low, at);
      high = Math.max(high, at);
    }
    if (!(low < high)) [low, high] = [Math.min(low, 0) - 1, Math.max(high, 0) + 1];
    if (!Number.isFinite(low + high)) [low, high] = [-1, 1];
    const most = state.scale === "logit" ? Infinity : 9.3; // 0.0001
    low = Math.max(low, -most);
    high = Math.min(high, most);
    const room = 0.02 * (high - low);
    return [low - room, high + room];
  }

  function ticksOf([low, high]) {
    if (state.scale === "probability") return figures.oddsTicks([low, high]);
    const each = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((x) => (high - low) / x <= 8)
      ?? 10 ** Math.ceil(Math.log10((high - low) / 8));
    const ticks = [];
    for (let k = Math.ceil(low / each); k * each <= high; k++) {
      ticks.push({ at: k * each, words: String(Number((k * each).toPrecision(6))).replace("-", "\u2212") });
    }
    return ticks;
  }

  let drawn = {};
  let whenDrawn = null; // once, when the figures hold the label that is asked for
  function showLabel(done = whenDrawn) {
    const { table, scale, label, ask } = state;
    whenDrawn = done;
    ask({ ask: "look", label, scale }, (found) => {
      if (table !== state.table || label !== state.label) return; // another is asked for
      drawLabel(found);
      whenDrawn?.();
      whenDrawn = null;
    });
  }

  function drawLabel(found) {
    const { table, scale, label } = state;
    const name = table.names[label], which = Number(input.rows.value);
    state.curves = found.map(({ curve }) => curve);
    const { curve, bins } = found[table.two ? which : 0];
    state.curve = curve;
    state.axis = axisOf(label);
    input.label.value = label;
    by("before").disabled = label === 0;
    by("after").disabled = label === table.names.length - 1;
    by("rows-control").hidden = !table.two;
    for (const row of by("rows").rows) row.classList.toggle("chosen", row.dataset.label === String(label));

    const share = curve.positives / (curve.positives + curve.negatives);
    const roc = figures.axes(by("roc"), { xName: "negatives called positive, %", yName: "positives found, %" });
    roc.line([0, 1], [0, 1], "chance");
    roc.line(curve.false_positive_rate, curve.recall, "");
    text("roc-title", `ROC: AUC ${Number.isNaN(curve.auc) ? "–" : curve.auc.toFixed(3)}`);
    const pr = figures.axes(by("pr"), { xName: "positives found (recall), %", yName: "precision, %" });
    pr.line([0, 1], [share, share], "chance");
    pr.line(curve.recall, curve.precision, "");
    text("pr-title", `Precision and recall: AP ${Number.isNaN(curve.average_precision) ? "–"
      : curve.average_precision.toFixed(3)}`);
    const sweep = figures.axes(by("sweep"), { x: state.axis, xTicks: ticksOf(state.axis),
      xName: scale === "logit" ? "threshold, logit" : "threshold, probability", yName: "%" });
    const xs = Float64Array.from(curve.cuts, onAxis);
    for (const metric of ["recall", "precision", "f1", "balanced_accuracy"]) sweep.line(xs, curve[metric], metric);
    text("sweep-title", "By threshold");
    const calibration = figures.axes(by("calibration"), { xName: "predicted probability, %", yName: "observed frequency, %" });
    calibration.line([0, 1], [0, 1], "chance");
    const most = Math.max(...bins.counts);
    bins.counts.forEach((n, i) => {
      if (!n) return;
      const [low, high] = wilson(bins.rate[i], n);
      calibration.bar(bins.confidence[i], low, high, "bin");
      calibration.spot(bins.confidence[i], bins.rate[i], 2.5 + 5.5 * Math.sqrt(n / most), "bin",
        `${whole(n)} rows: predicted ${percent(bins.confidence[i])}, positive ${percent(bins.rate[i])}`);
    });
    text("calibration-title", `Calibration: error ${percent(bins.error)}`);
    drawn = { roc, pr, sweep, calibration };

    by("roc").setAttribute("aria-label", `ROC curve of ${name}, AUC ${curve.auc.toFixed(3)}`);
    by("pr").setAttribute("aria-label", `Precision against recall of ${name}, average precision ${
      curve.average_precision.toFixed(3)}`);
    by("sweep").setAttribute("aria-label", `Balanced accuracy, F1, precision and recall of ${name} at every threshold`);
    by("calibration").setAttribute("aria-label", `Calibration of ${name}, expected calibration error ${
      percent(bins.error)}`);
    showButtons();
    showThreshold();
    setTimeout(showCost);
  }

  function wilson(x, n) { // two-sided, 95 %
    const z = 1.959963984540054, z2 = z * z, middle = x + z2 / (2 * n);
    const half = z * Math.sqrt((x * (1 - x)) / n + z2 / (4 * n * n));
    return [(middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)];
  }

  function showButtons() {
    const box = by("decisions"), names = decisions().filter((name) => name !== "yours");
    const focused = box.contains(document.activeElement) ? document.activeElement.dataset.decision : null;
    box.replaceChildren();
    for (const name of names) {
      const value = thresholdOf(state.label, name), on = !state.yours.has(state.label) && state.decision === name;
      const button = make("button", { type: "button", "data-decision": name, "aria-pressed": on }, box);
      ring(button, name);
      button.append(words(name));
      button.disabled = Number.isNaN(value);
      if (button.disabled) button.title = "not reached";
    }
    if (focused) box.querySelector(`[data-decision="${focused}"]`)?.focus();
  }

  function showThreshold() { // what moves with it
    const { curve, result, table } = state;
    const threshold = now(), at = onAxis(threshold), here = numbers.at(curve, threshold);
    slider.value = Math.round(((at - state.axis[0]) / (state.axis[1] - state.axis[0])) * STEPS);
    if (document.activeElement !== exact) exact.value = shown(threshold).replace("\u2212", "-");
    for (const figure of Object.values(drawn)) figure.clearMarks();
    const { roc, pr, sweep, calibration } = drawn;
    for (const name of [...result.decisions, ...(state.costs ? ["cost"] : [])]) {
      const value = thresholdOf(state.label, name);
      if (Number.isNaN(value)) continue;
      const there = numbers.at(curve, value);
      const told = `${words(name)}: ${shown(value)}`;
      roc.mark(there.false_positive_rate, there.recall, number(name), told);
      pr.mark(there.recall, there.precision, number(name), told);
      sweep.upright(onAxis(value), "mark");
      sweep.mark(onAxis(value), 1, number(name), told);
    }
    roc.dot(here.false_positive_rate, here.recall);
    pr.dot(here.recall, here.precision);
    sweep.upright(at, "now");
    sweep.dot(at, here.balanced_accuracy);
    calibration.upright(state.scale === "logit" ? 1 / (1 + Math.exp(-threshold)) : Math.min(1, Math.max(0, threshold)), "now");

    const body = by("readout");
    body.replaceChildren();
    state.curves.forEach((rows, part) => {
      const of = numbers.at(rows, threshold), row = make("tr", {}, body);
      const head = make("th", { scope: "row" }, row, table.two ? ["val", "test"][part] : "all rows");
      if (table.two) make("span", { class: "wide" }, head, [", tuned on", ", scored"][part]);
      for (const [value, small] of [
        [percent(of.recall), `${whole(of.tp)} of ${whole(rows.positives)}`],
        [percent(of.false_positive_rate), `${whole(of.fp)} of ${whole(rows.negatives)}`],
        [percent(of.precision)], [percent(of.f1)], [percent(of.balanced_accuracy)],
      ]) {
        const cell = make("td", {}, row, value);
        if (small) make("small", {}, cell, small);
      }
    });
    slider.setAttribute("aria-valuetext", `${shown(threshold)}: ${percent(here.recall)} of positives found, `
      + `${percent(here.false_positive_rate)} of negatives called positive, balanced accuracy ${percent(here.balanced_accuracy)}`);
    showExport();
  }

  function moveTo(threshold) {
    const had = state.yours.has(state.label);
    state.yours.set(state.label, threshold);
    if (!had) showButtons();
    showThreshold();
  }

  // Drag: in the sweep along its axis, on the two curves to the nearest point.
  function dragged(name, event) {
    const [px, py] = figures.place(by(name), event), figure = drawn[name], { curve } = state;
    if (name === "sweep") {
      moveTo(fromAxis(Math.min(state.axis[1], Math.max(state.axis[0], figure.fromX(px)))));
      return;
    }
    const [xs, ys] = name === "roc" ? [curve.false_positive_rate, curve.recall] : [curve.recall, curve.precision];
    let nearest = Infinity, chosen = -1;
    for (let k = 0; k < xs.length; k++) {
      const distance = (figure.atX(xs[k]) - px) ** 2 + (figure.atY(ys[k]) - py) ** 2;
      if (distance < nearest) { nearest = distance; chosen = k; }
    }
    if (chosen >= 0) moveTo(curve.cuts[chosen]);
  }

  for (const name of ["roc", "pr", "sweep"]) {
    const svg = by(name);
    svg.classList.add("drags");
    svg.addEventListener("pointerdown", (event) => {
      if (!state.result || event.button) return;
      svg.setPointerCapture(event.pointerId);
      slider.focus({ preventScroll: true }); // so that the arrow keys go on
      dragged(name, event);
      event.preventDefault();
    });
    svg.addEventListener("pointermove", (event) => {
      if (svg.hasPointerCapture(event.pointerId)) dragged(name, event);
    });
  }

  // ---- the cost of a mistake -------------------------------------------------------------------------

  let later = 0;
  function tuneCosts() { // of all labels, once the slider rests
    clearTimeout(later);
    later = setTimeout(() => {
      if (tuning) return; // it comes back here when it has ended
      stop();
      const options = { ...state.options, bootstrap: 0, cost: state.cost };
      tuneAll(state.table, state.scale, options, {
        done: (report) => {
          state.costs = report;
          showTable();
          showButtons();
          showThreshold();
        },
        fail,
      });
    }, 250);
  }

  function showCost() {
    const cost = COSTS[Number(costSlider.value)];
    const told = cost >= 1 ? `${whole(cost)} false alarm${cost > 1 ? "s" : ""}` : `1/${whole(Math.round(1 / cost))} of a false alarm`;
    text("cost", told);
    costSlider.setAttribute("aria-valuetext", told);
    const { label, scale } = state, options = { ...state.options, bootstrap: 0, cost };
    state.ask({ ask: "cost", label, scale, options }, (found) => {
      if (label === state.label) sayCost(cost, found);
    });
  }

  function sayCost(cost, found) {
    const total = (name) => {
      const { fn, fp } = found.counts[name], rows = found.scored.positives + found.scored.negatives;
      return ((cost * fn + fp) / rows) * 1000;
    };
    const say = (name) => (Number.isNaN(total(name)) ? "–" : whole(Number(total(name).toPrecision(3))));
    const on = state.table.two ? "on test" : "cross-fitted";
    text("cost-words", `The cheapest threshold of ${found.name} is then ${shown(found.thresholds.cost)}. Its mistakes cost `
      + `${say("cost")} per 1,000 rows ${on}, in false alarms; at ${words("0.5")} they cost ${say("0.5")}, at the prior ${say("prior")}.`);
  }

  // ---- what a reader takes away ------------------------------------------------------------------------

  function exported() { // the report, with the page's own decisions
    const { result, costs } = state;
    const extra = decisions().filter((name) => !result.decisions.includes(name));
    return {
      ...result, decisions: [...result.decisions, ...extra],
      targets: { ...result.targets, ...costs?.targets },
      labels: result.labels.map((label, a) => ({
        ...label,
        thresholds: { ...label.thresholds, ...Object.fromEntries(extra.map((name) => [name, thresholdOf(a, name)])) },
      })),
    };
  }

  const SNIPPETS = { // those of `python -m dcl tune --help`
    numpy: (name) => `import json, numpy as np
found = json.load(open("thresholds.json"))
limits = [label["thresholds"]["${name}"] for label in found["labels"]]
# scores (N, A): a column for each of found["labels"], in double precision
decided = np.asarray(scores, dtype=np.float64) > np.array(limits)`,
    torch: (name) => `import json, torch
found = json.load(open("thresholds.json"))
limits = [label["thresholds"]["${name}"] for label in found["labels"]]
# scores (N, A): a column for each of found["labels"], in double precision
decided = scores.double() > torch.tensor(limits, dtype=torch.float64)`,
  };
  let language = "numpy";

  function showExport() {
    const chosen = state.yours.size ? "yours" : state.decision;
    const list = decisions();
    if ([...input.export.options].map((o) => o.value + o.text).join() !== list.map((n) => n + words(n)).join()) {
      input.export.replaceChildren();
      for (const name of list) make("option", { value: name }, input.export, words(name));
    }
    if (input.export.dataset.follows !== chosen) {
      input.export.value = chosen;
      input.export.dataset.follows = chosen;
    }
    for (const tab of root.querySelectorAll("[data-tab]")) {
      tab.setAttribute("aria-selected", tab.dataset.tab === language);
      tab.tabIndex = tab.dataset.tab === language ? 0 : -1;
    }
    root.querySelector("#s-snippet").setAttribute("aria-labelledby", `s-tab-${language}`);
    text("snippet", SNIPPETS[language](input.export.value));
  }

  function save(content, type, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  // ---- all together ------------------------------------------------------------------------------------

  function showReport() {
    const { result, table } = state;
    const rows = whole(table.rows), labels = table.names.length;
    text("sentence", numbers.sentence(result).replaceAll(" ± ", "\u00a0±\u00a0"));
    text("doubts", numbers.doubts(table, result, input.scale.value).map(asSentence).join(" "));
    text("facts", `${state.file}: ${rows} rows, ${labels} label${labels > 1 ? "s" : ""}; `
      + `${state.scale === "logit" ? "logits" : "probabilities"}; `
      + `${result.two ? `${whole(result.rows)} rows to tune on, ${whole(table.rows - result.rows)} to score` : "one split, cross-fitted"}`
      + `${table.group ? "; in groups" : ""}.${table.ignored.length ? ` Not read: ${table.ignored.join(", ")}.` : ""}`);
    if (!decisions().includes(state.decision)) state.decision = "tuned-mA";
    showTable();
  }

  function choose(label) {
    state.label = label;
    showLabel();
  }

  by("open").addEventListener("click", () => root.querySelector("#s-file").click());
  root.querySelector("#s-file").addEventListener("change", ({ target }) => {
    readFile(target.files[0]);
    target.value = "";
  });
  by("paste").addEventListener("click", () => {
    const box = by("paste-box");
    box.hidden = !box.hidden;
    by("paste").setAttribute("aria-expanded", !box.hidden);
    if (!box.hidden) root.querySelector("#s-text").focus();
  });
  const readFile = (file) => file && read(file, file.name);
  by("read").addEventListener("click", () => read(root.querySelector("#s-text").value, "The table you pasted"));
  by("sample").addEventListener("click", () => read(window.dclScoresSample, "The sample"));
  const drop = by("drop");
  root.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  root.addEventListener("dragleave", () => drop.classList.remove("over"));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    readFile(event.dataTransfer.files[0]);
  });

  for (const name of ["scale", "prior", "recall", "precision"]) {
    input[name].addEventListener("change", begin);
  }
  input.measure.addEventListener("change", showTable);
  by("rows").addEventListener("click", ({ target }) => {
    const row = target.closest("[data-label]");
    if (!row) return;
    choose(Number(row.dataset.label));
  });
  input.label.addEventListener("change", () => choose(Number(input.label.value)));
  by("before").addEventListener("click", () => choose(state.label - 1));
  by("after").addEventListener("click", () => choose(state.label + 1));
  input.rows.addEventListener("change", () => showLabel());
  by("decisions").addEventListener("click", ({ target }) => {
    const button = target.closest("[data-decision]");
    if (!button) return;
    state.decision = button.dataset.decision;
    state.yours.delete(state.label);
    showButtons();
    showThreshold();
  });
  slider.addEventListener("input", () => {
    moveTo(fromAxis(state.axis[0] + (Number(slider.value) / STEPS) * (state.axis[1] - state.axis[0])));
  });
  exact.addEventListener("change", () => {
    const value = Number(exact.value.trim().replace("\u2212", "-").replace(",", "."));
    const outside = state.scale === "probability" && value !== -1 && !(value >= 0 && value <= 1);
    const wrong = !exact.value.trim() || !Number.isFinite(value) || outside;
    exact.setAttribute("aria-invalid", wrong);
    if (!wrong) moveTo(value);
  });
  costSlider.addEventListener("input", () => {
    state.cost = COSTS[Number(costSlider.value)];
    showCost();
    tuneCosts();
  });
  input.export.addEventListener("change", showExport);
  by("json").addEventListener("click", () => {
    save(`${JSON.stringify(numbers.thresholdsJson(exported()), null, 1)}\n`, "application/json", "thresholds.json");
  });
  by("csv").addEventListener("click", () => save(numbers.thresholdsCsv(state.result), "text/csv", "thresholds.csv"));
  for (const button of root.querySelectorAll("[data-svg]")) {
    const name = button.dataset.svg;
    button.addEventListener("click", () => {
      const label = state.table.names[state.label];
      save(figures.file(by(name), `${label}. ${by(`${name}-title`).textContent}`), "image/svg+xml", `${label}_${name}.svg`);
    });
    button.setAttribute("aria-label", `Save as SVG: ${name}`);
  }
  const tabs = [...root.querySelectorAll("[data-tab]")];
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => { language = tab.dataset.tab; showExport(); });
    tab.addEventListener("keydown", ({ key }) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!way) return;
      const next = tabs[(i + way + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  });
  by("copy").addEventListener("click", async () => {
    const copied = await navigator.clipboard?.writeText(by("snippet").textContent).then(() => true, () => false);
    text("copied", copied ? "Copied." : "Please select and copy it.");
    setTimeout(() => text("copied", ""), 4000);
  });

  root.hidden = false;
  read(window.dclScoresSample, "The sample");
})();
