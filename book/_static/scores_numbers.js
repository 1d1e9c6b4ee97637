// The numbers of the page "Bring your scores", without the page: what `python -m dcl tune` computes,
// with the same folds and bootstrap draws (tests/book/test_scores_page.py holds them equal).
// All of it is one function, so that its own text can be started as a worker from disk, where no
// browser loads a worker from a file.
"use strict";

function dclScoresNumbers() {
  const DECISIONS = ["0.5", "prior", "tuned-mA", "tuned-f1"];
  const TARGETS = ["recall", "precision"];
  const METRICS = ["balanced_accuracy", "f1", "precision", "recall"];
  const FOLDS = 5;
  const BOOTSTRAP = 200;
  const FEW = 20; // rows of the rarer class
  const DEVIATIONS = 3; // of a rank sum
  const LITTLE = 0.1; // area under the ROC curve above that of chance
  const SURELY = 20; // with so many rows a pattern is no coincidence
  const TWICE = [0.5, 0.7311]; // the sigmoid of a probability
  const PRECISE = 1e4; // scores of more than four digits hardly agree by chance
  const LEVELS = 10; // different scores, of fewer many rows agree
  const MARKS = [",", ";", "\t"]; // that may be between cells
  const BINS = 15; // of calibration, as dcl.evaluation.calibration has them
  const Z = 1.6448536269514722; // one-sided 95 %
  const UNKNOWN = -1;
  const LARGEST = 1e15; // of a score

  // ---- the table -------------------------------------------------------------------------------

  class TableError extends Error {
    constructor(message, row = null, column = null) {
      super(message);
      this.name = "TableError";
      this.row = row;
      this.column = column;
    }
  }

  // What is between the cells: `separator_of` of the library. The first mark with which the column
  // names and the row below are as many, else the first in the column names.
  function separatorOf(text) {
    const lines = text.slice(0, 1 << 20).match(/[^\r\n]*\S[^\r\n]*/g)?.slice(0, 2) ?? [];
    if (/^\uFEFF?sep=/i.test(lines[0] ?? "")) return MARKS[0]; // `columnsOf` says what is wrong
    const lengths = new Map(MARKS.map((mark) => [mark, lines.map((line) => {
      let length = 1;
      try { readCsv(line, (cells) => { length = cells.length; }, mark); } catch { /* read as a whole, it is refused */ }
      return length;
    })]));
    const fitting = MARKS.filter((mark) => lines.length === 2 && lengths.get(mark)[0] === lengths.get(mark)[1]);
    return [...fitting, ...MARKS].find((mark) => lengths.get(mark)[0] > 1) ?? MARKS[0];
  }

  // RFC 4180: calls `take(cells, row, separator)` for each row; the column names are row 1.
  function readCsv(text, take, separator = separatorOf(text)) {
    const end = text.length;
    let at = text.charCodeAt(0) === 0xfeff ? 1 : 0, row = 1, cells = [];
    while (at < end) {
      let cell;
      while (text[at] === " ") at++;
      if (text[at] === '"') {
        let from = at + 1, to = text.indexOf('"', from);
        cell = "";
        while (to >= 0 && text[to + 1] === '"') { // a doubled quote is one
          cell += text.slice(from, to + 1);
          from = to + 2;
          to = text.indexOf('"', from);
        }
        if (to < 0) throw new TableError(`row ${row}: a quotation mark is never closed`, row);
        cell += text.slice(from, to);
        at = to + 1;
      } else cell = "";
      const from = at;
      let code = at < end ? text.charCodeAt(at) : 10;
      while (at < end && code !== 10 && code !== 13 && text[at] !== separator) {
        code = text.charCodeAt(++at);
      }
      cell += text.slice(from, at);
      cells.push(cell.trim());
      if (at < end && text[at] === separator) {
        at++;
        if (at < end) continue;
        cells.push(""); // the file ends behind a separator
      }
      if (text[at] === "\r" && text[at + 1] === "\n") at++;
      at++;
      if (cells.length > 1 || cells[0] !== "") take(cells, row, separator);
      cells = [];
      row++;
    }
  }

  const TRUTH = new Map([
    ["0", 0], ["1", 1], ["0.0", 0], ["1.0", 1], ["false", 0], ["true", 1], ["no", 0], ["yes", 1],
    ["", UNKNOWN], ["nan", UNKNOWN],
  ]);
  const SPLITS = new Map([
    ...["val", "valid", "validation", "dev", "development", "validate"].map((word) => [word, 0]),
    ["test", 1], ["testing", 1],
  ]);
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

  const MISSING = new Set(["", "nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none"]);
  const KEYS = ["id", "split", "group"];

  const SPLIT_NAMES = ("istrain istraining isvalid isvalidation isval istest intrain traintest trainvaltest partition "
    + "evalpartition datasplit datasetsplit splits fold folds kfold cvfold").split(" "); // letters and digits alone
  const CALLED = "(?:[ _.-]?(?:no|nr|num|number|index|idx|key|code|name))?";
  const PLACES = [ // ID and PLACE of the library: names of columns
    /(?:^|[ _.-])[iI][dD]$|[a-z]I[dD]$/,
    new RegExp("^(?:(?:uu|gu|u)id|mrn|index|idx|row|(?:patient|subject|person|customer|user|client|account|record|sample"
      + `|case|lesion|study|image|row)${CALLED})$`, "i"),
    new RegExp("^(?:camera|site|hospital|cent(?:er|re)|clinic|scanner|device|place|location|annotator|rater|grader|reader"
      + `|video|sequence|track|source)${CALLED}$`, "i"),
  ];

  function splitName(word) {
    const plain = word.trim().toLowerCase();
    return ["train", "training"].includes(plain) ? "train" : SPLITS.get(plain);
  }
  const splitsIn = (cell) => (cell.match(/[A-Z]*[a-z]+|[A-Z]+/g) ?? []).map(splitName).filter((name) => name != null);

  // A column that is left out: does it say the split, or name groups? `_like_splits` and `_like_groups`
  // of the library.
  function leftOut(name, at) {
    const words = new Set(), parts = new Set(), values = PLACES.some((of) => of.test(name)) ? new Set() : null;
    let every = true, known = 0; // whether every cell has a split in it
    const take = (cells) => {
      const cell = cells[at].normalize("NFC");
      words.add(splitName(cell));
      if (every) {
        const inside = splitsIn(cell);
        every = inside.length > 0;
        inside.forEach((part) => parts.add(part));
      }
      if (values && !MISSING.has(cell.toLowerCase())) {
        known++;
        values.add(cell);
      }
    };
    const split = () => {
      const call = "call the column split, with val or test in each row, and leave training rows out";
      if (!words.has(undefined) && words.size > 1) {
        throw new TableError(`column '${name}': says to which split a row belongs: ${call}. Or take it out of the `
          + "table, and all rows are cross-fitted", null, name);
      }
      const like = every && parts.has("train") && parts.size > 1; // such as PublicTest
      const training = words.has("train") && (words.size === 1 || (words.has(undefined) && words.size > 2));
      return like || training || SPLIT_NAMES.includes(name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ""))
        ? [`column '${name}' may say to which split a row belongs: ${call}`] : [];
    };
    const counted = (n) => n.toLocaleString("en-US");
    const group = () => (values && FOLDS <= values.size && values.size < known
      ? [`column '${name}' has ${counted(values.size)} values in ${counted(known)} rows: if rows of one value are of one `
        + "patient or place, call it group, or the intervals are too narrow"] : []);
    return { take, split, group };
  }

  // The same for texts that a person reads as one: case, spaces, dashes, zeros before a number.
  function alike(given) {
    const plain = given.normalize("NFKC").toLowerCase().replace(/\p{Cf}/gu, "").replace(/\p{Pd}/gu, "-")
      .replace(/[\p{Zs}\p{Pc}]/gu, " ").trim().replace(/\s+/g, " ");
    const text = (plain.replace(/[.,;:]+$/, "") || plain).replace(/(?<=\p{L})-(?=\p{L})/gu, " ");
    const whole = /^([+-]?)([0-9]{1,18})(\.0*)?$/.exec(text);
    return whole ? `${whole[1] === "-" ? "-" : ""}${BigInt(whole[2])}` : text;
  }

  function columnsOf(given) {
    // as pandas calls a column without a name, and left out
    const named = given.map((name, i) => name.normalize("NFC") || `Unnamed: ${i}`);
    const header = named.map((name) => (KEYS.includes(name.toLowerCase()) ? name.toLowerCase() : name));
    const wrong = (message, column = null) => { throw new TableError(`row 1${message}`, 1, column); };
    if (header[0].toLowerCase().startsWith("sep=")) {
      wrong(`: begins with '${header[0]}', which is for Excel: take the line out, so that the column names are the first`);
    }
    if (header.length < 2) {
      wrong(": expected two column names or more with a comma, semicolon or tab between, got "
        + `'${header[0].slice(0, 60)}'${header[0].includes("|") ? ". Is '|' between them? Save it with a comma" : ""}`);
    }
    header.forEach((name, i) => {
      if (header.indexOf(name) !== i) wrong(`: two columns are called '${name}'`);
    });
    const place = (name) => header.indexOf(name);
    const of = (kind) => header.filter((name) => name.startsWith(`${kind}_`)).map((name) => name.slice(2));
    const names = of("y"), scored = of("s");
    for (const [own, other, from, to] of [[names, scored, "y", "s"], [scored, names, "s", "y"]]) {
      const alone = own.find((name) => !other.includes(name));
      if (alone === undefined) continue;
      wrong(`, column '${from}_${alone}': there is no column '${to}_${alone}'. Each label y_<name> needs its `
        + "score s_<name>", `${from}_${alone}`);
    }
    if (!names.length) wrong(": there is no label. Call labels y_<name> and their scores s_<name>");
    const used = [...KEYS, ...names.flatMap((name) => [`y_${name}`, `s_${name}`])];
    return {
      names, id: place("id"), split: place("split"), group: place("group"),
      y: names.map((name) => place(`y_${name}`)), s: names.map((name) => place(`s_${name}`)),
      ignored: header.map((name, at) => [name, at]).filter(([name]) => !used.includes(name)),
    };
  }

  function readTable(text) {
    let header = null, columns = null, width = 0;
    let room = 1024, rows = 0;
    let ys = [], ss = [], parts = [], groups = [];
    const seen = new Map(), groupNumbers = new Map(), spelt = new Map();
    const lines = []; // the row of the file that a row of the table is
    let others = [];
    const grow = (list, Type) => list.map((old) => { const wide = new Type(room); wide.set(old); return wide; });
    readCsv(text, (cells, row, separator) => {
      if (!header) {
        header = cells;
        columns = columnsOf(header);
        width = header.length;
        others = columns.ignored.map(([name, at]) => leftOut(name, at));
        ys = columns.names.map(() => new Int8Array(room));
        ss = columns.names.map(() => new Float64Array(room));
        return;
      }
      const wrong = (column, message) => {
        throw new TableError(`row ${row}, column '${column}': ${message}`, row, column);
      };
      if (cells.length !== width) {
        throw new TableError(`row ${row}: ${cells.length} cell${cells.length === 1 ? "" : "s"}, expected ${width} as `
          + `in the row of column names. A cell that holds '${separator === "\t" ? "\\t" : separator}' needs quotes `
          + "around it", row);
      }
      if (cells.every((cell) => !cell)) {
        throw new TableError(`row ${row}: every cell is empty: take out the rows that hold nothing`, row);
      }
      if (rows === room) {
        room *= 2;
        ys = grow(ys, Int8Array);
        ss = grow(ss, Float64Array);
      }
      if (columns.id >= 0) {
        const id = cells[columns.id].normalize("NFC");
        if (seen.has(id)) {
          wrong("id", `'${id}' stands in row ${seen.get(id)} too. If it names what several rows belong `
            + "to, such as a person, call the column group");
        }
        seen.set(id, row);
      }
      if (columns.split >= 0) {
        const part = SPLITS.get(cells[columns.split].toLowerCase());
        if (part === undefined) {
          wrong("split", `must be val or test, got '${cells[columns.split]}'. Leave training rows out: `
            + "what was trained on says nothing of new rows");
        }
        parts.push(part);
      }
      if (columns.group >= 0) {
        const group = cells[columns.group].normalize("NFC");
        if (MISSING.has(group.toLowerCase())) wrong("group", `is blank${group ? `, got '${group}'` : ""}`);
        if (!groupNumbers.has(group)) {
          const key = alike(group);
          if (spelt.has(key)) {
            wrong("group", `got '${group}', spelt '${spelt.get(key)}' elsewhere: write a group in one way, or call `
              + "it by another name if it is another");
          }
          spelt.set(key, group);
          groupNumbers.set(group, groupNumbers.size);
        }
        groups.push(groupNumbers.get(group));
      }
      for (let a = 0; a < columns.names.length; a++) {
        const truth = cells[columns.y[a]];
        const y = TRUTH.get(truth) ?? TRUTH.get(truth.toLowerCase());
        if (y === undefined) {
          wrong(`y_${columns.names[a]}`, `a label is 0 for no, 1 for yes or blank for unknown, got '${truth}'`);
        }
        const score = cells[columns.s[a]];
        const s = NUMBER.test(score) ? Number(score) : NaN;
        if (!(Math.abs(s) <= LARGEST)) {
          const hint = /^[+-]?\d+,\d+$/.test(score) ? ". Write a point, not a comma"
            : Number.isFinite(s) ? " of 1e+15 at most" : "";
          wrong(`s_${columns.names[a]}`, `a score is a finite number, got '${score}'${hint}`);
        }
        ys[a][rows] = y;
        ss[a][rows] = s;
      }
      others.forEach((other) => other.take(cells));
      lines.push(row);
      rows++;
    });
    if (!header) throw new TableError("the table is empty");
    if (!rows) throw new TableError("there is no row below the column names");
    const two = parts.includes(0) && parts.includes(1);
    if (two && groups.length) {
      const partOf = new Map();
      for (let i = 0; i < rows; i++) {
        const part = partOf.get(groups[i]);
        if (part !== undefined && part !== parts[i]) {
          const name = [...groupNumbers.keys()][groups[i]];
          throw new TableError(`row ${lines[i]}, column 'group': '${name}' has rows in val and in test, `
            + "so that test would score what was tuned on", lines[i], "group");
        }
        partOf.set(groups[i], parts[i]);
      }
    }
    const table = {
      names: columns.names, rows, lines: Int32Array.from(lines), two, ignored: columns.ignored.map(([name]) => name),
      doubts: [
        ...(columns.split < 0 ? others.flatMap((other) => other.split()) : []),
        ...(columns.group < 0 ? others.flatMap((other) => other.group()) : []),
      ],
      part: two ? Uint8Array.from(parts) : null,
      group: groups.length ? Int32Array.from(groups) : null,
      y: ys.map((list) => list.slice(0, rows)), s: ss.map((list) => list.slice(0, rows)),
    };
    return { ...table, copied: copiedRows(table) };
  }

  // How many rows have all scores of a row of another group: `ScoredRows.copied` of the library.
  function copiedRows({ rows, s, group }) {
    const isPrecise = (i) => s.every((of) => of[i] !== Math.round(of[i] * PRECISE) / PRECISE);
    const apart = (i, j) => { // 0 for two rows of the same scores
      const differing = s.find((of) => of[i] !== of[j]);
      return differing ? differing[i] - differing[j] : 0;
    };
    const order = Int32Array.from({ length: rows }, (_, i) => i).filter(isPrecise).sort(apart);
    let [levels, copied] = [0, 0];
    for (let from = 0, to; from < order.length; from = to) {
      let groups = 1;
      for (to = from + 1; to < order.length && !apart(order[from], order[to]); to++) {
        if (!group || group[order[to]] !== group[order[from]]) groups++;
      }
      levels++;
      if (groups > 1) copied += to - from;
    }
    return levels < Math.max(LEVELS, order.length / 5) ? 0 : copied;
  }

  // ---- 2 scale ---------------------------------------------------------------------------------

  const NEARLY = 0.9; // share of a label's scores in [0, 1] from which they may be probabilities

  function scaleOf(table, fixed = null) {
    if (fixed === "logit") return fixed;
    const isInside = (x) => x >= 0 && x <= 1;
    const first = table.s.map((s) => s.findIndex((x) => !isInside(x))); // -1: all are inside
    const outside = first.findIndex((row) => row >= 0);
    if (outside < 0) return "probability";
    const row = first[outside];
    const [line, column] = [table.lines[row], `s_${table.names[outside]}`];
    const place = `row ${line}, column '${column}': `;
    if (fixed === "probability") {
      throw new TableError(`${place}a score must be a probability, in [0, 1], got ${table.s[outside][row]}`,
        line, column);
    }
    const inside = table.s.map((s) => s.reduce((sum, x) => sum + isInside(x), 0));
    const nearly = inside.findIndex((n, a) => n > NEARLY * table.s[a].length);
    if (nearly < 0) return "logit";
    throw new TableError(`${place}the score ${table.s[outside][row]} lies outside [0, 1], but ${inside[nearly]} of `
      + `${table.s[nearly].length} scores of ${table.names[nearly]} lie inside: say in the settings what all of them `
      + "are, probabilities or logits, and clip or convert the others", line, column);
  }

  const halfOf = (scale) => (scale === "probability" ? 0.5 : 0);
  const onScale = (p, scale) => (scale === "probability" ? p : Math.log(p / (1 - p)));

  // ---- 3 the generator, 4 folds, 5 draws ---------------------------------------------------------

  function mulberry32(seed) { // returns below(n)
    let a = seed >>> 0;
    return (n) => {
      a = (a + 0x6d2b79f5) >>> 0;
      let t = Math.imul(a ^ (a >>> 15), a | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
    };
  }

  // The rows of a part with their groups numbered by first appearance.
  function partOf(table, wanted) {
    const rows = [], group = new Int32Array(table.rows).fill(-1), numbers = new Map();
    for (let i = 0; i < table.rows; i++) {
      if (wanted !== null && table.part[i] !== wanted) continue;
      const key = table.group ? table.group[i] : i;
      let number = numbers.get(key);
      if (number === undefined) numbers.set(key, number = numbers.size);
      group[i] = number;
      rows.push(i);
    }
    return { rows: Int32Array.from(rows), group, groups: numbers.size };
  }

  function foldsOf(groups, below) {
    const order = Int32Array.from({ length: groups }, (_, i) => i);
    for (let i = groups - 1; i >= 1; i--) {
      const j = below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const fold = new Uint8Array(groups);
    order.forEach((group, p) => { fold[group] = p % FOLDS; });
    return fold;
  }

  // Weights of the groups: of "none", 1 each, and of each draw after it.
  function plan(table, { seed = 0, bootstrap = BOOTSTRAP } = {}) {
    const below = mulberry32(seed);
    const fitted = partOf(table, table.two ? 0 : null);
    const scored = table.two ? partOf(table, 1) : fitted;
    if (!table.two && fitted.groups < FOLDS) {
      throw new TableError(`cross-fitting needs ${FOLDS} ${table.group ? "groups" : "rows"} or more, got `
        + `${fitted.groups}: give more, or a split into val and test`);
    }
    const fold = table.two ? null : foldsOf(fitted.groups, below);
    const weights = (part) => new Uint16Array((bootstrap + 1) * part.groups).fill(1, 0, part.groups);
    const fitWeights = weights(fitted);
    const scoreWeights = table.two ? weights(scored) : fitWeights;
    for (let draw = 1; draw <= bootstrap; draw++) {
      for (let n = 0, from = draw * fitted.groups; n < fitted.groups; n++) {
        fitWeights[from + below(fitted.groups)]++;
      }
      if (!table.two) continue;
      for (let n = 0, from = draw * scored.groups; n < scored.groups; n++) {
        scoreWeights[from + below(scored.groups)]++;
      }
    }
    return { fitted, scored, fold, fitWeights, scoreWeights, draws: bootstrap + 1, grouped: !!table.group };
  }

  // ---- 6 fitting -------------------------------------------------------------------------------

  // The known rows of a label, the highest score first.
  function sorted(y, s, rows) {
    return rows.filter((row) => y[row] !== UNKNOWN).sort((a, b) => s[b] - s[a] || a - b);
  }

  // The thresholds that are tried: between the distinct scores, above all and below all.
  function cutsOf(distinct, scale) {
    const m = distinct.length, cuts = new Float64Array(m ? m + 1 : 0);
    if (!m) return cuts;
    cuts[0] = scale === "probability" ? (distinct[0] + 1) / 2 : distinct[0] + 1;
    for (let k = 1; k < m; k++) {
      const over = distinct[k - 1], here = distinct[k], middle = (over + here) / 2;
      cuts[k] = middle < over && middle >= here ? middle : here;
    }
    const least = distinct[m - 1];
    cuts[m] = scale === "logit" ? least - 1 : least === 0 ? -1 : least / 2;
    return cuts;
  }

  // Sorted rows, ready for the weights of any draw. Both metrics can only be best where positives
  // have just been added, so weights are summed up to such places, the *stops*: the ends of those
  // blocks of equal scores that hold a positive. They are summed for each fold, so that one pass
  // serves every fold's fit, which is on the rows of all others.
  function rowSet(order, y, s, part, scale, foldOf = null, folds = 1) {
    const n = order.length;
    const set = {
      n, scale, folds, score: new Float64Array(n), positive: new Uint8Array(n), code: new Uint8Array(n),
      group: new Int32Array(n), first: new Uint8Array(n), block: new Int32Array(n),
      stopRow: null, stopBlock: null, positiveGroups: [], fits: [], blocks: 0,
    };
    const met = new Uint8Array(part.groups), metPositive = new Uint8Array(part.groups);
    const distinct = [], stopRow = [0], stopBlock = [-1];
    let block = -1, stop = false;
    for (let i = 0; i < n; i++) {
      const row = order[i], group = part.group[row];
      if (!i || s[row] !== s[order[i - 1]]) { block++; stop = false; distinct.push(s[row]); }
      set.score[i] = s[row];
      set.positive[i] = y[row];
      set.code[i] = (foldOf ? foldOf(row) : 0) + folds * y[row];
      set.group[i] = group;
      set.block[i] = block;
      set.first[i] = met[group] ? 0 : 1;
      met[group] = 1;
      if (y[row] === 1) {
        stop = true;
        if (!metPositive[group]) { metPositive[group] = 1; set.positiveGroups.push(i); }
      }
      const last = i === n - 1 || s[order[i + 1]] !== s[row];
      if (last && stop) { stopRow.push(i + 1); stopBlock.push(block); }
    }
    set.blocks = block + 1;
    set.stopRow = Int32Array.from(stopRow);
    set.stopBlock = Int32Array.from(stopBlock);
    for (let out = foldOf ? 0 : folds; out <= folds; out++) { // rows without fold `out`; last: all rows
      const reached = new Int32Array(set.blocks + 1); // blocks up to here that have rows of the fit
      const kept = new Float64Array(set.blocks);
      let m = 0;
      for (let i = 0, b = -1; i < n; i++) {
        const here = set.block[i];
        if (b !== here && set.code[i] % folds !== out) kept[m++] = distinct[b = here];
        reached[here + 1] = m;
      }
      set.fits.push({ out, reached, cuts: cutsOf(kept.subarray(0, m), scale) });
    }
    return set;
  }

  // Sums of weights from the top to each stop: [fold][stop] of positives, negatives and groups; after
  // the folds come those of all, and nothing. The last stop is the end of the rows.
  function sums(set, weights) {
    const { folds, code, group, first, stopRow, n } = set, stops = stopRow.length;
    const lists = () => Array.from({ length: folds + 2 }, () => new Float64Array(stops + 1));
    set.sums ??= { hits: lists(), alarms: lists(), groups: lists(), positiveGroups: null };
    const { hits, alarms, groups } = set.sums;
    const so = new Float64Array(2 * folds), met = new Float64Array(folds);
    for (let stop = 1, i = 0; stop <= stops; stop++) {
      for (const end = stop < stops ? stopRow[stop] : n; i < end; i++) {
        const w = weights[group[i]];
        so[code[i]] += w;
        if (set.counted && first[i]) met[code[i] % folds] += w;
      }
      let h = 0, f = 0, g = 0;
      for (let k = 0; k < folds; k++) {
        h += hits[k][stop] = so[folds + k];
        f += alarms[k][stop] = so[k];
        g += groups[k][stop] = met[k];
      }
      hits[folds][stop] = h;
      alarms[folds][stop] = f;
      groups[folds][stop] = g;
    }
    const positiveGroups = new Float64Array(folds + 2);
    for (const i of set.positiveGroups) {
      positiveGroups[code[i] % folds] += weights[group[i]];
      positiveGroups[folds] += weights[group[i]];
    }
    set.sums.positiveGroups = positiveGroups;
  }

  function lower(x, n) { // Wilson's bound
    if (!(n > 0)) return -Infinity;
    const z2 = Z * Z;
    return (x + z2 / (2 * n) - Z * Math.sqrt((x * (1 - x)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  }

  // The thresholds of all decisions on the rows without fold `out`, which is no fold where all are
  // meant; `sums` has just added up their weights. `task`: `prior`, a share; the targets `recall` and
  // `precision`; `cost`, of a missed positive in false alarms; null for what is not asked for.
  function fit(set, { out, reached, cuts }, weights, task, grouped) {
    const { folds, code, group, first, block, stopRow, stopBlock, n, blocks, scale } = set;
    const all = set.sums, stops = stopRow.length;
    const [H, F, G] = [all.hits[folds], all.alarms[folds], all.groups[folds]];
    const less = out === folds ? folds + 1 : out; // what the sums of all have too much
    const [h0, f0, g0] = [all.hits[less], all.alarms[less], all.groups[less]];
    const P = H[stops] - h0[stops], N = F[stops] - f0[stops];
    const half = halfOf(scale);
    const share = task.prior ?? P / (P + N);
    const prior = share > 0 && share < 1 ? onScale(share, scale) : half;
    const found = [half, prior];
    const inside = (i) => code[i] % folds !== out;

    // Among the cuts after a stop that weigh as the stop does, the nearest to the prior.
    function nearest(candidates) {
      let near = Infinity, chosen = NaN;
      for (const stop of candidates) {
        let i = stopRow[stop];
        while (i < n && !(inside(i) && weights[group[i]])) i++;
        const last = i < n ? reached[block[i]] : cuts.length - 1;
        for (let k = reached[stopBlock[stop] + 1]; k <= last; k++) {
          const distance = Math.abs(cuts[k] - prior);
          if (distance < near) { near = distance; chosen = cuts[k]; }
        }
      }
      return chosen;
    }

    // Whole numbers compare without rounding: (h / P - f / N) by h N - f P, and so on.
    function linear(miss, alarm) {
      let most = -Infinity, ties = [];
      for (let stop = 0, before = -1; stop < stops; stop++) {
        const h = H[stop] - h0[stop];
        if (h === before) continue;
        before = h;
        const value = miss * h - alarm * (F[stop] - f0[stop]);
        if (value > most) { most = value; ties = [stop]; } else if (value === most) ties.push(stop);
      }
      return nearest(ties);
    }

    function f1() {
      let top = -1, bottom = 1, ties = []; // of the best fraction
      for (let stop = 0, before = -1; stop < stops; stop++) {
        const h = H[stop] - h0[stop];
        if (h === before) continue;
        before = h;
        const d = h + F[stop] - f0[stop] + P, left = h * bottom, right = top * d;
        if (left > right) { [top, bottom] = [h, d]; ties = [stop]; } else if (left === right) ties.push(stop);
      }
      return nearest(ties);
    }

    const both = P > 0 && N > 0;
    found.push(both ? linear(N, P) : prior, both ? f1() : prior);

    if (task.recall != null) {
      const trials = grouped ? all.positiveGroups[folds] - all.positiveGroups[less] : P;
      let low = 0, high = stops; // the first stop that reaches it
      while (low < high) {
        const middle = (low + high) >> 1;
        const bound = P > 0 ? lower((H[middle] - h0[middle]) / P, trials) : -Infinity;
        if (bound >= task.recall) high = middle; else low = middle + 1;
      }
      found.push(low < stops ? cuts[reached[stopBlock[low] + 1]] : NaN);
    }
    if (task.precision != null) found.push(precise(task.precision));
    if (task.cost != null) {
      const { miss, alarm } = wholeCosts(task.cost);
      found.push(both ? linear(miss, alarm) : prior);
    }
    return found;

    // The lowest cut whose precision surely reaches the target: from the last stop upwards.
    function precise(target) {
      for (let stop = stops - 1; stop >= 1; stop--) {
        let h = H[stop] - h0[stop], f = F[stop] - f0[stop];
        const trials = grouped ? G[stop + 1] - g0[stop + 1] : Infinity;
        const most = h / (h + f); // of this stop and the negatives that follow
        if (!(most >= target - 1e-9) || lower(most, Math.min(trials, n * 65536)) < target - 1e-9) continue;
        let g = grouped ? G[stop] - g0[stop] : h + f;
        let best = lower(h / (h + f), g) >= target ? reached[stopBlock[stop] + 1] : -1;
        const end = stop + 1 < stops ? stopBlock[stop + 1] : blocks;
        for (let i = stopRow[stop]; i < n && block[i] < end; i++) {
          if (inside(i)) {
            const w = weights[group[i]];
            f += w;
            if (!grouped) g += w; else if (first[i]) g += w;
          }
          if ((i === n - 1 || block[i + 1] !== block[i]) && lower(h / (h + f), g) >= target) {
            best = reached[block[i] + 1];
          }
        }
        if (best > 0) return cuts[best];
      }
      return NaN;
    }
  }

  // A ratio as two whole numbers: 0.2 is 1 to 5.
  function wholeCosts(ratio) {
    const inverse = Math.round(1 / ratio);
    return ratio >= 1 ? { miss: ratio, alarm: 1 } : { miss: 1, alarm: inverse };
  }

  // ---- 7 scoring -------------------------------------------------------------------------------

  function above(score, threshold) { // how many rows have a score > threshold
    let low = 0, high = score.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (score[middle] > threshold) low = middle + 1; else high = middle;
    }
    return low;
  }

  // Adds to `counts`, TP FP P N of each decision, the rows of one fold; `sums` has been called.
  function count(set, fold, weights, thresholds, counts) {
    const { code, group, folds, stopRow } = set, stops = stopRow.length;
    const hits = set.sums.hits[fold], alarms = set.sums.alarms[fold];
    thresholds.forEach((threshold, d) => {
      counts[4 * d + 2] += hits[stops];
      counts[4 * d + 3] += alarms[stops];
      if (Number.isNaN(threshold)) { counts[4 * d] = NaN; return; }
      const row = above(set.score, threshold);
      let low = 0, high = stops - 1; // the last stop at or before that row
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (stopRow[middle] <= row) low = middle; else high = middle - 1;
      }
      let h = hits[low], f = alarms[low];
      for (let i = stopRow[low]; i < row; i++) {
        if (code[i] % folds !== fold) continue;
        if (code[i] >= folds) h += weights[group[i]]; else f += weights[group[i]];
      }
      counts[4 * d] += h;
      counts[4 * d + 1] += f;
    });
  }

  function metricsOf(tp, fp, P, N) { // in the order of METRICS
    if (!(P > 0 && N > 0) || Number.isNaN(tp)) return [NaN, NaN, NaN, NaN];
    return [(tp / P + (N - fp) / N) / 2, (2 * tp) / (tp + fp + P), tp / (tp + fp), tp / P];
  }

  const taskOf = (name, options) => ({
    prior: options.prior?.[name] ?? null, recall: options.recall ?? null,
    precision: options.precision ?? null, cost: options.cost ?? null,
  });

  const decisionsOf = (options) => [
    ...DECISIONS, ...[...TARGETS, "cost"].filter((name) => options[name] != null),
  ];

  // The rows that a label is tuned on, and those that it is scored on: the same in one split.
  function setsOf(table, planned, a, scale, options) {
    const y = table.y[a], s = table.s[a], { fitted, scored, fold } = planned;
    const order = sorted(y, s, fitted.rows);
    const foldOf = fold && ((row) => fold[fitted.group[row]]);
    const tuning = rowSet(order, y, s, fitted, scale, foldOf, fold ? FOLDS : 1);
    tuning.counted = planned.grouped && options.precision != null;
    return { tuning, scoring: table.two ? rowSet(sorted(y, s, scored.rows), y, s, scored, scale) : tuning };
  }

  // The rank sum above chance, what chance may reach, and all pairs: `ScoredRows.ranks` of the library.
  function ranks(set) {
    let won = 0, hits = 0; // pairs, half of those that are equal; positives above
    for (let i = 0; i < set.n;) {
      let [p, n] = [0, 0];
      for (const block = set.block[i]; i < set.n && set.block[i] === block; i++) {
        if (set.positive[i]) p++; else n++;
      }
      won += n * (hits + p / 2);
      hits += p;
    }
    const pairs = hits * (set.n - hits);
    return [won - pairs / 2, DEVIATIONS * Math.sqrt((pairs * (set.n + 1)) / 12), pairs];
  }

  // One label: thresholds [draw][decision] and metrics [draw][decision][metric], flat; draw 0 is the
  // table itself, whose `counts` are TP, FP, P and N of each decision.
  function tuneLabel(table, planned, a, scale, options, sets = setsOf(table, planned, a, scale, options)) {
    const { tuning, scoring } = sets;
    const task = taskOf(table.names[a], options);
    const D = decisionsOf(options).length, { draws, grouped, fitted, scored } = planned;
    const thresholds = new Float64Array(draws * D), metrics = new Float64Array(draws * D * 4);
    const counts = new Float64Array(4 * D), whole = tuning.fits.at(-1);
    let own = null;
    for (let draw = 0; draw < draws; draw++) {
      const weights = planned.fitWeights.subarray(draw * fitted.groups, (draw + 1) * fitted.groups);
      sums(tuning, weights);
      const exported = fit(tuning, whole, weights, task, grouped);
      thresholds.set(exported, draw * D);
      counts.fill(0);
      if (table.two) {
        const others = planned.scoreWeights.subarray(draw * scored.groups, (draw + 1) * scored.groups);
        sums(scoring, others);
        count(scoring, 0, others, exported, counts);
      } else {
        for (let k = 0; k < FOLDS; k++) {
          count(tuning, k, weights, fit(tuning, tuning.fits[k], weights, task, grouped), counts);
        }
      }
      for (let d = 0; d < D; d++) {
        const [tp, fp, P, N] = counts.subarray(4 * d, 4 * d + 4);
        metrics.set(metricsOf(tp, fp, P, N), (draw * D + d) * 4);
      }
      own ??= counts.slice();
    }
    const known = (set) => {
      const positives = set.positive.reduce((x, y) => x + y, 0);
      return { positives, negatives: set.n - positives };
    };
    return { name: table.names[a], prior: task.prior, thresholds, metrics, counts: own,
      ranks: ranks(tuning),
      fitted: known(tuning), scored: known(scoring) };
  }

  // ---- 8 intervals -----------------------------------------------------------------------------

  function interval(values) { // the 2.5th and the 97.5th percentile, of those that are numbers
    const kept = Float64Array.from(values.filter((v) => !Number.isNaN(v))).sort();
    return [0.025, 0.975].map((q) => {
      if (!kept.length) return NaN;
      const at = q * (kept.length - 1), below = Math.floor(at);
      const next = kept[Math.min(below + 1, kept.length - 1)];
      return kept[below] + (at - below) * (next - kept[below]);
    });
  }

  // [value, low, high] of a number in each draw, the table itself first.
  const withInterval = ([value, ...draws]) => [value,
    ...(Number.isNaN(value) ? [NaN, NaN] : interval(draws))];

  function meanOf(metrics) { // over the labels where it is a number
    const sum = new Float64Array(metrics[0].length), kept = new Uint32Array(sum.length);
    for (const of of metrics) {
      for (let i = 0; i < sum.length; i++) {
        if (Number.isNaN(of[i])) continue;
        sum[i] += of[i];
        kept[i]++;
      }
    }
    return sum.map((x, i) => (kept[i] ? x / kept[i] : NaN));
  }

  const each = (list, of) => Object.fromEntries(list.map((name, i) => [name, of(i)]));
  const drawnOf = (draws) => Array.from({ length: draws }, (_, i) => i);

  // What a report says of one label.
  function describe(label, options) {
    const decisions = decisionsOf(options), D = decisions.length;
    const drawn = drawnOf(label.thresholds.length / D);
    const fewest = (of) => Math.min(of.positives, of.negatives);
    const { positives, negatives } = label.fitted;
    return {
      name: label.name, prior: label.prior ?? positives / (positives + negatives),
      few: fewest(label.fitted) < FEW || fewest(label.scored) < FEW,
      undefined: !fewest(label.scored), untuned: !fewest(label.fitted), ranks: label.ranks,
      backwards: -label.ranks[0] > label.ranks[1],
      fitted: label.fitted, scored: label.scored,
      thresholds: each(decisions, (d) => label.thresholds[d]),
      intervals: each(decisions, (d) => withInterval(drawn.map((r) => label.thresholds[r * D + d])).slice(1)),
      metrics: each(decisions, (d) => each(METRICS, (m) => withInterval(
        drawn.map((r) => label.metrics[(r * D + d) * 4 + m])))),
      counts: each(decisions, (d) => {
        const [tp, fp, P, N] = label.counts.subarray(4 * d, 4 * d + 4);
        return { tp, fp, fn: P - tp, tn: N - fp };
      }),
    };
  }

  // The report: what `describe` says of each label, and the means of their `metrics` [draw]...
  function report(table, described, metrics, scale, options) {
    if (described.every((label) => label.undefined)) {
      throw new TableError("no label has both positives and negatives among the rows scored: "
        + "nothing can be said");
    }
    const decisions = decisionsOf(options), D = decisions.length;
    const drawn = drawnOf(metrics[0].length / (4 * D));
    const mean = meanOf(metrics);
    const means = each(decisions, (d) => each(METRICS, (m) => drawn.map((r) => mean[(r * D + d) * 4 + m])));
    const accuracy = (decision) => means[decision].balanced_accuracy;
    const gain = (to, from) => withInterval(drawn.map((r) => accuracy(to)[r] - accuracy(from)[r]));
    const targets = [...TARGETS, "cost"].filter((name) => options[name] != null);
    return {
      scale, decisions, labels: described, draws: drawn.length - 1, two: table.two,
      prior: options.prior ? "given" : "tuning rows", fitted_on: table.two ? "val" : "all",
      rows: table.two ? table.part.reduce((n, part) => n + (part === 0), 0) : table.rows, // fitted on
      at_chance: described.some(({ ranks: [excess, chance, pairs] }) => pairs > 0 && excess + chance < LITTLE * pairs)
        && described.every(({ ranks: [excess, chance] }) => Math.abs(excess) <= chance),
      targets: Object.fromEntries(targets.map((name) => [name, options[name]])),
      mean: each(decisions, (d) => each(METRICS, (m) => withInterval(means[decisions[d]][METRICS[m]]))),
      gain_prior: gain("prior", "0.5"), gain_tuned: gain("tuned-mA", "prior"),
    };
  }

  function checkOptions(table, options) {
    for (const name of TARGETS) {
      const value = options[name];
      if (value != null && !(value > 0 && value < 1)) {
        throw new RangeError(`${name} must lie between 0 and 1, got ${value}`);
      }
    }
    if (!options.prior) return;
    const unknown = Object.keys(options.prior).find((name) => !table.names.includes(name));
    if (unknown !== undefined) throw new RangeError(`prior: no label is called ${unknown}`);
    const missing = table.names.find((name) => options.prior[name] === undefined);
    if (missing !== undefined) throw new RangeError(`prior: ${missing} has none: give one for each label`);
    for (const [name, p] of Object.entries(options.prior)) {
      if (!(p > 0 && p < 1)) throw new RangeError(`prior of ${name} must lie between 0 and 1, got ${p}`);
    }
  }

  // Everything of a table: `python -m dcl tune`.
  function tune(table, options = {}) {
    checkOptions(table, options);
    const scale = scaleOf(table, options.scale ?? null);
    const planned = plan(table, options);
    const tuned = table.names.map((_, a) => tuneLabel(table, planned, a, scale, options));
    return report(table, tuned.map((label) => describe(label, options)),
      tuned.map((label) => label.metrics), scale, options);
  }

  // What is asked of one label: `look`, its curves and calibration on the rows to tune on and those
  // to score; `cost`, its cheapest threshold. The rows of the last label are kept, sorted.
  function asker(table) {
    let last = null;
    const parts = table.two ? [0, 1] : [null];
    return ({ ask, label, scale, options }) => {
      if (ask === "look") {
        return parts.map((part) => {
          const curve = curves(table, partOf(table, part).rows, label, scale);
          return { curve, bins: calibration(curve, scale) };
        });
      }
      const { cost, ...others } = options, key = JSON.stringify([label, scale, others]);
      if (last?.key !== key) {
        const planned = plan(table, options);
        last = { key, planned, of: setsOf(table, planned, label, scale, options) };
      }
      return describe(tuneLabel(table, last.planned, label, scale, options, last.of), options);
    };
  }

  // In a worker: reads a text or a file and then answers for its labels, or tunes the labels of a
  // (part of a) table, first without draws.
  function work(post) {
    let answer = null;
    return async ({ data }) => {
      try {
        if (data.text !== undefined) {
          const text = typeof data.text === "string" ? data.text : await data.text.text().catch((error) => {
            throw new Error(`${data.text.name} cannot be read: ${error.message}`);
          });
          const table = readTable(text);
          answer = asker(table);
          return post({ table });
        }
        if (data.ask) return post({ number: data.number, answer: answer(data) });
        const { table, scale, options, first } = data;
        for (const bootstrap of options.bootstrap ? [0, options.bootstrap] : [0]) {
          const planned = plan(table, { ...options, bootstrap });
          for (let a = 0; a < table.names.length; a++) {
            const label = tuneLabel(table, planned, a, scale, options);
            post({ a: first + a, bootstrap, label: describe(label, options), metrics: label.metrics },
              [label.metrics.buffer]);
          }
        }
      } catch (error) {
        const { message, row = null, column = null } = error;
        post({ error: { message, row, column } });
      }
      return undefined;
    };
  }

  // ---- the sentence and the files ----------------------------------------------------------------

  function sentence({ gain_prior, gain_tuned, prior }) {
    const points = ([value, low, high]) => {
      const spread = Number.isNaN(low) ? "" : ` ± ${(50 * (high - low)).toFixed(1)}`;
      return `${value <= -0.0005 ? "loses" : "gains"} ${Math.abs(100 * value).toFixed(1)}${spread}`;
    };
    const to = prior === "given" ? "to the training prior" : "to each label's own rate";
    return `Moving the threshold ${to} ${points(gain_prior)} points of balanced accuracy against `
      + `0.5; tuning each label then ${points(gain_tuned)}.`;
  }

  // What the command warns of, in its words.
  function doubts(table, { scale, at_chance }, fixed = null) {
    const said = [...table.doubts];
    if (at_chance) {
      said.push("no label's scores tell its positives from its negatives better than chance: are the rows of scores in "
        + "the order of the labels?");
    }
    if (table.rows < SURELY) return said;
    const every = (is) => table.s.every((s) => s.every(is));
    if (scale === "logit" && !fixed) {
      const taken = "scores are taken for logits, though none is";
      if (every((x) => x >= 0)) said.push(`${taken} negative: if they are percentages, divide them by 100`);
      if (every((x) => x <= 0)) said.push(`${taken} positive: if they are log-probabilities, give their exp`);
    }
    const hard = table.names.filter((_, a) => [0, -1].some((low) => table.s[a].every((x) => x === low || x === 1)
      && table.s[a].includes(low) && table.s[a].includes(1)));
    if (hard.length) {
      said.push(`scores are two numbers alone, as decisions are, which no threshold improves: ${hard.join(", ")}. `
        + "Give probabilities or logits, such as predict_proba in place of predict");
    }
    const rarer = table.names.find((_, a) => table.y[a].reduce((sum, y) => sum + (y === 1) - (y === 0), 0) < 0);
    if (rarer !== undefined && every((x) => x >= TWICE[0] && x <= TWICE[1])
      && table.s.some((s) => s.some((x) => x !== table.s[0][0]))) {
      said.push(`all scores lie in ${TWICE[0]} ... ${TWICE[1].toFixed(2)}, though most rows of ${rarer} are no: if a `
        + "sigmoid was taken of probabilities, leave it out");
    }
    return said;
  }

  const orNull = (x) => (Number.isFinite(x) ? x : null);

  function thresholdsJson(result) {
    const { decisions } = result;
    return {
      schema: "dcl-thresholds-1", scale: result.scale, rule: "score > threshold", prior: result.prior,
      fitted_on: result.fitted_on, rows: result.rows, targets: result.targets, decisions,
      labels: result.labels.map((label) => ({
        name: label.name, prior: orNull(label.prior), ...label.fitted, few: label.few,
        thresholds: Object.fromEntries(decisions.map((name) => [name, orNull(label.thresholds[name])])),
        intervals: Object.fromEntries(decisions.filter((name) => Number.isFinite(label.intervals[name]?.[0]))
          .map((name) => [name, label.intervals[name]])),
      })),
    };
  }

  function thresholdsCsv(result) {
    const cell = (x) => (typeof x === "number" ? (Number.isNaN(x) ? "" : String(x))
      : /[",\r\n]/.test(x) ? `"${x.replaceAll('"', '""')}"` : String(x));
    const head = ["label", "decision", "threshold",
      ...METRICS.flatMap((name) => [name, `${name}_low`, `${name}_high`]), "positives", "negatives", "few"];
    const line = (name, decision, threshold, metrics, rest) => [name, decision, threshold,
      ...METRICS.flatMap((metric) => metrics[metric]), ...rest];
    const rows = [
      ...result.labels.flatMap((label) => result.decisions.map((d) => line(label.name, d,
        label.thresholds[d], label.metrics[d], [label.scored.positives, label.scored.negatives, label.few]))),
      ...result.decisions.map((d) => line("mean", d, NaN, result.mean[d], ["", "", ""])),
    ];
    return `${[head, ...rows].map((row) => row.map(cell).join(",")).join("\n")}\n`;
  }

  // ---- what the figures show ---------------------------------------------------------------------

  // A label on some rows, every threshold: shares from above all scores to below all.
  function curves(table, rows, a, scale) {
    const y = table.y[a], s = table.s[a];
    const order = sorted(y, s, rows);
    const set = rowSet(order, y, s, { group: new Int32Array(table.rows), groups: 1 }, scale);
    const positives = set.positive.reduce((x, z) => x + z, 0), negatives = set.n - positives;
    const { cuts } = set.fits.at(-1), size = cuts.length;
    const out = { cuts, positives, negatives, score: set.score, positive: set.positive };
    for (const name of ["hits", "alarms", ...METRICS, "false_positive_rate"]) out[name] = new Float64Array(size);
    let h = 0, f = 0, k = 0, auc = 0, precisionSum = 0;
    const put = () => {
      out.hits[k] = h;
      out.alarms[k] = f;
      metricsOf(h, f, positives, negatives).forEach((x, m) => { out[METRICS[m]][k] = x; });
      out.false_positive_rate[k] = f / negatives;
      if (k) {
        auc += (f - out.alarms[k - 1]) * (h + out.hits[k - 1]) / 2;
        if (h > out.hits[k - 1]) precisionSum += (h - out.hits[k - 1]) * (h / (h + f));
      }
      k++;
    };
    if (size) put();
    for (let i = 0; i < set.n; i++) {
      if (set.positive[i]) h++; else f++;
      if (i === set.n - 1 || set.block[i + 1] !== set.block[i]) put();
    }
    const there = positives > 0 && negatives > 0;
    out.auc = there ? auc / (positives * negatives) : NaN;
    out.average_precision = there ? precisionSum / positives : NaN;
    return out;
  }

  // One fixed threshold on the rows of `curves`.
  function at(curve, threshold) {
    const rows = above(curve.score, threshold);
    let tp = 0;
    for (let i = 0; i < rows; i++) tp += curve.positive[i];
    const fp = rows - tp, fn = curve.positives - tp, tn = curve.negatives - fp;
    const values = metricsOf(tp, fp, curve.positives, curve.negatives);
    return { tp, fp, fn, tn, false_positive_rate: fp / curve.negatives,
      ...Object.fromEntries(METRICS.map((name, m) => [name, values[m]])) };
  }

  // dcl.evaluation.calibration.calibration_error, of one yes-or-no label.
  function calibration(curve, scale, bins = BINS) {
    const counts = new Array(bins).fill(0), given = new Array(bins).fill(0), so = new Array(bins).fill(0);
    curve.score.forEach((score, i) => {
      const p = scale === "probability" ? score : 1 / (1 + Math.exp(-score));
      const bin = Math.min(bins - 1, Math.floor(p * bins));
      counts[bin]++;
      given[bin] += p;
      so[bin] += curve.positive[i];
    });
    const all = counts.reduce((a, b) => a + b, 0);
    return {
      counts, confidence: given.map((x, i) => x / counts[i]), rate: so.map((x, i) => x / counts[i]),
      error: given.reduce((sum, x, i) => sum + Math.abs(x - so[i]), 0) / all,
    };
  }

  return {
    DECISIONS, METRICS, BOOTSTRAP, TableError, readTable, scaleOf, halfOf, onScale, mulberry32, plan,
    partOf, asker, report, checkOptions, tune, work, sentence, doubts, thresholdsJson, thresholdsCsv, curves,
    at, calibration,
  };
}

if (typeof window !== "undefined") window.dclScores = dclScoresNumbers();
