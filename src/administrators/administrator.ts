/** The administrator of a request, in the dashboard and the admin API. */
import type { Grant } from './role.ts'

/** How administrators prove who they are. */
export const VIAS = ['admin token', 'named token', 'Cloudflare Access', 'OpenID Connect'] as const
export type Via = (typeof VIAS)[number]

/** A session of the dashboard, as stored in its cookie. */
export interface Session {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface Administrator {
  /** The e-mail address, the name of the token, or "Administrator" for ADMIN_TOKEN. */
  readonly name: string
  readonly via: Via
  /** What the administrator may do. Empty: nothing. */
  readonly grants: readonly Grant[]
  /** Undefined if Cloudflare Access or a bearer token authenticates each request. */
  readonly session?: Session | undefined
}
