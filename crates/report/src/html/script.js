"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = data.words;
  const PAGE = 100;
  const PRINTED = 3000;
  const RANK = { critical: 5, high: 4, medium: 3, low: 2, negligible: 1, unknown: 0 };
  const byId = (id) => document.getElementById(id);

  /** An element with attributes and children; text only ever goes in as text. */
  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children) if (child !== "" && child != null) element.append(child);
    return element;
  }

  const theme = byId("theme");
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    theme.setAttribute("aria-pressed", String(!dark));
  });
  theme.hidden = false;

  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const badge = (kind, text) => make("span", { class: "badge " + kind }, text);

  /** A table that filters, sorts and draws a page at a time. */
  function list({ root, rows, columns, matches, draw, order, descending }) {
    const body = root.querySelector("tbody");
    const status = root.querySelector(".status");
    const more = root.querySelector(".show-more");
    let shown = [];
    let drawn = 0;
    let sort = { column: order, descending };

    function drawMore(limit) {
      const part = document.createDocumentFragment();
      for (const row of shown.slice(drawn, limit)) part.append(draw(row));
      body.append(part);
      drawn = Math.min(limit, shown.length);
      more.hidden = drawn >= shown.length;
    }
    function refresh() {
      const { value } = columns[sort.column];
      const sign = sort.descending ? -1 : 1;
      shown = rows.filter(matches);
      shown.sort((a, b) => sign * compare(value(a), value(b)) || a.at - b.at);
      body.replaceChildren();
      drawn = 0;
      drawMore(PAGE);
      status.textContent = words.shown.replace("{n}", shown.length.toLocaleString()).replace("{all}", rows.length.toLocaleString());
      root.querySelectorAll("th[data-column]").forEach((head) => {
        const own = head.dataset.column === sort.column;
        head.setAttribute("aria-sort", own ? (sort.descending ? "descending" : "ascending") : "none");
      });
    }
    root.querySelectorAll("th[data-column] button").forEach((button) => {
      const column = button.parentElement.dataset.column;
      button.addEventListener("click", () => {
        sort = { column, descending: sort.column === column ? !sort.descending : Boolean(columns[column].first) };
        refresh();
      });
    });
    more.addEventListener("click", () => drawMore(drawn + PAGE));
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) drawMore(drawn + PAGE);
    }, { rootMargin: "600px" }).observe(more);
    addEventListener("beforeprint", () => drawMore(Math.max(drawn, PRINTED)));
    refresh();
    return refresh;
  }

  /** Waits until typing pauses, so that a long list stays quick. */
  function whenSettled(action) {
    let timer;
    return () => { clearTimeout(timer); timer = setTimeout(action, 120); };
  }

  function chips(root, refresh) {
    const pressed = new Set();
    root.querySelectorAll(".chip").forEach((chip) => chip.addEventListener("click", () => {
      const on = chip.getAttribute("aria-pressed") !== "true";
      chip.setAttribute("aria-pressed", String(on));
      pressed[on ? "add" : "delete"](chip.dataset.value);
      refresh();
    }));
    return pressed;
  }

  function facts(finding) {
    const list = make("dl", { class: "facts" });
    for (const [label, value] of finding.facts) list.append(make("dt", {}, words[label] || label), make("dd", {}, value));
    return list;
  }

  function findings() {
    const root = byId("findings");
    const search = byId("search");
    const target = byId("target");
    const rows = data.findings.map((finding, at) => ({
      ...finding, at,
      text: [finding.rule, finding.title, finding.name, finding.version, finding.path, finding.target, ...finding.aliases].join("\n").toLowerCase(),
    }));
    let refresh = () => {};
    const severities = chips(byId("severities"), () => refresh());
    const marks = chips(byId("marks"), () => refresh());
    const matches = (row) => {
      const wanted = search.value.trim().toLowerCase();
      return (!wanted || wanted.split(/\s+/).every((word) => row.text.includes(word)))
        && (severities.size === 0 || severities.has(row.severity))
        && (!target.value || row.target === target.value)
        && (!marks.has("fixable") || row.fix)
        && (!marks.has("exploited") || row.kev)
        && (!marks.has("yours") || row.base === false);
    };
    const draw = (row) => {
      const open = make("button", { class: "open", type: "button", "aria-expanded": "false" }, row.rule);
      const labels = make("span", {});
      if (row.kev) labels.append(badge("kev", words.kev), " ");
      if (row.epss >= 0.1) labels.append(badge("epss", "EPSS " + Math.round(row.epss * 100) + "%"), " ");
      if (row.base === true) labels.append(badge("base", words.base), " ");
      if (row.base === false) labels.append(badge("yours", words.yours));
      const what = make("td", {}, make("div", {}, row.title), labels);
      const thing = make("td", {}, make("code", {}, row.name || row.path), " ", make("span", { class: "soft" }, row.version));
      const fix = make("td", {}, row.fix ? make("span", { class: "to" }, row.fix) : make("span", { class: "soft" }, row.fixNote));
      const line = make("tr", { class: "row" }, make("td", {}, badge(row.severity, words[row.severity])), make("td", {}, open), thing, fix, what);
      const toggle = () => {
        const next = line.nextElementSibling;
        const isOpen = next && next.classList.contains("more");
        if (isOpen) next.remove();
        else line.after(make("tr", { class: "more" }, make("td", { colspan: "5" }, facts(row))));
        line.classList.toggle("open", !isOpen);
        open.setAttribute("aria-expanded", String(!isOpen));
      };
      line.addEventListener("click", () => { if (!String(getSelection())) toggle(); });
      return line;
    };
    refresh = list({
      root, rows, matches, draw, order: "severity", descending: true,
      columns: {
        severity: { value: (row) => RANK[row.severity] * 10 + (row.kev ? 5 : 0) + (row.epss || 0), first: true },
        rule: { value: (row) => row.rule },
        package: { value: (row) => (row.name || row.path).toLowerCase() },
        fix: { value: (row) => row.fix || "~" },
        title: { value: (row) => row.title.toLowerCase() },
      },
    });
    search.addEventListener("input", whenSettled(refresh));
    target.addEventListener("change", refresh);
    addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        search.focus();
      }
    });
  }

  function packages() {
    const root = byId("packages");
    const search = byId("package-search");
    const rows = data.packages.map(([name, version, kind, path, licences], at) =>
      ({ name, version, kind, path, licences, at, text: [name, version, kind, path, licences].join("\n").toLowerCase() }));
    const matches = (row) => {
      const wanted = search.value.trim().toLowerCase();
      return !wanted || wanted.split(/\s+/).every((word) => row.text.includes(word));
    };
    const draw = (row) => make("tr", {}, ...[row.name, row.version, row.kind, row.licences, row.path].map((text) => make("td", {}, text)));
    const column = (key) => ({ value: (row) => row[key].toLowerCase() });
    const refresh = list({
      root, rows, matches, draw, order: "name", descending: false,
      columns: { name: column("name"), version: column("version"), type: column("kind"), licence: column("licences"), location: column("path") },
    });
    search.addEventListener("input", whenSettled(refresh));
  }

  const tabs = [...document.querySelectorAll("[role=tab]")];
  const started = new Set();
  function select(tab) {
    for (const other of tabs) {
      const on = other === tab;
      other.setAttribute("aria-selected", String(on));
      other.tabIndex = on ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = !on;
    }
    const id = tab.getAttribute("aria-controls");
    if (!started.has(id)) {
      started.add(id);
      (id === "findings" ? findings : packages)();
    }
  }
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(at + step + tabs.length) % tabs.length];
      next.focus();
      select(next);
    });
  });
  select(data.findings.length || !data.packages.length ? tabs[0] : tabs[1]);
  document.documentElement.dataset.ready = "yes";
})();
