/** The wire fixtures: Entra's requests step by step, with the expected responses. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../fixtures/entra')

export interface WireStep {
  readonly row?: number
  readonly event: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly request?: unknown
  readonly status: number | readonly number[]
  readonly response?: unknown
  readonly absent?: readonly string[]
  readonly capture?: Readonly<Record<string, string>>
}

export interface WireFixture {
  readonly name: string
  readonly source: string
  readonly quirk?: number | string
  readonly steps: readonly WireStep[]
}

export function readFixture(name: string): WireFixture {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))
}

export function readQuirks(): WireFixture[] {
  return JSON.parse(readFileSync(join(FOLDER, 'quirks.json'), 'utf8'))
}

/** The steps that Entra makes, without set-up and verification. */
export function entraSteps({ steps }: WireFixture, rows: readonly number[]): WireStep[] {
  return steps.filter(({ row, event }) => rows.includes(row ?? 0) && !/^(Check|Setup):/.test(event))
}

/** Replaces every `{{name}}` in a value. */
export function substitute<T>(value: T, names: Readonly<Record<string, string>>): T {
  return JSON.parse(
    JSON.stringify(value).replace(/\{\{(\w+)\}\}/g, (_, name: string) => names[name] ?? `{{${name}}}`),
  )
}
