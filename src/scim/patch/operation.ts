/**
 * Types of a parsed PATCH (RFC 7644 §3.5.2): the result of parse.ts, and the input of apply.ts, members.ts and
 * disabling.ts.
 */
import type { PatchPath } from '../path.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly target: PatchPath
  /** The value as sent, which apply.ts validates. Undefined if missing. */
  readonly value: unknown
}

export interface ParsedPatch {
  readonly operations: readonly PatchOperation[]
  /** Unknown attributes in the values of operations without a path. */
  readonly ignored: readonly string[]
  /** The omitted operations of a PATCH that disables a user: see disabling.ts. */
  readonly omissions: readonly Omission[]
  /** True if the client requested an atomic PATCH, even if it disables a user. */
  readonly isStrict: boolean
}

/** An omitted operation. */
export interface Omission {
  /** The path of the operation, or the key of an attribute in its value. */
  readonly name: string
  /** The detail of the error. */
  readonly reason: string
}
