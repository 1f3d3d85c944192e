/**
 * Whether what was answered can be explained: by some order in which requests that were sent at the same
 * time took effect one after another (linearizability; Wing and Gong's search, with equal states merged).
 */

import type { Observed } from './requests.ts'
import { type Expected, isWrite, type SentAction, step, type World } from './state.ts'

/** One request of a step: what was sent and what was answered. */
export interface Exchange {
  readonly action: SentAction
  readonly observed: Observed
  readonly requestId: string
}

/**
 * All directories that there can be after the exchanges, given those that there could be before.
 *
 * @returns none when nothing explains the answers
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
  // No promise was made: it may have been done or not.
  if (observed.status === 503) return isWrite(action) && after !== world ? [world, after] : [world]
  // Not looked at, so not done.
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

/** Tells worlds apart by ids as well. */
function exactly({ users, groups }: World): string {
  const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    sorted(users),
    sorted(groups).map(([id, group]) => [id, { ...group, members: [...group.members].sort() }]),
  ])
}
