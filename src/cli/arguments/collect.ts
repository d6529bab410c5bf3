/** Makes a commander option one that may be repeated: a list that takes one value each would swallow what follows. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
