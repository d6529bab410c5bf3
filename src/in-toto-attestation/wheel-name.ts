/**
 * Whether two names of distribution files are of the same file. A wheel's compressed tag sets have no order
 * (PEP 425, "Compressed Tag Sets"), so `…-manylinux2014_x86_64.manylinux_2_17_x86_64.whl` has several spellings; its
 * distribution name is compared as PEP 503 normalises it. Any other name has one spelling.
 */
export function isSameFileName(one: string, other: string): boolean {
  return one === other || (wheelName(one) ?? one) === (wheelName(other) ?? other);
}

/** One spelling of a wheel's name (PEP 491): distribution-version(-build)-python-abi-platform; undefined for others. */
function wheelName(name: string): string | undefined {
  if (!name.endsWith(".whl")) return undefined;
  const parts = name.slice(0, -".whl".length).split("-");
  if ((parts.length !== 5 && parts.length !== 6) || parts.includes("")) return undefined;
  const [distribution = "", ...rest] = parts;
  const [tags, versionAndBuild] = [rest.slice(-3), rest.slice(0, -3)];
  return [distribution.toLowerCase().replace(/[-_.]+/g, "_"), ...versionAndBuild, ...tags.map(sorted)].join(
    "-",
  );
}

function sorted(tagSet: string): string {
  return [...new Set(tagSet.split("."))].sort().join(".");
}
