/**
 * What keeps the server from starting, from ending as it should, or a copy from being made: one line that names the thing and the way
 * out. Everything else that is thrown is a fault of ours and keeps its stack.
 */
export class StartError extends Error {}
