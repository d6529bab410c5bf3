import { nameOf } from "./components.ts";
import { type Html, html, prose } from "./html.ts";
import type { Schema } from "./types.ts";

/** What a value is, in a few words; the parts of objects stand in tables of their own. */
export function typeHtml(schema: Schema): Html {
  const name = nameOf(schema);
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum !== undefined) return html`one of ${separated(schema.enum.map(codeOf), ", ")}`;
  if (schema.anyOf !== undefined) return html`${separated(schema.anyOf.map(typeHtml), " or ")}`;
  if (schema.type === "array") return html`list of ${schema.items ? typeHtml(schema.items) : "anything"}`;
  if (schema.type === "object") return objectType(schema);
  if (schema.format === "binary") return html`bytes`;
  return html`${schema.type ?? "anything"}${limitsOf(schema)}`;
}

/** A table of an object's members; of those that are objects themselves, theirs follow under a dotted name. */
export function membersHtml(schema: Schema): Html {
  const rows = rowsOf(schema, "");
  if (rows.length === 0) return html`<p>${typeHtml(schema)}</p>`;
  return html`<div class="scroll"><table>
<thead><tr><th>Member</th><th>Type</th><th>What it says</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

const MAX_DEPTH = 4;

function rowsOf(schema: Schema, prefix: string, depth = 0): Html[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = `${prefix}${name}`;
    const optional = required.has(name) ? undefined : html` <span class="soft">optional</span>`;
    const row = html`<tr><td><code>${path}</code>${optional}</td><td>${typeHtml(member)}</td><td>${prose(member.description)}</td></tr>`;
    const { inner, mark } = innerObject(member);
    return inner === undefined || depth >= MAX_DEPTH
      ? [row]
      : [row, ...rowsOf(inner, `${path}${mark}.`, depth + 1)];
  });
}

/** The object that a member is, or that its items are. */
function innerObject(member: Schema): { readonly inner: Schema | undefined; readonly mark: string } {
  const plain = (schema: Schema | undefined) => (schema?.properties === undefined ? undefined : schema);
  if (member.type === "array") return { inner: plain(member.items), mark: "[]" };
  const [nullable] = member.anyOf?.length === 2 && member.anyOf[1]?.type === "null" ? member.anyOf : [];
  return { inner: plain(nullable ?? member), mark: "" };
}

function objectType({ properties, patternProperties, additionalProperties }: Schema): Html {
  if (properties !== undefined && Object.keys(properties).length > 0) return html`object`;
  const [values] = Object.values(patternProperties ?? {});
  const of = values ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
  return of === undefined ? html`object` : html`map of ${typeHtml(of)}`;
}

function limitsOf({ minLength, maxLength, minimum, maximum, type }: Schema): string {
  if (type === "string" && maxLength !== undefined) return `, ${minLength ?? 0} to ${maxLength} characters`;
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) return `, ${minimum ?? 0} to ${maximum}`;
  return "";
}

function codeOf(value: unknown): Html {
  return html`<code>${String(value)}</code>`;
}

function separated(parts: readonly Html[], separator: string): (Html | string)[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [separator, part]));
}
