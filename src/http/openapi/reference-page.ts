import { ERRORS } from "../../errors.ts";
import { curlOf } from "./curl.ts";
import { type Html, html, prose } from "./html.ts";
import { REFERENCE_STYLE } from "./reference-style.ts";
import { membersHtml, typeHtml } from "./schema-html.ts";
import type { Content, OpenApiDocument, Operation, Response, Schema } from "./types.ts";

export { REFERENCE_STYLE };

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The API's description as one page: every route by its theme, every shape, every code of a refusal. */
export function referencePage(document: OpenApiDocument): Html {
  const { info, components } = document;
  const themes = document.tags
    .map((tag) => ({ ...tag, routes: routesOf(document, tag.name) }))
    .filter(({ routes }) => routes.length > 0);
  const schemas = Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
${REFERENCE_STYLE.element}
</head>
<body>
<nav aria-label="Contents">
<a href="#top"><strong>${info.title} API</strong></a> <span class="soft">${info.version}</span>
${themes.map(
  ({ name, routes }) => html`<h2><a href="#${anchor(name)}">${name}</a></h2>
<ul>${routes.map(contentsLine)}</ul>`,
)}
<h2><a href="#schemas">Schemas</a></h2>
<ul>${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}</ul>
<h2><a href="#problems">Problems</a></h2>
</nav>
<main id="top">
<h1>${info.title} API</h1>
<p>${info.description}</p>
<p>The same for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI ${document.openapi}).
The examples expect <code>VOUCHSAFE_SERVER</code> and <code>VOUCHSAFE_TOKEN</code> in the environment.</p>
${authenticationHtml(document)}
${themes.map(
  ({ name, description, routes }) => html`<section id="${anchor(name)}"><h2>${name}</h2>
<p>${description}</p>
${routes.map((route) => routeHtml(route, document))}</section>`,
)}
<section id="schemas"><h2>Schemas</h2>
${schemas.map(([name, schema]) => schemaHtml(name, schema))}</section>
${problemsHtml()}
</main>
</body>
</html>
`;
}

function routesOf({ paths }: OpenApiDocument, tag: string): Route[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes(tag))
      .map(([method, operation]) => ({ method, path, operation })),
  );
}

function contentsLine({ method, path, operation }: Route): Html {
  return html`<li><a href="#${operation.operationId}"><span class="method ${method}">${method}</span>${path}</a></li>`;
}

function authenticationHtml({ components }: OpenApiDocument): Html {
  return html`<section id="authentication"><h2>Authentication</h2>
<p>Routes name the roles of which a caller needs one; routes without roles are for anybody.</p>
<div class="scroll"><table><tbody>${Object.entries(components.securitySchemes).map(
    ([name, scheme]) =>
      html`<tr><td><code>${name}</code></td><td>${scheme.scheme ?? scheme.type}</td><td>${prose(scheme.description)}</td></tr>`,
  )}</tbody></table></div></section>`;
}

function routeHtml(route: Route, document: OpenApiDocument): Html {
  const { method, path, operation } = route;
  const { operationId, summary, description, responses, requestBody } = operation;
  const roles = operation["x-roles"];
  // The last sentence of the description says the roles, which stand below it here.
  const said = description?.replace(/ ?Roles: [^.]*\.$/, "");
  return html`<article id="${operationId}">
<h3><span class="method ${method}">${method}</span><a href="#${operationId}"><code>${path}</code></a></h3>
<p>${prose(summary)}.</p>
${said ? html`<p class="soft">${prose(said)}</p>` : undefined}
<p>${roles?.map((role) => html`<span class="role">${role}</span>`) ?? html`<span class="role">anybody</span>`}</p>
${parametersHtml(operation, document)}
${requestBody ? html`<h4>Body</h4>${contentHtml(requestBody.content)}` : undefined}
<h4>Answers</h4>
${Object.entries(responses).map(([status, response]) => answerHtml(status, response))}
<h4>Example</h4>
<pre><code>${curlOf(route, document)}</code></pre>
</article>`;
}

function parametersHtml({ parameters = [] }: Operation, { components }: OpenApiDocument): Html | undefined {
  if (parameters.length === 0) return undefined;
  const all = parameters.map((one) => components.parameters[one.$ref?.split("/").at(-1) ?? ""] ?? one);
  return html`<h4>Parameters</h4>
<div class="scroll"><table><tbody>${all.map(
    (one) =>
      html`<tr><td><code>${one.name}</code> <span class="soft">${one.in}</span>${
        one.required && html` <span class="must">required</span>`
      }</td><td>${typeHtml(one.schema)}</td><td>${prose(one.description ?? one.schema.description)}</td></tr>`,
  )}</tbody></table></div>`;
}

function answerHtml(status: string, { $ref, description, content }: Response): Html | undefined {
  if ($ref !== undefined) {
    // One line for both families of refusals.
    if (status !== "4XX") return undefined;
    return html`<p><strong>4XX, 5XX</strong> <a href="#problems">a problem</a></p>`;
  }
  return html`<p><strong>${status}</strong> ${prose(description)}</p>${content && contentHtml(content)}`;
}

/** Media types of one shape stand together. */
function contentHtml(content: Content): Html {
  const byShape = Map.groupBy(Object.entries(content), ([, { schema }]) => JSON.stringify(schema));
  return html`${[...byShape.values()].map((same) => {
    const schema = same[0]?.[1].schema;
    return html`<p>${same.map(([mediaType]) => html`<code>${mediaType}</code> `)}${
      schema?.properties === undefined && schema !== undefined && typeHtml(schema)
    }</p>${schema?.description && html`<p class="soft">${prose(schema.description)}</p>`}${
      schema?.properties !== undefined && membersHtml(schema)
    }`;
  })}`;
}

function schemaHtml(name: string, schema: Schema): Html {
  return html`<article id="schema-${name}"><h3><a href="#schema-${name}">${name}</a></h3>
<p class="soft">${prose(schema.description)}</p>
${membersHtml(schema)}</article>`;
}

function problemsHtml(): Html {
  return html`<section id="problems"><h2>Problems</h2>
<p>What could not be done is answered as <code>application/problem+json</code> (RFC 9457), with one of these codes.
A policy's denial is no problem but an answer. 429 and 503 carry <code>Retry-After</code>.</p>
<div class="scroll"><table><thead><tr><th>Code</th><th>Status</th><th>What it says</th></tr></thead>
<tbody>${Object.entries(ERRORS).map(
    ([code, { status, title }]) =>
      html`<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
  )}</tbody></table></div></section>`;
}

function anchor(name: string): string {
  return name.toLowerCase().replaceAll(" ", "-");
}
