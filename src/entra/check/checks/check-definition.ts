/** What a check is: a row with its reason, its source, and the steps that carry it out. Types, and a few builders. */
import type { ScimRequest } from '../../protocol/requests.ts'
import type { Assertion, FindingKind } from '../findings.ts'
import type { Scene } from '../scene.ts'

/** The resource types that a check is about. */
export type Need = 'users' | 'groups'

export interface CheckDefinition {
  /** The name for `--skip`. */
  readonly name: string
  readonly what: string
  /** What goes wrong in Entra without it. */
  readonly why: string
  /** The page or the section of an RFC that requires it. */
  readonly source: string
  readonly needs: readonly Need[]
  readonly steps: (scene: Scene) => readonly CheckStep[]
}

/**
 * Returns the id that the endpoint assigned to an object.
 * @throws {MissingObject} if the object could not be created.
 */
export type IdOf = (object: string) => string

/** What Entra does, by what was found. */
export type Effects = Partial<Readonly<Record<FindingKind, string>>>

/** The credentials of a request, if not those of the job. */
export type Credentials = 'none' | 'random' | 'altered'

export interface SingleStep {
  readonly title: string
  readonly effects: Effects
  readonly request: (id: IdOf) => ScimRequest
  readonly assertion: (id: IdOf) => Assertion
  /** The object whose id is taken from the response. */
  readonly captures?: string
  /** Objects that must exist, if neither the request nor the assertion has their ids. */
  readonly requires?: readonly string[]
  /** Titles of earlier steps. If one of them was bad, this step would only show the same again, and is skipped. */
  readonly after?: readonly string[]
  readonly credentials?: Credentials
}

/** Several requests with one result. Steps whose object exists already are left out. */
export interface StepGroup {
  readonly title: string
  readonly steps: readonly SingleStep[]
}

export type CheckStep = SingleStep | StepGroup

/** A step whose assertion needs no id. */
export function step(
  title: string,
  request: SingleStep['request'],
  assertion: Assertion,
  effects: Effects = {},
): SingleStep {
  return { title, request, assertion: () => assertion, effects }
}

/** A step that creates an object. */
export function creation(
  object: string,
  title: string,
  request: () => ScimRequest,
  assertion: Assertion,
): SingleStep {
  return { ...step(title, request, assertion, CREATION), captures: object }
}

const CREATION: Effects = {
  refusal: 'The object is not created: it goes into escrow, and Entra tries again',
  silence: 'Entra does not know whether the object exists: it tries to create it again',
  body: 'Entra cannot link the object: later cycles try to create it again',
  id: 'Entra cannot link the object: later cycles try to create it again',
}

/** A page of Microsoft about app provisioning, with the heading after `#`. */
export function entraPage(name: string): string {
  return `https://learn.microsoft.com/entra/identity/app-provisioning/${name}`
}

export function rfc(number: 7643 | 7644, section: string): string {
  return `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`
}
