/**
 * What the Deploy to Cloudflare button reads: descriptions of bindings in package.json, and the secrets in .dev.vars.example.
 * https://developers.cloudflare.com/workers/platform/deploy-buttons/
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** The names of bindings in wrangler.toml, without comments. */
function bindingsOf(toml: string): readonly string[] {
  const lines = toml.split('\n').filter((line) => !line.startsWith('#'))
  const variables = lines.slice(lines.indexOf('[vars]') + 1, lines.indexOf('[observability]'))
  return [
    ...lines.flatMap((line) => /^(?:binding|name) = "([A-Z_\d]+)"$/.exec(line)?.[1] ?? []),
    ...variables.flatMap((line) => /^([A-Z_]+) =/.exec(line)?.[1] ?? []),
  ]
}

/** The variables of the Worker that are secrets, by their names, without those that few need: they are set later. */
const secrets = [
  ...text('src/worker.ts').matchAll(/^ {2}readonly ([A-Z_]*(?:TOKEN|SECRET|KEY))\?: string$/gm),
]
  .map(([, name]) => name)
  .filter((name) => name !== 'OIDC_CLIENT_SECRET')
  .sort()

it('package.json describes each binding and each secret, and nothing else', () => {
  const { cloudflare } = JSON.parse(text('package.json')) as {
    readonly cloudflare: { readonly bindings: Readonly<Record<string, { readonly description: string }>> }
  }
  const bindings = bindingsOf(text('wrangler.toml'))
  expect(bindings).toContain('DB')
  expect(Object.keys(cloudflare.bindings).sort()).toEqual([...bindings, ...secrets].sort())
  for (const { description } of Object.values(cloudflare.bindings))
    expect(description).toMatch(/^[A-Z].{20,}\.\**$/s)
})

it('.dev.vars.example names each secret, without a value', () => {
  const values = parseEnv(text('.dev.vars.example'))
  expect(secrets).toEqual(['ADMIN_TOKEN'])
  expect(Object.keys(values).sort()).toEqual(secrets)
  expect(Object.values(values).filter((value) => value !== '')).toEqual([])
})

it('the migrations of a deployment refer to the binding, because the button lets users name the database', () => {
  expect(JSON.parse(text('package.json')).scripts.deploy).toBe('node src/local/deploy.mjs')
  expect(text('src/local/deploy-worker.mjs')).toContain("['d1', 'migrations', 'apply', binding, '--remote'")
})
