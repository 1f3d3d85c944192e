/**
 * Sign-in and sign-out.
 */
import { Hono } from 'hono'
import { logFault } from '../../edge/log-fault.ts'
import { clientNetwork } from '../../edge/network.ts'
import { endSession } from '../../storage/access/sessions.ts'
import type { AdminContext, AdminEnv } from '../env.ts'
import { signInFailure } from '../oidc/errors.ts'
import { providerName } from '../oidc/provider.ts'
import { beginSignIn, completeSignIn, type OidcSignIn } from '../oidc/sign-in.ts'
import { signOutAddress } from '../oidc/sign-out.ts'
import { SignedInPage, SignInPage, type SignInProps } from '../pages/sign-in.tsx'
import {
  administratorOf,
  clearSession,
  grantsOfHolder,
  sessionOf,
  startSession,
} from '../people/session-cookie.ts'
import { SIGN_IN_PATH, safeDestination, signInByToken, signInMethod } from '../session.ts'
import { PageNotFound, readForm } from './request.ts'

/** The period of the rate limit SIGN_IN_LIMIT in wrangler.toml. */
const TRY_AGAIN_SECONDS = 60

export const signIn = new Hono<AdminEnv>()

signIn.get('/sign-in', async (c) => {
  const next = safeDestination(c.req.query('next'))
  if (signInMethod(c.env.settings).kind === 'access') return c.redirect(next, 303)
  return signInPage(c, 200, { next, isSignedInThere: c.req.query('signed-in') === 'provider' })
})

signIn.post('/sign-in', async (c) => {
  const method = signInMethod(c.env.settings)
  // The limit is checked before the form is read, so that guessing costs the server little.
  if (!(await isAllowed(c))) return tooManyAttempts(c)
  const form = await readForm(c, `sign-in ${clientNetwork(c)}`)
  const next = safeDestination(form.next)
  if (method.kind === 'access') return c.redirect(next, 303)
  const administrator = await signInByToken(c, form.token?.trim() ?? '', method.adminToken)
  if (administrator !== undefined) {
    c.set('administrator', administrator)
    return c.redirect(next, 303)
  }
  const message = 'This is not a valid token of an administrator. Check that you copied the whole token.'
  return signInPage(c, 401, { next, error: { field: 'token', message } })
})

signIn.get('/sign-in/oidc', async (c) => {
  const next = safeDestination(c.req.query('next'))
  const settings = requireOidc(c)
  if (!(await isAllowed(c))) return tooManyAttempts(c)
  try {
    return c.redirect(await beginSignIn(c, settings, next), 303)
  } catch (error) {
    return failed(c, settings, error)
  }
})

signIn.get('/sign-in/callback', async (c) => {
  const settings = requireOidc(c)
  if (!(await isAllowed(c))) return tooManyAttempts(c)
  try {
    const { holder, next } = await completeSignIn(c, settings)
    const { name, via } = holder
    const grants = grantsOfHolder(holder, c.env.settings.adminRoles)
    c.set('administrator', { name, via, grants })
    if (grants.length === 0) {
      const message = `${providerName(settings.oidc)} knows you as ${name}, who has no role here. An owner can add one to ADMIN_ROLES.`
      return signInPage(c, 403, { next, error: { field: undefined, message } })
    }
    await startSession(c, settings.adminToken, holder)
    return c.html(<SignedInPage next={safeDestination(next)} name={name} />)
  } catch (error) {
    return failed(c, settings, error)
  }
})

signIn.post('/sign-out', async (c) => {
  const { settings } = c.env
  const method = signInMethod(settings)
  clearSession(c)
  if (method.kind === 'access') return c.redirect(SIGN_IN_PATH, 303)
  const session = await sessionOf(c, method.adminToken)
  if (session === undefined) return c.redirect(SIGN_IN_PATH, 303)
  c.set('administrator', administratorOf(session, settings.adminRoles))
  await endSession(c.get('db'), session)
  const hasMore = session.holder?.via === 'OpenID Connect' && (await canSignOutThere(c))
  return c.redirect(hasMore ? `${SIGN_IN_PATH}?signed-in=provider` : SIGN_IN_PATH, 303)
})

signIn.get('/sign-out/oidc', async (c) => {
  const settings = requireOidc(c)
  if (!(await isAllowed(c))) return tooManyAttempts(c)
  try {
    const address = await signOutAddress(c, settings.oidc)
    if (address !== undefined) return c.redirect(address, 303)
  } catch (error) {
    return failed(c, settings, error)
  }
  throw new PageNotFound(`${providerName(settings.oidc)} offers no sign-out.`, [['Sign in', SIGN_IN_PATH]])
})

/** Whether the provider offers to end its own session. If it cannot be asked, the log has the error. */
async function canSignOutThere(c: AdminContext): Promise<boolean> {
  const { oidc } = c.env.settings
  if (oidc === undefined) return false
  try {
    return (await signOutAddress(c, oidc)) !== undefined
  } catch (error) {
    if (signInFailure(oidc, error) === undefined) throw error
    logFault(c, error)
    return false
  }
}

/** @throws {PageNotFound} if no provider is configured */
function requireOidc(c: AdminContext): OidcSignIn {
  const { oidc } = c.env.settings
  const method = signInMethod(c.env.settings)
  if (oidc !== undefined && method.kind === 'token') return { oidc, adminToken: method.adminToken }
  throw new PageNotFound('OpenID Connect is not configured.', [['Sign in', SIGN_IN_PATH]])
}

async function isAllowed(c: AdminContext): Promise<boolean> {
  return await c.env.isAllowed('signIn', clientNetwork(c))
}

function tooManyAttempts(c: AdminContext): Response | Promise<Response> {
  const message = 'Too many attempts from your address. Wait a minute, then try again.'
  c.header('Retry-After', String(TRY_AGAIN_SECONDS))
  return signInPage(c, 429, { next: safeDestination(undefined), error: { field: undefined, message } })
}

function failed(c: AdminContext, { oidc }: OidcSignIn, error: unknown): Response | Promise<Response> {
  const failure = signInFailure(oidc, error)
  if (failure === undefined) throw error
  logFault(c, error)
  const { status, message } = failure
  return signInPage(c, status, { next: safeDestination(undefined), error: { field: undefined, message } })
}

function signInPage(
  c: AdminContext,
  status: 200 | 400 | 401 | 403 | 429 | 503,
  props: Omit<SignInProps, 'provider'>,
): Response | Promise<Response> {
  const { oidc } = c.env.settings
  return c.html(<SignInPage {...props} provider={oidc && providerName(oidc)} />, status)
}
