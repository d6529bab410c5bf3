/**
 * `npm run corpus -- DIR`: runs the cases of DIR/MANIFEST.json and prints which disagree, ambiguous ones apart.
 * Exits 0 when at least 95% agree and every disagreement is explained in explained.ts.
 */
import { openCorpus } from "./manifest.ts";
import { isGood, renderReport, runCorpus } from "./report.ts";

const [directory, ...rest] = process.argv.slice(2);
if (directory === undefined || rest.length > 0) {
  console.error("Usage: npm run corpus -- DIR   (a folder with a MANIFEST.json)");
  process.exit(2);
}
const report = await runCorpus(openCorpus(directory), Date.now());
console.log(renderReport(report));
process.exitCode = isGood(report) ? 0 : 1;
