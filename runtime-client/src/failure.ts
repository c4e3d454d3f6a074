// Why a call has no answer.

/** An error of a call; `code` is one of the book's error table. */
export class SSError extends Error {
  constructor(code: string, message: string, retryable: boolean, stack?: string) {
    super(message);
    this.name = "SSError";
    this.code = code;
    this.retryable = retryable;
    if (stack) this.stack = stack;
  }
}

export interface SSError {
  /** A name of the table, as in `"timeout"`. */
  code: string;
  /** Whether the same call may succeed when it is made again. */
  retryable: boolean;
  /** Which action was called. */
  action?: string;
}
