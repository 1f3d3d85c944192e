/**
 * What reading a request depends on, as one value: every function of the core that reads a part of a body takes it.
 */
import type { Profile } from './profile.ts'
import type { ResourceType } from './schema/definition.ts'
import type { Work } from './work.ts'

/** How a request is read. */
export interface Reading<Type extends ResourceType = ResourceType> {
  /** The resource type that the request is about. */
  readonly type: Type
  /** The deviations that the tenant accepts. */
  readonly profile: Profile
  /** Counts the work of the request. */
  readonly work: Work
}

/** A reading that also collects what it leaves out. */
export interface CollectingReading extends Reading {
  /** Receives the names of what the client sent and we do not know: see ignored.ts. */
  readonly ignored: string[]
}
