/**
 * Runs with every test file: the module that creates the folders is loaded once for all of them.
 */
import { afterAll } from 'vitest'
import { removeTemporaryFolders } from './files.ts'

afterAll(removeTemporaryFolders)
