import type { Steps } from './step.ts'
export const UNDO_CHANGES_STEPS: Steps = {}
