import { sampleOf } from "./sample.ts";
import type { OpenApiDocument, Operation, Parameter, Schema } from "./types.ts";

/** A call from a shell, with the server and the token in variables as the command line has them. */
export function curlOf(
  {
    method,
    path,
    operation,
  }: { readonly method: string; readonly path: string; readonly operation: Operation },
  { components: { schemas } }: OpenApiDocument,
): string {
  const sample = ({ example, schema }: Parameter) => String(example ?? sampleOf(schema, schemas));
  const parameters = (operation.parameters ?? []).filter(({ $ref }) => $ref === undefined);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const parameter = parameters.find((one) => one.in === "path" && one.name === name);
    return parameter === undefined ? name : sample(parameter);
  });
  const query = askedOf(parameters.filter((one) => one.in === "query")).map(
    (one) => `${one.name}=${encodeURIComponent(sample(one)).replaceAll("%3A", ":").replaceAll("%2F", "/")}`,
  );
  const url = `$VOUCHSAFE_SERVER${filled}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  const isStream = Object.values(operation.responses).some(({ content }) => content?.["text/event-stream"]);
  const lines = [`curl ${isStream ? "-N " : ""}${verb(method, operation)}"${url}"`];
  if (operation.security.length > 0) lines.push(`  -H "Authorization: Bearer $VOUCHSAFE_TOKEN"`);
  const [mediaType, body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (mediaType !== undefined)
    lines.push(`  -H "Content-Type: ${mediaType}"`, `  ${payload(body?.schema, schemas)}`);
  return lines.join(" \\\n");
}

/** What must be asked; where nothing must, the first that we have an example of. */
function askedOf(parameters: readonly Parameter[]): readonly Parameter[] {
  const required = parameters.filter((one) => one.required === true);
  const [first] = parameters.filter(({ example }) => example !== undefined);
  return required.length > 0 || first === undefined ? required : [first];
}

function verb(method: string, { requestBody }: Operation): string {
  const isImplied = method === "get" || (method === "post" && requestBody !== undefined);
  return isImplied ? "" : `-X ${method.toUpperCase()} `;
}

/** A body that is not described is a file. */
function payload(schema: Schema | undefined, schemas: Readonly<Record<string, Schema>>): string {
  const isDescribed = schema !== undefined && ["$ref", "type", "anyOf"].some((member) => member in schema);
  if (!isDescribed) return "--data-binary @FILE";
  const json = JSON.stringify(sampleOf(schema, schemas));
  return `-d '${json.replaceAll("'", "'\\''")}'`;
}
