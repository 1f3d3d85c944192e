/**
 * Consumers that follow a directory while it is written, over a network that loses answers: by asking again and again, by
 * long poll, and by one that is restarted with an old copy.
 */
import type { ClientOptions } from '../../../src/consumer/directory-client.ts'
import { DirectoryCopy } from '../../../src/consumer/directory-copy.ts'
import { type DirectoryChange, followDirectory } from '../../../src/consumer/follow.ts'
import { seqOf } from '../../support/feed.ts'

export interface Follower {
  readonly name: string
  copy: DirectoryCopy
  /** The number of the last event that was seen; undefined before the first. */
  last: number | undefined
  events: number
  /** Why the whole directory was read, each time. */
  readonly reads: string[]
  /** Gaps and wrong orders. */
  readonly problems: string[]
}

export function newFollower(name: string): Follower {
  return { name, copy: new DirectoryCopy(), last: undefined, events: 0, reads: [], problems: [] }
}

/** Loses one of so many answers. */
const LOST_ONE_IN = 25

/** @param random decides which answers are lost */
export function losing(options: ClientOptions, random: () => number): ClientOptions {
  return {
    ...options,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 5)),
    fetch: async (input, init) => {
      const response = await (options.fetch ?? fetch)(input, init)
      if (random() * LOST_ONE_IN < 1) throw new TypeError('the connection was lost')
      return response
    },
  }
}

/** Follows until an event that ends it. */
export async function longPoll(
  follower: Follower,
  options: ClientOptions,
  isEnd: (change: DirectoryChange) => boolean,
): Promise<void> {
  for await (const change of followDirectory(follower.copy, options)) {
    note(follower, change)
    if (isEnd(change)) return
  }
}

/** Asks again and again, and once more after the end. */
export async function poll(follower: Follower, options: ClientOptions, isOver: () => boolean): Promise<void> {
  for (let over = false; ; ) {
    over = isOver()
    for await (const change of followDirectory(follower.copy, { ...options, once: true }))
      note(follower, change)
    if (over) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Stores its copy now and then, and is restarted with the stored one: it sees some events again. */
export async function pollWithRestarts(
  follower: Follower,
  options: ClientOptions,
  { isOver, random }: { readonly isOver: () => boolean; readonly random: () => number },
): Promise<void> {
  let stored: { text: string; last: number | undefined } | undefined
  for (let over = false; ; ) {
    over = isOver()
    for await (const change of followDirectory(follower.copy, { ...options, once: true })) {
      note(follower, change)
      if (random() < 0.1) stored = { text: JSON.stringify(follower.copy), last: follower.last }
      else if (stored !== undefined && random() < 0.05) {
        follower.copy = DirectoryCopy.from(JSON.parse(stored.text))
        follower.last = stored.last
        over = false
        break
      }
    }
    if (over) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** After the first event, each has the next number. */
function note(follower: Follower, change: DirectoryChange): void {
  if (change.kind === 'read') {
    follower.reads.push(change.reason)
    return
  }
  const seq = seqOf(change.event)
  follower.events++
  if (follower.last !== undefined && seq !== follower.last + 1) {
    follower.problems.push(`${follower.name} saw event ${seq} after event ${follower.last}`)
  }
  follower.last = seq
}
