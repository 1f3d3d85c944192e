/**
 * The files of the container, as far as they can be checked without building an image: the commands, settings, users and
 * paths that they name exist, and match. test/release/binary.test.ts runs the binary with the same files as the image.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import metadata from '../../package.json' with { type: 'json' }

const FOLDER = resolve(import.meta.dirname, '..', '..', 'container')
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
/** Each instruction of the last stage of the Dockerfile with its arguments. */
const IMAGE = instructionsOf(read('Dockerfile').split(/^FROM scratch$/m)[1] ?? '')
const SETTINGS = read('../src/self-hosted/settings.ts') + read('../src/settings.ts')
const COMMANDS = read('../src/cli/main.ts')
const COMPOSE = parse(read('compose.yaml')) as Compose

interface Service {
  readonly command?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly volumes: readonly string[]
  readonly ports?: readonly string[]
  readonly user?: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly [name: string]: unknown
}

interface Compose {
  readonly services: Readonly<Record<'scim-worker' | 'litestream', Service>>
  readonly volumes: object
}

describe('the image', () => {
  it('runs as a user without privileges, to whom the folder of the data belongs', () => {
    expect(IMAGE.get('USER')).toEqual(['65532:65532'])
    expect(IMAGE.get('COPY')).toContain('--from=build --chown=65532:65532 --chmod=700 /image/data /data')
    expect(IMAGE.get('VOLUME')).toEqual(['/data'])
  })

  it('has settings that the server knows, and a port that it opens', () => {
    const pairs = (IMAGE.get('ENV')?.[0] ?? '').split(' ').map((pair) => pair.split('='))
    for (const [name] of pairs) expect(SETTINGS).toContain(name)
    expect(Object.fromEntries(pairs)).toMatchObject({ DATA_FOLDER: '/data', PORT: IMAGE.get('EXPOSE')?.[0] })
  })

  it('starts commands that exist, with the binary itself', () => {
    const health = JSON.parse(IMAGE.get('HEALTHCHECK')?.[0]?.replace(/^.* CMD /, '') ?? '') as string[]
    const entry = JSON.parse(IMAGE.get('ENTRYPOINT')?.[0] ?? '') as string[]
    const command = JSON.parse(IMAGE.get('CMD')?.[0] ?? '') as string[]
    expect([health[0], entry]).toEqual(['/scim-worker', ['/scim-worker']])
    for (const name of [health[1], ...command])
      expect(COMMANDS).toMatch(new RegExp(`^ {2}${name}: \\{$`, 'm'))
  })

  it('is built by scripts that exist, without secrets and installed packages of the clone', () => {
    const scripts = [...read('Dockerfile').matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name)
    for (const name of scripts) expect(Object.keys(metadata.scripts)).toContain(name)
    expect(read('Dockerfile.dockerignore').split('\n')).toEqual(
      expect.arrayContaining(['.dev.vars*', 'node_modules', '.git', 'data']),
    )
  })
})

describe('the composition', () => {
  const { 'scim-worker': server, litestream } = COMPOSE.services

  it('gives no service privileges or a file system to write to, except the data', () => {
    for (const service of [server, litestream]) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
      expect(service.security_opt).toEqual(['no-new-privileges:true'])
      expect(service.volumes[0]).toBe('data:/data')
    }
    expect(COMPOSE.volumes).toEqual({ data: null })
  })

  it('has settings that the server knows, and opens its port for this machine alone', () => {
    for (const name of Object.keys(server.environment)) expect(SETTINGS).toContain(`${name}:`)
    expect(server.ports).toEqual([`127.0.0.1:8787:${IMAGE.get('EXPOSE')?.[0]}`])
    expect(resolve(FOLDER, server.build?.context ?? '', server.build?.dockerfile ?? '')).toBe(
      join(FOLDER, 'Dockerfile'),
    )
  })

  it('replicates the database of the server, as its user, with variables that are given', () => {
    const { dbs } = parse(read('litestream.yml')) as { dbs: { path: string; replica: { url: string } }[] }
    expect(dbs).toEqual([{ path: '/data/directory.sqlite', replica: { url: '$REPLICA_URL' } }])
    expect(litestream.user).toBe(IMAGE.get('USER')?.[0])
    expect(Object.keys(litestream.environment)).toContain('REPLICA_URL')
    expect(litestream.volumes[1]).toBe('./litestream.yml:/etc/litestream.yml:ro')
  })
})

function instructionsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const instructions = new Map<string, string[]>()
  for (const [, name = '', rest = ''] of text.matchAll(/^([A-Z]+) (.*)$/gm)) {
    instructions.set(name, [...(instructions.get(name) ?? []), rest])
  }
  return instructions
}
