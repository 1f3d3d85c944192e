/** How the command line is called. Defined when the package and the binary are built; undefined in a clone. */
declare const SCIM_WORKER_PROGRAM: string | undefined

export const PROGRAM = typeof SCIM_WORKER_PROGRAM === 'undefined' ? undefined : SCIM_WORKER_PROGRAM

/** How a command is called. */
export function callOf(command: string): string {
  return PROGRAM === undefined ? `npm run ${command} --` : `${PROGRAM} ${command}`
}
