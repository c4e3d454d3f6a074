// ECMAScript's evaluation of modules that wait at their top level, "Cyclic Module Records", step by step: a plain script behind the
// loader, for apps that have such modules. The linker says which they are; all others are evaluated by the loader, at once.
(function () {
  interface Module {
    done: boolean;
    failed: { error: unknown } | null;
    after: (() => void)[];
    wait?: Waiting;
  }

  /** ECMAScript's fields of a cyclic module record, by the names that they have there. */
  interface Waiting {
    id: number;
    index: number;
    ancestorIndex: number;
    /** Nothing before it is its turn, and when it has ended. */
    asyncOrder: number;
    pendingAsync: number;
    asyncParents: Module[];
    cycleRoot: Module | null;
  }

  /** Of what waits: ids of its imports; 1 when it waits itself. */
  type Definition = [unknown, unknown, unknown, number[]?, number?];

  interface Loader {
    whenStarted(fn: () => void): void;
    peek(id: number): Module | undefined;
    evaluate(id: number): Module;
    parts: {
      definitions: { [id: string]: Definition };
      run(id: number, module: Module): unknown;
      end(module: Module): void;
      begin?: (id: number, say: (error: unknown) => void) => boolean;
      settle?: (id: number) => Promise<void>;
    };
  }

  const loader = (globalThis as any).__ss as Loader;
  const { peek, evaluate, parts } = loader;
  const { definitions, run, end } = parts;

  const stack: Module[] = [];
  let indexes = 0;
  let orders = 0;

  /** `InnerModuleEvaluation` */
  function begin(id: number): Module {
    const module = peek(id) as Module;
    if (module.wait) return module;
    const index = ++indexes;
    const wait = { id, index, ancestorIndex: index, asyncOrder: 0, pendingAsync: 0, asyncParents: [], cycleRoot: null };
    const self: Waiting = (module.wait = wait);
    stack.push(module);
    for (const need of definitions[id][3] as number[]) {
      if (!definitions[need][3]) {
        evaluate(need);
        continue;
      }
      let other = begin(need);
      let of = other.wait as Waiting;
      if (!of.cycleRoot) {
        self.ancestorIndex = Math.min(self.ancestorIndex, of.ancestorIndex);
      } else {
        other = of.cycleRoot;
        of = other.wait as Waiting;
        if (other.failed) throw other.failed.error;
      }
      if (of.asyncOrder) {
        self.pendingAsync++;
        of.asyncParents.push(module);
      }
    }
    if (self.pendingAsync || definitions[id][4]) {
      self.asyncOrder = ++orders;
      if (!self.pendingAsync) runAsync(module);
    } else {
      run(id, module);
      end(module);
    }
    if (self.ancestorIndex === index) {
      for (const member of stack.splice(stack.indexOf(module))) (member.wait as Waiting).cycleRoot = module;
    }
    return module;
  }

  /** `ExecuteAsyncModule` */
  function runAsync(module: Module) {
    const result = run((module.wait as Waiting).id, module) as Promise<unknown>;
    result.then(
      () => fulfilled(module),
      (error) => rejected(module, error),
    );
  }

  /** `AsyncModuleExecutionFulfilled` */
  function fulfilled(module: Module) {
    if (module.done) return;
    (module.wait as Waiting).asyncOrder = 0;
    end(module);
    const ready: Module[] = [];
    gather(module, ready);
    const order = (one: Module) => (one.wait as Waiting).asyncOrder;
    for (const next of ready.sort((a, b) => order(a) - order(b))) {
      const { id } = next.wait as Waiting;
      if (next.done) continue;
      if (definitions[id][4]) {
        runAsync(next);
        continue;
      }
      try {
        run(id, next);
      } catch (error) {
        rejected(next, error);
        continue;
      }
      (next.wait as Waiting).asyncOrder = 0;
      end(next);
    }
  }

  /** `GatherAvailableAncestors` */
  function gather(module: Module, ready: Module[]) {
    for (const parent of (module.wait as Waiting).asyncParents) {
      const wait = parent.wait as Waiting;
      if (ready.indexOf(parent) >= 0 || (wait.cycleRoot && wait.cycleRoot.failed)) continue;
      if (!--wait.pendingAsync) {
        ready.push(parent);
        if (!definitions[wait.id][4]) gather(parent, ready);
      }
    }
  }

  /** `AsyncModuleExecutionRejected` */
  function rejected(module: Module, error: unknown) {
    if (module.done) return;
    module.failed = { error };
    const wait = module.wait as Waiting;
    wait.asyncOrder = 0;
    end(module);
    for (const parent of wait.asyncParents) rejected(parent, error);
  }

  /** The end of evaluating a module that may wait: `Evaluate`. */
  function settle(id: number): Promise<void> {
    return new Promise(function (resolve, reject) {
      if (!definitions[id] || !definitions[id][3]) {
        evaluate(id);
        return resolve();
      }
      try {
        begin(id);
      } catch (error) {
        const root = stack[0];
        for (const module of stack.splice(0)) {
          (module.wait as Waiting).cycleRoot = root;
          rejected(module, error);
        }
      }
      const module = peek(id) as Module;
      const root = (module.wait as Waiting).cycleRoot as Module;
      const told = () => (root.failed ? reject(root.failed.error) : resolve());
      if (root.done) told();
      else root.after.push(told);
    });
  }

  let started: Promise<unknown> = Promise.resolve();

  parts.settle = settle;
  parts.begin = function (id, say) {
    if (!definitions[id] || !definitions[id][3]) return false;
    started = Promise.all([started, settle(id).catch(say)]);
    return true;
  };
  loader.whenStarted = (fn) => void started.then(fn);
})();
