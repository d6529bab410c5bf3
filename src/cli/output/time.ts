/** RFC 3339 as people read it. */
export function time(rfc3339: string): string {
  return rfc3339.replace("T", " ").replace(/\.\d+Z$/, "Z");
}
