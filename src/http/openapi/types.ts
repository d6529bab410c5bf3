/** The parts of an OpenAPI 3.1 document that are read here; what else a part holds is passed on. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/** A JSON Schema (draft 2020-12), or a reference to one. */
export interface Schema {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  format?: string;
  pattern?: string;
  enum?: Json[];
  const?: Json;
  examples?: Json[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  additionalProperties?: boolean | Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

export type Content = Record<string, { schema?: Schema }>;

export interface Parameter {
  $ref?: string;
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description?: string;
  /** Where @fastify/swagger puts the first of the schema's. */
  example?: Json;
  schema: Schema;
}

export interface Response {
  $ref?: string;
  description: string;
  content?: Content;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary?: string;
  description?: string;
  /** Any one of them lets in; absent on routes for anybody. */
  "x-roles"?: string[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, Response>;
  security: Record<string, string[]>[];
}

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    parameters: Record<string, Parameter>;
    responses: Record<string, Response>;
    securitySchemes: Record<string, { type: string; description: string; [member: string]: string }>;
  };
}
