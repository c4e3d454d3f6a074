// What a file of `ssbuild test` finds without importing it.

/** A group of tests. */
declare const describe: SSTest.Describe;
/** A test: a function that throws, or whose promise is rejected, when something does not hold. */
declare const test: SSTest.Test;
/** The same as `test`. */
declare const it: SSTest.Test;
/** Before the first test of the group. */
declare function beforeAll(body: SSTest.Body, timeout_ms?: number): void;
/** Before each test of the group. */
declare function beforeEach(body: SSTest.Body, timeout_ms?: number): void;
/** After each test of the group. */
declare function afterEach(body: SSTest.Body, timeout_ms?: number): void;
/** After the last test of the group. */
declare function afterAll(body: SSTest.Body, timeout_ms?: number): void;
/** Says what a value should be. */
declare const expect: SSTest.Expect;
/** A function that remembers its calls. */
declare function mock<F extends (...args: any[]) => any = (...args: any[]) => any>(implementation?: F): SSTest.Mock<F>;
/** A browser without a screen: a session of its own, unless it is a further tab. */
declare function connect(options?: SSTest.ConnectOptions): Promise<Browser>;
/** The browser that `SS` belongs to. */
declare const client: Browser;
/** The clock of the server and of all browsers. */
declare const clock: {
  /** Milliseconds since the file began. */
  now(): number;
  /** Moves it on; timers that fall due run. */
  advance(ms: number): Promise<void>;
};
/** Waits until this gives something true, or does not throw. */
declare function until<T>(is: () => T | Promise<T>, timeout_ms?: number): Promise<T>;

/** A browser without a screen. */
interface Browser {
  /** Its page's `SS`. */
  readonly SS: SS.Client;
  /** Its page's `window`. */
  readonly window: any;
  /** The parameters of the next event of that name which nobody has taken; it may have come already. */
  next(event: string, timeout_ms?: number): Promise<any>;
  /** Events that came and that nobody has taken: name and parameters. */
  readonly events: [string, any][];
  /** Another tab of the same browser. */
  tab(options?: SSTest.ConnectOptions): Promise<Browser>;
  /** Breaks the connection, which comes back by itself. */
  drop(): void;
  /** Ends it. */
  close(): void;
}

declare namespace SSTest {
  type Body = (done?: any) => unknown;

  interface ConnectOptions {
    /** Somebody who is logged in. */
    user?: string;
    /** The page: `/` unless it is another one. */
    path?: string;
    /** Whether the app's `init` runs. */
    init?: boolean;
  }

  interface Describe {
    (name: string, body: () => void): void;
    only(name: string, body: () => void): void;
    skip(name: string, body: () => void): void;
    each<T>(rows: readonly T[]): (name: string, body: (...row: any[]) => void) => void;
  }

  interface Test {
    (name: string, body: Body, timeout_ms?: number): void;
    only(name: string, body: Body, timeout_ms?: number): void;
    skip(name: string, body: Body, timeout_ms?: number): void;
    todo(name: string): void;
    each<T>(rows: readonly T[]): (name: string, body: (...row: any[]) => unknown, timeout_ms?: number) => void;
  }

  type Mock<F extends (...args: any[]) => any> = F & {
    calls: Parameters<F>[];
    results: { value?: ReturnType<F>; error?: unknown }[];
    returns(value: ReturnType<F>): Mock<F>;
    does(implementation: F): Mock<F>;
    reset(): Mock<F>;
  };

  interface Matchers<R> {
    toBe(expected: unknown): R;
    toEqual(expected: unknown): R;
    toStrictEqual(expected: unknown): R;
    toMatchObject(expected: unknown): R;
    toBeTruthy(): R;
    toBeFalsy(): R;
    toBeNull(): R;
    toBeUndefined(): R;
    toBeDefined(): R;
    toBeNaN(): R;
    toBeGreaterThan(expected: number | bigint): R;
    toBeGreaterThanOrEqual(expected: number | bigint): R;
    toBeLessThan(expected: number | bigint): R;
    toBeLessThanOrEqual(expected: number | bigint): R;
    toBeCloseTo(expected: number, digits?: number): R;
    toBeInstanceOf(type: Function): R;
    toBeTypeOf(type: string): R;
    toMatch(expected: string | RegExp): R;
    toContain(expected: unknown): R;
    toContainEqual(expected: unknown): R;
    toHaveLength(expected: number): R;
    toHaveProperty(path: string | string[], value?: unknown): R;
    toThrow(expected?: unknown): R;
    toHaveBeenCalled(): R;
    toHaveBeenCalledTimes(expected: number): R;
    toHaveBeenCalledWith(...args: unknown[]): R;
  }

  type Expectation<R> = Matchers<R> & { not: Matchers<R> };

  interface Expect {
    (actual: unknown): Expectation<void> & { resolves: Expectation<Promise<void>>; rejects: Expectation<Promise<void>> };
    anything(): any;
    any(type: Function): any;
    objectContaining(part: object): any;
    arrayContaining(part: unknown[]): any;
    stringContaining(part: string): any;
    stringMatching(pattern: string | RegExp): any;
    fail(message?: string): never;
  }
}
