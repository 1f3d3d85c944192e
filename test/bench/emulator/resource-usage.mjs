/** Loaded into a process that is measured: writes what it used when it ends. */
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const file = process.env.RESOURCE_USAGE_FILE
  if (file !== undefined) writeFileSync(file, JSON.stringify(process.resourceUsage()))
})
