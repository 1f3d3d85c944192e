/**
 * Sign-in and sign-out.
 */
import { Hono } from 'hono'
import { clientNetwork } from '../../edge/network.ts'
import { endSession } from '../../storage/access/sessions.ts'
import type { AdminEnv } from '../env.ts'
import { SignInPage } from '../pages/sign-in.tsx'
import {
  clearSession,
  SIGN_IN_PATH,
  safeDestination,
  sessionOf,
  signInMethod,
  startSession,
} from '../session.ts'
import { readForm } from './request.ts'

/** The period of the rate limit SIGN_IN_LIMIT in wrangler.toml. */
const TRY_AGAIN_SECONDS = 60

export const signIn = new Hono<AdminEnv>()

signIn.get('/sign-in', async (c) => {
  const next = safeDestination(c.req.query('next'))
  if (signInMethod(c.env.settings).kind === 'access') return c.redirect(next, 303)
  return c.html(<SignInPage next={next} />)
})

signIn.post('/sign-in', async (c) => {
  const method = signInMethod(c.env.settings)
  const network = clientNetwork(c)
  // The limit is checked before the form is read, so that guessing costs the server little.
  if (!(await c.env.isAllowed('signIn', network))) {
    const message = 'Too many attempts from your address. Wait a minute, then try again.'
    const page = <SignInPage next={safeDestination(undefined)} error={{ field: undefined, message }} />
    return c.html(page, 429, { 'Retry-After': String(TRY_AGAIN_SECONDS) })
  }
  const form = await readForm(c, `sign-in ${network}`)
  const next = safeDestination(form.next)
  if (method.kind === 'access') return c.redirect(next, 303)
  if (await startSession(c, form.token?.trim() ?? '', method.adminToken)) return c.redirect(next, 303)
  const message = 'This is not the admin token. Check that you copied the whole token.'
  return c.html(<SignInPage next={next} error={{ field: 'token', message }} />, 401)
})

signIn.post('/sign-out', async (c) => {
  const method = signInMethod(c.env.settings)
  if (method.kind === 'token') {
    const session = await sessionOf(c, method.adminToken)
    if (session !== undefined) await endSession(c.get('db'), session)
  }
  clearSession(c)
  return c.redirect(SIGN_IN_PATH, 303)
})
