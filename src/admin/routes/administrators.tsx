/**
 * Administrators: who signs in with which role, and the named tokens.
 */
import { Hono } from 'hono'
import { adminTokensQuery } from '../../storage/administrators/admin-tokens.ts'
import { readTogether } from '../../storage/database/query.ts'
import { check } from '../check.ts'
import { ADMINISTRATORS_PATH } from '../components/paths.ts'
import { ADMIN_TOKEN_INPUT } from '../contract/administrators.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import {
  AdministratorsPage,
  type AdminTokenForm,
  NewAdminTokenPage,
  RevokeAdminTokenPage,
} from '../pages/administrators.tsx'
import { generateAdminTokenOf, revokeAdminTokenOf } from '../people/admin-tokens.ts'
import { noteTarget } from '../people/audit-note.ts'
import { doneMessage, formErrorOf, PageNotFound, parseLastDay, readForm, requireUuid } from './request.ts'

const DONE: Readonly<Record<string, string>> = {
  revoked: 'The token is revoked. It and its sessions are refused from the next request on.',
  known: 'This form was sent before. Its token is in the list and is not shown again.',
}

const EMPTY_FORM: AdminTokenForm = { name: '', role: 'viewer', tenants: '', expires: '' }

export const administrators = new Hono<AdminEnv>()

administrators.get('/', (c) => administratorsPage(c, EMPTY_FORM, undefined))

administrators.post('/', async (c) => {
  const sent = await readForm(c)
  const form: AdminTokenForm = {
    name: sent.name ?? '',
    role: sent.role ?? '',
    tenants: sent.tenants ?? '',
    expires: sent.expires ?? '',
  }
  try {
    const lastDay = parseLastDay(form.expires, c.env.now())
    const { name, role, tenants } = check(ADMIN_TOKEN_INPUT, {
      name: form.name,
      role: form.role,
      tenants: parseTenants(form.tenants),
      expiresAt: null,
    })
    const input = { name, role, tenants, expiresAt: lastDay }
    const generated = await generateAdminTokenOf(c, requireUuid(sent.id), input)
    if (generated === undefined) return c.redirect(`${ADMINISTRATORS_PATH}?done=known`, 303)
    noteTarget(c, generated.id)
    return c.html(<NewAdminTokenPage administrator={c.get('administrator')} token={generated} />, 201)
  } catch (error) {
    return await administratorsPage(c, form, formErrorOf(error))
  }
})

administrators.get('/tokens/:id/revoke', async (c) => {
  const { tokens } = await readTogether(c.get('db'), { tokens: adminTokensQuery(c.env.now()) })
  const token = tokens.find(({ id, revokedAt }) => id === c.req.param('id') && revokedAt === null)
  if (token === undefined) throw noToken()
  return c.html(<RevokeAdminTokenPage administrator={c.get('administrator')} token={token} />)
})

administrators.post('/tokens/:id/revoke', async (c) => {
  await revokeAdminTokenOf(c, c.req.param('id'))
  return c.redirect(`${ADMINISTRATORS_PATH}?done=revoked`, 303)
})

async function administratorsPage(
  c: AdminContext,
  form: AdminTokenForm,
  error: ReturnType<typeof formErrorOf> | undefined,
): Promise<Response> {
  const { tokens } = await readTogether(c.get('db'), { tokens: adminTokensQuery(c.env.now()) })
  return c.html(
    <AdministratorsPage
      administrator={c.get('administrator')}
      now={c.env.now()}
      settings={c.env.settings}
      tokens={tokens}
      newId={c.env.newId()}
      form={form}
      error={error}
      done={doneMessage(c, DONE)}
    />,
    error?.status ?? 200,
  )
}

/** Ids separated by commas or spaces. Null for an empty text: all tenants. */
function parseTenants(typed: string): readonly string[] | null {
  const ids = typed.split(/[\s,]+/).filter((id) => id !== '')
  return ids.length === 0 ? null : ids
}

function noToken(): PageNotFound {
  return new PageNotFound('There is no such token of an administrator, or it was revoked already.', [
    ['Administrators', ADMINISTRATORS_PATH],
  ])
}
