/** The mistakes that a `configuration-invalid` error of `readConfig` names, to be told one a line; none of others. */
export function mistakesOf({ mistakes }: Readonly<Record<string, unknown>>): readonly string[] {
  return Array.isArray(mistakes) ? mistakes : [];
}
