#!/usr/bin/env node
// What `npm run build` makes one file of: SPIRE compares one file's checksum.
import { createHclog } from "./hclog.ts";
import { runSpirePlugin } from "./run.ts";

try {
  await runSpirePlugin();
} catch (error) {
  createHclog((line) => process.stderr.write(line))("error", String(error));
  process.exitCode = 1;
}
