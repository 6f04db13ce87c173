// Builds the look of both portals into ../dist, which Go embeds:
// style sheet (KERN subset in a layer, ours above it), icon sprite, favicon,
// fonts, licences. Every name carries a hash of the content, so that browsers
// may keep the files for ever; manifest.json maps plain names to hashed ones.
// Same input, same output: no dates, sorted keys, fixed compression levels.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { transform } from "lightningcss";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "../../../../node_modules");
const dist = join(here, "../dist");
const cssBudget = 20_000; // bytes, gzip (first visit <= 120 kB in all)
const scriptBudget = 10_000; // bytes, gzip (ux.md 3.3)

const icons = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"));
const manifest = {};

function emit(name, content) {
  const data = Buffer.from(content);
  const hash = createHash("sha256").update(data).digest("hex").slice(0, 10);
  const hashed = name.replace(/(\.[a-z0-9]+)$/, `.${hash}$1`);
  writeFileSync(join(dist, hashed), data);
  if (!name.endsWith(".woff2")) {
    writeFileSync(join(dist, hashed + ".gz"), gzipSync(data, { level: 9 }));
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    };
    writeFileSync(join(dist, hashed + ".br"), brotliCompressSync(data, { params }));
  }
  manifest[name] = hashed;
  return hashed;
}

function clean() {
  mkdirSync(dist, { recursive: true });
  for (const f of readdirSync(dist)) if (f !== ".keep") rmSync(join(dist, f));
}

// fonts copies the two weights in two subsets each; the browser asks for
// latin-ext only when a page shows such a letter (Ş, ł, č).
function fonts() {
  for (const weight of [400, 600]) {
    for (const [subset, suffix] of [["latin", ""], ["latin-ext", "-ext"]]) {
      const file = `@fontsource/fira-sans/files/fira-sans-${subset}-${weight}-normal.woff2`;
      emit(`fira-sans-${weight}${suffix}.woff2`, readFileSync(join(modules, file)));
    }
  }
}

// sprite makes one symbol of every icon: fill, stroke and size come from the
// class "icon" of the element that uses it.
function sprite() {
  const symbols = Object.entries(icons).map(([id, source]) => {
    const svg = readFileSync(join(modules, "lucide-static/icons", `${source}.svg`), "utf8");
    const body = svg.replace(/<!--[\s\S]*?-->/g, "").match(/<svg[\s\S]*?>([\s\S]*)<\/svg>/)[1];
    const small = body.replace(/\s*\n\s*/g, "").replace(/ \/>/g, "/>");
    return `<symbol id="${id}" viewBox="0 0 24 24">${small}</symbol>`;
  });
  emit("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);
}

// prune drops custom properties nobody reads; KERN brings several hundred
// shades of which we use some forty. Repeats until nothing more falls.
function prune(css) {
  for (;;) {
    const used = new Set(css.match(/var\(\s*--[\w-]+/g).map((v) => v.slice(v.indexOf("--"))));
    const next = css.replace(/(?<=[{;])(--[\w-]+):[^;{}]*(?:;|(?=\}))/g, (all, name) => (used.has(name) ? all : ""));
    if (next === css) return css;
    css = next;
  }
}

function style() {
  const quiet = { style: "compressed", loadPaths: [modules], quietDeps: true, logger: sass.Logger.silent };
  const kern = sass.compile(join(here, "kern.scss"), quiet).css.replace(/^\uFEFF/, "");
  const own = readFileSync(join(here, "app.css"), "utf8");
  const targets = { chrome: 111 << 16, firefox: 114 << 16, safari: (16 << 16) | (4 << 8) };
  const minify = (css) =>
    transform({ filename: "app.css", code: Buffer.from(css), minify: true, targets }).code.toString();
  const named = own.replace(/asset\("([^"]+)"\)/g, (all, name) => {
    if (!manifest[name]) throw new Error(`app.css names ${name}, which is not built`);
    return `url("${manifest[name]}")`;
  });
  // The comments must not feed the pruning, hence minified twice.
  const css = minify(prune(minify(`@layer kern{${kern}}\n${named}`)));
  if (/data:|https?:/.test(css)) throw new Error("app.css holds a data: or foreign URL, which the CSP forbids");
  const size = gzipSync(css, { level: 9 }).length;
  if (size > cssBudget) throw new Error(`app.css is ${size} bytes gzip, the budget is ${cssBudget}`);
  emit("app.css", "/*! contains KERN UX (EUPL-1.2), see LICENCES.txt */" + css);
  return size;
}

// scripts: only pages that declare one may run it; everything else works without.
function scripts() {
  for (const name of ["passkey.js", "drafts.js"]) {
    const lines = readFileSync(join(here, name), "utf8").split("\n");
    const code = lines.map((l) => l.trim()).filter((l) => l && !l.startsWith("//")).join("\n") + "\n";
    const size = gzipSync(code, { level: 9 }).length;
    if (size > scriptBudget) throw new Error(`${name} is ${size} bytes gzip, the budget is ${scriptBudget}`);
    emit(name, code);
  }
}

function licences() {
  const text = (path) => readFileSync(join(modules, path), "utf8").trim();
  const version = (name) => JSON.parse(text(`${name}/package.json`)).version;
  const part = (title, body) => `${title}\n${"=".repeat(title.length)}\n\n${body}\n`;
  return [
    part(
      `KERN UX, @kern-ux/native ${version("@kern-ux/native")}: parts of app.css`,
      "Copyright the KERN UX-Standard team, https://www.kern-ux.de\n" +
        "Licensed under the European Union Public Licence 1.2 (EUPL-1.2),\n" +
        "https://interoperable-europe.ec.europa.eu/collection/eupl/eupl-text-eupl-12\n" +
        "Changed by us: reduced to a subset, wrapped in a cascade layer, unused tokens removed. Source:\n" +
        "internal/ground/web/look in the repository.",
    ),
    part(`Fira Sans, @fontsource/fira-sans ${version("@fontsource/fira-sans")}: *.woff2`, text("@fontsource/fira-sans/LICENSE")),
    part(`Lucide icons, lucide-static ${version("lucide-static")}: icons.svg`, text("lucide-static/LICENSE")),
  ].join("\n");
}

clean();
fonts();
sprite();
emit("favicon.svg", readFileSync(join(here, "favicon.svg")));
scripts();
const size = style();
writeFileSync(join(dist, "LICENCES.txt"), licences());
writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, Object.keys(manifest).sort(), 1) + "\n");
console.log(`look: ${Object.keys(manifest).length} files, app.css ${size} bytes gzip`);
