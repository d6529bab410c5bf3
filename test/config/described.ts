import { SETTING_LIST } from "../../src/config/settings.ts";

const START = "<!-- the table of src/config/settings.ts -->\n";
const END = "<!-- its end -->\n";

/** The documentation's page with its table made anew from the settings. */
export function withTable(page: string): string {
  const [before = "", rest = ""] = page.split(START);
  const [, after = ""] = rest.split(END);
  const rows = SETTING_LIST.map(
    ([, { env, yaml, shown, doc }]) => `| \`${env}\` | \`${yaml}\` | ${shown} | ${doc} |\n`,
  );
  const head = "| variable | in the file | default | meaning |\n|---|---|---|---|\n";
  return `${before}${START}${head}${rows.join("")}${END}${after}`;
}

/** A file with every setting: those that have a default with it, the others commented out. */
export function exampleFile(): string {
  const lines = [
    "# Every setting of the server, with its default. A setting's environment variable, if it is set, wins.",
    "# Start with it: VOUCHSAFE_CONFIG=vouchsafe.yaml. Try it first: vouchsafe config check --config vouchsafe.yaml",
  ];
  let section: string | undefined;
  for (const [, { env, yaml, type, written, shown, doc }] of grouped()) {
    const [first = "", member] = yaml.split(".");
    if (member !== undefined && first !== section) lines.push("", `${first}:`);
    section = member === undefined ? undefined : first;
    const indent = member === undefined ? "" : "  ";
    if (member === undefined) lines.push("");
    lines.push(...wrapped(`${plain(doc)} (${env})`).map((line) => `${indent}# ${line}`));
    const key = member ?? first;
    lines.push(
      written === undefined
        ? `${indent}# ${key}:    # ${plain(shown)}`
        : `${indent}${key}: ${type.toYaml(written)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Members of one section stand together, in the order in which the first of each section is documented. */
function grouped(): typeof SETTING_LIST {
  const sections = [...new Set(SETTING_LIST.map(([, { yaml }]) => yaml.split(".")[0]))];
  return sections.flatMap((name) => SETTING_LIST.filter(([, { yaml }]) => yaml.split(".")[0] === name));
}

/** Markdown's text without its links and code marks. */
function plain(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1").replaceAll("`", "");
}

function wrapped(text: string): string[] {
  return text.match(/.{1,110}(?:\s|$)/g)?.map((line) => line.trimEnd()) ?? [];
}
