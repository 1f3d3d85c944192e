/** Preloaded into a measured process; writes the process's resource usage at exit. */
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const file = process.env.RESOURCE_USAGE_FILE
  if (file !== undefined) writeFileSync(file, JSON.stringify(process.resourceUsage()))
})
