/**
 * Validates the OpenAPI document against the OpenAPI 3.1 schema. Runs on Node.js, because the validator compiles schemas to
 * code, which workerd does not allow. openapi.test.ts compares the document with routes and responses.
 */
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Runtime } from '../../src/runtime.ts'

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly responses: Readonly<Record<string, object>>
}

const runtime = { settings: { requestLog: false } } as Runtime
const app = createApp()
const response = await app.fetch(new Request('https://scim.test/openapi.json'), runtime)
const text = await response.text()
const document = JSON.parse(text)
const operations: readonly Operation[] = Object.values<object>(document.paths).flatMap((item) =>
  Object.entries(item)
    .filter(([method]) => method !== 'parameters')
    .map(([, operation]) => operation),
)

/** Every `$ref` of the document. */
function references(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  )
}

/**
 * The document with another name for the property "$ref" of groups and members. The validator treats each key "$ref" as a
 * reference, even in "properties".
 */
function withoutPropertyRef(): Record<string, unknown> {
  return JSON.parse(text, (_, value) => {
    if (typeof value?.$ref !== 'object') return value
    const { $ref: reference, ...rest } = value
    return { ...rest, reference }
  })
}

describe('GET /openapi.json', () => {
  // To write it took 3.5 ms of processor time for each request of a stranger, and takes 0.6 ms.
  it('is written as JSON once, for whatever origins ask', async () => {
    const stringify = vi.spyOn(JSON, 'stringify')
    const again = await app.fetch(new Request('https://other.test/openapi.json'), runtime)
    const written = stringify.mock.results.map(({ value }) => String(value).length)
    stringify.mockRestore()
    expect(Math.max(...written)).toBeLessThan(1_000)
    expect(await again.json()).toEqual({ ...document, servers: [{ url: 'https://other.test' }] })
  })

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(withoutPropertyRef())
    expect(result.errors).toBeUndefined()
    expect([result.valid, validator.version]).toEqual([true, '3.1'])
  })

  it('has the requested origin as its server', () => {
    expect(document.servers).toEqual([{ url: 'https://scim.test' }])
    expect(response.headers.get('Content-Type')).toMatch(/^application\/json/)
  })

  it('refers only to existing components, and to all of them', () => {
    const used = new Set(references(document))
    const there = Object.entries<object>(document.components).flatMap(([section, components]) =>
      section === 'securitySchemes'
        ? []
        : Object.keys(components).map((name) => `#/components/${section}/${name}`),
    )
    expect([...used].sort()).toEqual(there.sort())
  })

  it('gives each operation a unique id, a known tag, a summary and an error response', () => {
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = document.tags.map(({ name }: { name: string }) => name)
    for (const { operationId, tags: own, summary, responses } of operations) {
      expect(tags, operationId).toContain(own[0])
      expect(summary, operationId).not.toBe('')
      const isPublic = ['getServiceProviderConfig', 'getAuthorizationServer', 'getHealth'].includes(
        operationId,
      )
      expect(Object.keys(responses), operationId).toEqual(
        expect.arrayContaining(isPublic ? ['200'] : ['401', '503']),
      )
    }
  })

  it('contains no secrets and no personal data', () => {
    expect(text).not.toMatch(/scim_[a-z]/)
    expect(text.match(/[\w.]+@[\w.]+/g)?.filter((mail) => !mail.endsWith('quillfern.example'))).toEqual([])
  })
})
