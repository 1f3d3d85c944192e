/**
 * The environment of the dashboard's handlers.
 */
import type { Context } from 'hono'
import type { HttpEnv, Runtime } from '../runtime.ts'

/** A session of the dashboard, as stored in its cookie. */
export interface Session {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** The signed-in administrator. */
export type Administrator =
  | { readonly kind: 'token'; readonly session: Session }
  | { readonly kind: 'access'; readonly email: string }

export interface AdminEnv {
  Bindings: Runtime
  Variables: HttpEnv['Variables'] & { administrator: Administrator }
}

export type AdminContext = Context<AdminEnv>
