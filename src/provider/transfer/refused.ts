import { MAX_STORED_FILE_BYTES } from '../../scim/limits.ts'

/** A file, or a line of it, cannot be imported. `message` is safe to send; `field` names the invalid field of a line. */
export class TransferRefused extends Error {
  /** Of the response. */
  readonly status: number
  readonly field: string | undefined

  constructor(
    status: number,
    message: string,
    options?: ErrorOptions & { readonly field?: string | undefined },
  ) {
    super(message, options)
    this.status = status
    this.field = options?.field
  }
}

export function tooLarge(): TransferRefused {
  const problem = `the compressed file is larger than the limit of ${MAX_STORED_FILE_BYTES} bytes`
  return new TransferRefused(413, problem)
}
