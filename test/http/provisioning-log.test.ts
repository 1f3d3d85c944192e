import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import worker from '../../src/worker.ts'
import { addLogEntries } from '../support/crowd.ts'
import { admin, Client, costOf, newClient, newToken, USER } from '../support/harness.ts'

describe('the provisioning log', () => {
  it('has the action, resource, token and changed attributes of each write, newest first', async () => {
    const client = await newClient()
    const user = await client.createUser({ userName: 'mirela@quillfern.example', displayName: 'Mirela' })
    await client.patch(`/Users/${user.id}`, { op: 'Replace', path: 'displayName', value: 'Mirela O.' })
    await client.patch(`/Users/${user.id}`, { op: 'Replace', path: 'active', value: 'False' })
    await client.patch(`/Users/${user.id}`, { op: 'Replace', path: 'active', value: 'True' })
    const group = await client.createGroup({ displayName: 'Field Crew' })
    await client.patch(`/Groups/${group.id}`, { op: 'Add', path: 'members', value: [{ value: user.id }] })
    await client.patch(`/Groups/${group.id}`, { op: 'Remove', path: 'members', value: [{ value: user.id }] })
    await client.request('DELETE', `/Groups/${group.id}`)
    await client.request('DELETE', `/Users/${user.id}`)
    const log = await client.log()
    expect(
      log.map((entry) => `${entry.action} ${entry.resourceType} ${entry.resourceName} ${entry.status}`),
    ).toEqual([
      'delete User mirela@quillfern.example 204',
      'delete Group Field Crew 204',
      'remove member Group Field Crew 204',
      'add member Group Field Crew 204',
      'create Group Field Crew 201',
      'enable User mirela@quillfern.example 200',
      'disable User mirela@quillfern.example 200',
      'update User mirela@quillfern.example 200',
      'create User mirela@quillfern.example 201',
    ])
    expect(log[7]?.changes).toEqual([{ attribute: 'displayName', old: 'Mirela', new: 'Mirela O.' }])
    expect(log[6]?.changes).toEqual([{ attribute: 'active', old: true, new: false }])
    expect(log[3]?.changes).toEqual([{ attribute: 'members', new: [user.id] }])
    expect(log[2]?.changes).toEqual([{ attribute: 'members', old: [user.id] }])
    for (const entry of log) {
      expect(entry).toMatchObject({ outcome: 'accepted', tokenName: 'Test', requestId: expect.any(String) })
      expect(Date.parse(String(entry.time))).toBeGreaterThan(Date.now() - 60_000)
    }
  })

  it('pages by cursor and filters by type, outcome and text', async () => {
    const client = await newClient()
    for (let i = 0; i < 101; i++) await client.createUser({ userName: `user-${i}@quillfern.example` })
    await client.request('POST', '/Users', { schemas: [USER] })
    await client.createGroup({ displayName: 'Crew 100%' })
    const first = (await admin('GET', `/tenants/${client.tenantId}/log`)).body
    const second = (await admin('GET', `/tenants/${client.tenantId}/log?cursor=${first.nextCursor}`)).body
    expect([first.entries.length, second.entries.length, second.nextCursor]).toEqual([100, 3, null])
    expect((await client.log('?outcome=refused')).map((entry) => entry.status)).toEqual([400])
    expect(await client.log('?resourceType=Group')).toHaveLength(1)
    expect(await client.log('?q=CREW+100%25')).toHaveLength(1)
    expect(await client.log('?q=user-7@')).toHaveLength(1)
    expect((await admin('GET', `/tenants/${client.tenantId}/log?outcome=odd`)).body.error).toMatchObject({
      field: 'outcome',
    })
  })

  it('reads a limited number of entries for each page of the API, and continues by cursor', async () => {
    const client = await newClient()
    await client.createUser({ userName: 'needle@quillfern.example' })
    await addLogEntries(client.tenantId, 2_500, Date.now() + 60_000)
    const pages: number[] = []
    for (let cursor = ''; ; ) {
      const { entries, nextCursor } = (
        await admin('GET', `/tenants/${client.tenantId}/log?q=needle&cursor=${cursor}`)
      ).body
      pages.push(entries.length)
      if (nextCursor === null) break
      cursor = nextCursor
    }
    expect(pages).toEqual([0, 0, 1])
    expect((await admin('GET', `/tenants/${client.tenantId}/log?q=needle`)).body.nextCursor).toBeTypeOf(
      'string',
    )
  })

  it('ends a page of the API after 4 MiB, and continues by cursor', async () => {
    const client = await newClient()
    await addLogEntries(client.tenantId, 150, Date.now())
    // Lists of users that have grown and shrunk, beyond ASCII.
    const changes = JSON.stringify([
      { attribute: 'emails', old: 'é'.repeat(30_000), new: 'ê'.repeat(30_000) },
    ])
    await env.DB.prepare('UPDATE provisioning_log SET changes = ?2 WHERE tenant_id = ?1')
      .bind(client.tenantId, changes)
      .run()
    for (const query of ['', 'q=quest&']) {
      const ids = new Set<string>()
      const pages: number[] = []
      for (let cursor = ''; ; ) {
        const { entries, nextCursor } = (
          await admin('GET', `/tenants/${client.tenantId}/log?${query}${cursor && `cursor=${cursor}`}`)
        ).body
        pages.push(entries.length)
        for (const { id } of entries) ids.add(id)
        if (nextCursor === null) break
        cursor = nextCursor
      }
      expect(ids.size).toBe(150)
      expect(Math.max(...pages)).toBeLessThanOrEqual(1 + (4 * 1024 * 1024) / 120_000)
      expect(pages.length).toBeLessThanOrEqual(6)
    }
  })

  it('has one entry for the refused reads of a client, reason and minute, which no chart counts', async () => {
    const client = await newClient()
    const answers = [
      await client.filter('/Users', 'userName eq'),
      await client.filter('/Users', 'userName zz "x"'),
      await client.request('POST', '/Users/.search', { filter: '(' }),
    ]
    expect(answers.map(({ status, body }) => [status, body.scimType])).toEqual(
      answers.map(() => [400, 'invalidFilter']),
    )
    expect(answers.map((answer) => costOf(answer).roundTrips)).toEqual([1, 1, 1])
    await client.get('/Groups?sortBy=nothing&sortOrder=sideways')
    await client.get('/Users/nobody')
    const log = (await client.log()).map(({ action, resourceType, status, repeated }) => [
      action,
      resourceType,
      status,
      repeated,
    ])
    // A minute may end between two of the reads.
    const of = (type: string) => log.filter(([, name]) => name === type)
    expect(of('User').reduce((sum, [, , , repeated]) => sum + Number(repeated) + 1, 0)).toBe(3)
    expect(of('Group').every(([action, , status]) => action === 'read' && status === 400)).toBe(true)
    const counted = await env.DB.prepare(
      'SELECT coalesce(sum(refused), 0) AS refused FROM provisioning_activity WHERE tenant_id = ?',
    )
      .bind(client.tenantId)
      .first('refused')
    expect(counted).toBe(0)
  })

  it('has no entry for a refused read with a token that is not valid', async () => {
    const { tenantId } = await newClient()
    const { id, token } = await newToken(tenantId)
    await admin('DELETE', `/tenants/${tenantId}/tokens/${id}`)
    const client = new Client(tenantId, token)
    expect((await client.filter('/Users', 'userName eq')).status).toBe(401)
    expect((await client.log()).map(({ action }) => action)).not.toContain('read')
  })

  it('is pruned by the cron trigger after the retention time', async () => {
    const client = await newClient()
    await client.createUser()
    // One day at a time, because a jump of the clock is not accepted at once (test/http/log-retention.test.ts).
    let day = 0
    const runUntil = async (lastDay: number) => {
      while (day < lastDay) {
        day++
        const scheduledTime = new Date(Date.now() + day * 86_400_000)
        await worker.scheduled(createScheduledController({ scheduledTime }), env)
      }
    }
    await runUntil(29)
    expect(await client.log()).toHaveLength(1)
    await runUntil(31)
    expect(await client.log()).toHaveLength(0)
  })
})
