/**
 * The operations of a PATCH (RFC 7644 §3.5.2) once they are parsed: what parse.ts makes, and apply.ts, members.ts and
 * disabling.ts take.
 */
import type { PatchPath } from '../path.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly target: PatchPath
  /** As sent; apply.ts checks it against the attribute. Undefined when there was none. */
  readonly value: unknown
}

export interface ParsedPatch {
  readonly operations: readonly PatchOperation[]
  /** Attributes of values without a path that we do not know. */
  readonly ignored: readonly string[]
  /** What a PATCH that disables goes without: see disabling.ts. */
  readonly omissions: readonly Omission[]
  /** Whether the client asked for all or nothing, also of a PATCH that disables. */
  readonly isStrict: boolean
}

/** An operation that was left out. */
export interface Omission {
  /** Its path, or the key that stands for one. */
  readonly name: string
  /** Why it was refused. */
  readonly reason: string
}
