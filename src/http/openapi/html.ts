import { createHash } from "node:crypto";

/** Markup that `html` made, in which everything that it was given is escaped. Nothing that comes from outside can look like it. */
export class Html {
  readonly #markup: string;
  constructor(markup: string) {
    this.#markup = markup;
  }
  toString(): string {
    return this.#markup;
  }
}

/** What may stand in a template: text is escaped, nothing is left out, lists follow one another. */
export type HtmlPart = Html | string | number | false | null | undefined | readonly HtmlPart[];

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * A template of HTML, safe where text stands: between tags, and in attributes that are quoted. It makes nothing of
 * scripts, styles or URLs: whoever puts text into `href` says where it leads.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings.reduce((markup, string, i) => `${markup}${markupOf(parts[i - 1])}${string}`));
}

function markupOf(part: HtmlPart): string {
  if (part === undefined || part === null || part === false) return "";
  if (part instanceof Html) return part.toString();
  if (typeof part === "object") return part.map(markupOf).join("");
  return String(part).replaceAll(/[&<>"']/g, (character) => ESCAPED[character] ?? "");
}

/** A page's own style sheet, and the source by which a Content-Security-Policy lets in it alone (CSP 3 §2.3.1). */
export interface InlineStyle {
  readonly element: Html;
  readonly source: string;
}

/** @param css ours: it ends no element, and nothing of a request is in it */
export function inlineStyle(css: string): InlineStyle {
  if (css.includes("<")) throw new TypeError("a style sheet must not hold <");
  const hash = createHash("sha256").update(css).digest("base64");
  return { element: new Html(`<style>${css}</style>`), source: `'sha256-${hash}'` };
}

/** Text in which what stands between backticks is code, as in our descriptions. */
export function prose(text: string | undefined): Html | undefined {
  if (text === undefined) return undefined;
  return html`${text.split("`").map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

export const HTML_TYPE = "text/html; charset=utf-8";

/** What a page of ours may do in a browser: show itself in its own style, and ask nothing of anybody. */
export function pagePolicy({ source }: InlineStyle): string {
  return `default-src 'none';style-src ${source};base-uri 'none';form-action 'none';frame-ancestors 'none'`;
}
