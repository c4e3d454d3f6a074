// The app's own trees are declared below this part, which is the same for every app.

/** The framework: in a browser, everything of `SS.Client`; in server code, everything of `SS.Server`. */
declare const SS: SS.Client & SS.Server;

/** A Redis client, for server code: any command as a method. It throws when no Redis is configured. */
declare const R: SS.Redis;

/** The names of a CSS Module, each with what an element's `class` has to hold. */
declare module '*.module.css' {
  const names: { readonly [name: string]: string };
  export default names;
}
/** The names of a CSS Module, each with what an element's `class` has to hold. */
declare module '*.module.scss' {
  const names: { readonly [name: string]: string };
  export default names;
}
/** The names of a CSS Module, each with what an element's `class` has to hold. */
declare module '*.module.sass' {
  const names: { readonly [name: string]: string };
  export default names;
}
/** The names of a CSS Module, each with what an element's `class` has to hold. */
declare module '*.module.styl' {
  const names: { readonly [name: string]: string };
  export default names;
}

// Files that scripts import for what they are.

/** The address of the file. */
declare module '*?url' {
  const url: string;
  export default url;
}
/** The address of the file, however small it is. */
declare module '*?no-inline' {
  const url: string;
  export default url;
}
/** The file as a `data:` URL; of a stylesheet its text. */
declare module '*?inline' {
  const data: string;
  export default data;
}
/** The text of the file. */
declare module '*?raw' {
  const text: string;
  export default text;
}
/** A function that starts the worker. */
declare module '*?worker' {
  const Start: { new (options?: WorkerOptions): Worker };
  export default Start;
}
/** A function that starts the worker, which pages share. */
declare module '*?sharedworker' {
  const Start: { new (options?: WorkerOptions): SharedWorker };
  export default Start;
}
/** The address of the worker's script. */
declare module '*?worker&url' {
  const url: string;
  export default url;
}
/** Makes an instance of the WebAssembly module. */
declare module '*.wasm?init' {
  const init: (imports?: WebAssembly.Imports) => Promise<WebAssembly.Instance>;
  export default init;
}
/** What the WebAssembly module exports. */
declare module '*.wasm';
declare module '*.aac' {
  const url: string;
  export default url;
}
declare module '*.apng' {
  const url: string;
  export default url;
}
declare module '*.avif' {
  const url: string;
  export default url;
}
declare module '*.bin' {
  const url: string;
  export default url;
}
declare module '*.bmp' {
  const url: string;
  export default url;
}
declare module '*.csv' {
  const url: string;
  export default url;
}
declare module '*.cur' {
  const url: string;
  export default url;
}
declare module '*.dat' {
  const url: string;
  export default url;
}
declare module '*.eot' {
  const url: string;
  export default url;
}
declare module '*.exr' {
  const url: string;
  export default url;
}
declare module '*.fbx' {
  const url: string;
  export default url;
}
declare module '*.flac' {
  const url: string;
  export default url;
}
declare module '*.gif' {
  const url: string;
  export default url;
}
declare module '*.glb' {
  const url: string;
  export default url;
}
declare module '*.gltf' {
  const url: string;
  export default url;
}
declare module '*.glsl' {
  const url: string;
  export default url;
}
declare module '*.gz' {
  const url: string;
  export default url;
}
declare module '*.hdr' {
  const url: string;
  export default url;
}
declare module '*.ico' {
  const url: string;
  export default url;
}
declare module '*.jfif' {
  const url: string;
  export default url;
}
declare module '*.jpeg' {
  const url: string;
  export default url;
}
declare module '*.jpg' {
  const url: string;
  export default url;
}
declare module '*.jxl' {
  const url: string;
  export default url;
}
declare module '*.ktx2' {
  const url: string;
  export default url;
}
declare module '*.m4a' {
  const url: string;
  export default url;
}
declare module '*.m4v' {
  const url: string;
  export default url;
}
declare module '*.mov' {
  const url: string;
  export default url;
}
declare module '*.mp3' {
  const url: string;
  export default url;
}
declare module '*.mp4' {
  const url: string;
  export default url;
}
declare module '*.mtl' {
  const url: string;
  export default url;
}
declare module '*.obj' {
  const url: string;
  export default url;
}
declare module '*.ogg' {
  const url: string;
  export default url;
}
declare module '*.ogv' {
  const url: string;
  export default url;
}
declare module '*.onnx' {
  const url: string;
  export default url;
}
declare module '*.opus' {
  const url: string;
  export default url;
}
declare module '*.otf' {
  const url: string;
  export default url;
}
declare module '*.pdf' {
  const url: string;
  export default url;
}
declare module '*.pjp' {
  const url: string;
  export default url;
}
declare module '*.pjpeg' {
  const url: string;
  export default url;
}
declare module '*.png' {
  const url: string;
  export default url;
}
declare module '*.stl' {
  const url: string;
  export default url;
}
declare module '*.svg' {
  const url: string;
  export default url;
}
declare module '*.tif' {
  const url: string;
  export default url;
}
declare module '*.tiff' {
  const url: string;
  export default url;
}
declare module '*.ttc' {
  const url: string;
  export default url;
}
declare module '*.ttf' {
  const url: string;
  export default url;
}
declare module '*.txt' {
  const url: string;
  export default url;
}
declare module '*.vtt' {
  const url: string;
  export default url;
}
declare module '*.wav' {
  const url: string;
  export default url;
}
declare module '*.webm' {
  const url: string;
  export default url;
}
declare module '*.webmanifest' {
  const url: string;
  export default url;
}
declare module '*.webp' {
  const url: string;
  export default url;
}
declare module '*.woff' {
  const url: string;
  export default url;
}
declare module '*.woff2' {
  const url: string;
  export default url;
}
declare module '*.zip' {
  const url: string;
  export default url;
}

declare namespace SS {
  /** `SS` in a browser. */
  interface Client {
    /** What the files of `app/client` export. */
    readonly client: ClientTree;
    /** What the files of `app/shared` export. */
    readonly shared: SharedTree;
    /** The actions of `app/server`. */
    readonly server: ServerTree;
    /** Texts of the templates, by id. */
    readonly templates: Templates;
    /** What the server publishes. */
    readonly events: Events;
    /** The connection. */
    readonly socket: Socket;
    /** `client` of the configuration. */
    readonly config: ClientConfig;
    /** The environment's name. */
    readonly env: string;
    /** Whether `init` has been called. */
    readonly started: boolean;
    /** An action, called with options. */
    with<F extends (...args: any[]) => any>(options: CallOptions, action: F): F;
  }

  /** `SS` in server code. */
  interface Server {
    /** The actions: without session and guard, unless `.call(this, …)` hands them on. */
    readonly server: ServerTree;
    /** What the files of `app/shared` export. */
    readonly shared: SharedTree;
    /** Sends events to browsers. */
    readonly publish: Publish;
    /** Who is online. */
    readonly users: { readonly online: { now(callback?: (ids: string[]) => void): Promise<string[]> } };
    /** The whole configuration. */
    readonly config: ServerConfig;
    /** The environment's name. */
    readonly env: string;
    /** Writes to the server's log. */
    readonly log: Log;
    /** The server's version. */
    readonly version: string;
  }

  /** How a call is to be made. */
  interface CallOptions {
    /** Not in the browser's log. */
    silent?: boolean;
    /** Time to answer, in milliseconds; 0 is for ever. */
    timeout_ms?: number;
    /** Sent at once or not at all. */
    volatile?: boolean;
  }

  /** What a failed call rejects with. */
  interface CallError extends Error {
    /** A name of the error table, as in `"timeout"`. */
    readonly code: string;
    /** Whether the same call may succeed when it is made again. */
    readonly retryable: boolean;
    /** Which action was called. */
    readonly action?: string;
  }

  /**
   * What comes with each event of `SS.events`. An app adds its own:
   * `declare namespace SS { interface EventParams { 'news': { title: string } } }`
   */
  interface EventParams {
    /** A call failed and nobody listened. */
    error: CallError;
    /** After a reconnect: whether all that was missed follows. */
    recovered: boolean;
    /** The server runs another build than the page. */
    upgrade: { build_id: string; required: boolean };
  }

  /** What comes with each event of `SS.socket`. */
  interface SocketEventParams {
    connect: undefined;
    connecting: undefined;
    disconnect: { code: number; reason: string; final: boolean };
    reconnect: undefined;
    reconnecting: undefined;
  }

  /** A name of `All`, which an editor completes, or any other. */
  type EventName<All> = keyof All | (string & {});
  type ParamsOf<All, Name> = Name extends keyof All ? All[Name] : any;
  type Handler<All, Name> = (params: ParamsOf<All, Name>, channel?: string) => void;

  interface Events {
    on<Name extends EventName<EventParams>>(name: Name, handler: Handler<EventParams, Name>): void;
    /** Like `on`, for one time. */
    once<Name extends EventName<EventParams>>(name: Name, handler: Handler<EventParams, Name>): void;
    /** Removes a handler, or all of that name. */
    off<Name extends EventName<EventParams>>(name: Name, handler?: Handler<EventParams, Name>): void;
    /** Calls the handlers of this page; says whether there was any. */
    emit<Name extends EventName<EventParams>>(name: Name, params?: ParamsOf<EventParams, Name>, channel?: string): boolean;
  }

  interface Socket {
    readonly state: 'closed' | 'connecting' | 'open';
    on<Name extends keyof SocketEventParams>(name: Name, handler: Handler<SocketEventParams, Name>): void;
    once<Name extends keyof SocketEventParams>(name: Name, handler: Handler<SocketEventParams, Name>): void;
    off<Name extends keyof SocketEventParams>(name: Name, handler?: Handler<SocketEventParams, Name>): void;
    connect(): void;
    disconnect(): void;
  }

  interface Publish {
    /** To every browser that is connected. */
    broadcast<Name extends EventName<EventParams>>(event: Name, params?: ParamsOf<EventParams, Name>, options?: PublishOptions): void;
    /** To who is subscribed to one of the channels. */
    channel<Name extends EventName<EventParams>>(names: string | string[], event: Name, params?: ParamsOf<EventParams, Name>, options?: PublishOptions): void;
    channels<Name extends EventName<EventParams>>(names: string | string[], event: Name, params?: ParamsOf<EventParams, Name>, options?: PublishOptions): void;
    /** To all tabs of these users. */
    user<Name extends EventName<EventParams>>(ids: Id | Id[], event: Name, params?: ParamsOf<EventParams, Name>, options?: PublishOptions): void;
    users<Name extends EventName<EventParams>>(ids: Id | Id[], event: Name, params?: ParamsOf<EventParams, Name>, options?: PublishOptions): void;
    /** To one connection. */
    socket<Name extends EventName<EventParams>>(connection: number, event: Name, params?: ParamsOf<EventParams, Name>, options?: PublishOptions): void;
  }

  interface PublishOptions {
    /** It takes the place of one with the same name and key that still waits for a slow client. */
    conflate?: boolean | string | number;
  }

  /** A user's id; numbers are taken as text. */
  type Id = string | number;

  interface Log {
    (...values: any[]): void;
    error(...values: any[]): void;
    warn(...values: any[]): void;
    info(...values: any[]): void;
    debug(...values: any[]): void;
    trace(...values: any[]): void;
  }

  interface Redis {
    [command: string]: (...args: any[]) => any;
  }

  /** `this` in an action. */
  interface Context {
    /** The caller's session. */
    readonly session: Session;
    /** The same as `this.session.user`. */
    readonly user: User;
    /** The call. */
    readonly request: Request;
    /** The way of 0.1.5: the same as `this.session`, at once. */
    getSession(callback?: (session: Session) => void): Session;
  }

  interface Request {
    readonly id: string;
    readonly origin: 'socket' | 'http' | 'console' | 'server';
    readonly ip?: string;
    /** The number of the tab's connection, for `SS.publish.socket`. */
    readonly connection?: number;
    /** The body of a POST over HTTP. */
    readonly post?: any;
  }

  interface Session {
    readonly id: string;
    /** Milliseconds since 1970. */
    readonly created_at: number;
    /** The app's own data, kept with the session. */
    attributes: SessionAttributes;
    /** Who is logged in. */
    readonly user_id: string | null;
    readonly user: User;
    readonly channel: Channel;
    /** Writes it now; answers when it is stored. */
    save(callback?: () => void): Promise<void>;
    /** Logs a user in. */
    setUserId(id: Id | null | undefined, callback?: () => void): Promise<void>;
    /** Asks `authenticate` of a module in `lib/server`. */
    authenticate(module: string, params: any, callback?: (answer: any) => void): Promise<any>;
    /** Runs a function when the connection of this call ends. */
    on(event: 'disconnect', handler: (this: Session, session: Session) => void): this;
  }

  /** What the app keeps with a session; an app may declare its keys here. */
  interface SessionAttributes {
    [name: string]: any;
  }

  interface User {
    readonly id: string | null;
    loggedIn(): boolean;
    logout(callback?: (answer: {}) => void): Promise<{}>;
  }

  interface Channel {
    subscribe(names: string | string[], callback?: (done: true) => void): Promise<true>;
    unsubscribe(names: string | string[], callback?: (done: true) => void): Promise<true>;
    list(callback?: (names: string[]) => void): string[];
  }

  /**
   * What `exports.actions` is, so that `this` is known in it: `{…} satisfies SS.Actions`, and where actions call their
   * siblings `{…} satisfies SS.Actions<'rooms'>`, with the path of the file below `app/server`.
   */
  type Actions<File extends keyof Siblings | '' = ''> = ActionTable<Context & SiblingsOf<File>> & ThisType<Context & SiblingsOf<File>>;
  interface ActionTable<This> {
    [name: string]: ((...args: any[]) => any) | (ActionTable<This> & ThisType<This>);
  }
  type SiblingsOf<File> = File extends keyof Siblings ? { [Name in Siblings[File]]: (...args: any[]) => any } : unknown;

  /** A call of an action: its data, then perhaps options, then perhaps a callback. */
  interface Call<Data extends any[], Answer> {
    (...args: [...Leading<Data>, CallOptions, (answer: Answer) => void]): Promise<Answer>;
    (...args: [...Leading<Data>, CallOptions]): Promise<Answer>;
    (...args: [...Leading<Data>, (answer: Answer) => void]): Promise<Answer>;
    (...args: Data): Promise<Answer>;
  }

  /** The actions of a module as they are called; `Styles` says which there are, and how each answers. */
  type ActionsOf<Module, Styles> = Module extends { actions: infer Table } ? Calls<Table, Styles> : never;
  type Calls<Table, Styles> = {
    readonly [Name in keyof Table as Name extends keyof Styles ? Name : never]: CallOf<Table[Name], Styles[Name & keyof Styles]>;
  };
  type CallOf<Fn, Style> = Style extends 'callback' ? CallbackCall<Fn> : Style extends 'value' ? ValueCall<Fn> : Calls<Fn, Style>;
  type ValueCall<Fn> = Call<ParamsOfFn<Fn>, Fn extends (...args: any[]) => infer Result ? Awaited<Result> : any>;
  type CallbackCall<Fn> =
    WithoutLast<ParamsOfFn<Fn>> extends infer Data extends any[] ? Call<Data, AnswerOf<LastOf<ParamsOfFn<Fn>>>> : never;
  type ParamsOfFn<Fn> = Fn extends (this: any, ...args: infer Params) => any ? Params : any[];
  type AnswerOf<Callback> =
    0 extends 1 & Callback ? any
    : NonNullable<Callback> extends (...args: infer Params) => any ? Params extends [] ? undefined : Params[0]
    : any;

  // Parameters are taken apart in ways that keep their names for the editor where that is possible.
  type LastOf<Params extends any[]> = Required<Params> extends [...any, infer Last] ? Last : any;
  type WithoutLast<Params extends any[]> =
    [] extends Params ? Required<Params> extends [...infer Data, any] ? Partial<Data> : []
    : Params extends [...infer Data, any] ? Data
    : CutLast<Params, []>;
  type CutLast<Params extends any[], Taken extends any[]> =
    Params extends [] | [any] | [any?] ? Taken
    : Params extends [infer First, ...infer Rest] ? CutLast<Rest, [...Taken, First]>
    : Params extends [(infer First)?, ...infer Rest] ? CutLast<Rest, [...Taken, First?]>
    : Taken;
  /** Every way to leave out optional parameters at the end, for what stands behind them. */
  type Leading<Params extends any[]> = LeadingOf<Params> extends infer Leading extends any[] ? Leading : never;
  type LeadingOf<Params extends any[]> = Params extends Required<Params> ? Params : Shortened<Params, []>;
  type Shortened<Params extends any[], Taken extends any[]> =
    Params extends [] ? Taken
    : number extends Params['length'] ? [...Taken, ...Params]
    : Params extends [infer First, ...infer Rest] ? Shortened<Rest, [...Taken, First]>
    : Params extends [(infer First)?, ...infer Rest] ? Taken | Shortened<Rest, [...Taken, First | undefined]>
    : Taken;

  /** A module without what is for hot swapping only. */
  type PublicOf<Module> = { [Name in keyof Module as Exclude<Name, 'hot' | 'dispose'>]: Module[Name] };
}

// Files of the CommonJS form, with or without the declarations of Node.js.
declare namespace NodeJS {
  interface Require {
    (id: string): any;
  }
  interface Module {
    exports: any;
  }
}
declare var require: NodeJS.Require;
declare var module: NodeJS.Module;
declare var exports: any;

