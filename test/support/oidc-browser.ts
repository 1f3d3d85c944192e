import type { App } from '../../src/app.ts'
import type { Runtime } from '../../src/runtime.ts'
import { ORIGIN } from './harness.ts'

/** A browser with a jar of cookies. */
export class OidcBrowser {
  readonly cookies = new Map<string, string>()
  readonly #app: App
  readonly #runtime: Runtime

  constructor(app: App, runtime: Runtime) {
    this.#app = app
    this.#runtime = runtime
  }

  async get(path: string) {
    return await this.#send(
      new Request(new URL(path, ORIGIN), { redirect: 'manual', headers: this.#headers() }),
    )
  }

  async post(path: string, form: Record<string, string>) {
    const headers = { ...this.#headers(), Origin: ORIGIN }
    const body = new URLSearchParams(form)
    return await this.#send(
      new Request(new URL(path, ORIGIN), { method: 'POST', redirect: 'manual', headers, body }),
    )
  }

  #headers(): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return { ...(cookie !== '' && { Cookie: cookie }), 'CF-Connecting-IP': '203.0.113.9' }
  }

  async #send(request: Request) {
    const response = await this.#app.fetch(request, this.#runtime)
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (/Max-Age=0/.test(set)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return {
      status: response.status,
      location: response.headers.get('Location'),
      setCookies: response.headers.getSetCookie(),
      html: await response.text(),
    }
  }
}
