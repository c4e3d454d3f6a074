// What a call returns: a promise that knows whether anyone listens to it.

/** The promise of a call's answer. What is derived from it by `then` is a plain promise. */
export class Answer extends Promise<any> {
  /** Whether anyone has listened to it so far. */
  declare heard?: boolean;

  static get [Symbol.species]() {
    return Promise;
  }

  // `await`, `catch`, `finally`, `Promise.all` and `return` in an async function all come through here.
  then<A = any, B = never>(
    onFulfilled?: ((value: any) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.heard = true;
    return super.then(onFulfilled, onRejected);
  }
}

/** Keeps a failure from being an unhandled rejection. That does not count as listening. */
export function hush(answer: Answer): void {
  Promise.prototype.then.call(answer, undefined, () => {});
}
