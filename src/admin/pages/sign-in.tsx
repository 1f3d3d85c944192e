/**
 * Sign-in with the administrator's token.
 */
import { Field, type FormError, FormNotice } from '../components/form.tsx'
import { Layout } from '../layout.tsx'

export interface SignInProps {
  /** The path to open after sign-in. */
  readonly next: string
  readonly error?: FormError | undefined
}

export function SignInPage({ next, error }: SignInProps) {
  return (
    <Layout title="Sign in" administrator={undefined}>
      <div class="panel narrow">
        <h1>Sign in to scim-worker</h1>
        <p class="muted">Use the administrator’s token.</p>
        <FormNotice error={error} fields={['token']} />
        <form method="post" action="/admin/sign-in">
          <input type="hidden" name="next" value={next} />
          <Field
            id="token"
            name="token"
            label="Admin token"
            hint="The value of ADMIN_TOKEN. A self-hosted server keeps it in data/settings.env, npm start in .dev.vars."
            error={error}
            control={(attributes) => (
              <input {...attributes} type="password" autocomplete="current-password" required />
            )}
          />
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
      </div>
    </Layout>
  )
}
