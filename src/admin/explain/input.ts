/** The request to explain. */
export interface ExplainInput {
  readonly method: string
  /** Relative to the Tenant URL, with its query. */
  readonly path: string
  /** A JSON value; undefined for none. */
  readonly body?: unknown
  /** Undefined: the administrator. */
  readonly clientId?: string | undefined
}
