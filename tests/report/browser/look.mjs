// Looks at pages in a browser, as jobs say on standard input, and prints what it saw as JSON.
//
// A job: {url, width, scheme: "light" | "dark", media: "screen" | "print", open, lighthouse, shot}.
// `open`: every <details> is opened first; `shot`: a file for a picture of the whole page.
// What is printed of each: {axe: [{id, impact, nodes}], wider, scores: {…}, failed: [audit]}.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const packages = process.env.PACKAGES;
const require = createRequire(`${packages}/package.json`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { default: puppeteer } = await load("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf-8");
const { chromium, jobs } = JSON.parse(readFileSync(0, "utf-8"));

const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});

// Rules of all kinds, the best practices among them.
async function look(job) {
  const page = await browser.newPage();
  await page.setViewport({ width: job.width, height: 900 });
  const client = await page.createCDPSession();
  const features = [{ name: "prefers-color-scheme", value: job.scheme }];
  await client.send("Emulation.setEmulatedMedia", { media: job.media ?? "screen", features });
  await page.goto(job.url, { waitUntil: "load" });
  if (job.open) {
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  }
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const wider = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (job.shot) {
    await page.screenshot({ path: job.shot, fullPage: true });
  }
  await page.close();
  return {
    axe: found.violations.map((one) => ({
      id: one.id,
      impact: one.impact,
      nodes: one.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).slice(0, 5),
    })),
    rules: found.passes.length,
    wider,
  };
}

async function score(job) {
  const { default: lighthouse } = await load("lighthouse");
  const page = await browser.newPage();
  const onlyCategories = ["accessibility", "best-practices"];
  const flags = { onlyCategories, output: "json", logLevel: "silent" };
  const wide = job.width >= 600;
  const config = {
    extends: "lighthouse:default",
    settings: {
      formFactor: wide ? "desktop" : "mobile",
      screenEmulation: { mobile: !wide, width: job.width, height: 900, deviceScaleFactor: 1 },
      throttlingMethod: "provided",
    },
  };
  const { lhr } = await lighthouse(job.url, flags, config, page);
  await page.close();
  const scored = Object.entries(lhr.categories).map(([name, one]) => [name, one.score * 100]);
  const weighed = Object.values(lhr.categories).flatMap((one) => one.auditRefs.filter((ref) => ref.weight > 0));
  const failed = weighed.filter((ref) => (lhr.audits[ref.id].score ?? 1) < 1).map((ref) => ref.id);
  return { scores: Object.fromEntries(scored), failed, error: lhr.runtimeError?.message ?? "" };
}

const seen = [];
for (const job of jobs) {
  seen.push({ ...(await look(job)), ...(job.lighthouse ? await score(job) : {}) });
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
