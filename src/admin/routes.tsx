/**
 * The dashboard: server-rendered pages under /admin. All errors are handled by onError.
 */
import { Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { createMiddleware } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'
import { logFault } from '../edge/log-fault.ts'
import { publicOrigin } from '../edge/url.ts'
import { shorten } from '../scim/error.ts'
import { SessionEnded } from '../storage/access/sessions.ts'
import { noFigures, serverTimingOf } from '../storage/database/database.ts'
import { serveAsset } from './assets/assets.ts'
import { TENANTS_PATH } from './components/paths.ts'
import { administrationDatabase, openHome } from './database.ts'
import type { AdminContext, AdminEnv } from './env.ts'
import { AdminError, toAdminError } from './errors.ts'
import { largeAnswers } from './large-answers.ts'
import { MessagePage, NotConfiguredPage } from './pages/message.tsx'
import { audit } from './people/audit.ts'
import { permit, permitInTenant } from './people/permit.ts'
import { clearSession } from './people/session-cookie.ts'
import { reportTenant } from './replicas.ts'
import { NoSuchTenant } from './require-tenant.ts'
import { administrators } from './routes/administrators.tsx'
import { apiKeys } from './routes/api-keys.tsx'
import { audit as auditPages } from './routes/audit.tsx'
import { connect } from './routes/connect.tsx'
import { credentials } from './routes/credentials.tsx'
import { directory } from './routes/directory.tsx'
import { drift } from './routes/drift.tsx'
import { emergency } from './routes/emergency.tsx'
import { explain } from './routes/explain.tsx'
import { federation } from './routes/federation.tsx'
import { history } from './routes/history.tsx'
import { limits } from './routes/limits.tsx'
import { log } from './routes/log.tsx'
import { PageNotFound } from './routes/request.ts'
import { schemas } from './routes/schemas.tsx'
import { signIn } from './routes/sign-in.tsx'
import { sources } from './routes/sources.tsx'
import { tenants } from './routes/tenants.tsx'
import { transfer } from './routes/transfer.tsx'
import { webhooks } from './routes/webhooks.tsx'
import { securityHeaders } from './security-headers.ts'
import { requireAdministrator, SIGN_IN_PATH, SignInNeeded } from './session.ts'

/** The app of the dashboard, mounted at /admin after the admin API. */
export function dashboard(): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>()
  app.onError((error, c) => errorPage(c, error))
  app.use(securityHeaders)
  app.get('/assets/:file', serveAsset)
  app.use(largeAnswers)
  app.use(openDatabase)
  app.use(formsOnly)
  app.use(csrf({ origin: (origin, c: AdminContext) => origin === new URL(publicOrigin(c)).origin }))
  app.use(audit)
  app.route('/', signIn)
  app.use(requireAdministrator, permit)
  app.use('/tenants/:tenant/*', permitInTenant, openHome, reportTenant)
  app.route('/', tenants)
  app.route('/administrators', administrators)
  app.route('/', auditPages)
  app.route('/', limits)
  app.route('/tenants', directory)
  app.route('/tenants', connect)
  app.route('/tenants', apiKeys)
  app.route('/tenants', credentials)
  app.route('/tenants', federation)
  app.route('/tenants', log)
  app.route('/tenants', emergency)
  app.route('/tenants', explain)
  app.route('/tenants', drift)
  app.route('/tenants', schemas)
  app.route('/tenants', webhooks)
  app.route('/tenants', sources)
  app.route('/tenants', history)
  app.route('/tenants', transfer)
  app.all('*', (c) => {
    throw new PageNotFound(`There is no page ${shorten(c.req.path)}.`, [['Overview', '/admin']])
  })
  return app
}

/** Opens the database of the request, reports its costs, and forbids caching. */
const openDatabase = createMiddleware<AdminEnv>(async function openDatabase(c, next) {
  const figures = noFigures()
  c.set('figures', figures)
  c.set('db', administrationDatabase(c, figures))
  await next()
  c.res.headers.set('Cache-Control', 'no-store')
  if (c.env.settings.serverTiming) c.res.headers.set('Server-Timing', serverTimingOf(figures))
})

/** The forms with a file. */
const FILE_FORM = /\/(?:drift|transfer\/import|transfer\/check)$/

/** Refuses bodies other than forms, because Hono's csrf checks forms only. */
const formsOnly = createMiddleware<AdminEnv>(async function formsOnly(c, next) {
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  const type = c.req.header('Content-Type') ?? ''
  const isForm =
    /^application\/x-www-form-urlencoded\b/i.test(type) ||
    (/^multipart\/form-data\b/i.test(type) && FILE_FORM.test(c.req.path))
  if (!isRead && !isForm) throw new AdminError(415, 'unsupported', 'The dashboard accepts forms only.')
  await next()
})

/** The only place where the dashboard turns errors into responses. */
function errorPage(c: AdminContext, error: unknown): Response | Promise<Response> {
  if (error instanceof SignInNeeded) return toSignIn(c)
  if (error instanceof SessionEnded) {
    clearSession(c)
    return toSignIn(c)
  }
  const known = pageError(error)
  if (known.code === 'notConfigured') return c.html(<NotConfiguredPage message={known.message} />, 503)
  if (known.status >= 500) logFault(c, error)
  if (known.status === 503) c.header('Retry-After', '5')
  const links = known instanceof PageNotFound ? known.links : ([['Go to the overview', '/admin']] as const)
  return c.html(
    <MessagePage title={titleOf(known)} administrator={c.get('administrator')} tenant={c.get('pageTenant')}>
      <p>{known.onPage}</p>
      {known.status >= 500 && (
        <p class="muted">
          Request id <code>{c.get('requestId')}</code>
        </p>
      )}
      <ul>
        {links.map(([label, href]) => (
          <li>
            <a href={href}>{label}</a>
          </li>
        ))}
      </ul>
    </MessagePage>,
    known.status,
  )
}

function pageError(error: unknown): AdminError {
  if (error instanceof HTTPException) return foreignForm()
  if (error instanceof NoSuchTenant) {
    return new PageNotFound(`There is no tenant “${shorten(error.tenantId)}”.`, [
      ['All tenants', TENANTS_PATH],
    ])
  }
  return toAdminError(error)
}

function toSignIn(c: AdminContext): Response {
  const { pathname, search } = new URL(c.req.url)
  const isPage = c.req.method === 'GET' && pathname !== '/admin'
  return c.redirect(
    isPage ? `${SIGN_IN_PATH}?next=${encodeURIComponent(pathname + search)}` : SIGN_IN_PATH,
    303,
  )
}

function foreignForm(): AdminError {
  return new AdminError(403, 'forbidden', 'The form was sent from another site. Open the page again.')
}

function titleOf({ status }: AdminError): string {
  if (status === 404) return 'Not found'
  if (status === 403) return 'Not allowed'
  return status >= 500 ? 'Something went wrong' : 'The request was refused'
}
