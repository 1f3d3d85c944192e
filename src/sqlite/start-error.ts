/**
 * An error that prevents the server from starting or stopping, or a copy from being made. Its message is one line
 * with the cause and the remedy. Any other error is a fault of the program and keeps its stack.
 */
export class StartError extends Error {}
