/* Charts from the data beside them: <div class="chart" data-chart="id"> and <script type="application/json" id="id">.
   {"kind": "bar"|"line"|"stack"|"ranked"|"radar"|"steps", "unit": "%", "labels": [...], "series": [{"name", "values", "light"?, "low"?, "high"?}], "max"?, "min"?}
   Ranked bars lie on their side; every axis of bars begins at zero; the table twin on the page says the same.
   A radar has one axis a label. Steps lead from one total to another: the first and the last value are totals, what is
   between them is what was added or taken, with its sign; only such an axis, and that of a line, may begin at `min`. */
(function () {
  "use strict";
  const INK = "#15242e", QUIET = "#51636e", LINE = "#dfe6ea";
  const WATER = ["#176b87", "#6fb0c6", "#0d3b4c", "#a9cfdc", "#3f8ca6"];
  const LIGHTS = { late: "#b3261e", soon: "#c98a12", ok: "#1e6b3a", hung: "#6d7d87", returned: "#5b3fa0", quiet: "#b9cad2" };
  const FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif';
  const SHAPES = ["circle", "rect", "triangle", "diamond", "emptyCircle"];

  function colour(series, i) { return LIGHTS[series.light] || WATER[i % WATER.length]; }
  function value(unit) { return (v) => (v === null || v === undefined || v === "-" ? "–" : v + (unit || "")); }

  function oneSeries(data, series, i) {
    const line = data.kind === "line";
    const said = value(data.unit);
    const few = data.labels.length <= 24 && data.kind !== "stack" && (!line || data.series.length === 1);
    const across = data.kind === "ranked", inside = Boolean(series.low) && !line;
    return {
      name: series.name, data: series.values, type: line ? "line" : "bar", color: colour(series, i),
      stack: data.kind === "stack" ? "all" : undefined, barMaxWidth: 26, symbol: SHAPES[i % SHAPES.length], symbolSize: 7,
      connectNulls: false, lineStyle: { width: 2.5 }, emphasis: { focus: "series" },
      label: { show: few, position: line && series.low ? "right" : inside ? (across ? "insideLeft" : "insideBottom") : (across ? "right" : "top"),
        color: inside ? "#fff" : INK, fontSize: 12, formatter: (p) => said(p.value) },
      endLabel: { show: line && data.series.length > 1, formatter: (p) => series.name + " " + said(p.value), color: INK, fontSize: 12 },
      labelLayout: { moveOverlap: line ? "shiftY" : undefined },
    };
  }
  function interval(data, series, i) {
    return {
      type: "custom", name: series.name, silent: true, z: 5, tooltip: { show: false }, color: INK,
      data: series.low.map((low, at) => [at, low, series.high[at]]),
      renderItem: (params, api) => {
        const across = data.kind === "ranked";
        const at = (v) => (across ? api.coord([v, api.value(0)]) : api.coord([api.value(0), v]));
        if (series.low[params.dataIndex] === null || series.high[params.dataIndex] === null) return null;
        const a = at(api.value(1)), b = at(api.value(2));
        const shape = { x1: a[0], y1: a[1], x2: b[0], y2: b[1] };
        // A light rim, so that it is seen on a bar and off it.
        return { type: "group", children: [{ type: "line", shape, style: { stroke: "#fff", lineWidth: 4 } }, { type: "line", shape, style: { stroke: INK, lineWidth: 1.4 } }] };
      },
    };
  }
  // How far the intervals reach, so that the axis holds them; whole steps look like an axis.
  function reach(data, end, far) { return far(0, ...data.series.flatMap((each) => (each[end] || []).filter((v) => v !== null))); }
  function round(v) { const step = Math.pow(10, Math.floor(Math.log10(v || 1))) / 2; return Math.ceil(v / step) * step; }
  const signed = (unit) => (v) => (v > 0 ? "+" : v < 0 ? "−" : "±") + Math.abs(v).toFixed(2) + (unit || "");
  function wrapped(name) {
    if (name.length < 15 || !name.includes(" ")) return name;
    const middle = name.length / 2, gaps = Array.from(name.matchAll(/ /g), (gap) => gap.index);
    const at = gaps.reduce((a, b) => (Math.abs(b - middle) < Math.abs(a - middle) ? b : a));
    return name.slice(0, at) + "\n" + name.slice(at + 1);
  }
  function radar(data) {
    const narrow = window.innerWidth < 600; // the words around it need their room
    return {
      animation: false, textStyle: { fontFamily: FONT, color: INK }, aria: { enabled: true },
      color: ["#176b87", "#8a5a00", "#51636e"],
      legend: { show: data.series.length > 1, bottom: 0, left: "center", textStyle: { color: INK }, itemWidth: 14 },
      tooltip: { trigger: "item", renderMode: "richText", backgroundColor: "#fff", borderColor: LINE, valueFormatter: value(data.unit) },
      radar: { indicator: data.labels.map((name) => ({ name, min: data.min || 0, max: data.max || 100 })), radius: narrow ? "50%" : "64%", center: ["50%", "47%"], splitNumber: 4,
        axisName: { color: INK, fontSize: 12, formatter: narrow ? (name) => (name.length > 6 && !name.includes(" ") ? name.slice(0, 4) + "\n" + name.slice(4) : wrapped(name)) : wrapped }, splitLine: { lineStyle: { color: LINE } }, splitArea: { show: false }, axisLine: { lineStyle: { color: LINE } } },
      series: [{ type: "radar", data: data.series.map((s, i) => ({ name: s.name, value: s.values, symbol: SHAPES[i % SHAPES.length], symbolSize: 6,
        lineStyle: { width: 2.4, type: i ? "dashed" : "solid" }, areaStyle: i ? undefined : { opacity: 0.12 } })) }],
    };
  }
  function steps(data) {
    const values = data.series[0].values, last = values.length - 1;
    const base = [], size = [];
    let at = values[0];
    values.forEach((v, i) => {
      if (i === 0 || i === last) { base.push(data.min || 0); size.push(v - (data.min || 0)); return; }
      base.push(Math.min(at, at + v)); size.push(Math.abs(v)); at += v;
    });
    const paint = (v, i) => (i === 0 || i === last ? "#0d3b4c" : v < 0 ? LIGHTS.late : LIGHTS.ok);
    const told = (i) => (i === 0 || i === last ? values[i].toFixed(2) : signed("")(values[i]));
    return {
      animation: false, textStyle: { fontFamily: FONT, color: INK }, aria: { enabled: true },
      grid: { left: 8, right: 64, top: 8, bottom: 8, containLabel: true },
      tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" }, backgroundColor: "#fff", borderColor: LINE,
        formatter: (p) => data.labels[p[0].dataIndex] + "\n" + told(p[0].dataIndex) },
      xAxis: { type: "value", min: data.min || 0, max: data.max, axisLabel: { color: QUIET, fontSize: 12 }, splitLine: { lineStyle: { color: "#edf1f3" } } },
      yAxis: { type: "category", inverse: true, data: data.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: LINE } },
        axisLabel: { color: INK, fontSize: 12, interval: 0, width: 132, overflow: "truncate" } },
      series: [
        { type: "bar", stack: "all", silent: true, itemStyle: { color: "transparent" }, data: base, barMaxWidth: 22 },
        { type: "bar", stack: "all", barMaxWidth: 22, data: size.map((v, i) => ({ value: v, itemStyle: { color: paint(values[i], i),
            decal: values[i] < 0 && i && i !== last ? { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: 0.8, color: "rgba(255,255,255,.45)" } : undefined } })),
          label: { show: true, position: "right", color: INK, fontSize: 12, formatter: (p) => told(p.dataIndex) } },
      ],
    };
  }
  function options(data) {
    if (data.kind === "radar") return radar(data);
    if (data.kind === "steps") return steps(data);
    const across = data.kind === "ranked";
    const names = { type: "category", data: data.labels, inverse: across, axisTick: { show: false }, axisLine: { lineStyle: { color: LINE } },
      axisLabel: { color: INK, fontSize: 12, hideOverlap: !across, width: across ? 130 : undefined, overflow: "truncate", interval: across ? 0 : "auto" } };
    const amounts = { type: "value", min: data.kind === "line" && data.min ? data.min : (v) => Math.min(0, v.min, reach(data, "low", Math.min)),
      max: data.max || (data.series.some((each) => each.high) ? (v) => round(Math.max(v.max, reach(data, "high", Math.max))) : undefined), axisLabel: { color: QUIET, fontSize: 12, formatter: value(data.unit) }, splitLine: { lineStyle: { color: "#edf1f3" } } };
    const series = [];
    data.series.forEach((s, i) => { series.push(oneSeries(data, s, i)); if (s.low) series.push(interval(data, s, i)); });
    return {
      animation: false, textStyle: { fontFamily: FONT, color: INK }, aria: { enabled: true },
      grid: { left: 8, right: data.kind === "line" && data.series.length > 1 ? 110 : 40, top: data.series.length > 1 ? 40 : 20, bottom: 8, containLabel: true },
      legend: { show: data.series.length > 1, top: 0, left: 0, textStyle: { color: INK }, itemWidth: 14 },
      tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" }, valueFormatter: value(data.unit), backgroundColor: "#fff", borderColor: LINE },
      xAxis: across ? amounts : names, yAxis: across ? names : amounts, series: series,
    };
  }

  window.anlanCharts = function (part) {
    if (!window.echarts) return;
    Array.from(part.querySelectorAll("[data-chart]")).forEach((box) => {
      if (box.dataset.drawn) return;
      const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
      if (data.kind === "ranked" || data.kind === "steps") box.classList.add("chart-rows-" + Math.min(5, Math.ceil(data.labels.length / 8)));
      const chart = window.echarts.init(box, null, { renderer: "canvas", devicePixelRatio: Math.max(2, window.devicePixelRatio || 1) });
      chart.setOption(options(data));
      box.dataset.drawn = "yes";
      new ResizeObserver(() => chart.resize()).observe(box);
      const saver = document.querySelector('[data-save="' + box.dataset.chart + '"]');
      if (saver) saver.addEventListener("click", () => save(data, saver.dataset.name || "chart"));
    });
  };
  function save(data, name) {
    const sheet = document.createElement("div");
    sheet.className = "chart-sheet";
    document.body.appendChild(sheet);
    const chart = window.echarts.init(sheet, null, { renderer: "canvas", width: 1200, height: 640 });
    chart.setOption(options(data));
    const link = document.createElement("a");
    link.href = chart.getDataURL({ pixelRatio: 2, backgroundColor: "#fff" });
    link.download = name + ".png";
    link.click();
    chart.dispose();
    sheet.remove();
  }
})();
