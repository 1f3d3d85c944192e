/**
 * The environment of the dashboard's handlers.
 */
import type { Context } from 'hono'
import type { HttpEnv } from '../runtime.ts'

export type { Administrator } from '../administrators/administrator.ts'

export type AdminEnv = HttpEnv
export type AdminContext = Context<AdminEnv>
