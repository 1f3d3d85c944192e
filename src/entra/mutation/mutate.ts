/**
 * Provisions a directory over a faulty network, then over a right one, and asks whether the endpoint converged to what
 * the provider believes. The state of the job is kept in memory only.
 */
import type { Clock, NewId } from '../clock.ts'
import type { Directory } from '../documents/directory.ts'
import { seededRandom } from '../documents/generate.ts'
import type { JobConfig } from '../documents/job.ts'
import { newState, type StateTarget } from '../documents/state.ts'
import { connectionTest } from '../engine/cycle.ts'
import type { CycleContext } from '../engine/cycle-context.ts'
import { importDirectory } from '../engine/import.ts'
import { runJob } from '../engine/provisioning-job.ts'
import type { Fetch } from '../protocol/fetch.ts'
import type { ObjectType } from '../protocol/requests.ts'
import { ScimClient } from '../protocol/scim-client.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import type { TokenSource } from '../protocol/token-source.ts'
import { findDivergence } from './convergence.ts'
import { earlierDirectory } from './earlier-directory.ts'
import { FaultyFetch, type Mutation } from './faulty-fetch.ts'

export interface MutateOptions {
  readonly tenantUrl: TenantUrl
  readonly stateTarget: StateTarget
  readonly tokens: TokenSource
  readonly fetch: Fetch
  readonly clock: Clock
  readonly newId: NewId
  readonly job: JobConfig
  readonly directory: Directory
  readonly seed: number
  readonly mutations: readonly Mutation[]
  readonly share: number
  /** Cycles with faults. The first one has an earlier version of the directory. */
  readonly cycles: number
  readonly signal: AbortSignal
}

export interface MutateResult {
  readonly requests: number
  readonly mutated: Partial<Record<Mutation, number>>
  /** Cycles without faults until there was nothing left to send. */
  readonly repairs: number
  readonly converged: boolean
  readonly differences: readonly string[]
}

/** After a fault, one cycle repeats the failures, and the next one has nothing to do. More are needed by no right endpoint. */
const MAX_REPAIRS = 5

export async function mutate(options: MutateOptions): Promise<MutateResult> {
  const { directory, cycles, signal } = options
  const run = new MutatedJob(options)
  for (let cycle = 0; cycle < cycles && !signal.aborted; cycle++)
    await run.cycle(cycle === 0 ? earlierDirectory(directory) : directory)
  run.faulty.enabled = false
  let repairs = 0
  let settled = false
  while (!settled && repairs < MAX_REPAIRS && !signal.aborted) {
    settled = await run.cycle(directory)
    if (!settled) repairs++
  }
  const unsettled = settled ? [] : [`The job still sends requests after ${MAX_REPAIRS} cycles without faults`]
  const differences = [...unsettled, ...(await run.divergence(directory))]
  const requests = run.client.requestCount
  return { requests, mutated: run.faulty.counts, repairs, converged: differences.length === 0, differences }
}

class MutatedJob {
  readonly faulty: FaultyFetch
  readonly client: ScimClient
  readonly #options: MutateOptions
  readonly #state
  readonly #everLinked = new Map<string, ObjectType>()

  constructor(options: MutateOptions) {
    const { fetch, clock, mutations, share, tenantUrl, tokens, signal } = options
    this.#options = options
    this.faulty = new FaultyFetch({ fetch, clock, mutations, share, random: seededRandom(options.seed) })
    this.client = new ScimClient({ tenantUrl, tokens, clock, signal, fetch: this.faulty.fetch })
    this.#state = newState(options.stateTarget)
  }

  /** @returns whether there was nothing to send */
  async cycle(directory: Directory): Promise<boolean> {
    const { job, newId } = this.#options
    const before = this.client.requestCount
    const run = await runJob(this.#context(directory), { notify: async () => undefined, ignoreWait: true })
    for (const { type, link } of Object.values(this.#state.objects))
      if (link !== undefined) this.#everLinked.set(link.targetId, type)
    const sent = this.client.requestCount - before
    return run.kind === 'ran' && sent === connectionTest(job, newId).length
  }

  divergence(directory: Directory): Promise<string[]> {
    return findDivergence(this.#context(directory), this.#everLinked)
  }

  #context(directory: Directory): CycleContext {
    const { job, clock, newId, signal } = this.#options
    return {
      ...{ job, clock, newId, signal, client: this.client, state: this.#state, retryAll: true },
      imported: importDirectory(directory, job, this.#state, clock.now()),
      emit: () => undefined,
      onStateChanged: () => undefined,
    }
  }
}
