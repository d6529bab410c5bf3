import { EXIT } from "./exit-codes.ts";

/** As package.json says under `engines`. */
const OLDEST = 24;

// Imported before anything else: an older Node breaks off over what it lacks, with the status of a denial.
if (Number.parseInt(process.versions.node, 10) < OLDEST) {
  process.stderr.write(`error: Node ${OLDEST} or newer is needed, and this is ${process.versions.node}\n`);
  process.exit(EXIT.usage);
}
