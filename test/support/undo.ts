/** Undoes what clients did, for tests. */
import { expect, vi } from 'vitest'
import { type Answer, admin, type Client } from './harness.ts'

/** The id of the client that a token of a harness client belongs to. */
export async function clientIdOf(client: Client): Promise<string> {
  const { body } = await admin('GET', `/tenants/${client.tenantId}/tokens`)
  return body.tokens[0].clientId
}

/** Another client of the same tenant, and its id. */
export async function anotherClient(
  of: Client,
  name: string,
): Promise<{ readonly token: string; readonly id: string }> {
  const { body } = await admin('POST', `/tenants/${of.tenantId}/tokens`, {
    name,
    scope: 'provision',
    expiresAt: null,
  })
  return { token: body.token, id: body.clientId }
}

export interface Window {
  readonly clientId: string
  readonly from: string
  readonly to: string
}

/** All time. */
export const EVER = { from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }

export const preview = async ({ tenantId }: Client, window: Window): Promise<Answer> =>
  await admin('POST', `/tenants/${tenantId}/undo`, { ...window, preview: true })

export const undo = async ({ tenantId }: Client, window: Window): Promise<Answer> =>
  await admin('POST', `/tenants/${tenantId}/undo`, window)

/** Undoes, and waits for the end. @returns the result, all pages of it */
export async function undone(client: Client, window: Window) {
  const { status, body: job } = await undo(client, window)
  expect(status, JSON.stringify(job)).toBe(202)
  return await resultOf(client, job.id)
}

/** The result of an undo, when it has ended. */
export async function resultOf({ tenantId }: Client, jobId: string) {
  const path = `/tenants/${tenantId}/undo/${jobId}`
  await vi.waitFor(
    async () => {
      const { body } = await admin('GET', `/tenants/${tenantId}/jobs/${jobId}`)
      expect(body.state, JSON.stringify(body)).not.toBe('running')
    },
    { timeout: 60_000, interval: 50 },
  )
  const resources = []
  for (let cursor = ''; ; ) {
    const { body } = await admin('GET', `${path}${cursor}`)
    resources.push(...body.resources)
    if (body.nextCursor === null)
      return { job: body.job, resources, left: resources.flatMap(({ left }) => left) }
    cursor = `?cursor=${body.nextCursor}`
  }
}
