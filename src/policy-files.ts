import { readdir, readFile } from "node:fs/promises";
import { builderNames } from "./policy/builder-uses.ts";
import type { PolicyFile } from "./policy/load.ts";

/** The builders that are shipped, each in a file of its name; from `src/` and from `dist/` it is the same way. */
const SHIPPED = new URL("../policies/builders/", import.meta.url);

/** The names of the policy files in a directory, sorted: YAML directly in it, without tests. Throws what the system says. */
export async function policyFileNames(directory: string | URL): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name))
    .sort();
}

/**
 * The files and the shipped builders that they use and do not define, by name: a set that is activated holds all that it
 * rests on, so that an auditor needs nothing besides.
 */
export async function withShippedBuilders(files: readonly PolicyFile[]): Promise<PolicyFile[]> {
  const { used, defined } = builderNames(files);
  const missing = [...used].filter((name) => !defined.has(name));
  if (missing.length === 0) return [...files];
  const shipped = await shippedNames();
  // A set with a name that nobody knows does not load: beside all of these, the mistake names the nearest.
  const isWhole = missing.every((name) => shipped.includes(name));
  const added = isWhole ? missing : shipped.filter((name) => !defined.has(name));
  const builders = added.map(async (name) => ({
    name: `builders/${name}.yaml`,
    text: await readFile(new URL(`${name}.yaml`, SHIPPED), "utf8"),
  }));
  return [...files, ...(await Promise.all(builders))].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** None where somebody mounted policies of their own over the shipped ones: loading tells what is missing. */
async function shippedNames(): Promise<string[]> {
  try {
    return (await policyFileNames(SHIPPED)).map((name) => name.replace(/\.yaml$/, ""));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
