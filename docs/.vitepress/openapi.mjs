/**
 * The OpenAPI document of the server as Markdown: each operation under its tag, then the schemas.
 */
import { Hono } from 'hono'
import { openapi } from '../../src/http/openapi.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'

/** @typedef {Record<string, any>} Json a part of the document */

/** The document that the server answers with, without a token. */
async function openapiDocument() {
  const app = new Hono()
    .use((c, next) => {
      c.set('resourceTypes', RESOURCE_TYPES)
      return next()
    })
    .route('/openapi.json', openapi)
  const response = await app.request('https://scim.example.com/openapi.json', undefined, {})
  return await response.json()
}

export async function openapiMarkdown() {
  const document = await openapiDocument()
  return [
    ...document.tags.map((tag) => tagMarkdown(tag, document)),
    '## Deliveries of webhooks',
    ...Object.entries(document.webhooks).map(([type, { post }]) =>
      operationMarkdown({ title: type, operation: { parameters: [], ...post } }, document),
    ),
    '## Schemas',
    ...Object.entries(document.components.schemas).map(schemaMarkdown),
  ].join('\n\n')
}

/**
 * @param {Json} tag
 * @param {Json} document
 */
function tagMarkdown({ name, description }, document) {
  const operations = Object.entries(document.paths).flatMap(([path, item]) => operationsOf(path, item))
  const ofTag = operations.filter(({ operation }) => operation.tags?.includes(name))
  return [`## ${name}`, text(description), ...ofTag.map((one) => operationMarkdown(one, document))].join(
    '\n\n',
  )
}

/**
 * @param {string} path
 * @param {Json} item
 */
function operationsOf(path, { parameters = [], ...methods }) {
  return Object.entries(methods).map(([method, operation]) => ({
    title: `${method.toUpperCase()} ${path}`,
    operation: { ...operation, parameters: [...parameters, ...(operation.parameters ?? [])] },
  }))
}

/**
 * @param {{ title: string, operation: Json }} one
 * @param {Json} document
 */
function operationMarkdown({ title, operation }, document) {
  const { summary = '', description = '', parameters, requestBody, responses = {} } = operation
  return [
    `### \`${title}\``,
    text(`${summary}${summary === '' || description === '' ? '' : '. '}${description}`),
    parametersMarkdown(parameters.map((one) => resolved(one, document))),
    ...(requestBody === undefined ? [] : [`Body: ${contentOf(resolved(requestBody, document))}`]),
    responsesMarkdown(responses, document),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** @param {Json[]} parameters */
function parametersMarkdown(parameters) {
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    ({ name, in: place, description, schema }) =>
      `| \`${name}\` | ${place} | ${typeOf(schema)} | ${cell(description)} |`,
  )
  return ['| Parameter | In | Type | Meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/**
 * @param {Json} responses
 * @param {Json} document
 */
function responsesMarkdown(responses, document) {
  const rows = Object.entries(responses).map(([status, response]) => {
    const found = resolved(response, document)
    return `| ${status} | ${cell(found.description)} | ${contentOf(found)} |`
  })
  return ['| Status | Meaning | Content |', '|---|---|---|', ...rows].join('\n')
}

/** @param {Json} holder of `content` */
function contentOf({ content = {} }) {
  const types = Object.entries(content).map(([type, { schema }]) => `${typeOf(schema)} as \`${type}\``)
  return [...new Set(types)].join(', ')
}

/** @param {[string, Json]} named */
function schemaMarkdown([name, schema]) {
  const rows = Object.entries(schema.properties ?? {}).map(
    ([property, its]) =>
      `| \`${property}\` | ${typeOf(its)} | ${schema.required?.includes(property) ? 'yes' : ''} | ${cell(its.description)} |`,
  )
  const table = ['| Member | Type | Required | Meaning |', '|---|---|---|---|', ...rows].join('\n')
  const whole = rows.length > 0 ? table : `Type: ${typeOf(schema)}`
  return [`### ${name} {#${schemaAnchor(name)}}`, text(schema.description), whole]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Other headings have the names of schemas too. @param {string} name */
function schemaAnchor(name) {
  return `schema-${name.toLowerCase()}`
}

/**
 * A short name of a schema, with links to the schemas that it refers to.
 *
 * @param {Json | undefined} schema
 * @returns {string}
 */
function typeOf(schema = {}) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1)
    return `[${name}](#${schemaAnchor(name)})`
  }
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${JSON.stringify(one)}\``).join(' or ')
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  const choices = schema.oneOf ?? schema.anyOf ?? schema.allOf
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(schema.allOf ? ' and ' : ' or ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items)}`
  return [schema.type ?? 'any'].flat().join(' or ')
}

/**
 * @param {Json} value
 * @param {Json} document
 */
function resolved(value, document) {
  if (value.$ref === undefined) return value
  return value.$ref
    .replace('#/', '')
    .split('/')
    .reduce((part, key) => part[key], document)
}

/** Text of the document as text of a page: it is not HTML. */
function text(words = '') {
  return words.replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;')
}

function cell(words = '') {
  return text(words).replaceAll('|', '\\|').replaceAll('\n', ' ')
}
