/**
 * Checks linearizability: whether some sequential order of concurrent requests explains their responses (the search of
 * Wing and Gong, with equal states merged).
 */

import type { Observed } from './requests.ts'
import { type Expected, isWrite, type SentAction, step, type World } from './state.ts'

/** One request of a step with its response. */
export interface Exchange {
  readonly action: SentAction
  readonly observed: Observed
  readonly requestId: string
}

/**
 * Returns all possible directories after the exchanges, given the possible ones before.
 *
 * @returns an empty list if no order explains the responses
 */
export function explain(before: readonly World[], exchanges: readonly Exchange[]): readonly World[] {
  const all = (1 << exchanges.length) - 1
  let layer = new Map<string, { done: number; world: World }>()
  for (const world of before) add(layer, 0, world)
  for (let i = 0; i < exchanges.length; i++) {
    const next = new Map<string, { done: number; world: World }>()
    for (const { done, world } of layer.values()) {
      for (const [index, exchange] of exchanges.entries()) {
        if ((done & (1 << index)) !== 0) continue
        for (const after of outcomes(world, exchange)) add(next, done | (1 << index), after)
      }
    }
    layer = next
  }
  return [...layer.values()].filter(({ done }) => done === all).map(({ world }) => world)
}

function add(layer: Map<string, { done: number; world: World }>, done: number, world: World): void {
  layer.set(`${done} ${exactly(world)}`, { done, world })
}

function outcomes(world: World, { action, observed, requestId }: Exchange): readonly World[] {
  const { expected, world: after } = step(world, action, observed.id ?? requestId)
  // Without a definite response, the request may or may not have succeeded.
  if (observed.status === 503) return isWrite(action) && after !== world ? [world, after] : [world]
  // The request was not processed, so it had no effect.
  if (observed.status === 429) return [world]
  return isAsExpected(expected, observed) ? [after] : []
}

function isAsExpected(expected: Expected, observed: Observed): boolean {
  return (
    expected.status === observed.status &&
    expected.scimType === observed.scimType &&
    expected.version === observed.version &&
    (expected.view === undefined || expected.view === observed.view)
  )
}

/** Also distinguishes worlds by their ids. */
function exactly({ users, groups }: World): string {
  const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    sorted(users),
    sorted(groups).map(([id, group]) => [id, { ...group, members: [...group.members].sort() }]),
  ])
}
