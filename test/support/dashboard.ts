/**
 * A client of the dashboard like a browser without JavaScript: it signs in, keeps the cookie and sends forms.
 */
import { ORIGIN, send } from './harness.ts'

export const ADMIN_TOKEN = 'test-admin-token'

/** A page as HTML text. */
export interface Page {
  readonly status: number
  readonly headers: Headers
  readonly html: string
  readonly location: string | null
}

/** A browser with its own client address, so that tests do not share a rate limit. */
export class Browser {
  cookie = ''
  readonly #sendTo: typeof send
  readonly address = `2001:db8:${crypto.randomUUID().slice(0, 4)}:${crypto.randomUUID().slice(0, 4)}::1`

  /** @param sendTo handles the requests; the worker by default */
  constructor(sendTo = send) {
    this.#sendTo = sendTo
  }

  /** @param path relative to the origin */
  get(path: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.#send(
      new Request(`${ORIGIN}${path}`, { redirect: 'manual', headers: this.#headers(headers) }),
    )
  }

  /** Sends a form like a browser. */
  post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    const body = new URLSearchParams(form)
    const sent = this.#headers({ Origin: ORIGIN, ...headers })
    return this.#send(
      new Request(`${ORIGIN}${path}`, { method: 'POST', redirect: 'manual', headers: sent, body }),
    )
  }

  /** Sends a form with a file like a browser. @param body other bytes than those of such a form */
  async postFile(
    path: string,
    file: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
    body?: BodyInit,
  ): Promise<Page> {
    const form = new FormData()
    form.append('file', new File([file], 'export.jsonl'))
    const made = new Request(`${ORIGIN}${path}`, { method: 'POST', body: form })
    const type = made.headers.get('Content-Type') ?? ''
    const sent = this.#headers({ Origin: ORIGIN, 'Content-Type': type, ...headers })
    const bytes = body ?? (await made.arrayBuffer())
    return await this.#send(
      new Request(`${ORIGIN}${path}`, { method: 'POST', redirect: 'manual', headers: sent, body: bytes }),
    )
  }

  async signIn(token = ADMIN_TOKEN): Promise<this> {
    const answer = await this.post('/admin/sign-in', { token, next: '/admin' })
    if (answer.status !== 303) throw new Error(`not signed in: ${answer.status}`)
    return this
  }

  #headers(more: Record<string, string>): Record<string, string> {
    const cookie = this.cookie === '' ? {} : { Cookie: this.cookie }
    return { 'CF-Connecting-IP': this.address, ...cookie, ...more }
  }

  async #send(request: Request): Promise<Page> {
    const { status, headers, body } = await this.#sendTo(request)
    const set = headers.get('Set-Cookie')
    if (set !== null) this.cookie = /Max-Age=0/.test(set) ? '' : (set.split(';')[0] ?? '')
    const html = typeof body === 'string' ? body : JSON.stringify(body ?? '')
    return { status, headers, html, location: headers.get('Location') }
  }
}

/** The value of the first form field with that name. */
export function fieldValue(html: string, name: string): string {
  const match = new RegExp(`name="${name}" value="([^"]*)"`).exec(html)
  if (match?.[1] === undefined) throw new Error(`no field "${name}"`)
  return match[1]
}

/** The text of a page without its tags. */
export function textOf(html: string): string {
  return html
    .replace(/<wbr ?\/?>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
}
