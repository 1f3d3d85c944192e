/**
 * What a request of the dashboard carries, and the context of its handlers.
 */
import type { Context } from 'hono'
import type { HttpEnv, Runtime } from '../runtime.ts'

/** A session of the dashboard, as its cookie holds it. */
export interface Session {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Who is signed in, and how. */
export type Administrator =
  | { readonly kind: 'token'; readonly session: Session }
  | { readonly kind: 'access'; readonly email: string }

export interface AdminEnv {
  Bindings: Runtime
  Variables: HttpEnv['Variables'] & { administrator: Administrator }
}

export type AdminContext = Context<AdminEnv>
