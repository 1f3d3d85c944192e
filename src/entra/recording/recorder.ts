/** Collects the exchanges of a recording as a cassette without tokens and people. Pure. */
import { anonymise } from './anonymise.ts'
import { type Exchange, type Har, toHar } from './har.ts'
import { Pseudonyms } from './pseudonyms.ts'

/** Bodies up to this size are kept. A page of a list is smaller. */
export const MAX_KEPT_BYTES = 2_000_000

export class Recorder {
  readonly #tenantUrl: string
  readonly #pseudonyms = new Pseudonyms()
  readonly #exchanges: Exchange[] = []

  /** @param tenantUrl without a trailing slash */
  constructor(tenantUrl: string) {
    this.#tenantUrl = tenantUrl
  }

  get count(): number {
    return this.#exchanges.length
  }

  add(exchange: Exchange): void {
    this.#exchanges.push(anonymise(exchange, this.#tenantUrl, this.#pseudonyms))
  }

  /** The cassette as a HAR document. */
  cassette(version: string): Har {
    return toHar(this.#exchanges, { name: 'scim-worker record', version })
  }
}
