/** A fetch with the faults of a network and of a busy endpoint, drawn from a seeded generator. */
import type { Clock } from '../clock.ts'
import type { Fetch, FetchAnswer, FetchInit } from '../protocol/fetch.ts'

/** The mutations of a request or its answer, and what each does. */
export const MUTATIONS = {
  drop: 'the request does not arrive',
  lose: 'the request is carried out, and its answer does not arrive',
  cut: 'the answer ends in the middle',
  double: 'the request arrives twice, and the provider gets the second answer',
  reorder: 'the request waits until another one was answered',
  delay: 'the request waits for up to 100 ms',
  '429': 'the request is not carried out, and the answer is 429',
  '500': 'the request is carried out or not, and the answer is 500',
} as const satisfies Readonly<Record<Mutation, string>>

export type Mutation = 'drop' | 'lose' | 'cut' | 'double' | 'reorder' | 'delay' | '429' | '500'

export interface FaultyFetchOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  /** Numbers from 0 to 1. */
  readonly random: () => number
  readonly mutations: readonly Mutation[]
  /** The share of the requests that are mutated, from 0 to 1. */
  readonly share: number
}

const MAX_DELAY_MS = 100
/** If no other request is in flight, a request that waits for one goes on. */
const MAX_REORDER_MS = 50

export class FaultyFetch {
  readonly #options: FaultyFetchOptions
  readonly #waiting: (() => void)[] = []
  readonly counts: Partial<Record<Mutation, number>> = {}
  /** No mutations while false. */
  enabled = true

  constructor(options: FaultyFetchOptions) {
    this.#options = options
  }

  readonly fetch: Fetch = async (url, init) => {
    const mutation = this.#draw()
    const answer =
      mutation === undefined ? this.#options.fetch(url, init) : this.#mutated(mutation, [url, init])
    const answered = await answer
    for (const proceed of this.#waiting.splice(0)) proceed()
    return answered
  }

  #draw(): Mutation | undefined {
    const { random, share, mutations } = this.#options
    if (!this.enabled || random() >= share) return undefined
    const mutation = mutations[Math.floor(random() * mutations.length)]
    if (mutation !== undefined) this.counts[mutation] = (this.counts[mutation] ?? 0) + 1
    return mutation
  }

  async #mutated(mutation: Mutation, [url, init]: [string, FetchInit]): Promise<FetchAnswer> {
    const { fetch, random, clock } = this.#options
    switch (mutation) {
      case 'drop':
        throw new Error('the request was dropped')
      case 'lose':
        await fetch(url, init)
        throw new Error('the answer was lost')
      case 'cut':
        return cut(await fetch(url, init))
      case 'double':
        await (await fetch(url, init)).text()
        return fetch(url, init)
      case 'reorder':
        await this.#nextAnswer()
        return fetch(url, init)
      case 'delay':
        await clock.sleep(random() * MAX_DELAY_MS)
        return fetch(url, init)
      case '429':
        return failed(429, '0')
      case '500':
        if (random() < 0.5) await fetch(url, init)
        return failed(500, null)
    }
  }

  #nextAnswer(): Promise<void> {
    const { clock } = this.#options
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      void clock.sleep(MAX_REORDER_MS).then(resolve)
    })
  }
}

async function cut(answer: FetchAnswer): Promise<FetchAnswer> {
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text: async () => text.slice(0, text.length / 2) }
}

function failed(status: number, retryAfter: string | null): FetchAnswer {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error']
  const body = { schemas, status: String(status), detail: 'an answer of mutate' }
  return {
    status,
    headers: { get: (name) => (name.toLowerCase() === 'retry-after' ? retryAfter : 'application/scim+json') },
    text: async () => JSON.stringify(body),
  }
}
