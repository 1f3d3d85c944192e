/**
 * Replays the traffic of an identity provider: JSON fixtures of requests and expected responses. `{{NAME}}` in a path, a
 * request or a response is replaced by a value that an earlier step captured.
 */
import { expect } from 'vitest'
import type { Answer, Client } from './harness.ts'

/** One request of a fixture, and the expected response. */
export interface Step {
  readonly event: string
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly request?: unknown
  /** The expected status, or several that the client treats alike. */
  readonly status: number | readonly number[]
  /** A subset of the expected body. Arrays are compared element by element. */
  readonly response?: unknown
  /** Keys that must be missing. `Resources.members` applies to each resource of a list. */
  readonly absent?: readonly string[]
  /** Values to capture for later steps: the key in the body, by name. */
  readonly capture?: Readonly<Record<string, string>>
}

/** Sends the steps in order and checks each response. */
export async function replay(client: Client, steps: readonly Step[]): Promise<void> {
  const captured = new Map<string, string>()
  for (const [i, step] of steps.entries()) {
    const { method, path, request, headers, status, response, absent, capture } = fill(step, captured)
    const answer = await client.request(method, path, request, headers)
    const what = `step ${i + 1}, ${step.event}: ${method} ${path} answered ${JSON.stringify(answer.body)}`
    expect([status].flat(), what).toContain(answer.status)
    if (response !== undefined && answer.body !== undefined)
      expect(answer.body, what).toMatchObject(response as object)
    for (const key of absent ?? []) expectAbsent(answer, key, what)
    for (const [name, key] of Object.entries(capture ?? {})) captured.set(name, answer.body[key])
  }
}

/**
 * Sends the steps in order until the first with an unexpected status.
 *
 * @returns its event, status and scimType; undefined if all statuses are expected
 */
export async function firstRefusal(
  client: Client,
  steps: readonly Step[],
): Promise<readonly [event: string, status: number, scimType: string | undefined] | undefined> {
  const captured = new Map<string, string>()
  for (const step of steps) {
    const { event, method, path, request, headers, status, capture } = fill(step, captured)
    const answer = await client.request(method, path, request, headers)
    if (![status].flat().includes(answer.status)) return [event, answer.status, answer.body?.scimType]
    for (const [name, key] of Object.entries(capture ?? {})) captured.set(name, answer.body[key])
  }
  return undefined
}

function fill(step: Step, captured: ReadonlyMap<string, string>): Step {
  const text = JSON.stringify(step).replace(/\{\{(\w+)\}\}/g, (_, name) => {
    const value = captured.get(name)
    if (value === undefined) throw new Error(`${step.event}: nothing was captured as ${name}`)
    return value
  })
  return JSON.parse(text) as Step
}

function expectAbsent({ body }: Answer, key: string, what: string): void {
  const inResources = /^Resources\.(.+)/.exec(key)?.[1]
  if (inResources === undefined) expect(body, what).not.toHaveProperty([key])
  else for (const resource of body.Resources) expect(resource, what).not.toHaveProperty([inResources])
}
