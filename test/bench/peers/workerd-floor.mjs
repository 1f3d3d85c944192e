/**
 * The floors of the Worker: the same bindings, one D1 statement for each request, and no SCIM. `GET /?id=` reads a user
 * by its key, `POST /` writes a row, and `POST /hop` writes it through the Durable Object.
 */
import { DurableObject } from 'cloudflare:workers'

/** @typedef {{ DB: D1Database, GROUP_COORDINATOR: DurableObjectNamespace<GroupCoordinator> }} Env */

const READ = "SELECT data FROM users WHERE tenant_id = 'default' AND id = ?1"
const WRITE = 'INSERT INTO floor (data) VALUES (?1) RETURNING id'

/**
 * @param {Env} env
 * @param {string} sql
 * @param {string} parameter
 */
async function one(env, sql, parameter) {
  const { results } = await env.DB.prepare(sql).bind(parameter).all()
  return results[0] ?? {}
}

/** @extends {DurableObject<Env>} */
export class GroupCoordinator extends DurableObject {
  /** @param {string} text */
  write(text) {
    return one(this.env, WRITE, text)
  }
}

export default {
  /**
   * @param {Request} request
   * @param {Env} env
   */
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url)
    if (request.method === 'GET') {
      const { data } = await one(env, READ, searchParams.get('id') ?? '')
      return new Response(String(data), { headers: { 'Content-Type': 'application/json' } })
    }
    const text = await request.text()
    const isHop = pathname === '/hop'
    return Response.json(
      isHop ? await env.GROUP_COORDINATOR.getByName('default').write(text) : await one(env, WRITE, text),
    )
  },
}
