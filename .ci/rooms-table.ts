// Which way the arrows run between the rooms of a folder that has some: more of the law that `.ci/arrows.ts` holds `src/` to.

/**
 * Each room, and which others of its folder it may import: those it rests on stand above it. What is directly in the
 * folder, where one starts to read, may import all of them, and they all of it.
 */
export const ROOMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["custody/writer", []],
  ["custody/log-keys", []],
  ["custody/pack", []],
  ["custody/replay", ["custody/pack"]],
  ["custody/summary", []],
  ["policy/cel", []],
  ["policy/documents", ["policy/cel"]],
  ["policy/evaluation", ["policy/cel"]],
  ["policy/lint", ["policy/evaluation"]],
  ["services/log", []],
  ["services/custody", ["services/log"]],
  ["services/witnessing", ["services/log"]],
  ["services/telemetry", ["services/log", "services/witnessing"]],
  ["services/verification", ["services/telemetry"]],
  ["services/decisions", ["services/log", "services/verification"]],
  ["services/evidence", ["services/log", "services/telemetry", "services/decisions"]],
  ["services/activation", ["services/decisions"]],
  ["services/incidents", ["services/verification", "services/decisions", "services/activation"]],
  ["services/identities", ["services/log", "services/telemetry", "services/decisions"]],
  ["services/federation", ["services/identities"]],
  ["services/access", ["services/federation"]],
  ["services/agents", ["services/identities", "services/federation", "services/access"]],
  [
    "services/simulation",
    ["services/custody", "services/verification", "services/decisions", "services/identities"],
  ],
  ["services/doctor", ["services/log", "services/activation", "services/identities"]],
  ["cli/output", []],
  ["cli/arguments", ["cli/output"]],
  ["cli/credentials", []],
  ["cli/evidence", ["cli/arguments"]],
  ["cli/verify", ["cli/output", "cli/arguments", "cli/evidence"]],
  ["cli/policy", ["cli/output", "cli/arguments", "cli/evidence", "cli/verify"]],
  ["cli/custody", ["cli/output", "cli/arguments"]],
  ["cli/log", ["cli/output", "cli/arguments"]],
  ["cli/guide", []],
  ["cli/completion", ["cli/guide"]],
  ["http/resources", []],
  ["http/openapi", []],
]);
