#!/usr/bin/env node
// The command `scim-worker` of the package. Its syntax is that of Node.js 14, so that an older one can read the refusal.
const MIN_MAJOR = 20
if (Number(process.versions.node.split('.')[0]) >= MIN_MAJOR) {
  void import('./main.ts').then(({ main }) => main(process.argv.slice(2)))
} else {
  console.error(
    `error: scim-worker needs Node.js ${MIN_MAJOR} or newer, found ${process.versions.node}; install a newer one`,
  )
  process.exitCode = 1
}
