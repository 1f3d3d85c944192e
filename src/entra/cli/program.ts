/** How the command line is called. Defined when the package and the binary are built; undefined in a clone. */
declare const SCIM_WORKER_PROGRAM: string | undefined

export const PROGRAM = typeof SCIM_WORKER_PROGRAM === 'undefined' ? 'npm run entra --' : SCIM_WORKER_PROGRAM
