/** One part of a path. A digest's colon stays readable (RFC 3986, 3.3). */
export function part(value: string): string {
  return encodeURIComponent(value).replaceAll("%3A", ":");
}

/** What a query string says as `true` or `false`. */
export function flags(
  members: Readonly<Record<string, boolean | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, `${value}`]])),
  );
}

/** A list is given as often as it has items. */
export function search(
  members: Readonly<Record<string, string | number | readonly string[] | undefined>>,
): string {
  const given = Object.entries(members).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, `${one}`]),
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
