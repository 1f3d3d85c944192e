/**
 * The health of a client, from its contacts and the time alone.
 */
import { describe, expect, it } from 'vitest'
import { type ClientFacts, healthOf, NO_FACTS } from '../../src/scim/client-health.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const START = Date.UTC(2026, 10, 2)

/** A client with contacts after these pauses, whose last request is the last contact. */
function clientAfter(pauses: readonly number[], more: Partial<ClientFacts> = {}): ClientFacts {
  const contacts = [START]
  for (const pause of pauses) contacts.push((contacts.at(-1) ?? 0) + pause)
  return { ...NO_FACTS, contacts, lastProvisioningAt: contacts.at(-1) ?? null, ...more }
}

function stateAfter(facts: ClientFacts, silence: number) {
  return healthOf(facts, (facts.lastProvisioningAt ?? START) + silence).state
}

describe('healthOf', () => {
  it.for<[name: string, pause: number]>([
    ['every 40 minutes', 40 * MINUTE_MS],
    ['every hour', HOUR_MS],
    ['every day', 24 * HOUR_MS],
  ])('finds a client that comes %s late after two of its intervals, and silent after three', ([, pause]) => {
    const facts = clientAfter(Array(20).fill(pause))
    expect(healthOf(facts, START)).toMatchObject({ cadence: 'observed', usualIntervalMs: pause })
    expect(stateAfter(facts, 2 * pause - 1)).toBe('healthy')
    expect(stateAfter(facts, 2 * pause)).toBe('late')
    expect(stateAfter(facts, 3 * pause - 1)).toBe('late')
    expect(stateAfter(facts, 3 * pause)).toBe('silent')
  })

  it('says nothing about the cadence of a client with two intervals, unless it is Entra', () => {
    const two = clientAfter([HOUR_MS, HOUR_MS])
    expect(healthOf(two, START)).toMatchObject({ cadence: 'assumed', usualIntervalMs: null })
    expect(stateAfter(two, 47 * HOUR_MS)).toBe('healthy')
    expect(stateAfter(two, 72 * HOUR_MS)).toBe('silent')
    const entra = { ...two, isEntra: true }
    expect(healthOf(entra, START)).toMatchObject({ cadence: 'assumed', usualIntervalMs: 40 * MINUTE_MS })
    expect(stateAfter(entra, 2 * HOUR_MS)).toBe('silent')
    const three = clientAfter([HOUR_MS, HOUR_MS, HOUR_MS], { isEntra: true })
    expect(healthOf(three, START)).toMatchObject({ cadence: 'observed', usualIntervalMs: HOUR_MS })
  })

  it('expects the long pauses of a client that comes at irregular times', () => {
    const weekends = [...Array(17).fill(HOUR_MS), ...Array(3).fill(60 * HOUR_MS)]
    const facts = clientAfter(weekends)
    expect(healthOf(facts, START).usualIntervalMs).toBe(HOUR_MS)
    expect(stateAfter(facts, 60 * HOUR_MS)).toBe('healthy')
  })

  it('does not expect one outage again', () => {
    const facts = clientAfter([...Array(19).fill(40 * MINUTE_MS), 50 * HOUR_MS])
    expect(stateAfter(facts, 2 * HOUR_MS)).toBe('silent')
  })

  it('is "new" before the first provisioning request', () => {
    expect(healthOf(NO_FACTS, START)).toMatchObject({ state: 'new', since: null, usualIntervalMs: null })
  })

  it('is "failing" from four refused writes in ten, and not with fewer writes', () => {
    const facts = clientAfter([HOUR_MS])
    expect(stateAfter({ ...facts, writes: 10, refused: 4 }, 0)).toBe('failing')
    expect(stateAfter({ ...facts, writes: 10, refused: 3 }, 0)).toBe('healthy')
    expect(stateAfter({ ...facts, writes: 9, refused: 9 }, 0)).toBe('healthy')
  })

  it('is "failing" while its last sign-in failed, whatever it did before', () => {
    const facts = clientAfter([HOUR_MS])
    const last = facts.lastProvisioningAt ?? 0
    const failed = { ...facts, failedSignIns: 3, lastFailedAt: last + 2 * MINUTE_MS }
    expect(healthOf(failed, last)).toMatchObject({ state: 'failing', cause: 'sign-in' })
    expect(stateAfter({ ...NO_FACTS, failedSignIns: 1, lastFailedAt: START }, 0)).toBe('failing')
    expect(stateAfter({ ...failed, lastProvisioningAt: last + 3 * MINUTE_MS }, 0)).toBe('healthy')
  })

  it('began when the usual interval was exceeded, or when it was noticed', () => {
    const facts = clientAfter(Array(20).fill(HOUR_MS))
    const last = facts.lastProvisioningAt ?? 0
    expect(healthOf(facts, last + 5 * HOUR_MS)).toMatchObject({ state: 'silent', since: last + 3 * HOUR_MS })
    const noticed = { ...facts, noticed: { state: 'silent', since: last + 4 * HOUR_MS } as const }
    expect(healthOf(noticed, last + 5 * HOUR_MS).since).toBe(last + 4 * HOUR_MS)
    expect(healthOf(noticed, last + HOUR_MS)).toMatchObject({ state: 'healthy', since: last })
  })
})
