/** The commands escape text that they did not write. See ../visible-text.ts. */
export { visible, visibleLines } from '../visible-text.ts'
