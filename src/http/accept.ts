/**
 * Whether a header of what the client accepts (RFC 9110 §12.5) names one of these, in lower case, with a weight above
 * zero. Wildcards name nothing: who takes anything gets what there is.
 */
export function accepts(header: string | undefined, names: ReadonlySet<string>): boolean {
  return (header ?? "").split(",").some((range) => {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return names.has(name) && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
