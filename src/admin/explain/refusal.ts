/** A refused request, and what is said about it. */

/** As the log or an answer has it. */
export interface Refusal {
  readonly status: number
  readonly scimType: string | null
  readonly detail: string | null
}

export interface Advice {
  /** Why the server refuses it. */
  readonly cause: string
  /** What to do. */
  readonly fix: string
  /** The page where that is done, if it is one of the dashboard. */
  readonly page?: AdvicePage
}

export type AdvicePage = 'apiKeys' | 'deleted' | 'overview' | 'schemas' | 'settings' | 'sources'
