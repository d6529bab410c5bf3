/**
 * Paths and patterns as actions/attest takes them: separated by line ends or commas, where an item in double quotes may hold
 * commas, and a doubled quote in it is one.
 */
export function parsePathList(text: string): string[] {
  return text
    .split(/\r?\n/)
    .flatMap(itemsOf)
    .filter((item) => item !== "");
}

function itemsOf(line: string): string[] {
  return [...line.matchAll(/\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(?:,|$)/g)].map(([, quoted, plain = ""]) =>
    (quoted?.replaceAll('""', '"') ?? plain).trim(),
  );
}
