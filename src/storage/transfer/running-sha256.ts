/**
 * SHA-256 (FIPS 180-4) of bytes that arrive in parts. Its state is a short text, so that another request can
 * continue. Web Cryptography hashes only complete data.
 */

const BLOCK_BYTES = 64
/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2). */
const K = Int32Array.from(firstPrimes(64), (prime) => fraction(Math.cbrt(prime)))
const STATE = /^(\d{1,16}):([0-9a-f]{64}):((?:[0-9a-f]{2}){0,63})$/

export class RunningSha256 {
  /** The hash value (§5.3.3): the same of the square roots of the first eight primes. */
  #hash = Int32Array.from(firstPrimes(8), (prime) => fraction(Math.sqrt(prime)))
  /** Bytes that do not fill a block yet. */
  #block = new Uint8Array(BLOCK_BYTES)
  #length = 0

  /** Continues from a state. @throws {Error} when the text is not a state */
  static resume(state: string): RunningSha256 {
    const [, length, hash = '', rest = ''] = STATE.exec(state) ?? []
    if (length === undefined || Number(length) % BLOCK_BYTES !== rest.length / 2) {
      throw new Error('the text is not the state of a SHA-256')
    }
    const resumed = new RunningSha256()
    resumed.#hash = Int32Array.from(hash.match(/.{8}/g) ?? [], (word) => Number.parseInt(word, 16))
    resumed.#block.set(Uint8Array.from(rest.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))
    resumed.#length = Number(length)
    return resumed
  }

  update(bytes: Uint8Array): void {
    const filled = this.#length % BLOCK_BYTES
    this.#length += bytes.length
    let at = Math.min(BLOCK_BYTES - filled, bytes.length)
    this.#block.set(bytes.subarray(0, at), filled)
    if (filled + at < BLOCK_BYTES) return
    compress(this.#hash, this.#block, 0)
    for (; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) compress(this.#hash, bytes, at)
    this.#block.set(bytes.subarray(at))
  }

  /** Equal for equal bytes, however they were split. */
  get state(): string {
    return `${this.#length}:${hexOf(this.#hash)}:${this.#rest()}`
  }

  /** The digest of the bytes so far, hexadecimal. More may follow. */
  get digest(): string {
    const end = RunningSha256.resume(this.state)
    // §5.1.1: a bit that is set, zeros, and the number of bits in the last eight bytes of a block.
    const padding = new Uint8Array(9 + ((2 * BLOCK_BYTES - 9 - (this.#length % BLOCK_BYTES)) % BLOCK_BYTES))
    padding[0] = 0x80
    const bits = new DataView(padding.buffer)
    bits.setUint32(padding.length - 8, Math.floor(this.#length / 2 ** 29))
    bits.setUint32(padding.length - 4, this.#length * 8)
    end.update(padding)
    return hexOf(end.#hash)
  }

  #rest(): string {
    const rest = this.#block.subarray(0, this.#length % BLOCK_BYTES)
    return Array.from(rest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
}

function hexOf(words: Int32Array): string {
  return Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

/** The first 32 bits of the fractional part. */
function fraction(root: number): number {
  return (root % 1) * 2 ** 32
}

function firstPrimes(count: number): readonly number[] {
  const primes: number[] = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes
}

const W = new Int32Array(64)
const added = new Int32Array(8)

/** §6.2.2, with the names that it gives. */
function compress(hash: Int32Array, bytes: Uint8Array, from: number): void {
  const byte = (at: number) => bytes[from + at] as number
  for (let t = 0, at = 0; t < 16; t++, at += 4) {
    W[t] = (byte(at) << 24) | (byte(at + 1) << 16) | (byte(at + 2) << 8) | byte(at + 3)
  }
  for (let t = 16; t < 64; t++) {
    const x = W[t - 15] as number
    const y = W[t - 2] as number
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3)
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10)
    W[t] = (W[t - 16] as number) + s0 + (W[t - 7] as number) + s1
  }
  let a = hash[0] as number
  let b = hash[1] as number
  let c = hash[2] as number
  let d = hash[3] as number
  let e = hash[4] as number
  let f = hash[5] as number
  let g = hash[6] as number
  let h = hash[7] as number
  for (let t = 0; t < 64; t++) {
    const S1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
    const t1 = (h + S1 + ((e & f) ^ (~e & g)) + (K[t] as number) + (W[t] as number)) | 0
    const S0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
    const t2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  added.set([a, b, c, d, e, f, g, h])
  for (let i = 0; i < 8; i++) hash[i] = (hash[i] as number) + (added[i] as number)
}

function rotr(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}
