// What a call returns: a promise that knows whether anyone listens to it.

const heard = new WeakSet<object>();

/** The promise of a call's answer. What is derived from it by `then` is a plain promise. */
export class Answer extends Promise<any> {
  static get [Symbol.species]() {
    return Promise;
  }

  // `await`, `catch`, `finally`, `Promise.all` and `return` in an async function all come through here.
  then<A = any, B = never>(
    onFulfilled?: ((value: any) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    heard.add(this);
    return super.then(onFulfilled, onRejected);
  }
}

/** Whether anyone has listened to it so far. */
export function isHeard(answer: Answer): boolean {
  return heard.has(answer);
}

/** Keeps a failure from being an unhandled rejection. That does not count as listening. */
export function hush(answer: Answer): void {
  Promise.prototype.then.call(answer, undefined, function () {});
}
