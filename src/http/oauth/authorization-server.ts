/** The authorization server: the part with the token endpoint and its metadata, which src/parts.ts loads. */
import type { Hono } from 'hono'
import type { HttpEnv } from '../../runtime.ts'
import { METADATA_PATH, TOKEN_PATH } from '../url.ts'
import { metadata } from './metadata.ts'
import { tokenEndpoint } from './token-endpoint.ts'

export function addAuthorizationServer(app: Hono<HttpEnv>): void {
  app.route(TOKEN_PATH, tokenEndpoint)
  app.route(METADATA_PATH, metadata)
}
