// The actions of `../app/app/server/bench.js`, for servers without a framework for them: `answer` is called with the value.
const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));

export function act(action, argument, answer, publish) {
  switch (action) {
    case 'square':
      return answer(argument * argument);
    case 'fib':
      return answer(fib(argument));
    case 'later':
      return void setTimeout(() => answer(argument * argument), 5);
    case 'publish':
      publish(argument);
      return answer(true);
    default:
      throw new Error(`there is no action ${action}`);
  }
}

/** Tells the bench where the server listens. */
export const listening = (port) => console.log(`listening on ${port}`);
