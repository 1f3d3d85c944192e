/**
 * The Entra tenant of one test: users and groups that the test edits as the validator does through Microsoft Graph, and
 * the provisioning job over them, with its log. Everything is in memory.
 */
import type { DirectoryGroup, DirectoryUser } from '../../documents/directory.ts'
import { type JobState, newState } from '../../documents/state.ts'
import { runCycle } from '../../engine/cycle.ts'
import type { CycleContext } from '../../engine/cycle-context.ts'
import { importDirectory } from '../../engine/import.ts'
import { provisionOnDemand } from '../../engine/on-demand.ts'
import type { LogEntry } from '../../engine/provisioning-log.ts'
import { JobFailure } from '../../engine/steps/object-step.ts'
import { USER_PROPERTIES } from '../gallery-job.ts'
import type { GalleryContext } from '../gallery-test.ts'

const DOMAIN = 'gallery-validation.example'

type Editable<T> = { -readonly [Key in keyof T]: T[Key] }

export class EmulatedTenant {
  readonly users: Editable<DirectoryUser>[] = []
  readonly groups: Editable<DirectoryGroup>[] = []
  /** The entries of the last cycle. */
  readonly log: LogEntry[] = []
  readonly #state: JobState
  readonly #context: GalleryContext

  constructor(context: GalleryContext) {
    this.#context = context
    this.#state = newState({ tenantUrl: context.tenantUrl.base, tenant: '' })
  }

  /** Creates a user and assigns it to the application. `prefix` begins its name, as in the validator. */
  addUser(prefix: string): Editable<DirectoryUser> {
    const id = this.#context.newId()
    const nickname = `${prefix}${id.replaceAll('-', '').slice(-12)}`
    const userPrincipalName = `${nickname}@${DOMAIN}`
    const user: Editable<DirectoryUser> = {
      ...{ ...USER_PROPERTIES, id, userPrincipalName, accountEnabled: true, assigned: true },
      ...{ displayName: nickname, mail: userPrincipalName, mailNickname: nickname },
    }
    this.users.push(user)
    return user
  }

  addGroup(prefix: string): Editable<DirectoryGroup> {
    const id = this.#context.newId()
    const displayName = `${prefix}-${id.replaceAll('-', '').slice(-12)}`
    const group: Editable<DirectoryGroup> = { id, displayName, assigned: true, members: [] }
    this.groups.push(group)
    return group
  }

  /** Deletes a group; a user is purged by its date of deletion. */
  removeGroup(id: string): void {
    this.groups.splice(
      this.groups.findIndex((group) => group.id === id),
      1,
    )
  }

  /** The id of an object at the target; undefined before it is linked. */
  targetIdOf(id: string): string | undefined {
    return this.#state.objects[id]?.link?.targetId
  }

  /** Runs a cycle. A failure of the whole job leaves no entries, as in the provisioning log of the service. */
  async runCycle(): Promise<void> {
    this.log.length = 0
    try {
      await runCycle(this.#cycleContext())
    } catch (error) {
      if (!(error instanceof JobFailure)) throw error
    }
  }

  /** @returns the status of the provisionOnDemand request: 200, or that of the failed request to the endpoint */
  async provisionOnDemand(id: string): Promise<number> {
    this.log.length = 0
    const { steps } = await provisionOnDemand(this.#cycleContext(), id)
    return steps[0]?.status === 'failure' ? 500 : 200
  }

  #cycleContext(): CycleContext {
    const { job, session, clock, newId, signal } = this.#context
    const directory = { users: this.users, groups: this.groups }
    return {
      ...{ job, clock, newId, state: this.#state, client: session.service, retryAll: false },
      imported: importDirectory(structuredClone(directory), job, this.#state, clock.now()),
      emit: (event) => {
        if (event.type === 'log') this.log.push(event.entry)
      },
      onStateChanged: () => undefined,
      signal: signal ?? new AbortController().signal,
    }
  }
}
