/**
 * The console of the tests in workerd.
 */
import { expect, it } from 'vitest'

/** Where @cloudflare/vitest-plugin keeps the console of workerd. */
const ofRuntime: unknown = Reflect.get(globalThis, '__console')

// Otherwise a Durable Object that logs at the end of a test file stops the test run: disableConsoleIntercept in vitest.config.ts.
it('is the one of the runtime', () => {
  expect(console).toBe(ofRuntime)
})
