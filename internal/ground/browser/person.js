// What a person sees of a page, as one function: found(verb, text, scope)
// finds the control with that text and answers where it is. It is run by the
// debugging protocol; pages cannot see it and need no script.
(function (verb, text, scope) {
  const clean = (s) => (s || "").replace(/\u00ad/g, "").replace(/\s+/g, " ").trim();
  const shown = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility === "visible";
  const kinds = {
    field: "input:not([type=hidden], [type=submit], [type=button], [type=reset], [type=image], [type=radio], [type=checkbox]), select, textarea",
    choice: "input[type=radio], input[type=checkbox], option",
    button: "button, input[type=submit], input[type=button], input[type=image], summary, [role=button]",
    link: "a[href]",
  };

  function names(e) {
    const list = [];
    if (e.tagName === "OPTION") list.push(e.label);
    if (e.labels) for (const l of e.labels) list.push(l.innerText, l.innerText.replace(/\s*(\*|\([^)]*\))\s*$/, ""));
    const by = e.getAttribute("aria-labelledby");
    if (by) list.push(by.split(/\s+/).map((id) => document.getElementById(id)?.innerText || "").join(" "));
    list.push(e.getAttribute("aria-label"));
    if (e.matches(kinds.button + "," + kinds.link)) list.push(e.innerText, e.type === "submit" || e.type === "button" ? e.value : "", e.getAttribute("title"));
    if (e.matches("input[type=image]")) list.push(e.alt);
    return list.map(clean).filter((s) => s);
  }

  function visible(e) {
    if (e.tagName === "OPTION") return !!e.closest("select") && shown(e.closest("select")); // else a suggestion (datalist)
    return shown(e) || [...(e.labels || [])].some(shown);
  }

  // home is the size of the smallest part of the page around e that says scope.
  function home(e) {
    for (let p = e.parentElement; p; p = p.parentElement) {
      const said = clean(p.innerText);
      if (said.includes(clean(scope))) return said.length;
    }
    return Infinity;
  }

  function find(kind) {
    const want = clean(text);
    const all = [...document.querySelectorAll(kinds[kind])].filter(visible);
    for (const fits of [(n) => n === want, (n) => n.startsWith(want), (n) => n.includes(want)]) {
      let hits = all.filter((e) => names(e).some(fits));
      if (scope && hits.length) {
        const nearest = Math.min(...hits.map(home));
        hits = nearest === Infinity ? [] : hits.filter((e) => home(e) === nearest);
      }
      if (hits.length > 1 && kind === "link" && hits.every((e) => e.href === hits[0].href)) hits.length = 1;
      if (hits.length > 1) throw `there are ${hits.length} of them; say which with In(…)`;
      if (hits.length === 1) return hits[0];
    }
    const known = [...new Set(all.map((e) => names(e)[0] || e.name || e.outerHTML.slice(0, 60)))];
    throw `there is none${scope ? ` near “${scope}”` : ""}; there are: ${known.join(" · ") || "none at all"}`;
  }

  // spot is the point a person would press; it must not be covered.
  function spot(e, ...others) {
    const target = [e, ...others].find((x) => x && shown(x) && x.getClientRects()[0].width > 1) || e;
    target.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    const r = [...target.getClientRects()].find((r) => r.width > 0 && r.height > 0);
    if (!r) throw "it has no size";
    const x = r.left + r.width / 2, y = r.top + r.height / 2;
    const hit = document.elementFromPoint(x, y);
    if (!hit) throw `it lies outside of the window at ${x},${y}`;
    if (![e, ...others].some((o) => o && (o.contains(hit) || hit.contains(o) && hit.tagName === "LABEL"))) throw `it is covered by ${hit.outerHTML.slice(0, 80)}`;
    return { x, y };
  }

  function described(e) {
    const ids = [e.getAttribute("aria-describedby"), e.getAttribute("aria-errormessage")].join(" ").split(/\s+/);
    return clean(ids.map((id) => (id && document.getElementById(id)?.innerText) || "").join(" "));
  }

  const verbs = {
    fill() {
      const e = find("field");
      if (e.disabled || e.readOnly) throw "it cannot be changed";
      if (e.tagName === "SELECT") return { kind: "select" };
      if (e.type === "file") throw "it takes a file: use Upload";
      if (/^(date|time|datetime-local|month|week|color|range)$/.test(e.type)) return { kind: "set" };
      e.scrollIntoView({ block: "center", behavior: "instant" });
      e.focus();
      if (document.activeElement !== e) throw "it does not take the focus";
      e.select?.();
      return { kind: "type" };
    },
    pick(value) {
      const e = find("field"), want = clean(value), options = [...e.options];
      const o = options.find((o) => clean(o.label) === want) || options.find((o) => clean(o.label).includes(want));
      if (!o) throw `it does not offer “${value}” but: ${options.map((o) => clean(o.label)).join(" · ")}`;
      o.selected = true;
      changed(e);
    },
    set(value) {
      const e = find("field");
      e.value = value;
      changed(e);
      if (e.value !== value) throw `it takes no “${value}”`;
    },
    choose() {
      const e = find("choice");
      if (e.disabled || e.closest("fieldset:disabled")) throw "it cannot be changed";
      if (e.tagName === "OPTION") { e.selected = true; changed(e.closest("select")); return { done: true }; }
      return { done: e.checked, radio: e.type === "radio", ...spot(e, ...e.labels) };
    },
    chosen() { const e = find("choice"); return { done: e.tagName === "OPTION" ? e.selected : e.checked }; },
    value() {
      const e = find("field");
      return { text: e.tagName === "SELECT" ? clean(e.selectedOptions[0]?.label) : e.value };
    },
    top() { return { y: find("field").getBoundingClientRect().top + scrollY }; },
    described() { return { text: described(find("field")) }; },
    button() {
      const e = find("button"), form = e.form;
      if (e.disabled || e.getAttribute("aria-disabled") === "true") throw "it cannot be pressed";
      const sends = form && (e.type === "submit" || e.type === "image") && (e.formMethod || form.method) !== "dialog";
      if (sends && !form.noValidate && !e.formNoValidate) {
        const bad = [...form.elements].find((x) => x.willValidate && !x.validity.valid);
        if (bad) throw `the browser does not send the form: “${names(bad)[0] || bad.name}” ${bad.validationMessage}`;
      }
      if (sends && (e.formTarget || form.target) === "_blank") throw "it opens a second window, which a test cannot follow";
      window.zunftHere = true;
      return { leaves: !!sends, ...spot(e) };
    },
    link() {
      const e = find("link");
      const here = location.href.split("#")[0];
      const stays = e.href.split("#")[0] === here && e.href.includes("#") || e.hasAttribute("download") || /^(mailto|tel):/.test(e.href);
      if (e.target === "_blank") throw "it opens a second window: use Download or Address";
      window.zunftHere = true;
      return { leaves: !stays, ...spot(e) };
    },
    address() { return { text: find("link").href }; },
    file() {
      const e = find("field");
      if (e.type !== "file") throw "it takes no file";
      return e;
    },
    has() { return { done: clean(document.body?.innerText).includes(clean(text)) }; },
    arrived() { return { done: window.zunftHere === undefined && document.readyState === "complete" }; },
    focus() {
      const e = document.activeElement;
      return { text: e && e !== document.body ? names(e)[0] || clean(e.innerText) || e.id : "" };
    },
    text() { return { text: (document.body?.innerText || "").replace(/\u00ad/g, "") }; },
    over() { return { text: String(Math.max(0, document.documentElement.scrollWidth - innerWidth)) }; },
  };

  function changed(e) {
    e.dispatchEvent(new Event("input", { bubbles: true }));
    e.dispatchEvent(new Event("change", { bubbles: true }));
  }

  try {
    const [name, ...rest] = verb;
    return verbs[name](...rest) || {};
  } catch (problem) {
    if (verb[0] === "file") throw new Error(problem);
    return { problem: String(problem.stack || problem) };
  }
})
