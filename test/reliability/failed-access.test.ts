/**
 * Failed access: the answer is the same whatever is wrong with a token, and inside the reason is known. The administrator
 * finds it in the log of the tenant that the token names, and a stranger can neither fill that log nor make the server
 * work by naming tenants.
 */
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/storage/database/database.ts'
import { Browser, textOf } from '../support/dashboard.ts'
import { admin, Client, newClient, newToken, USER } from '../support/harness.ts'
import { labRuntime, sendTo } from '../support/lab.ts'

const WELL_FORMED = 'A'.repeat(43)

let minute = Math.floor(Date.now() / 60_000)

/** A minute that no other test has. */
function newMinute(): number {
  return ++minute * 60_000
}

/** An isolate whose clock and timer are in the test's hand. */
function newIsolate(now = newMinute()) {
  const tasks: (() => Promise<void>)[] = []
  const batches: number[] = []
  const runtime = labRuntime({
    now: () => now,
    later: (_ms, task) => tasks.push(task),
    openDatabase: (_name, figures) => {
      const db = openDatabase(env.DB, figures)
      return {
        batch: (statements) => {
          batches.push(statements.length)
          return db.batch(statements)
        },
      }
    },
    settings: { ...labRuntime().settings, requestLog: true },
  })
  return {
    tasks,
    batches,
    /** Lets the time pass after which what was noted is written. */
    settle: async () => {
      for (const task of tasks.splice(0)) await task()
    },
    /** @returns what the answer tells the client, and what the request log says */
    ask: async (token: string | undefined, method = 'GET', path = '/Users') => {
      const line = vi.spyOn(console, 'log').mockImplementation(() => undefined)
      const headers = {
        ...(token && { Authorization: `Bearer ${token}` }),
        'CF-Connecting-IP': crypto.randomUUID(),
        'Content-Type': 'application/scim+json',
      }
      const body = method === 'GET' ? null : JSON.stringify({ schemas: [USER], userName: 'ada' })
      const request = new Request(`https://scim.test/scim/v2${path}`, { method, headers, body })
      const answer = await sendTo(runtime, request)
      const { refused, tenant } = JSON.parse(String(line.mock.lastCall?.[0]))
      line.mockRestore()
      return {
        status: answer.status,
        challenge: answer.headers.get('WWW-Authenticate'),
        text: await answer.text(),
        refused,
        tenant,
      }
    },
  }
}

/** A tenant with a token that is unknown, one that was revoked, one that has expired, and one that is cut off. */
async function badTokens() {
  const { tenantId, token } = await newClient()
  const [revoked, expired] = [
    await newToken(tenantId, { name: 'old' }),
    await newToken(tenantId, { name: 'older' }),
  ]
  await admin('DELETE', `/tenants/${tenantId}/tokens/${revoked.id}`)
  await env.DB.prepare('UPDATE tokens SET expires_at = 1 WHERE id = ?1').bind(expired.id).run()
  const tokens = {
    malformed: token.slice(0, -1),
    unknown: `scim_${tenantId}_${WELL_FORMED}`,
    revoked: revoked.token as string,
    expired: expired.token as string,
  }
  return { client: new Client(tenantId, token), tokens, revoked, expired }
}

describe('a token that is refused', () => {
  it('is answered the same, and the line of the request says why', async () => {
    const [{ client, tokens }, isolate] = [await badTokens(), newIsolate()]
    const answers = []
    for (const [reason, token] of Object.entries(tokens)) {
      const { refused, tenant, ...answer } = await isolate.ask(token)
      expect([refused, tenant]).toEqual([reason, client.tenantId])
      answers.push(answer)
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject({ status: 401, challenge: 'Bearer realm="scim-worker"' })
    expect(await isolate.ask(undefined)).toMatchObject({ refused: 'malformed', tenant: null })
  })

  it('names a tenant in the line of the request only in the form of a tenant id', async () => {
    const isolate = newIsolate()
    for (const name of ['x'.repeat(41), 'A', 'a b', '"', '1a']) {
      expect(await isolate.ask(`scim_${name}_x`)).toMatchObject({ refused: 'malformed', tenant: null })
    }
  })

  it.for(['importing', 'undoing'])('is in the log of a tenant that is %s', async (state) => {
    const [{ client, tokens }, isolate] = [await badTokens(), newIsolate()]
    const setState = async (to: string) =>
      await env.DB.prepare('UPDATE tenants SET state = ?1 WHERE id = ?2').bind(to, client.tenantId).run()
    await setState(state)
    expect((await isolate.ask(tokens.unknown)).status).toBe(401)
    await isolate.settle()
    await setState('ready')
    expect(await client.log('?resourceType=Client')).toHaveLength(1)
  })

  it('is in the log after the move of its tenant, and not before', async () => {
    const now = newMinute()
    const [{ client, tokens }, other] = [await badTokens(), await badTokens()]
    const isolate = newIsolate(now)
    const entries = async () => await client.log('?outcome=refused&resourceType=Client')
    const setState = async (to: string) =>
      await env.DB.prepare('UPDATE tenants SET state = ?1 WHERE id = ?2').bind(to, client.tenantId).run()
    await setState('moving')
    for (let i = 0; i < 2; i++) await isolate.ask(tokens.revoked)
    await isolate.settle()
    expect(await entries()).toEqual([])
    await setState('ready')
    await isolate.settle()
    expect(await entries()).toEqual([])
    // The next failed access of any tenant in the isolate, when the time of the last write has passed.
    const later = newIsolate(now + 20_000)
    await later.ask(other.tokens.unknown)
    await later.settle()
    expect(await entries()).toMatchObject([{ detail: 'the token was revoked', repeated: 1 }])
    await later.ask(other.tokens.unknown)
    await later.settle()
    expect(await entries()).toHaveLength(1)
  })

  it('says why in the line of a request that only reads and wants to write', async () => {
    const [{ token }, isolate] = [await newClient({ scope: 'read' }), newIsolate()]
    expect(await isolate.ask(token, 'POST')).toMatchObject({ status: 403, refused: 'wrong scope' })
  })

  it.for(['/Users', '/Groups'])('says why when it was valid before: POST %s', async (path) => {
    const [{ tenantId }, isolate] = [await newClient(), newIsolate()]
    const { token, id } = await newToken(tenantId)
    await isolate.ask(token)
    await admin('DELETE', `/tenants/${tenantId}/tokens/${id}`)
    expect(await isolate.ask(token, 'POST', path)).toMatchObject({ status: 401, refused: 'revoked' })
  })

  it('is in the log of its tenant, once for each reason and minute, whoever has seen it', async () => {
    const now = newMinute()
    const { client, tokens, revoked } = await badTokens()
    const isolates = [newIsolate(now), newIsolate(now + 30_000)]
    for (const isolate of isolates) {
      for (const token of Object.values(tokens)) for (let i = 0; i < 3; i++) await isolate.ask(token)
      await isolate.settle()
    }
    const entries = await client.log('?outcome=refused&resourceType=Client')
    expect(entries).toHaveLength(4)
    expect(entries.map(({ repeated }) => repeated)).toEqual([5, 5, 5, 5])
    const details = entries.map(({ detail }) => detail)
    expect(new Set(details).size).toBe(4)
    expect(entries.find(({ tokenId }) => tokenId === revoked.id)).toMatchObject({
      action: 'authenticate',
      resourceType: 'Client',
      status: 401,
      clientId: revoked.clientId,
      clientName: 'old',
      detail: 'the token was revoked',
    })
    expect(entries.find(({ detail }) => detail === 'the token is not one of this tenant')).toMatchObject({
      clientId: null,
      tokenId: null,
      resourceId: null,
    })
  })

  it('is what the page of API keys shows, and does not count as a refused write', async () => {
    const [{ client, tokens }, isolate] = [await badTokens(), newIsolate()]
    await isolate.ask(tokens.revoked)
    await isolate.ask(tokens.unknown)
    await isolate.settle()
    const browser = await new Browser().signIn()
    const keys = textOf((await browser.get(`/admin/tenants/${client.tenantId}/api-keys`)).html)
    expect(keys).toContain('Failed access')
    expect(keys).toContain('the token was revoked')
    expect(keys).toContain('Unknown client')
    const { results } = await env.DB.prepare(
      'SELECT sum(refused) AS refused FROM provisioning_activity WHERE tenant_id = ?1',
    )
      .bind(client.tenantId)
      .all()
    expect(results).toEqual([{ refused: 0 }])
  })
})

describe('a stranger', () => {
  it('costs only the check for each invented tenant, and one statement for all of them later', async () => {
    const isolate = newIsolate()
    const names = Array.from({ length: 600 }, (_, i) => `made-up-${i}`)
    for (const name of names) await isolate.ask(`scim_${name}_${WELL_FORMED}`)
    // Each request has the batch that finds its token unknown.
    expect([isolate.batches.length, isolate.tasks.length]).toEqual([600, 1])
    await isolate.settle()
    expect(isolate.batches.length).toBe(601)
    const { results } = await env.DB.prepare(
      "SELECT count(*) AS count FROM provisioning_log WHERE tenant_id LIKE 'made-up-%'",
    ).all()
    expect(results).toEqual([{ count: 0 }])
  })

  it('keeps the entries of tokens that exist or existed when a stranger invents tenants', async () => {
    const [{ client, tokens }, isolate] = [await badTokens(), newIsolate()]
    for (let i = 0; i < 510; i++) await isolate.ask(`scim_also-made-up-${i}_${WELL_FORMED}`)
    await isolate.ask(tokens.revoked)
    await isolate.settle()
    expect((await client.log('?outcome=refused')).map(({ detail }) => detail)).toEqual([
      'the token was revoked',
    ])
  })

  it('adds no entries for repeated attempts', async () => {
    const now = newMinute()
    const { client, tokens } = await badTokens()
    for (const isolate of [newIsolate(now), newIsolate(now + 20_000), newIsolate(now + 40_000)]) {
      for (let i = 0; i < 20; i++) await isolate.ask(tokens.unknown)
      await isolate.settle()
    }
    expect((await client.log()).map(({ repeated }) => repeated)).toEqual([59])
  })
})
