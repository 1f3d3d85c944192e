/**
 * The context for parsing a request body. All core functions that parse a part of a body take it.
 */
import type { Profile } from './profile.ts'
import type { ResourceType } from './schema/definition.ts'
import type { Work } from './work.ts'

/** The context for parsing a request body. */
export interface Reading<Type extends ResourceType = ResourceType> {
  /** The resource type of the endpoint. */
  readonly type: Type
  /** The deviations that the tenant accepts. */
  readonly profile: Profile
  /** Counts the work of the request. */
  readonly work: Work
}

/** A reading that also collects the names of ignored attributes and schemas. */
export interface CollectingReading extends Reading {
  /** Receives the names of unknown attributes and schemas: see ignored.ts. */
  readonly ignored: string[]
}
