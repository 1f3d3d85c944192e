/**
 * Sign-in with a token of an administrator, or at the OpenID provider.
 */
import { Field, type FormError, FormNotice } from '../components/form.tsx'
import { withQuery } from '../components/pagination.tsx'
import { Layout } from '../layout.tsx'

export interface SignInProps {
  /** The path to open after sign-in. */
  readonly next: string
  readonly error?: FormError | undefined
  /** The name of the OpenID provider; undefined: there is none. */
  readonly provider: string | undefined
  /** Whether the browser was signed out here, and may still be signed in at the provider. */
  readonly isSignedInThere?: boolean
}

export function SignInPage(props: SignInProps) {
  const { next, error, provider } = props
  return (
    <Layout title="Sign in" administrator={undefined}>
      <div class="panel narrow">
        <h1>Sign in to scim-worker</h1>
        <FormNotice error={error} fields={['token']} />
        {provider !== undefined && props.isSignedInThere && <StillSignedIn provider={provider} />}
        {provider === undefined ? (
          <>
            <p class="muted">Use the token of an administrator.</p>
            <TokenForm {...props} />
          </>
        ) : (
          <>
            <p>
              {/* A link and not a form: the policy of this page lets forms go to this server only. */}
              <a class="button primary" href={withQuery('/admin/sign-in/oidc', { next })}>
                Sign in with {provider}
              </a>
            </p>
            <details open={error?.field === 'token'}>
              <summary>Use the token of an administrator</summary>
              <TokenForm {...props} />
            </details>
          </>
        )}
      </div>
    </Layout>
  )
}

/** The address of the provider is looked up when the link is followed. */
function StillSignedIn({ provider }: { readonly provider: string }) {
  return (
    <p class="notice">
      You are signed out of this dashboard, but not of {provider}.{' '}
      <a href="/admin/sign-out/oidc">Sign out of {provider} too</a>
    </p>
  )
}

function TokenForm({ next, error }: SignInProps) {
  return (
    <form method="post" action="/admin/sign-in">
      <input type="hidden" name="next" value={next} />
      <Field
        id="token"
        name="token"
        label="Admin token"
        hint="The value of ADMIN_TOKEN, or a named token. A self-hosted server keeps ADMIN_TOKEN in data/settings.env, npm start in .dev.vars."
        error={error}
        control={(attributes) => (
          <input {...attributes} type="password" autocomplete="current-password" required />
        )}
      />
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  )
}

/**
 * After a sign-in at the provider. The browser has come from another site, so it would not send the new SameSite=Strict cookie
 * with a redirect; it does with a page that leads on.
 *
 * @param next the path to open
 */
export function SignedInPage({ next, name }: { readonly next: string; readonly name: string }) {
  return (
    <Layout title="Signed in" administrator={undefined} refreshTo={next}>
      <div class="panel narrow">
        <h1>Signed in</h1>
        <p>
          As {name}. <a href={next}>Continue</a>
        </p>
      </div>
    </Layout>
  )
}
